#include "control/adaptive_watches.h"

#include <algorithm>
#include <utility>

#include "control/steering.h"
#include "core/balance/adaptive.h"
#include "core/base/owner_of.h"

namespace weir {

void AdaptiveWatches::follow(const config::Config& config) {
  std::vector<std::unique_ptr<AdaptiveWatch>> watches;
  Instant next = Instant::max();
  for (const config::UpstreamConfig& each : config.upstreams) {
    if (each.balance != "adaptive") continue;
    for (const auto& upstream : context_.steering.current().upstreams) {
      if (upstream->name != each.name) continue;
      const auto before = std::find_if(watches_.begin(), watches_.end(), [&](const auto& watch) {
        return watch != nullptr && watch->upstream() == upstream->id && watch->has_rules(each.adaptive);
      });
      watches.push_back(
          before != watches_.end()
              ? std::move(*before)
              : std::make_unique<AdaptiveWatch>(*upstream, each.adaptive, context_.steering.workers(), context_.now()));
      next = std::min(next, watches.back()->window_end());
    }
  }
  watches_ = std::move(watches);
  stop();
  if (!watches_.empty()) context_.probes.wheel.arm(window_timer_, next);
}

void AdaptiveWatches::on_window(Timer& timer) {
  owner_of(timer, &AdaptiveWatches::window_timer_).windows_over();
}

void AdaptiveWatches::windows_over() {
  const Instant now = context_.now();
  bool switched = false;
  Instant next = Instant::max();
  for (const auto& watch : watches_) {
    if (now >= watch->window_end()) {
      if (const auto change = watch->window_over(now)) {
        switched = true;
        context_.log.info("balance", "adaptive balancing changes its algorithm",
                          {{"upstream", watch->name()},
                           {"from", adaptive_algorithms[change->from]},
                           {"to", adaptive_algorithms[change->to]},
                           {"why", change->why}});
      }
    }
    next = std::min(next, watch->window_end());
  }
  context_.probes.wheel.arm(window_timer_, next);
  if (switched) context_.steering.refresh_soon();
}

const AdaptiveWatch* AdaptiveWatches::find(UpstreamId upstream) const noexcept {
  for (const auto& watch : watches_) {
    if (watch->upstream() == upstream) return watch.get();
  }
  return nullptr;
}

}  // namespace weir
