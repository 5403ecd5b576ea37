// TcpConversation: connects, says one thing, and listens until its partner has heard enough; all of it within a time.
// It can be begun again and again, one at a time. Agents, and every other probe over a plain connection, are asked by
// it.
//
//     resting --begin--> connecting --connected--> listening --enough, the end, too much--> joining --nothing in
//     flight,
//        ^                    `------ time, an error, given up ----'-----------------------^             socket
//        closed--.
//        `---------------------------------- the partner is told
//        ------------------------------------------------------'
//
// It listens while it still speaks: who answers without having listened to us and closes, is heard all the same.
//
// A member of its partner, on the control thread. While it is not resting it may not go: give_up(), and wait to be
// told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/timer_wheel.h"
#include "core/model/address.h"
#include "health/probe_context.h"
#include "health/probe_failure.h"
#include "net/io/op.h"

namespace weir {

class TcpConversation {
 public:
  class Partner {
   public:
    // Is this all that we want to know? `heard` is everything so far: nothing, when the connection has just been made.
    // `ended`: nothing will follow.
    virtual bool is_enough(std::string_view heard, bool ended) = 0;
    // How it went is told by failure() and heard(). The conversation is resting: it may be begun anew, or destroyed.
    virtual void conversation_over() = 0;

   protected:
    ~Partner() = default;
  };

  struct Opening {
    const SocketAddress& to;
    std::string_view say;  // may be empty; stays where it is until it is over
    size_t hear_max;       // bytes
    Duration timeout;      // for all of it
  };

  TcpConversation(const ProbeContext& context, Partner& partner) noexcept;
  ~TcpConversation();
  TcpConversation(const TcpConversation&) = delete;
  TcpConversation& operator=(const TcpConversation&) = delete;

  // Never tells the partner before it has returned.
  void begin(const Opening& opening);
  // Ends soon; the partner is told, possibly from within. Nothing happens while resting.
  void give_up();

  // Of the last one, valid from conversation_over() until begin(). No failure: it was enough.
  const std::optional<ProbeFailure>& failure() const noexcept { return failure_; }
  std::string_view heard() const noexcept { return heard_; }
  // From begin() to its end, whatever that was.
  Duration took() const noexcept { return took_; }

 private:
  enum class State : uint8_t { resting, connecting, listening, joining };

  static void on_connected(Op& op, const Completion& completion);
  static void on_sent(Op& op, const Completion& completion);
  static void on_received(Op& op, const Completion& completion);
  static void on_timer(Timer& timer);

  void become(State next);
  void send();
  void receive();
  // What these two end in may destroy the conversation: they come last.
  void end();
  void rest_if_joined();
  void fail(ProbeFailure::Kind kind, const Error& error = {});

  const ProbeContext context_;
  Partner& partner_;
  State state_ = State::resting;
  Fd fd_;        // valid exactly while not resting, unless there was no descriptor to be had
  Op speak_op_;  // the connect, then sends
  Op listen_op_;
  Timer timer_;  // armed while connecting and listening
  Instant began_{};
  Duration took_{};
  std::string_view unsaid_;
  size_t hear_max_ = 0;
  std::string heard_;
  std::optional<ProbeFailure> failure_;
};

}  // namespace weir
