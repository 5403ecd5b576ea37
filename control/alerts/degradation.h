// Degradation: is an upstream so much worse than it should be that somebody should know? Of figures over a window:
// errors, the 99th percentile of latency, the share of healthy endpoints; against the thresholds of the configuration.
//
//     fine --one threshold reached--> degraded --all that were reached are calm for a whole window--> fine
//
// Calm is not just below the threshold, or it would flap: the figure is at most 80 % of it. Of healthy endpoints, those
// that are missing count: with a threshold of 50 % healthy, calm begins where 40 % are missing.
//
// Few requests prove nothing: they neither make it degraded nor, if it was for errors or latency, fine again.
//
// Pure: no clock, no I/O. One for each upstream, whoever asks has the figures; control thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/config/resilience_config.h"

namespace weir {

class Degradation {
 public:
  static constexpr uint64_t requests_min = 20;  // that errors and latency are judged by
  static constexpr double calm = 0.8;           // of a threshold

  // Of the time that ends now and is the window of the configuration long.
  struct Figures {
    uint64_t requests = 0;  // that have ended
    uint64_t errors = 0;    // of these
    Duration p99{};
    uint32_t healthy = 0;  // endpoints, now
    uint32_t total = 0;

    // Percent; nothing where there were too few.
    std::optional<double> error_rate() const noexcept;
  };

  enum class Change : uint8_t { none, degraded, recovered };
  struct Verdict {
    Change change = Change::none;
    std::string reason;  // for an Alert; "" without a change
  };

  explicit Degradation(const config::DegradedConfig& thresholds) noexcept : thresholds_(thresholds) {}

  // As often as you like; `now` does not go back.
  Verdict judge(const Figures& figures, Instant now);

  bool is_degraded() const noexcept { return degraded_since_.has_value(); }
  const config::DegradedConfig& thresholds() const noexcept { return thresholds_; }

 private:
  // What a figure says of its threshold. Nothing is said of those that are off.
  enum class Level : uint8_t { unknown, calm, between, reached };
  struct Levels {
    Level errors = Level::unknown;
    Level latency = Level::unknown;
    Level health = Level::unknown;
  };

  static Level level_of(double figure, double threshold) noexcept;
  Levels levels_of(const Figures& figures) const noexcept;
  std::string reasons(const Figures& figures, const Levels& levels) const;
  void note_reached(const Levels& levels) noexcept;
  bool is_calm(const Levels& levels) const noexcept;

  const config::DegradedConfig thresholds_;
  std::optional<Instant> degraded_since_;
  std::optional<Instant> calm_since_;  // only while degraded
  // Reached since it is degraded: what has to be calm again.
  bool errors_reached_ = false;
  bool latency_reached_ = false;
  bool health_reached_ = false;
};

}  // namespace weir
