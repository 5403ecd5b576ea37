// Traffic: what came of the requests and connections that an endpoint was given, as plain sums over all workers. What
// happened between two readings is their difference. WindowedTraffic: what happened lately.
//
// Workers say of each HTTP request and each TCP connection once whether the endpoint served it (counters.def:
// successes, failures), and once more if that turned out to be wrong (spoiled): an answer that broke off was no good
// one.
//
// Values. Counters are read while workers write them; a reading may have one half of an event and lack the other, and
// what was good may turn out bad. So a difference that would be below 0 is 0.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/model/endpoint.h"

namespace weir {

struct Traffic {
  uint64_t good = 0;
  uint64_t bad = 0;
  uint64_t slow = 0;     // answers that took longer than the breaker's limit for slow ones
  uint64_t answers = 0;  // whose time was taken, and no errors: in HTTP, answers; in TCP, each turn of a conversation
  uint64_t answered_ns = 0;  // how long those took together
  uint64_t runs = 0;         // times that as many failures came in a row as outlier detection allows

  uint64_t outcomes() const noexcept { return good + bad; }
  // 0 if nothing happened.
  double error_share() const noexcept { return share(bad, outcomes()); }
  // Everything that could have been slow: a connection has many turns, a failed request has no answer.
  uint64_t could_be_slow() const noexcept { return std::max(outcomes(), answers); }
  double slow_share() const noexcept { return share(std::min(slow, could_be_slow()), could_be_slow()); }
  // 0 if there were no answers.
  Duration mean_answer() const noexcept {
    return Duration{answers == 0 ? 0 : static_cast<Duration::rep>(answered_ns / answers)};
  }
  // Requests that went well, and none that did not: a probe would say nothing new.
  bool proves_health() const noexcept { return good > 0 && bad == 0; }

  Traffic& operator+=(const Traffic& other) noexcept {
    good += other.good;
    bad += other.bad;
    slow += other.slow;
    answers += other.answers;
    answered_ns += other.answered_ns;
    runs += other.runs;
    return *this;
  }
  Traffic& operator-=(const Traffic& before) noexcept {
    good = above(good, before.good);
    bad = above(bad, before.bad);
    slow = above(slow, before.slow);
    answers = above(answers, before.answers);
    answered_ns = above(answered_ns, before.answered_ns);
    runs = above(runs, before.runs);
    return *this;
  }
  friend Traffic operator+(Traffic one, const Traffic& other) noexcept { return one += other; }
  friend Traffic operator-(Traffic now, const Traffic& before) noexcept { return now -= before; }
  bool operator==(const Traffic&) const = default;

  // How much more the first is; 0 if it is less.
  static constexpr uint64_t above(uint64_t one, uint64_t other) noexcept { return one > other ? one - other : 0; }

 private:
  static double share(uint64_t part, uint64_t whole) noexcept {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  }
};

// Since the endpoint exists, over all workers. Reads what they write; any thread.
Traffic traffic_of(const EndpointState& state) noexcept;

// "34 of 60 failed in the last 10 s (57 %)", for reasons in logs.
std::string told_failures(const Traffic& lately, Duration window);

// What happened in the last `window`, forgotten in tenths of it: at least nine tenths and at most all of that time, as
// far as advance() is called more often than that. What came between two late calls counts as new, because nobody knows
// when it was; what is older is forgotten as if they had not been late.
class WindowedTraffic {
 public:
  static constexpr size_t tenths = 10;

  // `so_far`: what has been before, and does not count.
  WindowedTraffic(Duration window, const Traffic& so_far, Instant now) noexcept
      : window_(window), tenth_(window / static_cast<Duration::rep>(tenths)), so_far_(so_far), began_(now) {
    WEIR_ASSERT(tenth_ > Duration::zero(), window.count());
  }

  Duration window() const noexcept { return window_; }

  // So it stands now. What came since the last call, or since the beginning.
  Traffic advance(const Traffic& so_far, Instant now) noexcept {
    turn(now);
    const Traffic came = so_far - so_far_;
    so_far_ = so_far;
    buckets_[newest_] += came;
    return came;
  }
  // What there was proves nothing any more.
  void restart(const Traffic& so_far, Instant now) noexcept {
    buckets_ = {};
    newest_ = 0;
    so_far_ = so_far;
    began_ = now;
  }
  // As of the last call.
  Traffic sum() const noexcept {
    Traffic all;
    for (const Traffic& bucket : buckets_) all += bucket;
    return all;
  }

 private:
  void turn(Instant now) noexcept {
    if (now < began_ + tenth_) return;
    const Duration::rep passed = (now - began_) / tenth_;
    began_ += passed * tenth_;
    for (Duration::rep i = 0; i < std::min<Duration::rep>(passed, tenths); ++i) {
      newest_ = (newest_ + 1) % tenths;
      buckets_[newest_] = {};
    }
  }

  Duration window_;
  Duration tenth_;
  std::array<Traffic, tenths> buckets_{};
  size_t newest_ = 0;
  Traffic so_far_;
  Instant began_;  // the newest bucket
};

}  // namespace weir
