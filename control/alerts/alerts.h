// Alerts: tells whom the configuration names of what happens to endpoints and upstreams.
//
//     raise --> rule: is it for this one? --> limit --+--> delivery --> web hook
//          `--> rule ...                              +--> delivery --> program
//                                                     `--> delivery --> log
//
// raise() writes down and returns, in a few microseconds however receivers are; what is written down is bounded. Each
// target of a rule has a queue of its own, so that a receiver that hangs holds up neither another one nor the log.
//
// Owned by the control loop, on its thread; after stop() it comes to rest by itself and may go once stopped().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "control/alerts/alert.h"
#include "control/alerts/alert_delivery.h"
#include "control/http_client.h"
#include "core/base/log.h"
#include "core/base/timer_wheel.h"
#include "core/config/resilience_config.h"
#include "health/probe_context.h"

namespace weir {

class Alerts {
 public:
  // `host` is how this machine is called in alerts; `seed` should differ from machine to machine (see AlertDelivery).
  Alerts(const ProbeContext& context, const Log& log, std::string host, uint64_t seed);
  ~Alerts();
  Alerts(const Alerts&) = delete;
  Alerts& operator=(const Alerts&) = delete;

  // These rules are in force from now on. One that is the same as before goes on, with what waits in its queues; one
  // that is not there any more, or has changed, ends: what waits in it is forgotten, and counted in the log.
  void follow(const std::vector<config::AlertConfig>& rules);

  // Nothing happens after stop().
  void raise(Alert alert);

  void stop();
  // Nothing of it is in flight: it may go.
  bool stopped() const noexcept;

  // One for each target of each rule, in the order of the configuration.
  std::vector<AlertFigures> figures() const;

 private:
  struct Rule;

  static void on_sweep(Timer& timer);

  std::unique_ptr<Rule> make_rule(const config::AlertConfig& config);
  HttpClient& http();
  void end(std::unique_ptr<Rule> rule);
  void sweep();

  const ProbeContext context_;
  const Log& log_;
  const std::string host_;
  uint64_t next_seed_;
  bool stopping_ = false;
  std::unique_ptr<HttpClient> http_;  // since there was a web hook first
  std::vector<std::unique_ptr<Rule>> rules_;
  std::vector<std::unique_ptr<Rule>> ending_;
  Timer sweep_timer_;  // armed while some are ending
};

}  // namespace weir
