#include "health/judge.h"

#include "core/base/assert.h"

namespace weir {

Judge::Judge(const Rules& rules, bool up) : up_(up) {
  follow(rules);
}

Judge::Verdict Judge::passed() {
  if (!up_) return against(rules_.rise, Verdict::came_up);
  streak_ = 0;
  return Verdict::same;
}

Judge::Verdict Judge::failed() {
  if (up_) return against(rules_.fall, Verdict::went_down);
  streak_ = 0;
  return Verdict::same;
}

Judge::Verdict Judge::against(uint32_t streak_max, Verdict verdict) noexcept {
  if (++streak_ < streak_max) return Verdict::same;
  settle(!up_);
  return verdict;
}

void Judge::follow(const Rules& rules) {
  WEIR_ASSERT(rules.fall > 0 && rules.rise > 0);
  WEIR_ASSERT(rules.interval > Duration::zero(), rules.interval.count());
  WEIR_ASSERT(rules.interval_in_doubt > Duration::zero(), rules.interval_in_doubt.count());
  WEIR_ASSERT(rules.interval_proven > Duration::zero(), rules.interval_proven.count());
  rules_ = rules;
}

void Judge::settle(bool up) noexcept {
  up_ = up;
  streak_ = 0;
}

Duration Judge::next_interval(bool proven_by_traffic) const noexcept {
  if (in_doubt()) return rules_.interval_in_doubt;
  return up_ && proven_by_traffic ? rules_.interval_proven : rules_.interval;
}

}  // namespace weir
