// TcpConversation: connects, says one thing, and listens until its partner has heard enough; all of it within a time.
// It can be begun again and again, one at a time. Agents, and every other probe over a connection, are asked by it;
// over TLS if they wish, of which a plain conversation pays a null pointer.
//
//     resting --begin--> connecting --connected--> listening --enough, the end, too much--> joining
//        ^                    | `-TLS-> securing ------^ |                                    ^ |
//        |                    `-------------`------------`----- time, an error, given up -----` |
//        `---------------- the partner is told: nothing in flight, socket closed ---------------`
//
// It listens while it still speaks: who answers without having listened to us and closes, is heard all the same.
//
// A member of its partner, on the control thread. While it is not resting it may not go: give_up(), and wait to be
// told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
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
#include "net/tls/client_context.h"
#include "net/tls/client_stream.h"

namespace weir {

class TcpConversation {
 public:
  class Partner {
   public:
    // Is this all that we want to know? `heard` is everything so far: nothing, when the connection has just been made
    // (and secured). `ended`: nothing will follow.
    virtual bool is_enough(std::string_view heard, bool ended) = 0;
    // The kernel has taken all that was to be said, and that was something. Is that all that we want?
    virtual bool all_said() { return false; }
    // How it went is told by failure() and heard(). The conversation is resting: it may be begun anew, or destroyed.
    virtual void conversation_over() = 0;

   protected:
    ~Partner() = default;
  };

  struct Opening {
    const SocketAddress& to;
    std::string_view say;                     // may be empty; stays where it is until it is over
    size_t hear_max;                          // bytes
    Duration timeout;                         // for all of it
    const tls::ClientContext* tls = nullptr;  // to speak over TLS
    std::string_view server_name{};           // and whom to expect at its other end
  };

  TcpConversation(const ProbeContext& context, Partner& partner) noexcept;
  ~TcpConversation();
  TcpConversation(const TcpConversation&) = delete;
  TcpConversation& operator=(const TcpConversation&) = delete;

  // Never tells the partner before it has returned.
  void begin(const Opening& opening);
  // Ends soon; the partner is told, possibly from within. Nothing happens while resting.
  void give_up();

  // Of the last one, valid from conversation_over() until begin() or forget(). No failure: it was enough.
  const std::optional<ProbeFailure>& failure() const noexcept { return failure_; }
  std::string_view heard() const noexcept { return heard_; }
  // From begin() to its end, whatever that was.
  Duration took() const noexcept { return took_; }
  // Gives back the memory of what was heard: between two rounds nobody needs it. Only while resting.
  void forget();

 private:
  enum class State : uint8_t { resting, connecting, securing, listening, joining };

  static void on_connected(Op& op, const Completion& completion);
  static void on_sent(Op& op, const Completion& completion);
  static void on_received(Op& op, const Completion& completion);
  static void on_timer(Timer& timer);

  void become(State next);
  void send();
  void receive();
  void hear(std::string_view bytes);
  bool judge(bool ended);
  void say_goodbye();
  // What these end in may destroy the conversation: they come last.
  void end();
  void rest_if_joined();
  void fail(ProbeFailure::Kind kind, const Error& error);
  void fail_as_tls_did();

  const ProbeContext context_;
  Partner& partner_;
  State state_ = State::resting;
  Fd fd_;        // valid exactly while not resting, unless there was no descriptor to be had
  Op speak_op_;  // the connect, then sends
  Op listen_op_;
  Timer timer_;  // armed while connecting, securing and listening
  Instant began_{};
  Duration took_{};
  std::string_view say_;     // what is to be said, in plain
  std::string_view unsaid_;  // what is left of it for the kernel to take; of wire_, with TLS
  bool listened_to_ = true;  // until the other end has shut its ear
  size_t hear_max_ = 0;
  bool too_much_ = false;  // it said more than hear_max_
  std::string heard_;
  std::unique_ptr<tls::ClientStream> tls_;  // made by begin(); null in the clear, and while resting
  std::string wire_;                        // what TLS makes of what we say, until the kernel has taken it
  std::optional<ProbeFailure> failure_;
};

}  // namespace weir
