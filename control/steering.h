// Steering: what changes how much work endpoints get while the configuration stays: operators, agents, the time that
// has passed for who starts slowly, and the evidence of adaptive balancing. It writes into the Standings of endpoints,
// has the Publisher publish what follows from them, and says so in the log.
//
// What an operator said stays until somebody says otherwise: a reload keeps it, a restart does not.
//
// Owned by the control loop, on its thread; after stop() it comes to rest by itself and may go once stopped().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/adaptive_watch.h"
#include "control/publisher.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/timer_wheel.h"
#include "core/config/config.h"
#include "health/agent_probe.h"
#include "health/prober.h"

namespace weir {

// An endpoint as operators name it.
struct EndpointName {
  std::string_view upstream;
  std::string_view endpoint;
};

class Steering {
 public:
  // `published` is called after each Snapshot that came from here.
  Steering(Publisher& publisher, const ProbeContext& context, const Log& log, std::function<void()> published);
  ~Steering();
  Steering(const Steering&) = delete;
  Steering& operator=(const Steering&) = delete;

  // A configuration was published: its agents are asked from now on, and no others.
  void follow(const config::Config& config);
  void stop();
  bool stopped() const noexcept { return prober_.stopped(); }

  // What an operator wants. Null if there is no such endpoint.
  const Endpoint* find(const EndpointName& name) const noexcept;
  bool has_upstream(std::string_view name) const noexcept;
  void set_weight(const Endpoint& endpoint, uint32_t weight);
  void set_duty(const Endpoint& endpoint, Duty duty);
  void set_up(const Endpoint& endpoint, bool up);
  void set_health(const Endpoint& endpoint, double score);
  // As if the origin had said it in an answer.
  void set_score(const Endpoint& endpoint, double score);

  // Why the last change could not be published as a whole; "": it was.
  const std::string& problem() const noexcept { return problem_; }

  // What adaptive balancing thinks of an upstream, for reports; null if it is not balanced so.
  const AdaptiveWatch* adaptive(UpstreamId upstream) const noexcept;

 private:
  struct Agent {
    EndpointState& state;
    std::string name;  // "app/10.0.0.1:80"
    config::AgentConfig config;
    std::string trouble;  // what it failed of the last time; "": it answered
  };

  static void on_refresh(Timer& timer);
  static void on_window(Timer& timer);

  struct Place {
    const Upstream* upstream = nullptr;
    const Endpoint* endpoint = nullptr;
  };
  // Where the current Snapshot names it first; nothing if it does not.
  Place place_of(const EndpointState& state) const noexcept;
  std::string full_name(const Endpoint& endpoint) const;  // "app/10.0.0.1:80"

  // Changes a standing; refresh() is to follow. Who comes to take work again by that starts slowly.
  template <class Change>
  void change(const Endpoint& endpoint, Change&& change);
  // Publishes what follows from the standings as they are.
  void refresh();
  void arm_refresh();
  void log_events();
  void ask_agents(const config::Config& config);
  void ask_agent(const Upstream& upstream, const Endpoint& endpoint, const config::AgentConfig& config);
  void forget_agents(const std::unordered_map<ProbeId, Agent>& gone);
  void agent_said(ProbeId id, const AgentReport& report);
  void watch_adaptive(const config::Config& config);
  void windows_over();

  Publisher& publisher_;
  const ProbeContext context_;
  const Log& log_;
  const std::function<void()> published_;
  Timer refresh_timer_;
  Timer window_timer_;
  Prober prober_;
  std::unordered_map<ProbeId, Agent> agents_;
  std::vector<std::unique_ptr<AdaptiveWatch>> adaptive_;
  std::string problem_;  // of the last refresh
};

}  // namespace weir
