#include "core/balance/adaptive_judge.h"

#include <algorithm>
#include <cstdio>

#include "core/base/assert.h"

namespace weir {
namespace {

AdaptiveJudge::Prediction prediction_of(const LatencyCounts& counts) noexcept {
  return {.mean = counts.mean(), .p50 = counts.quantile(0.5), .p99 = counts.quantile(0.99)};
}

// 18412 -> "18,412".
std::string with_commas(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t place = digits.size(); place > 3;) {
    place -= 3;
    digits.insert(place, 1, ',');
  }
  return digits;
}

}  // namespace

std::string readable(Duration duration) {
  struct Unit {
    const char* name;
    double ns;
  };
  const auto ns = static_cast<double>(duration.count());
  // What would be written as 1000 of a unit is 1 of the next.
  for (const Unit& unit : {Unit{"us", 1e3}, Unit{"ms", 1e6}, Unit{"s", 1e9}}) {
    const double value = ns / unit.ns;
    const bool last = unit.ns == 1e9;
    if (value >= 999.5 && !last) continue;
    char text[32];
    std::snprintf(text, sizeof text, "%.*f %s", value < 9.95 ? 1 : 0, value, unit.name);
    return text;
  }
  return "";
}

AdaptiveJudge::AdaptiveJudge(const Rules& rules, size_t choice, const ShadowCounts& so_far)
    : rules_(rules), choice_(choice), so_far_(so_far) {
  WEIR_ASSERT(choice < shadow_count, choice);
  WEIR_ASSERT(rules.windows > 0);
  WEIR_ASSERT(rules.margin_percent > 0 && rules.margin_percent <= 100, rules.margin_percent);
}

std::optional<AdaptiveJudge::Switch> AdaptiveJudge::window_over(const ShadowCounts& so_far) {
  ShadowCounts during = so_far;
  for (size_t i = 0; i < shadow_count; ++i) during[i] -= so_far_[i];
  so_far_ = so_far;
  for (size_t i = 0; i < shadow_count; ++i) predictions_[i] = prediction_of(during[i]);
  // They all count the same arrivals; but workers may be in the middle of writing one.
  requests_ = during[choice_].count();
  for (const LatencyCounts& each : during) requests_ = std::min(requests_, each.count());

  if (quiet_windows_left_ > 0) {
    --quiet_windows_left_;
    return std::nullopt;
  }
  if (requests_ < rules_.requests_min || requests_ == 0) {
    better_for_ = {};
    recent_.clear();
    return std::nullopt;
  }
  recent_.push_back(during);
  if (recent_.size() > rules_.windows) recent_.pop_front();
  for (size_t i = 0; i < shadow_count; ++i) {
    better_for_[i] = i != choice_ && better(predictions_[i], predictions_[choice_]) ? better_for_[i] + 1 : 0;
  }
  const std::optional<size_t> best = best_of_proven();
  if (!best) return std::nullopt;

  last_switch_ = Switch{.from = choice_, .to = *best, .why = reason(*best)};
  choice_ = *best;
  ++switches_;
  better_for_ = {};
  recent_.clear();
  quiet_windows_left_ = rules_.windows;
  return last_switch_;
}

bool AdaptiveJudge::better(const Prediction& one, const Prediction& other) const noexcept {
  const double margin = rules_.margin_percent / 100.0;
  const auto well_below = [margin](Duration low, Duration high) {
    return static_cast<double>(low.count()) <= static_cast<double>(high.count()) * (1 - margin) && low < high;
  };
  return (well_below(one.p99, other.p99) && !well_below(other.mean, one.mean)) ||
         (well_below(one.mean, other.mean) && !well_below(other.p99, one.p99));
}

// Of those who have been better for long enough, the one that is best over all of that time. They are tried from the
// plainest on, and each next one has to be better, not only as good.
std::optional<size_t> AdaptiveJudge::best_of_proven() const {
  const ShadowCounts counts = evidence();
  std::optional<size_t> best;
  for (size_t i = 0; i < shadow_count; ++i) {
    if (better_for_[i] < rules_.windows) continue;
    if (!best || better(prediction_of(counts[i]), prediction_of(counts[*best]))) best = i;
  }
  return best;
}

ShadowCounts AdaptiveJudge::evidence() const noexcept {
  ShadowCounts sum;
  for (const ShadowCounts& window : recent_) {
    for (size_t i = 0; i < shadow_count; ++i) sum[i] += window[i];
  }
  return sum;
}

std::string AdaptiveJudge::reason(size_t to) const {
  const ShadowCounts counts = evidence();
  const auto told = [&](size_t algorithm) {
    const Prediction prediction = prediction_of(counts[algorithm]);
    return std::string{adaptive_algorithms[algorithm]} + ": predicted p99 " + readable(prediction.p99) + ", mean " +
           readable(prediction.mean);
  };
  return told(to) + "; " + told(choice_) + "; over " + std::to_string(rules_.windows) +
         (rules_.windows == 1 ? " window of " : " windows of ") + readable(rules_.window) + ", " +
         with_commas(counts[choice_].count()) + " requests";
}

}  // namespace weir
