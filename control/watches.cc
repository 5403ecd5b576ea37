#include "control/watches.h"

#include <utility>

namespace weir {

Watches::Watches(Publisher& publisher, ProcessState& process, uint64_t descriptors_max, const ProbeContext& context,
                 const Log& log, Tell tell, std::function<void()> published)
    : tell_(std::move(tell)),
      steering_(publisher, context, log, tell_, std::move(published)),
      context_{steering_, log, tell_, context},
      adaptive_(context_),
      agents_(context_),
      health_(context_),
      resilience_(context_, health_),
      fading_(context_),
      process_figures_(context, process, descriptors_max) {}

void Watches::follow(const config::Config& config) {
  // It knows who is where; the others ask it.
  steering_.follow();
  agents_.follow(config);
  health_.follow(config);
  resilience_.follow(config);
  adaptive_.follow(config);
  fading_.follow();
  process_figures_.follow(steering_.current().shedding);
}

void Watches::stop() {
  agents_.stop();
  health_.stop();
  resilience_.stop();
  adaptive_.stop();
  fading_.stop();
  process_figures_.stop();
  steering_.stop();
}

void Watches::set_up(const Endpoint& endpoint, bool up) {
  health_.settle(*endpoint.state, up);
  steering_.set_up(endpoint, up);
}

void Watches::set_health(const Endpoint& endpoint, double score, std::optional<Duration> length) {
  fading_.forget(endpoint);
  if (length) fading_.add(endpoint, score, *length);
  steering_.set_health(endpoint, score);
}

}  // namespace weir
