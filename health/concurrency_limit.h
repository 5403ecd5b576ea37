// ConcurrencyLimit: how many requests at a time an endpoint can take, learned from how its latency grows. One that has
// room answers as fast as ever; one that has none lets requests wait, and each more of them makes all slower.
//
//     wanted = limit x baseline / recent  +  sqrt(limit)        the part is 1/2 to 1
//     limit  moves a fifth of the way there with each window, within [min, max]
//
// recent: the mean of the answers of a window. baseline: the mean without a queue. If the limit is what its servers can
// work on at a time, both are the same, and the root lets a little queue grow: who needs more gets it. For a capacity
// of 10 at a time it settles at about 14, where requests take 1.4 times as long as by themselves.
//
// The limit grows only where it is in use: at least half of it at some look in the window. The baseline follows every
// faster window quickly, and where the limit is not in use slower ones slowly. Where it is, the queue is of our own
// making, and to believe it would be to feed it. So every few seconds the limit dips to half, until a window without a
// queue was seen; that one is believed, slower or not. So an endpoint that became slower for good is accepted as it is.
// As a rule a dip takes a twentieth of the time at most; one that showed something else than was believed is followed
// by another one soon.
//
//     .---> learning --- in use, and the last dip was long ago ---> draining (the queue goes, then its traces)
//     |                                                                 |
//     |<--------- there are too many still, after a long while ---------|
//     |                                                                 v
//     '--------- a window was seen: the baseline goes there --------- measuring
//
// Requests that take long after their first byte do not drain. A dip gives up on them, and latency as it is gets some
// belief. Where all fail there is no latency to learn from, and the limit shrinks by a tenth with each window.
//
// Pure: no clock, no I/O. One for each endpoint of an upstream with `concurrency`; the caller looks every 50 to 200 ms
// and hands limit() to the Gate. Control thread.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/base/clock.h"
#include "health/traffic.h"

namespace weir {

class ConcurrencyLimit {
 public:
  struct Rules {
    uint32_t min = 4;  // 1 or more
    uint32_t max = 1000;
    uint32_t start = 20;  // within [min, max]

    bool operator==(const Rules&) const = default;
  };
  static constexpr Duration window_min = std::chrono::milliseconds{100};
  static constexpr uint64_t answers_min = 20;  // that a window needs, or it goes on

  ConcurrencyLimit(const Rules& rules, const Traffic& so_far, Instant now);

  // So it stands now; `in_flight`: EndpointState::connections. True if limit() has changed by it.
  bool look(const Traffic& so_far, uint32_t in_flight, Instant now);
  // Other rules from here on. What was learned stays, as far as they allow it.
  void follow(const Rules& rules);

  uint32_t limit() const noexcept;
  // For people. 0: nothing is known yet.
  Duration baseline() const noexcept { return Duration{static_cast<Duration::rep>(baseline_ns_)}; }
  Duration recent() const noexcept { return Duration{static_cast<Duration::rep>(recent_ns_)}; }
  bool dips() const noexcept { return phase_ != Phase::learning; }
  const Rules& rules() const noexcept { return rules_; }

 private:
  enum class Phase : uint8_t { learning, draining, measuring };

  void begin_window(const Traffic& so_far, Instant now) noexcept;
  void window_over(const Traffic& came, Duration length, Instant now) noexcept;
  void learn_baseline(bool in_use, Duration length) noexcept;
  void approach(double part) noexcept;
  void learn_limit() noexcept;
  void begin_dip(Instant now) noexcept;
  void drain(const Traffic& so_far, uint32_t in_flight, Instant now) noexcept;
  void end_dip(bool another_soon, Instant now) noexcept;

  Rules rules_;
  double limit_;
  double baseline_ns_ = 0;
  double recent_ns_ = 0;
  Phase phase_ = Phase::learning;
  double dipped_limit_ = 0;  // while not learning
  Instant dip_since_;        // while not learning
  Instant next_dip_;
  Traffic window_so_far_;  // as the window began
  Instant window_since_;
  uint32_t in_flight_max_ = 0;  // at any look in the window
};

}  // namespace weir
