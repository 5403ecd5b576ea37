// Shadows: for one worker, a world for each of several algorithms in which it alone decides, on the arrivals that there
// really are. What would have become of them is a guess: the algorithm's own code picks, unchanged, among endpoints
// that are made up and behave as ShadowModel says (core/balance/shadow_model.h); what it measures there is made up as
// well.
//
//     arrival -> observe the real endpoints -> each world: let leave who is due, pick, one more is there, this long
//
// A world sees only what its worker sends, which may be a small part of all. It is drawn to scale: the rate at which
// requests leave is reckoned per arrival of this worker, while the levels are those of all workers. So a worker that
// sends a tenth has a world that goes ten times as slowly and is as full; only the latencies are not stretched.
//
// The worlds begin when enough was observed: what a bad guess does in them, they would remember for long.
//
// A PickerState has it, and hands it on to the next one when there is another Snapshot. One worker's; arrive() neither
// allocates nor locks.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "core/balance/pickers.h"
#include "core/balance/shadow_model.h"
#include "core/base/random.h"
#include "core/model/shadow_scores.h"

namespace weir {

using ShadowPickers = std::array<std::unique_ptr<const Picker>, shadow_count>;

// The endpoints, and what each is worth; 0 for who does not take part.
struct ShadowMembers {
  std::vector<EndpointId> ids;
  std::vector<uint32_t> shares;
};

class Shadows {
 public:
  // Endpoints looked at for one arrival. Where there are more members, the look at all of them takes several arrivals,
  // and only the last of these takes place in the worlds. They are drawn to that scale, too.
  static constexpr uint32_t looks_max = 16;

  // `previous` may be null; what it knows of endpoints that are still there is copied.
  Shadows(const ShadowMembers& members, const ShadowPickers& pickers, Duration latency_decay, uint64_t seed,
          Shadows* previous);
  Shadows(const Shadows&) = delete;
  Shadows& operator=(const Shadows&) = delete;

  // Made for these endpoints, in this order? Then it can go on with other shares, and other pickers.
  bool fits(const ShadowMembers& members) const noexcept;
  void go_on(const ShadowMembers& members, const ShadowPickers& pickers, Duration latency_decay, uint64_t seed);

  // A request came, and was sent to `picked` (or nowhere: no_endpoint). What the algorithms would have made of it goes
  // into `scores`: nothing, until there are answers to guess from, or where it is a second try of the same request.
  void arrive(const PickRequest& request, uint32_t picked, const ShadowPickers& pickers, ShadowScores& scores) noexcept;

  const ShadowModel& model(uint32_t endpoint) const noexcept { return known_[endpoint].model; }

 private:
  // Requests that are made up, at one endpoint in one world.
  struct Level {
    uint32_t there = 0;
    Instant next_leaves{};  // if any is there
  };
  struct World {
    std::unique_ptr<PickerState> memory;
    std::deque<EndpointState> states;  // with one worker
    std::vector<Candidate> candidates;
    std::vector<Level> levels;
  };
  struct Known {
    EndpointId id{};
    Observed seen;
    ShadowModel model;
    int64_t looked_at_ns = 0;  // of busy_ns_
    uint64_t answers = 0;      // what LatencyEstimate had counted at the last look
    uint64_t answered_ns = 0;
  };

  // Many requests may be made up to wait where an algorithm overloads an endpoint. Real ones would give up.
  static constexpr uint32_t there_max = 4096;
  // Departures that are made up in one step; what is more is left for the next.
  static constexpr uint32_t departures_max = 16;

  void copy_endpoint(size_t index, Shadows& from, size_t from_index);
  void pass_time(Instant now) noexcept;
  void look(const PickRequest& request, uint32_t index) noexcept;
  void remodel(const PickRequest& request, uint32_t index) noexcept;
  void let_leave(World& world, uint32_t index, Instant now) noexcept;
  // Exponentially distributed, 1 on average: how long this request takes itself, and those who are before it.
  struct Luck {
    double own;
    double of_others;
  };
  uint64_t decide(World& world, const Picker& picker, const PickRequest& request, const Luck& luck) noexcept;
  Duration until_next_leaves(uint32_t there, const ShadowModel& model) noexcept;
  double exponential() noexcept;

  Random random_;
  std::vector<uint32_t> members_;
  std::vector<Known> known_;  // by endpoint
  std::array<World, shadow_count> worlds_;
  Duration latency_decay_;

  Observed sum_;            // of all members, as far as this round of remodelling has come
  Observed average_;        // the sum of the round before
  bool begun_ = false;      // the worlds have
  uint32_t scale_ = 1;      // arrivals for one that takes place in the worlds
  uint32_t arrivals_ = 0;   // of these
  uint32_t next_look_ = 0;  // places in members_
  uint32_t next_model_ = 0;
  Instant last_arrival_{};
  double gap_ns_ = 0;    // between arrivals, on average
  int64_t busy_ns_ = 0;  // time, without the breaks in which nobody came
};

}  // namespace weir
