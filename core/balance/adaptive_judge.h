// AdaptiveJudge: says when `balance: adaptive` is to follow another algorithm, and why. Pure: the control thread hands
// it the workers' guesses once in each window, and acts on what it says. One for each upstream.
//
//     window over -> too few arrivals, or a switch not long ago          nothing follows from it
//                 -> another one was better than the one that decides    one window more in its row
//                 -> `windows` in its row                                switch to it
//
// What is compared are two numbers: the mean, which is what most requests meet, and the 99th percentile, which is what
// people complain of. Better means: by `margin_percent` or more in one of them, and not worse by as much in the other.
// So of two algorithms at most one is better than the other one, and a little noise is nobody's merit.
//
// After a switch as many windows pass without another: real latencies, and so the guesses of all, change with the load
// that a switch moves, and the first windows of the new order are half the old one's.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "core/balance/adaptive.h"
#include "core/base/clock.h"
#include "core/model/shadow_scores.h"

namespace weir {

class AdaptiveJudge {
 public:
  struct Rules {
    Duration window = std::chrono::seconds{5};
    uint32_t windows = 3;          // in a row; 1 or more
    uint32_t margin_percent = 10;  // 1 to 100
    uint32_t requests_min = 100;   // that a window needs to prove anything

    bool operator==(const Rules&) const = default;
  };
  // What an algorithm would have made of the last window.
  struct Prediction {
    Duration mean{};
    Duration p50{};
    Duration p99{};

    bool operator==(const Prediction&) const = default;
  };
  // Algorithms by their place in adaptive_algorithms.
  struct Switch {
    size_t from = 0;
    size_t to = 0;
    std::string why;  // a sentence without its full stop, for the log
  };

  // `choice` decides now. `so_far`: what the workers have guessed before anybody asked, which proves nothing.
  AdaptiveJudge(const Rules& rules, size_t choice, const ShadowCounts& so_far);

  // A window is over, and this is what the workers have guessed since they exist (sum_of). From the moment that it
  // returns a Switch, it takes that algorithm for the one that decides.
  std::optional<Switch> window_over(const ShadowCounts& so_far);

  const Rules& rules() const noexcept { return rules_; }
  size_t choice() const noexcept { return choice_; }
  // Of the last window; all 0 if nobody came in it.
  const std::array<Prediction, shadow_count>& predictions() const noexcept { return predictions_; }
  uint64_t requests() const noexcept { return requests_; }
  // Windows in a row in which it was better than the one that decides.
  uint32_t better_for(size_t algorithm) const noexcept { return better_for_[algorithm]; }
  uint64_t switches() const noexcept { return switches_; }
  // Null if there was none.
  const Switch* last_switch() const noexcept { return last_switch_ ? &*last_switch_ : nullptr; }

 private:
  bool better(const Prediction& one, const Prediction& other) const noexcept;
  std::optional<size_t> best_of_proven() const;
  ShadowCounts evidence() const noexcept;
  std::string reason(size_t to) const;

  Rules rules_;
  size_t choice_;
  ShadowCounts so_far_;
  std::deque<ShadowCounts> recent_;  // the last windows, `windows` at most, since a row can have begun
  std::array<Prediction, shadow_count> predictions_{};
  uint64_t requests_ = 0;
  std::array<uint32_t, shadow_count> better_for_{};
  uint32_t quiet_windows_left_ = 0;
  uint64_t switches_ = 0;
  std::optional<Switch> last_switch_;
};

// "3.1 ms": three digits at most, in the unit that suits.
std::string readable(Duration duration);

}  // namespace weir
