// AgentWatch: asks the agents of endpoints, and has done what they say: how much of its weight an endpoint is good for,
// whether it is up, drained or in maintenance, how many connections it may have.
//
// An agent that does not answer is in trouble itself, and says nothing of its endpoint: what it said last holds.
//
// Owned by Watches, on the control thread; after stop() it comes to rest by itself and may go once stopped().
#pragma once

#include <string>
#include <unordered_map>

#include "control/watch_context.h"
#include "core/config/config.h"
#include "core/model/endpoint.h"
#include "core/model/upstream.h"
#include "health/agent_probe.h"
#include "health/prober.h"

namespace weir {

class AgentWatch {
 public:
  explicit AgentWatch(const WatchContext& context);
  AgentWatch(const AgentWatch&) = delete;
  AgentWatch& operator=(const AgentWatch&) = delete;

  // A configuration was published: its agents are asked from now on, and no others.
  void follow(const config::Config& config);
  void stop();
  bool stopped() const noexcept { return prober_.stopped(); }

 private:
  struct Agent {
    EndpointState& state;
    std::string name;  // "app/10.0.0.1:80"
    config::AgentConfig config;
    std::string trouble;  // what it failed of the last time; "": it answered
  };
  using Agents = std::unordered_map<ProbeId, Agent>;

  void ask(const Upstream& upstream, const Endpoint& endpoint, const config::AgentConfig& config);
  void forget(const Agents& gone);
  void said(ProbeId id, const AgentReport& report);
  void said(const Agent& agent, const AgentAnswer& answer);

  const WatchContext context_;
  Prober prober_;
  Agents agents_;
};

}  // namespace weir
