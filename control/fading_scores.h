// FadingScores: health scores that somebody has set for a time only: from what was said they grow back to 1, in a
// straight line, and are forgotten there.
//
//     score     |'.                         `set server app/a health 0.5 60s`
//       1  -----|  :           .----
//               |  :      . '
//       0.5     |  '. '                     in steps, each of which is published
//               '--+-----------+---> time
//                  now         60s later
//
// Owned by Watches, on the control thread.
#pragma once

#include <unordered_map>

#include "control/watch_context.h"
#include "core/base/timer_wheel.h"
#include "core/model/endpoint.h"

namespace weir {

class FadingScores {
 public:
  static constexpr int steps = 20;
  static constexpr Duration step_min = std::chrono::milliseconds{50};
  static constexpr Duration step_max = std::chrono::seconds{1};

  explicit FadingScores(const WatchContext& context) : context_(context), timer_(on_step) {}
  ~FadingScores() { stop(); }
  FadingScores(const FadingScores&) = delete;
  FadingScores& operator=(const FadingScores&) = delete;

  // The endpoint has this score now, and 1 when `length` (more than 0) is over.
  void add(const Endpoint& endpoint, double score, Duration length);
  // Somebody has said something else.
  void forget(const Endpoint& endpoint) { fading_.erase(endpoint.state); }
  // A configuration was published: endpoints that it does not have are forgotten.
  void follow();
  // No timer of it is armed any more.
  void stop() { context_.probes.wheel.cancel(timer_); }

 private:
  struct Fading {
    double from;
    Instant began;
    Duration length;
  };

  static void on_step(Timer& timer);
  void step();
  void arm();

  const WatchContext context_;
  Timer timer_;  // armed while anything fades
  std::unordered_map<const EndpointState*, Fading> fading_;
};

}  // namespace weir
