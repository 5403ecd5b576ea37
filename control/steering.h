// Steering: the one place where Standings change while the configuration stays, and where what follows from them is
// published.
//
//     operators ----- set_...() ---------------------> change --> refresh           at once
//     watches   ----- change() ... refresh_soon() ---> change --> (refresh_gap) --> refresh
//     time, for who starts slowly ------------------------------> refresh
//
// However much happens at a time, watches make one Snapshot of it every refresh_gap at the most; the first after a
// quiet time does not wait. Operators are answered, so theirs are published before they are.
//
// What an operator said stays until somebody says otherwise: a reload keeps it, a restart does not.
//
// Owned by Watches, on the control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "control/publisher.h"
#include "control/watch_context.h"
#include "core/balance/shares.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/timer_wheel.h"
#include "health/probe_context.h"

namespace weir {

// An endpoint as operators name it.
struct EndpointName {
  std::string_view upstream;
  std::string_view endpoint;
};

// Where the current Snapshot names an endpoint: in the upstream itself, not in a subset of it.
struct EndpointPlace {
  const Upstream* upstream = nullptr;
  const Endpoint* endpoint = nullptr;

  explicit operator bool() const noexcept { return endpoint != nullptr; }
};

class Steering {
 public:
  static constexpr Duration refresh_gap = std::chrono::milliseconds{20};

  // `published` is called after each Snapshot that came from here.
  Steering(Publisher& publisher, const ProbeContext& context, const Log& log, const Tell& tell,
           std::function<void()> published);
  ~Steering();
  Steering(const Steering&) = delete;
  Steering& operator=(const Steering&) = delete;

  // A configuration was published. Before the watches follow it.
  void follow();
  // No timer of it is armed any more.
  void stop();

  const Snapshot& current() const noexcept { return publisher_.current(); }
  unsigned workers() const noexcept { return publisher_.registry().workers(); }
  // Null if there is no such endpoint.
  const Endpoint* find(const EndpointName& name) const noexcept;
  bool has_upstream(std::string_view name) const noexcept;
  // Nothing if the current Snapshot does not name it: then it may be gone, and is known by its address alone.
  EndpointPlace place_of(const EndpointState& state) const noexcept;
  // Which the current Snapshot names.
  const Upstream& upstream_of(const Endpoint& endpoint) const;
  std::string full_name(const Endpoint& endpoint) const;  // "app/10.0.0.1:80"

  // --- by operators, published at once

  void set_weight(const Endpoint& endpoint, uint32_t weight);
  void set_duty(const Endpoint& endpoint, Duty duty);
  void set_up(const Endpoint& endpoint, bool up);
  void set_health(const Endpoint& endpoint, double score);
  // As if the origin had said it in an answer.
  void set_score(const Endpoint& endpoint, double score);
  // Why the last change could not be published as a whole; "": it was.
  const std::string& problem() const noexcept { return problem_; }

  // --- by watches

  // Changes a standing; refresh_soon() is to follow. Who comes to take work again by that starts slowly.
  template <class Change>
  void change(const Endpoint& endpoint, Change&& change) {
    Standing& standing = endpoint.state->standing;
    const bool before = takes_work(endpoint, standing);
    change(standing);
    if (!before && takes_work(endpoint, standing)) standing.since = context_.clock.now();
  }
  // Publishes what follows from the standings, now or when refresh_gap is over. Endpoints move by that, Upstreams too:
  // whoever holds a reference to one asks again.
  void refresh_soon();
  // An Alert about an endpoint, to whoever wants it.
  void tell(AlertKind kind, const Endpoint& endpoint, std::string reason) const;

 private:
  struct Index {
    uint32_t upstream;
    uint32_t endpoint;
  };

  static void on_ramp(Timer& timer);
  static void on_soon(Timer& timer);

  void refresh();
  void arm_ramp();
  void say_events();

  Publisher& publisher_;
  const ProbeContext context_;
  const Log& log_;
  const Tell& tell_;
  const std::function<void()> published_;
  Timer ramp_timer_;                                         // armed while a share grows with time
  Timer soon_timer_;                                         // armed while a change waits to be published
  Instant refreshed_ = Instant::min();                       // the last time
  std::unordered_map<const EndpointState*, Index> indices_;  // of who is named by the current Snapshot
  std::string problem_;                                      // of the last refresh
};

}  // namespace weir
