#include "control/steering.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "core/balance/shares.h"
#include "core/base/owner_of.h"

namespace weir {
namespace {

constexpr uint64_t schedule_seed = 1;  // agents are asked at the same times after each start, which harms nobody

}  // namespace

Steering::Steering(Publisher& publisher, const ProbeContext& context, const Log& log, std::function<void()> published)
    : publisher_(publisher),
      context_(context),
      log_(log),
      published_(std::move(published)),
      refresh_timer_(on_refresh),
      window_timer_(on_window),
      prober_(context, schedule_seed) {}

Steering::~Steering() {
  context_.wheel.cancel(refresh_timer_);
  context_.wheel.cancel(window_timer_);
}

void Steering::follow(const config::Config& config) {
  ask_agents(config);
  watch_adaptive(config);
  log_events();
  arm_refresh();
}

void Steering::stop() {
  context_.wheel.cancel(refresh_timer_);
  context_.wheel.cancel(window_timer_);
  agents_.clear();
  prober_.stop();
}

// --- publishing -----------------------------------------------------------------------------------------------------

void Steering::refresh() {
  const auto refreshed = publisher_.refresh(context_.clock.now());
  // The same trouble may come back with every step of a slow start.
  if (!refreshed.problem.empty() && refreshed.problem != problem_) {
    log_.error("balance", "an upstream keeps the shares it had", {{"reason", refreshed.problem}});
  }
  problem_ = refreshed.problem;
  log_events();
  arm_refresh();
  if (refreshed.published) published_();
}

void Steering::arm_refresh() {
  const Duration interval = publisher_.refresh_interval();
  context_.wheel.cancel(refresh_timer_);
  if (interval > Duration::zero()) context_.wheel.arm(refresh_timer_, context_.clock.now() + interval);
}

void Steering::on_refresh(Timer& timer) {
  owner_of(timer, &Steering::refresh_timer_).refresh();
}

void Steering::log_events() {
  for (const BalanceEvent& event : publisher_.take_events()) {
    switch (event.kind) {
      case BalanceEvent::Kind::panic_began:
        log_.warn("balance", "panic: so few endpoints are healthy that all of them are used",
                  {{"upstream", event.upstream}});
        break;
      case BalanceEvent::Kind::panic_ended:
        log_.info("balance", "the panic is over; health counts again", {{"upstream", event.upstream}});
        break;
      case BalanceEvent::Kind::tiers_changed:
        log_.warn("balance", "other tiers are in use", {{"upstream", event.upstream}, {"tiers", event.tiers}});
        break;
    }
  }
}

// --- by operators ---------------------------------------------------------------------------------------------------

bool Steering::has_upstream(std::string_view name) const noexcept {
  const auto& upstreams = publisher_.current().upstreams;
  return std::any_of(upstreams.begin(), upstreams.end(), [&](const auto& each) { return each->name == name; });
}

const Endpoint* Steering::find(const EndpointName& name) const noexcept {
  for (const auto& upstream : publisher_.current().upstreams) {
    if (upstream->name != name.upstream || upstream->is_subset) continue;
    for (const Endpoint& endpoint : upstream->endpoints) {
      if (endpoint.name == name.endpoint) return &endpoint;
    }
  }
  return nullptr;
}

Steering::Place Steering::place_of(const EndpointState& state) const noexcept {
  for (const auto& upstream : publisher_.current().upstreams) {
    for (const Endpoint& endpoint : upstream->endpoints) {
      if (endpoint.state == &state) return {upstream.get(), &endpoint};
    }
  }
  return {};
}

std::string Steering::full_name(const Endpoint& endpoint) const {
  return place_of(*endpoint.state).upstream->name + "/" + endpoint.name;
}

template <class Change>
void Steering::change(const Endpoint& endpoint, Change&& change) {
  Standing& standing = endpoint.state->standing;
  const bool before = takes_work(endpoint, standing);
  change(standing);
  if (!before && takes_work(endpoint, standing)) standing.since = context_.clock.now();
}

void Steering::set_weight(const Endpoint& endpoint, uint32_t weight) {
  log_.info("balance", "weight set", {{"endpoint", full_name(endpoint)}, {"weight", weight}, {"was", endpoint.weight}});
  const bool as_configured = weight == endpoint.configured_weight;
  change(endpoint,
         [&](Standing& standing) { standing.weight = as_configured ? std::nullopt : std::optional<uint32_t>{weight}; });
  refresh();
}

void Steering::set_duty(const Endpoint& endpoint, Duty duty) {
  log_.info("balance", "state set", {{"endpoint", full_name(endpoint)}, {"state", name_of(duty)}});
  change(endpoint, [&](Standing& standing) { standing.duty = duty; });
  refresh();
}

void Steering::set_up(const Endpoint& endpoint, bool up) {
  log_.info("balance", "health set", {{"endpoint", full_name(endpoint)}, {"health", up ? "up" : "down"}});
  change(endpoint, [&](Standing& standing) {
    standing.up = up;
    if (up && standing.health == 0) standing.health = 1;
  });
  refresh();
}

void Steering::set_health(const Endpoint& endpoint, double score) {
  log_.info("balance", "health score set", {{"endpoint", full_name(endpoint)}, {"score", score}});
  change(endpoint, [&](Standing& standing) { standing.health = score; });
  refresh();
}

void Steering::set_score(const Endpoint& endpoint, double score) {
  endpoint.state->reported.report(score, context_.clock.now());
}

// --- by agents ------------------------------------------------------------------------------------------------------

void Steering::ask_agents(const config::Config& config) {
  // Those that are asked already go on as they were: another first time for all of them would be a burst of silence.
  std::unordered_map<const EndpointState*, ProbeId> asked;
  for (const auto& [id, agent] : agents_) asked.emplace(&agent.state, id);
  std::unordered_map<ProbeId, Agent> before = std::exchange(agents_, {});
  for (size_t i = 0; i < config.upstreams.size(); ++i) {
    const std::optional<config::AgentConfig>& wanted = config.upstreams[i].agent;
    const Upstream& upstream = *publisher_.current().upstreams[i];
    WEIR_ASSERT(upstream.name == config.upstreams[i].name);
    for (const Endpoint& endpoint : upstream.endpoints) {
      if (!wanted) break;
      const auto same = asked.find(endpoint.state);
      if (same != asked.end() && before.at(same->second).config == *wanted) {
        agents_.insert(before.extract(same->second));
      } else {
        ask_agent(upstream, endpoint, *wanted);
      }
    }
  }
  if (before.empty()) return;
  for (const auto& [id, agent] : before) prober_.remove(id);
  forget_agents(before);
}

void Steering::ask_agent(const Upstream& upstream, const Endpoint& endpoint, const config::AgentConfig& config) {
  AgentTarget target;
  target.address = endpoint.address;
  target.address.set_port(config.port);
  target.say = config.send.empty() ? "" : config.send + "\n";
  target.timeout = config.timeout;
  auto probe = std::make_unique<AgentProbe>(context_, std::move(target),
                                            [this](ProbeId id, const AgentReport& report) { agent_said(id, report); });
  const ProbeId id = prober_.add(std::move(probe), config.interval);
  agents_.emplace(id, Agent{*endpoint.state, upstream.name + "/" + endpoint.name, config, ""});
}

// What agents said that nobody asks any more does not hold, unless another one is asked instead. (States that no
// Snapshot names any more may be gone already: they are known by their addresses alone.)
void Steering::forget_agents(const std::unordered_map<ProbeId, Agent>& gone) {
  std::unordered_set<const EndpointState*> states;
  for (const auto& [id, agent] : gone) states.insert(&agent.state);
  for (const auto& [id, agent] : agents_) states.erase(&agent.state);
  for (const auto& upstream : publisher_.current().upstreams) {
    for (const Endpoint& endpoint : upstream->endpoints) {
      if (!states.contains(endpoint.state)) continue;
      change(endpoint, [](Standing& standing) {
        standing.agent_duty = Duty::ready;
        standing.agent_up = true;
        standing.capacity = 1;
        standing.agent_connections_max.reset();
      });
    }
  }
  refresh();
}

void Steering::agent_said(ProbeId id, const AgentReport& report) {
  Agent& agent = agents_.at(id);
  if (!report.answer) {
    // The agent's trouble, not the endpoint's: what was said last holds.
    std::string trouble = describe(report.answer.error());
    if (trouble != agent.trouble) {
      log_.warn("agent", "an agent does not answer; what it said last holds",
                {{"endpoint", agent.name}, {"reason", trouble}});
    }
    agent.trouble = std::move(trouble);
    return;
  }
  if (!agent.trouble.empty()) log_.info("agent", "an agent answers again", {{"endpoint", agent.name}});
  agent.trouble.clear();

  const AgentAnswer& answer = *report.answer;
  if (!answer.not_understood.empty()) {
    log_.debug("agent", "an agent says what nobody understands",
               {{"endpoint", agent.name}, {"words", answer.not_understood}});
  }
  Standing said = agent.state.standing;
  if (answer.duty) said.agent_duty = *answer.duty;
  if (answer.health) said.agent_up = *answer.health == AgentHealth::up;
  if (answer.percent) said.capacity = *answer.percent / 100.0;
  if (answer.connections_max) said.agent_connections_max = answer.connections_max;
  if (said == agent.state.standing) return;
  log_.info("agent", "an agent changed what its endpoint gets",
            {{"endpoint", agent.name},
             {"state", name_of(said.agent_duty)},
             {"up", said.agent_up},
             {"percent", said.capacity * 100},
             {"description", answer.description}});
  change(*place_of(agent.state).endpoint, [&](Standing& standing) { standing = said; });
  refresh();
}

// --- by evidence ----------------------------------------------------------------------------------------------------

void Steering::watch_adaptive(const config::Config& config) {
  std::vector<std::unique_ptr<AdaptiveWatch>> watches;
  Instant next = Instant::max();
  for (const config::UpstreamConfig& each : config.upstreams) {
    if (each.balance != "adaptive") continue;
    for (const auto& upstream : publisher_.current().upstreams) {
      if (upstream->name != each.name) continue;
      // What one that goes on has learned stays.
      const auto before = std::find_if(adaptive_.begin(), adaptive_.end(), [&](const auto& watch) {
        return watch != nullptr && watch->upstream() == upstream->id && watch->has_rules(each.adaptive);
      });
      watches.push_back(before != adaptive_.end()
                            ? std::move(*before)
                            : std::make_unique<AdaptiveWatch>(*upstream, each.adaptive, publisher_.registry().workers(),
                                                              context_.clock.now()));
      next = std::min(next, watches.back()->window_end());
    }
  }
  adaptive_ = std::move(watches);
  context_.wheel.cancel(window_timer_);
  if (!adaptive_.empty()) context_.wheel.arm(window_timer_, next);
}

void Steering::on_window(Timer& timer) {
  owner_of(timer, &Steering::window_timer_).windows_over();
}

void Steering::windows_over() {
  const Instant now = context_.clock.now();
  bool switched = false;
  Instant next = Instant::max();
  for (const auto& watch : adaptive_) {
    if (now >= watch->window_end()) {
      if (const auto change = watch->window_over(now)) {
        switched = true;
        log_.info("balance", "adaptive balancing changes its algorithm",
                  {{"upstream", watch->name()},
                   {"from", adaptive_algorithms[change->from]},
                   {"to", adaptive_algorithms[change->to]},
                   {"why", change->why}});
      }
    }
    next = std::min(next, watch->window_end());
  }
  context_.wheel.arm(window_timer_, next);
  if (switched) refresh();
}

const AdaptiveWatch* Steering::adaptive(UpstreamId upstream) const noexcept {
  for (const auto& watch : adaptive_) {
    if (watch->upstream() == upstream) return watch.get();
  }
  return nullptr;
}

}  // namespace weir
