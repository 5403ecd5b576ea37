// HealthScore: what an endpoint is worth by what is seen of it, from 1 (nothing is wrong) down to a floor. Where a
// breaker or an ejection takes everything at once, the score takes a part, early, and gives it back slowly.
//
//     target = 1 / (1 + rounds of probes in a row that failed)
//            x max(0, 1 - 2 x share of failures)                  half of all failed: nothing
//            x min(1, 2 x median of its peers / its mean)         up to twice as slow as they are is nobody's fault
//
//     score    = target, if that is less; else the rest of the way to it is halved in each `half_life`
//     value    = score in steps of a tenth, but not below the floor
//
//     rounds failed   failures   times as slow   target
//                0          0                2     1.00
//                1          0                2     0.50
//                2          0                -     0.33
//                0       10 %                -     0.80
//                0       30 %                -     0.40
//                0       50 %                -     0.00
//                0          0                3     0.67
//                0       10 %                4     0.40
//
// The value moves only once the score is three quarters of a step away from it, so that one that lies between two
// steps does not shift traffic to and fro.
//
// Pure: no clock, no I/O. One for each endpoint of an upstream with `health_score`; control thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/clock.h"

namespace weir {

class HealthScore {
 public:
  struct Rules {
    Duration half_life = std::chrono::seconds{10};
    uint32_t floor_percent = 10;  // 1 to 100

    bool operator==(const Rules&) const = default;
  };
  // What is not known speaks for nobody and against nobody.
  struct Evidence {
    uint32_t rounds_failed = 0;              // of probes, in a row
    double error_share = 0;                  // 0 to 1, of enough requests; else 0
    Duration mean{};                         // of enough answers; else 0
    std::optional<Duration> peers_median{};  // of the others' means (PeerLatency)
  };
  static constexpr double step = 0.1;
  static constexpr double hysteresis = 0.75 * step;

  HealthScore(const Rules& rules, Instant now);

  // So it looks now. True if value() has changed by it.
  bool look(const Evidence& evidence, Instant now);
  // Other rules from here on.
  void follow(const Rules& rules);

  // For Standing::measured; above 0.
  double value() const noexcept { return value_; }
  // Before it was put in steps.
  double exact() const noexcept { return score_; }
  const Rules& rules() const noexcept { return rules_; }

  static double target_of(const Evidence& evidence) noexcept;
  // What speaks against it, without a full stop: "2 rounds of probes failed, 12 % of requests failed"; or that nothing
  // does.
  static std::string why(const Evidence& evidence);

 private:
  double in_steps() const noexcept;

  Rules rules_;
  double score_ = 1;
  double value_ = 1;
  Instant seen_;
};

}  // namespace weir
