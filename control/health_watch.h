// HealthWatch: active probes. Each endpoint of an upstream with `health` is asked in rounds; a Judge makes of them
// whether it is up (Standing::up), and how soon it is asked again.
//
//     Prober --round over--> Judge --went down, came up--> Steering, log, alerts
//        ^                     |
//        '--- next interval ---'---- live traffic since the last round
//
// An endpoint that is new is up until it is judged: weir does not wait for probes before it serves. One whose traffic
// goes well is asked seldom; when the traffic stops to say so, be it by failures or by silence, it is asked soon, and
// does not have the long interval before it first.
//
// An endpoint that is in subsets, too, is one endpoint, and is asked once. A reload leaves alone what it does not
// change.
//
// Owned by Watches, on the control thread; after stop() it comes to rest by itself and may go once stopped().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "control/probe_maker.h"
#include "control/watch_context.h"
#include "core/base/timer_wheel.h"
#include "core/config/config.h"
#include "core/model/endpoint.h"
#include "health/judge.h"
#include "health/prober.h"
#include "health/traffic.h"

namespace weir {

// What is known of an endpoint by its probes.
struct Probed {
  struct Round {
    bool passed = false;
    std::string reason;  // why not
    Duration took{};
    Instant at{};  // its end
  };

  EndpointState& state;
  std::string name;  // "app/10.0.0.1:80"
  config::HealthConfig config;
  ProbeMaker::Trust trust;
  Judge judge;
  std::optional<ProbeId> probe;  // none while paused
  bool up_by_operator = false;   // what the judge says was put into its mouth, and no probe has said otherwise since

  std::optional<Round> last;   // of its rounds
  uint32_t rounds_in_row = 0;  // that went as the last one did
  uint64_t rounds = 0;
  uint64_t rounds_failed = 0;
  uint64_t times_down = 0;
  Instant changed{};     // up or down since; at first, watched since
  Duration down_time{};  // what lies behind it

  // Proven: so well did its traffic go that it is asked at the long interval.
  bool proven = false;
  Traffic traffic{};       // as of the last round
  Traffic traffic_seen{};  // while proven: as of the last look
  Instant well_at{};       // while proven: the last time that something went well

  Duration down_for(Instant now) const noexcept { return judge.up() ? down_time : down_time + (now - changed); }
  uint32_t failed_in_row() const noexcept { return last && !last->passed ? rounds_in_row : 0; }
};

class HealthWatch {
 public:
  explicit HealthWatch(const WatchContext& context);
  ~HealthWatch() { context_.probes.wheel.cancel(look_timer_); }
  HealthWatch(const HealthWatch&) = delete;
  HealthWatch& operator=(const HealthWatch&) = delete;

  // Can `config` be followed? Empty, or the sentence that says why not. Before it is published.
  std::string prepare(const config::Config& config) { return maker_.prepare(config); }
  // What was prepared was published.
  void follow(const config::Config& config);
  void stop();
  bool stopped() const noexcept { return prober_.stopped() && exec_prober_.stopped(); }

  // Null if it is not probed.
  const Probed* find(const EndpointState& state) const noexcept;

  // An operator has said how it is; probes go on from there.
  void settle(const EndpointState& state, bool up);
  // No probes for now; what they said last holds. False if it is not probed.
  bool pause(const EndpointState& state, bool paused);

 private:
  using All = std::unordered_map<const EndpointState*, std::unique_ptr<Probed>>;

  static void on_look(Timer& timer);

  Prober& prober_of(const config::HealthConfig& config) noexcept;
  void follow(Probed& probed, const config::HealthConfig& config, const Upstream& upstream, const Endpoint& endpoint);
  void add(const config::HealthConfig& config, const Upstream& upstream, const Endpoint& endpoint);
  void begin(Probed& probed, const Upstream& upstream, const Endpoint& endpoint);
  void end(Probed& probed);
  void forget(const All& gone);
  void round_over(Probed& probed, const CheckReport& report);
  void went_down(Probed& probed);
  void came_up(Probed& probed, Duration was_down);
  void become(Probed& probed, bool up);
  Duration look_interval() const noexcept;
  void look();

  const WatchContext context_;
  ProbeMaker maker_;
  Prober prober_;
  Prober exec_prober_;  // programs cost more than connections: fewer at a time
  All probed_;
  Timer look_timer_;  // armed while somebody is proven
};

}  // namespace weir
