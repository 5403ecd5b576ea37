#include "control/agent_watch.h"

#include <memory>
#include <unordered_set>
#include <utility>

#include "control/steering.h"

namespace weir {
namespace {

constexpr uint64_t schedule_seed = 1;  // agents are asked at the same times after each start, which harms nobody

std::string with_description(const std::string& text, const AgentAnswer& answer) {
  return answer.description.empty() ? text : text + ": " + answer.description;
}

}  // namespace

AgentWatch::AgentWatch(const WatchContext& context) : context_(context), prober_(context.probes, schedule_seed) {}

void AgentWatch::stop() {
  agents_.clear();
  prober_.stop();
}

void AgentWatch::follow(const config::Config& config) {
  // Those that are asked already go on as they were: another first time for all of them would be a burst of silence.
  std::unordered_map<const EndpointState*, ProbeId> asked;
  for (const auto& [id, agent] : agents_) asked.emplace(&agent.state, id);
  Agents before = std::exchange(agents_, {});
  for (size_t i = 0; i < config.upstreams.size(); ++i) {
    const std::optional<config::AgentConfig>& wanted = config.upstreams[i].agent;
    const Upstream& upstream = *context_.steering.current().upstreams[i];
    WEIR_ASSERT(upstream.name == config.upstreams[i].name);
    for (const Endpoint& endpoint : upstream.endpoints) {
      if (!wanted) break;
      const auto same = asked.find(endpoint.state);
      if (same != asked.end() && before.at(same->second).config == *wanted) {
        agents_.insert(before.extract(same->second));
      } else {
        ask(upstream, endpoint, *wanted);
      }
    }
  }
  if (before.empty()) return;
  for (const auto& [id, agent] : before) prober_.remove(id);
  forget(before);
}

void AgentWatch::ask(const Upstream& upstream, const Endpoint& endpoint, const config::AgentConfig& config) {
  AgentTarget target;
  target.address = endpoint.address;
  target.address.set_port(config.port);
  target.say = config.send.empty() ? "" : config.send + "\n";
  target.timeout = config.timeout;
  auto probe = std::make_unique<AgentProbe>(context_.probes, std::move(target),
                                            [this](ProbeId id, const AgentReport& report) { said(id, report); });
  const ProbeId id = prober_.add(std::move(probe), config.interval);
  agents_.emplace(id, Agent{*endpoint.state, upstream.name + "/" + endpoint.name, config, ""});
}

// What agents said that nobody asks any more does not hold, unless another one is asked instead. (States that no
// Snapshot names any more may be gone already: they are known by their addresses alone.)
void AgentWatch::forget(const Agents& gone) {
  std::unordered_set<const EndpointState*> states;
  for (const auto& [id, agent] : gone) states.insert(&agent.state);
  for (const auto& [id, agent] : agents_) states.erase(&agent.state);
  for (const auto& upstream : context_.steering.current().upstreams) {
    for (const Endpoint& endpoint : upstream->endpoints) {
      if (!states.contains(endpoint.state)) continue;
      context_.steering.change(endpoint, [](Standing& standing) {
        standing.agent_duty = Duty::ready;
        standing.agent_up = true;
        standing.capacity = 1;
        standing.agent_connections_max.reset();
      });
    }
  }
  context_.steering.refresh_soon();
}

void AgentWatch::said(ProbeId id, const AgentReport& report) {
  Agent& agent = agents_.at(id);
  if (!report.answer) {
    // The agent's trouble, not the endpoint's: what was said last holds.
    std::string trouble = describe(report.answer.error());
    if (trouble != agent.trouble) {
      context_.log.warn("agent", "an agent does not answer; what it said last holds",
                        {{"endpoint", agent.name}, {"reason", trouble}});
    }
    agent.trouble = std::move(trouble);
    return;
  }
  if (!agent.trouble.empty()) context_.log.info("agent", "an agent answers again", {{"endpoint", agent.name}});
  agent.trouble.clear();
  if (!report.answer->not_understood.empty()) {
    context_.log.debug("agent", "an agent says what nobody understands",
                       {{"endpoint", agent.name}, {"words", report.answer->not_understood}});
  }
  said(agent, *report.answer);
}

void AgentWatch::said(const Agent& agent, const AgentAnswer& answer) {
  const Standing before = agent.state.standing;
  Standing wanted = before;
  if (answer.duty) wanted.agent_duty = *answer.duty;
  if (answer.health) wanted.agent_up = *answer.health == AgentHealth::up;
  if (answer.percent) wanted.capacity = *answer.percent / 100.0;
  if (answer.connections_max) wanted.agent_connections_max = answer.connections_max;
  if (wanted == before) return;
  context_.log.info("agent", "an agent changed what its endpoint gets",
                    {{"endpoint", agent.name},
                     {"state", name_of(wanted.agent_duty)},
                     {"up", wanted.agent_up},
                     {"percent", wanted.capacity * 100},
                     {"description", answer.description}});
  const Endpoint& endpoint = *context_.steering.place_of(agent.state).endpoint;
  context_.steering.change(endpoint, [&](Standing& standing) { standing = wanted; });
  if (wanted.agent_up != before.agent_up) {
    context_.steering.tell(wanted.agent_up ? AlertKind::endpoint_up : AlertKind::endpoint_down, endpoint,
                           with_description("its agent says so", answer));
  }
  if (wanted.agent_duty != before.agent_duty) {
    context_.steering.tell(AlertKind::endpoint_state, endpoint,
                           with_description(std::string{name_of(wanted.agent_duty)} + ", as its agent says", answer));
  }
  context_.steering.refresh_soon();
}

}  // namespace weir
