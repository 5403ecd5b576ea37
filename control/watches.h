// Watches: everything that looks after endpoints while the configuration stays, in one place: who may change what they
// get (Steering), and who has reasons to.
//
//     operators --> FadingScores -----.
//     agents -----> AgentWatch -------+
//     probes -----> HealthWatch ------+--> Steering --> Publisher
//     traffic ----> ResilienceWatch --+        `------> log, alerts
//     guesses ----> AdaptiveWatches --'
//     the process > ProcessFigures ---> workers
//
// Owned by the control loop, on its thread; after stop() it comes to rest by itself and may go once stopped().
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "control/adaptive_watches.h"
#include "control/agent_watch.h"
#include "control/fading_scores.h"
#include "control/health_watch.h"
#include "control/process_figures.h"
#include "control/publisher.h"
#include "control/resilience_watch.h"
#include "control/steering.h"
#include "control/watch_context.h"
#include "core/config/config.h"
#include "core/model/process_state.h"

namespace weir {

class Watches {
 public:
  // `published` is called after each Snapshot that came from here; `tell` gets the alerts.
  Watches(Publisher& publisher, ProcessState& process, uint64_t descriptors_max, const ProbeContext& context,
          const Log& log, Tell tell, std::function<void()> published);
  Watches(const Watches&) = delete;
  Watches& operator=(const Watches&) = delete;

  // Can `config` be followed? Empty, or the sentence that says why not. Before it is published.
  std::string prepare(const config::Config& config) { return health_.prepare(config); }
  // What was prepared was published.
  void follow(const config::Config& config);
  void stop();
  bool stopped() const noexcept { return agents_.stopped() && health_.stopped(); }

  Steering& steering() noexcept { return steering_; }
  const Steering& steering() const noexcept { return steering_; }
  const AdaptiveWatches& adaptive() const noexcept { return adaptive_; }
  const HealthWatch& health() const noexcept { return health_; }
  const ResilienceWatch& resilience() const noexcept { return resilience_; }

  // --- what operators say of health

  // Probes, if there are any, go on from there.
  void set_up(const Endpoint& endpoint, bool up);
  // With a length, the score grows back to 1 in that time.
  void set_health(const Endpoint& endpoint, double score, std::optional<Duration> length);
  // False if the endpoint is not probed.
  bool pause_probes(const Endpoint& endpoint, bool paused) { return health_.pause(*endpoint.state, paused); }

 private:
  const Tell tell_;
  Steering steering_;
  const WatchContext context_;
  AdaptiveWatches adaptive_;
  AgentWatch agents_;
  HealthWatch health_;
  ResilienceWatch resilience_;
  FadingScores fading_;
  ProcessFigures process_figures_;
};

}  // namespace weir
