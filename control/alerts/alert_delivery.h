// AlertDelivery: brings the alerts of one rule to one target: in order, one at a time, again after failures.
//
//     idle --push--> delivering --arrived--> (the next, or idle)
//                     |      ^
//               failed|      |its time has come
//                     v      |
//                     waiting             no tries left: given up, counted; the next, or idle
//
//     any --end--> ending --the target has let go--> ended
//
// What waits is bounded: one more drops the oldest. Waits grow twofold from `backoff` to backoff_max, and a random part
// of up to a half of each is left out, so that many balancers do not come back to a receiver at the same moment.
//
// A message that got lost is not forgotten: the next one that arrives says how many did.
//
// Owned by a rule of Alerts, on the control thread. It may go once ended().
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "control/alerts/alert_target.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/random.h"
#include "core/base/timer_wheel.h"

namespace weir {

// Of one rule towards one target, since the rule began.
struct AlertFigures {
  std::string rule;
  std::string_view target;  // "webhook"
  uint64_t raised = 0;      // alerts the rule is for
  uint64_t suppressed = 0;  // of these, by its limit
  uint64_t sent = 0;        // arrived
  uint64_t failed = 0;      // given up after all tries
  uint64_t dropped = 0;     // from a full queue
  uint64_t retries = 0;     // tries that were not the first
  uint64_t queued = 0;      // now: waiting, and the one under way
  bool failing = false;     // the last one that ended did not arrive
};

class AlertDelivery final : private AlertTarget::Sender {
 public:
  static constexpr size_t queue_max = 1000;
  static constexpr Duration backoff_max = std::chrono::minutes{5};

  struct Settings {
    std::string rule;
    std::string host;
    uint32_t retries = 0;  // after the first try
    Duration backoff{};    // before the first retry
  };

  // What waits in a queue. Several deliveries of a rule share it.
  struct Numbered {
    Alert alert;
    uint64_t number;
  };

  AlertDelivery(TimerWheel& wheel, const Clock& clock, const Log& log, Settings settings, uint64_t seed,
                std::unique_ptr<AlertTarget> target);
  ~AlertDelivery();
  AlertDelivery(const AlertDelivery&) = delete;
  AlertDelivery& operator=(const AlertDelivery&) = delete;

  // Not after end().
  void push(std::shared_ptr<const Numbered> alert);
  // One was left out before it came here: the next one that goes out is to say so.
  void count_suppressed() noexcept;

  // Forgets what waits and gives up what is under way.
  void end();
  bool ended() const noexcept { return state_ == State::ended; }

  // Without what only the rule knows (`raised`).
  AlertFigures figures() const;

  // How long to wait after so many failed tries (1, 2 ...), before chance takes its part.
  static Duration wait_after(uint32_t tries, Duration backoff) noexcept;

 private:
  enum class State : uint8_t { idle, delivering, waiting, ending, ended };

  static void on_timer(Timer& timer);

  void become(State next);
  void delivered(const std::string& failure) override;
  void begin_next();
  void try_now();
  void arrived();
  void failed(const std::string& failure);

  TimerWheel& wheel_;
  const Clock& clock_;
  const Log& log_;
  const Settings settings_;
  Random random_;
  const std::unique_ptr<AlertTarget> target_;
  State state_ = State::idle;
  std::deque<std::shared_ptr<const Numbered>> queue_;
  // The one under way: set while delivering and waiting.
  AlertMessage message_;
  std::string text_;
  uint32_t tries_ = 0;
  Timer timer_;  // armed exactly while waiting
  // Not yet said to the receiver.
  uint64_t suppressed_untold_ = 0;
  uint64_t lost_untold_ = 0;
  bool overflowing_ = false;  // has dropped one since it was empty last
  AlertFigures figures_;
};

}  // namespace weir
