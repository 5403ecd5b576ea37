#include "control/outlier_watch.h"

#include "control/steering.h"

namespace weir {
namespace {

Outliers::Rules rules_of(const config::OutliersConfig& config) {
  return {.failures = config.failures,
          .error_rate_percent = config.error_rate,
          .latency_factor = config.latency,
          .window = config.window,
          .requests = config.requests,
          .ejection = config.ejection,
          .ejection_max = config.ejection_max,
          .ejected_max_percent = config.max_ejected};
}

// Would it get new work, were it not ejected?
bool usable(const Endpoint& endpoint) {
  Standing standing = endpoint.state->standing;
  standing.ejected = false;
  return takes_work(endpoint, standing);
}

}  // namespace

OutlierWatch::OutlierWatch(const WatchContext& context, const config::OutliersConfig& config)
    : context_(context), outliers_(rules_of(config)) {}

void OutlierWatch::follow(const config::OutliersConfig& config) {
  const Outliers::Rules rules = rules_of(config);
  if (rules != outliers_.rules()) outliers_.follow(rules);
}

bool OutlierWatch::look(const Upstream& upstream) {
  seen_.clear();
  for (const Endpoint& endpoint : upstream.endpoints) {
    seen_.push_back({endpoint.id, traffic_of(*endpoint.state), usable(endpoint)});
  }
  for (const Outliers::Event& event : outliers_.look(seen_, context_.now())) {
    say(upstream.endpoints[event.index], event);
  }
  // Not by events: an endpoint may have gone and come back since, as a newcomer to all others but the Outliers.
  bool changed = false;
  for (const Endpoint& endpoint : upstream.endpoints) {
    const bool ejected = outliers_.ejected(endpoint.id);
    if (endpoint.state->standing.ejected == ejected) continue;
    context_.steering.change(endpoint, [&](Standing& standing) { standing.ejected = ejected; });
    changed = true;
  }
  return changed;
}

void OutlierWatch::say(const Endpoint& endpoint, const Outliers::Event& event) const {
  const std::string name = context_.steering.full_name(endpoint);
  switch (event.kind) {
    case Outliers::Event::Kind::spared:
      return context_.log.warn("health", "an outlier is not ejected, because too many are",
                               {{"endpoint", name}, {"reason", event.why}});
    case Outliers::Event::Kind::ejected:
      context_.log.warn(
          "health", "an endpoint is ejected",
          {{"endpoint", name}, {"reason", event.why}, {"for_s", std::chrono::duration<double>(event.length).count()}});
      return context_.steering.tell(AlertKind::endpoint_ejected, endpoint, event.why);
    case Outliers::Event::Kind::returned:
      context_.log.info("health", "an endpoint is back from its ejection", {{"endpoint", name}, {"reason", event.why}});
      return context_.steering.tell(AlertKind::endpoint_returned, endpoint, event.why);
  }
}

bool OutlierWatch::clear(const WatchContext& context, const Endpoint& endpoint) {
  if (!endpoint.state->standing.ejected) return false;
  context.steering.change(endpoint, [](Standing& standing) { standing.ejected = false; });
  context.log.info("health", "an endpoint is back from its ejection",
                   {{"endpoint", context.steering.full_name(endpoint)}, {"reason", "nobody is ejected any more"}});
  context.steering.tell(AlertKind::endpoint_returned, endpoint, "nobody is ejected any more");
  return true;
}

}  // namespace weir
