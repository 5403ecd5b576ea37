#include "control/health_watch.h"

#include <algorithm>
#include <utility>

#include "control/steering.h"
#include "core/base/owner_of.h"
#include "health/exec_probe.h"

namespace weir {
namespace {

// Endpoints are asked at the same times after each start; not at those at which their agents are.
constexpr uint64_t schedule_seed = 2;
constexpr uint64_t exec_schedule_seed = 3;

// How often who is proven is looked at: some times within its usual interval, and not all the time.
constexpr int looks_per_interval = 4;
constexpr Duration look_min = std::chrono::milliseconds{20};
constexpr Duration look_max = std::chrono::seconds{1};

Judge::Rules rules_of(const config::HealthConfig& config) {
  return {.fall = config.fall,
          .rise = config.rise,
          .interval = config.interval,
          .interval_in_doubt = config.in_doubt(),
          .interval_proven = config.proven()};
}

}  // namespace

HealthWatch::HealthWatch(const WatchContext& context)
    : context_(context),
      prober_(context.probes, schedule_seed),
      exec_prober_(context.probes, exec_schedule_seed, ExecProbe::asking_max),
      look_timer_(on_look) {}

void HealthWatch::stop() {
  context_.probes.wheel.cancel(look_timer_);
  prober_.stop();
  exec_prober_.stop();
  probed_.clear();
}

const Probed* HealthWatch::find(const EndpointState& state) const noexcept {
  const auto found = probed_.find(&state);
  return found == probed_.end() ? nullptr : found->second.get();
}

// --- configurations -------------------------------------------------------------------------------------------------

Prober& HealthWatch::prober_of(const config::HealthConfig& config) noexcept {
  return config.probe == config::ProbeKind::exec ? exec_prober_ : prober_;
}

void HealthWatch::follow(const config::Config& config) {
  maker_.follow();
  All before = std::exchange(probed_, {});
  for (size_t i = 0; i < config.upstreams.size(); ++i) {
    const std::optional<config::HealthConfig>& wanted = config.upstreams[i].health;
    if (!wanted) continue;
    const Upstream& upstream = *context_.steering.current().upstreams[i];
    WEIR_ASSERT(upstream.name == config.upstreams[i].name);
    for (const Endpoint& endpoint : upstream.endpoints) {
      if (const auto same = before.find(endpoint.state); same != before.end()) {
        follow(*same->second, *wanted, upstream, endpoint);
        probed_.insert(before.extract(same));
      } else {
        add(*wanted, upstream, endpoint);
      }
    }
  }
  if (!before.empty()) forget(before);
}

// One that is asked already goes on as it was: another first time for all of them would be a burst of silence.
void HealthWatch::follow(Probed& probed, const config::HealthConfig& config, const Upstream& upstream,
                         const Endpoint& endpoint) {
  ProbeMaker::Trust trust = maker_.trust_of(config);
  if (probed.config == config && probed.trust == trust) return;
  const bool paused = !probed.probe;
  end(probed);
  probed.config = config;
  probed.trust = std::move(trust);
  probed.judge.follow(rules_of(config));
  if (!paused) begin(probed, upstream, endpoint);
}

void HealthWatch::add(const config::HealthConfig& config, const Upstream& upstream, const Endpoint& endpoint) {
  // One that an operator has taken down, before there were probes, has to be found well first.
  const bool up = endpoint.state->standing.up;
  auto made = std::make_unique<Probed>(Probed{.state = *endpoint.state,
                                              .name = upstream.name + "/" + endpoint.name,
                                              .config = config,
                                              .trust = maker_.trust_of(config),
                                              .judge = Judge{rules_of(config), up},
                                              .probe = {},
                                              .up_by_operator = !up,
                                              .last = {},
                                              .changed = context_.now()});
  Probed& probed = *made;
  probed_.emplace(endpoint.state, std::move(made));
  begin(probed, upstream, endpoint);
}

void HealthWatch::begin(Probed& probed, const Upstream& upstream, const Endpoint& endpoint) {
  probed.proven = false;
  probed.traffic = traffic_of(probed.state);
  auto probe = maker_.make(context_.probes, probed.config, upstream, endpoint,
                           [this, &probed](ProbeId, const CheckReport& report) { round_over(probed, report); });
  probed.probe = prober_of(probed.config).add(std::move(probe), probed.judge.next_interval(false));
}

void HealthWatch::end(Probed& probed) {
  if (probed.probe) prober_of(probed.config).remove(*probed.probe);
  probed.probe.reset();
}

// What probes said that nobody makes any more does not hold; what an operator said does. (States that no Snapshot names
// any more may be gone already: they are known by their addresses alone.)
void HealthWatch::forget(const All& gone) {
  for (const auto& [state, probed] : gone) {
    end(*probed);
    const EndpointPlace place = context_.steering.place_of(*state);
    if (!place || probed->judge.up() || probed->up_by_operator) continue;
    context_.steering.change(*place.endpoint, [](Standing& standing) { standing.up = true; });
    context_.log.info("health", "an endpoint that was down is not probed any more, and counts as up",
                      {{"endpoint", probed->name}});
    context_.steering.tell(AlertKind::endpoint_up, *place.endpoint, "it is not probed any more");
  }
  context_.steering.refresh_soon();
}

// --- by operators ---------------------------------------------------------------------------------------------------

void HealthWatch::settle(const EndpointState& state, bool up) {
  const auto found = probed_.find(&state);
  if (found == probed_.end()) return;
  Probed& probed = *found->second;
  if (probed.judge.up() != up) become(probed, up);
  probed.judge.settle(up);
  probed.up_by_operator = true;
  probed.proven = false;
  if (probed.probe) prober_of(probed.config).set_interval(*probed.probe, probed.judge.next_interval(false));
}

bool HealthWatch::pause(const EndpointState& state, bool paused) {
  const auto found = probed_.find(&state);
  if (found == probed_.end()) return false;
  Probed& probed = *found->second;
  if (paused == !probed.probe) return true;
  context_.log.info("health", paused ? "probes are paused" : "probes go on", {{"endpoint", probed.name}});
  if (paused) {
    end(probed);
    probed.proven = false;
  } else {
    const EndpointPlace place = context_.steering.place_of(state);
    begin(probed, *place.upstream, *place.endpoint);
  }
  return true;
}

// --- rounds ---------------------------------------------------------------------------------------------------------

void HealthWatch::round_over(Probed& probed, const CheckReport& report) {
  const Instant now = context_.now();
  const bool as_before = probed.last && probed.last->passed == report.passed;
  probed.rounds_in_row = as_before ? probed.rounds_in_row + 1 : 1;
  probed.last = Probed::Round{report.passed, report.reason, report.took, now};
  ++probed.rounds;
  if (!report.passed) {
    ++probed.rounds_failed;
    if (!as_before) {
      context_.log.debug("health", "a probe failed", {{"endpoint", probed.name}, {"reason", report.reason}});
    }
  }
  const Instant changed = probed.changed;
  const Judge::Verdict verdict = report.passed ? probed.judge.passed() : probed.judge.failed();

  const Traffic traffic = traffic_of(probed.state);
  const bool goes_well = (traffic - probed.traffic).proves_health();
  probed.traffic = traffic;
  probed.proven = goes_well && probed.judge.up() && !probed.judge.in_doubt();
  if (probed.proven) {
    probed.traffic_seen = traffic;
    probed.well_at = now;
    if (!look_timer_.armed()) context_.probes.wheel.arm(look_timer_, now + look_interval());
  }
  prober_of(probed.config).set_interval(*probed.probe, probed.judge.next_interval(goes_well));

  switch (verdict) {
    case Judge::Verdict::same: return;
    case Judge::Verdict::went_down: return went_down(probed);
    case Judge::Verdict::came_up: return came_up(probed, now - changed);
  }
}

void HealthWatch::went_down(Probed& probed) {
  context_.log.warn("health", "an endpoint is down",
                    {{"endpoint", probed.name}, {"reason", probed.last->reason}, {"probes", probed.rounds_in_row}});
  become(probed, false);
  const Endpoint& endpoint = *context_.steering.place_of(probed.state).endpoint;
  context_.steering.change(endpoint, [](Standing& standing) { standing.up = false; });
  context_.steering.tell(AlertKind::endpoint_down, endpoint, probed.last->reason);
  context_.steering.refresh_soon();
}

void HealthWatch::came_up(Probed& probed, Duration was_down) {
  context_.log.info("health", "an endpoint is up again",
                    {{"endpoint", probed.name},
                     {"probes", probed.rounds_in_row},
                     {"down_s", std::chrono::duration<double>(was_down).count()}});
  become(probed, true);
  const Endpoint& endpoint = *context_.steering.place_of(probed.state).endpoint;
  context_.steering.change(endpoint, [](Standing& standing) { standing.up = true; });
  // What workers remember of not having reached it is out of date.
  probed.state.gate.wake();
  context_.steering.tell(AlertKind::endpoint_up, endpoint,
                         std::to_string(probed.rounds_in_row) + " probes in a row went well");
  context_.steering.refresh_soon();
}

void HealthWatch::become(Probed& probed, bool up) {
  const Instant now = context_.now();
  if (up) {
    probed.down_time += now - probed.changed;
  } else {
    ++probed.times_down;
  }
  probed.changed = now;
  probed.up_by_operator = false;
}

// --- who is proven --------------------------------------------------------------------------------------------------

Duration HealthWatch::look_interval() const noexcept {
  Duration interval = look_max;
  for (const auto& [state, probed] : probed_) {
    if (probed->proven) interval = std::min<Duration>(interval, probed->config.interval / looks_per_interval);
  }
  return std::max<Duration>(interval, look_min);
}

void HealthWatch::on_look(Timer& timer) {
  owner_of(timer, &HealthWatch::look_timer_).look();
}

void HealthWatch::look() {
  const Instant now = context_.now();
  bool any = false;
  for (const auto& [state, probed] : probed_) {
    if (!probed->proven) continue;
    const Traffic traffic = traffic_of(*state);
    const Traffic came = traffic - std::exchange(probed->traffic_seen, traffic);
    if (came.proves_health()) probed->well_at = now;
    probed->proven = came.bad == 0 && now - probed->well_at < probed->config.interval;
    any = any || probed->proven;
    if (probed->proven) continue;
    // What went well before that proves nothing any more. It is asked soon, because it has not been for long.
    probed->traffic = traffic;
    prober_of(probed->config).set_interval(*probed->probe, probed->config.in_doubt());
  }
  if (any) context_.probes.wheel.arm(look_timer_, now + look_interval());
}

}  // namespace weir
