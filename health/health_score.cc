#include "health/health_score.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/base/assert.h"

namespace weir {
namespace {

// How many times as long as its peers it takes; 0: nobody knows.
double times_as_slow(const HealthScore::Evidence& evidence) noexcept {
  if (!evidence.peers_median || *evidence.peers_median <= Duration::zero()) return 0;
  return static_cast<double>(evidence.mean.count()) / static_cast<double>(evidence.peers_median->count());
}

constexpr double slower_forgiven = 2;

}  // namespace

HealthScore::HealthScore(const Rules& rules, Instant now) : seen_(now) {
  follow(rules);
}

void HealthScore::follow(const Rules& rules) {
  WEIR_ASSERT(rules.half_life > Duration::zero(), rules.half_life.count());
  WEIR_ASSERT(rules.floor_percent > 0 && rules.floor_percent <= 100, rules.floor_percent);
  rules_ = rules;
  value_ = in_steps();
}

bool HealthScore::look(const Evidence& evidence, Instant now) {
  const double target = target_of(evidence);
  const auto passed = static_cast<double>(std::max(now - seen_, Duration::zero()).count());
  seen_ = std::max(seen_, now);
  if (target <= score_) {
    score_ = target;
  } else {
    score_ = target - (target - score_) * std::exp2(-passed / static_cast<double>(rules_.half_life.count()));
  }
  if (std::abs(score_ - value_) < hysteresis) return false;
  const double before = value_;
  value_ = in_steps();
  return value_ != before;
}

double HealthScore::target_of(const Evidence& evidence) noexcept {
  const double probes = 1.0 / (1.0 + evidence.rounds_failed);
  const double failures = std::max(0.0, 1 - 2 * evidence.error_share);
  const double times = times_as_slow(evidence);
  const double latency = times > slower_forgiven ? slower_forgiven / times : 1;
  return probes * failures * latency;
}

std::string HealthScore::why(const Evidence& evidence) {
  std::string text;
  const auto say = [&text](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
  if (evidence.rounds_failed > 0) {
    say(std::to_string(evidence.rounds_failed) +
        (evidence.rounds_failed == 1 ? " round of probes failed" : " rounds of probes in a row failed"));
  }
  char number[32];
  if (evidence.error_share > 0) {
    std::snprintf(number, sizeof number, "%.*f", evidence.error_share < 0.0995 ? 1 : 0, 100 * evidence.error_share);
    say(std::string{number} + " % failed");
  }
  if (const double times = times_as_slow(evidence); times > slower_forgiven) {
    std::snprintf(number, sizeof number, "%.1f", times);
    say(std::string{number} + " times as slow as its peers");
  }
  return text.empty() ? "nothing speaks against it" : text;
}

double HealthScore::in_steps() const noexcept {
  // Through whole percents, so that 0.3 is the 0.3 that others write.
  const double stepped = static_cast<double>(std::lround(score_ / step) * 10) / 100;
  return std::max(stepped, rules_.floor_percent / 100.0);
}

}  // namespace weir
