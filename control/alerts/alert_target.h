// AlertTarget: where alerts go: the log, a program, a web hook. It is given one at a time and says what became of it;
// order, retries and limits are the AlertDelivery's, which owns it.
//
// A new kind of target is one class derived from this. Control thread only.
#pragma once

#include <string>
#include <string_view>

#include "control/alerts/alert.h"

namespace weir {

class AlertTarget {
 public:
  class Sender {
   public:
    // What was begun by deliver() is over and nothing of it is in flight: the next may begin, from within too.
    // `failure` is a sentence; "": it has arrived.
    virtual void delivered(const std::string& failure) = 0;

   protected:
    ~Sender() = default;
  };

  AlertTarget() = default;
  AlertTarget(const AlertTarget&) = delete;
  AlertTarget& operator=(const AlertTarget&) = delete;
  // Nothing is under way.
  virtual ~AlertTarget() = default;

  // Begins, and bounds its time itself. The sender is told once, but not before this has returned. `message`, `text`
  // (its JSON) and the sender stay until then.
  virtual void deliver(const AlertMessage& message, const std::string& text, Sender& sender) = 0;
  // What is under way is not wanted any more: its sender is told soon, possibly from within. If nothing is: nothing.
  virtual void give_up() = 0;
  // "webhook": for the log and for counters.
  virtual std::string_view kind() const noexcept = 0;
};

}  // namespace weir
