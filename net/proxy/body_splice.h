// BodySplice: a long body of known length on its shortest way, from socket to socket through a pipe of the kernel.
//
//     idle --begin()--> emptying --the source is quiet, all before is sent--> moving --last byte, error--> idle
//
// It borrows the receiving side of the source's Connection; what that had received already goes the usual way first.
// Exactly the bytes of the body are taken from the source, so what follows them stays there. A member of its exchange;
// touched by one worker's thread.
#pragma once

#include <cstdint>

#include "net/proxy/relay.h"

namespace weir {

class Connection;
class Exchange;

class BodySplice {
 public:
  enum class End : uint8_t { done, out_of_pipes, source_ended, source_failed, sink_failed };

  explicit BodySplice(Exchange& exchange) noexcept : exchange_(exchange) {}
  ~BodySplice() { WEIR_ASSERT(!source_op_.in_flight() && !sink_op_.in_flight() && pipe_ == no_pipe); }

  // Quiets the source.
  void begin(Relay& relay, Connection& source, Connection& sink);
  // All that had been received is sent: moves `bytes`.
  bool may_move() const noexcept;
  void move(uint64_t bytes);

  bool busy() const noexcept { return state_ != State::idle; }
  bool moving() const noexcept { return state_ == State::moving; }
  // It is the sink that is waited for.
  bool blocked_by_sink() const noexcept { return moving() && sink_op_.in_flight(); }
  // Of the client's to the origin, or the other way.
  bool upward() const noexcept { return upward_; }
  void set_upward(bool upward) noexcept { upward_ = upward; }
  // Ends it without a word. The exchange lives until stopped() is true.
  void stop();
  bool stopped() const noexcept { return !source_op_.in_flight() && !sink_op_.in_flight(); }

 private:
  enum class State : uint8_t { idle, emptying, moving };

  static void on_source_ready(Op& op, const Completion& completion);
  static void on_sink_ready(Op& op, const Completion& completion);
  void turn();
  void end(End how, int error = 0);
  void give_back_pipe();

  Exchange& exchange_;
  Relay* relay_ = nullptr;
  Connection* source_ = nullptr;
  Connection* sink_ = nullptr;
  Op source_op_;
  Op sink_op_;
  uint64_t left_ = 0;
  uint32_t piped_ = 0;
  PipeId pipe_ = no_pipe;
  State state_ = State::idle;
  bool upward_ = false;
  bool stopping_ = false;
};

}  // namespace weir
