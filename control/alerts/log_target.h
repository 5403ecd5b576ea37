// LogTarget: alerts as lines of weir's own log, with the level that their severity has. Control thread only.
#pragma once

#include "control/alerts/alert_target.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/timer_wheel.h"

namespace weir {

class LogTarget final : public AlertTarget {
 public:
  LogTarget(TimerWheel& wheel, const Clock& clock, const Log& log) noexcept
      : wheel_(wheel), clock_(clock), log_(log), told_(on_told) {}
  ~LogTarget() override;

  void deliver(const AlertMessage& message, const std::string& text, Sender& sender) override;
  void give_up() override;
  std::string_view kind() const noexcept override { return "log"; }

 private:
  static void on_told(Timer& timer);

  TimerWheel& wheel_;
  const Clock& clock_;
  const Log& log_;
  Sender* sender_ = nullptr;
  Timer told_;  // armed from deliver() on: the sender is told in the wheel's next turn
};

}  // namespace weir
