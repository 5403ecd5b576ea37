// What an origin has done so far. Each loop adds to its own Stats, on its own cache lines; any thread may read the sum.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace weir::origin {

// A counter with one writer: its loop. Relaxed throughout: readers want a recent number, nothing is ordered by it.
class Count {
 public:
  void add(std::uint64_t n) noexcept { value_.store(get() + n, std::memory_order_relaxed); }
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct alignas(64) Stats {
  Count requests;     // HTTP requests whose head was understood, without those that only ask for these numbers
  Count connections;  // accepted
  Count closed;
  Count bytes_in;
  Count bytes_out;
};

// One Stats per loop. Made before the loops start and not changed in size after.
class Scoreboard {
 public:
  explicit Scoreboard(std::size_t loops) : stats_(loops) {}

  Stats& of_loop(std::size_t index) { return stats_[index]; }

  std::uint64_t sum(Count Stats::*count) const noexcept {
    std::uint64_t total = 0;
    for (const Stats& stats : stats_) total += (stats.*count).get();
    return total;
  }

  // The two sums are not of one instant: a loop may close between the readings what was not yet counted as accepted.
  std::uint64_t open_connections() const noexcept {
    const std::uint64_t accepted = sum(&Stats::connections);
    const std::uint64_t closed = sum(&Stats::closed);
    return accepted > closed ? accepted - closed : 0;
  }

  // One JSON object, without a line end.
  std::string json(std::string_view name) const;

 private:
  std::deque<Stats> stats_;
};

}  // namespace weir::origin
