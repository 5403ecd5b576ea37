#include "control/adaptive_watch.h"

#include <algorithm>

#include "core/balance/adaptive.h"

namespace weir {

AdaptiveJudge::Rules AdaptiveWatch::rules_of(const config::AdaptiveConfig& config) {
  return {.window = config.window,
          .windows = config.windows,
          .margin_percent = config.margin,
          .requests_min = config.requests};
}

AdaptiveWatch::AdaptiveWatch(const Upstream& upstream, const config::AdaptiveConfig& config, unsigned workers,
                             Instant now)
    : upstream_(upstream.id),
      name_(upstream.name),
      state_(*upstream.state),
      workers_(workers),
      judge_(rules_of(config), adaptive_index(state_.adaptive_choice), sum_of({state_.shadows.get(), workers})),
      window_end_(now + config.window) {}

std::optional<AdaptiveJudge::Switch> AdaptiveWatch::window_over(Instant now) {
  // Windows that were missed, because the thread was held up, are one.
  window_end_ += judge_.rules().window;
  if (window_end_ <= now) window_end_ = now + judge_.rules().window;
  auto change = judge_.window_over(sum_of({state_.shadows.get(), workers_}));
  if (change) state_.adaptive_choice = adaptive_algorithms[change->to];
  return change;
}

}  // namespace weir
