// AdaptiveWatches: the AdaptiveWatch of each upstream with `balance: adaptive`, woken at the ends of their windows;
// says in the log what they decide, and has it published.
//
// Owned by Watches, on the control thread.
#pragma once

#include <memory>
#include <vector>

#include "control/adaptive_watch.h"
#include "control/watch_context.h"
#include "core/base/timer_wheel.h"
#include "core/config/config.h"

namespace weir {

class AdaptiveWatches {
 public:
  explicit AdaptiveWatches(const WatchContext& context) : context_(context), window_timer_(on_window) {}
  ~AdaptiveWatches() { stop(); }
  AdaptiveWatches(const AdaptiveWatches&) = delete;
  AdaptiveWatches& operator=(const AdaptiveWatches&) = delete;

  // A configuration was published. What an upstream that goes on has learned stays.
  void follow(const config::Config& config);
  // No timer of it is armed any more.
  void stop() { context_.probes.wheel.cancel(window_timer_); }

  // Null if that upstream is not balanced so.
  const AdaptiveWatch* find(UpstreamId upstream) const noexcept;

 private:
  static void on_window(Timer& timer);
  void windows_over();

  const WatchContext context_;
  Timer window_timer_;  // armed while there is a watch: the next end of a window
  std::vector<std::unique_ptr<AdaptiveWatch>> watches_;
};

}  // namespace weir
