#include "control/fading_scores.h"

#include <algorithm>

#include "control/steering.h"
#include "core/base/assert.h"
#include "core/base/owner_of.h"

namespace weir {

void FadingScores::add(const Endpoint& endpoint, double score, Duration length) {
  WEIR_ASSERT(length > Duration::zero(), length.count());
  fading_[endpoint.state] = {score, context_.now(), length};
  arm();
}

void FadingScores::follow() {
  std::erase_if(fading_, [this](const auto& entry) { return !context_.steering.place_of(*entry.first); });
  arm();
}

void FadingScores::arm() {
  stop();
  Duration interval = step_max;
  for (const auto& [state, fading] : fading_) interval = std::min<Duration>(interval, fading.length / steps);
  if (!fading_.empty()) context_.probes.wheel.arm(timer_, context_.now() + std::max<Duration>(interval, step_min));
}

void FadingScores::on_step(Timer& timer) {
  owner_of(timer, &FadingScores::timer_).step();
}

void FadingScores::step() {
  const Instant now = context_.now();
  std::erase_if(fading_, [&](const auto& entry) {
    const Fading& fading = entry.second;
    const double passed =
        std::min(1.0, static_cast<double>((now - fading.began).count()) / static_cast<double>(fading.length.count()));
    const Endpoint& endpoint = *context_.steering.place_of(*entry.first).endpoint;
    context_.steering.change(endpoint,
                             [&](Standing& standing) { standing.health = fading.from + (1 - fading.from) * passed; });
    if (passed < 1) return false;
    context_.log.info("balance", "a health score has faded", {{"endpoint", context_.steering.full_name(endpoint)}});
    return true;
  });
  arm();
  context_.steering.refresh_soon();
}

}  // namespace weir
