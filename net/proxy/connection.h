// Connection: one socket of a protocol that is understood, with what was received and not yet taken on one side, and
// what is to be sent on the other.
//
//     socket --multishot receive--> in() --> whoever reads it          back-pressure: at `waiting_max` buffers in in()
//     socket <--one send per turn-- out() <-- whoever writes it         the receive is canceled until they are taken
//
// It is always receiving, also while nobody wants bytes, so that the death of an idle peer is noticed. Sends begin at
// the end of the turn: all that was written in it goes out at once. Its host (a session, an origin connection) is told
// what happened and decides what it means. Owned by its host, touched by one worker's thread; the socket is the host's
// to close.
//
// suspend() lends the receiving side to somebody else (a tunnel, a splice) until resume(); what is in out() still goes.
#pragma once

#include <cstdint>

#include "net/proxy/relay.h"

namespace weir {

class Connection;

// Called in the course of a completion. The host may stop() the connection inside any of these calls, but must not
// destroy it before the turn is over.
class ConnectionHost {
 public:
  // in() has grown, or the peer has ended its side (ended()).
  virtual void connection_received(Connection& connection) = 0;
  // Some of out() has left.
  virtual void connection_sent(Connection& connection) = 0;
  // `error` is an errno. Nothing more is received, or sent, from here on.
  virtual void connection_failed(Connection& connection, bool sending, int error) = 0;
  // An operation came back while the connection was stopping; or the receive, while it was being suspended.
  virtual void connection_idle(Connection& connection) = 0;

 protected:
  ~ConnectionHost() = default;
};

class Connection final : public Pump {
 public:
  // So many buffers may wait on either side before more is asked to wait.
  static constexpr uint16_t waiting_max = 4;

  Connection(ConnectionHost& host, Relay& relay) noexcept : Pump(Kind::connection), host_(host), relay_(relay) {}
  // stop() was called and idle() came true, and release(); or it was never opened.
  ~Connection() { WEIR_ASSERT(idle() && in_.empty() && out_.empty()); }

  // Begins to receive. `later`: nothing can be there yet.
  void open(int fd, bool later, bool local = false);
  int fd() const noexcept { return fd_; }
  bool local() const noexcept { return local_; }

  // What was received. Taking from it ends in taken(), which lets more come.
  BufferQueue& in() noexcept { return in_; }
  const BufferQueue& in() const noexcept { return in_; }
  void taken();
  // The peer has ended its side; what is in in() came before that.
  bool ended() const noexcept { return ended_; }

  // What is to be sent. Adding to it ends in flush_later().
  BufferQueue& out() noexcept { return out_; }
  const BufferQueue& out() const noexcept { return out_; }
  void flush_later() { relay_.flush_later(*this); }
  // There is no room for more in out() for now; connection_sent() will tell.
  bool congested() const noexcept { return out_.count() >= waiting_max; }
  // The end follows right behind what is in out(): both may leave in one packet.
  void end_follows() noexcept { end_follows_ = true; }
  // Something of it is being handed to the kernel.
  bool sending() const noexcept { return send_op_.in_flight(); }
  // Everything has been handed to the kernel.
  bool drained() const noexcept { return out_.empty() && !send_op_.in_flight(); }

  // From now on what is received is thrown away.
  void discard();

  void suspend();
  bool lent() const noexcept { return suspended_; }
  // Nothing is received any more. (What was in out() may still be on its way.)
  bool suspended() const noexcept { return suspended_ && !receive_op_.in_flight(); }
  void resume();

  // A peer that nobody listens to (in() is full, or it has ended) is asked to tell if it is reset.
  void watch();
  bool unwatched() const noexcept { return fd_ >= 0 && !receive_op_.in_flight() && !watched_ && !suspended_; }

  // Cancels what is in flight; what comes back from now on is dropped.
  void stop();
  bool stopping() const noexcept { return stopping_; }
  bool idle() const noexcept { return !receive_op_.in_flight() && !send_op_.in_flight(); }
  // Gives back the buffers. When idle().
  void release();

  // By the Relay.
  void flush();
  void resume_starved();

 private:
  static void on_receive(Op& op, const Completion& completion);
  static void on_sent(Op& op, const Completion& completion);
  static void on_watched(Op& op, const Completion& completion);

  void arm_receive(bool later);
  void absorb(const Completion& completion);
  void receive_is_over(int result);
  void receive_again();

  // The small ones first: they lie in what Pump leaves of a word.
  bool ended_ : 1 = false;
  bool failed_receiving_ : 1 = false;
  bool failed_sending_ : 1 = false;
  bool pausing_ : 1 = false;  // the receive is, or was, canceled: in_ is full
  bool discarding_ : 1 = false;
  bool suspended_ : 1 = false;
  bool stopping_ : 1 = false;
  bool end_follows_ : 1 = false;
  bool watching_ : 1 = false;  // receive_op_ is in flight for watch()
  bool watched_ : 1 = false;   // the kernel ended that by itself: not to be tried again
  bool local_ : 1 = false;     // a UNIX socket (see Ring::receive_once)
  int fd_ = -1;
  ConnectionHost& host_;
  Relay& relay_;
  Op receive_op_;
  Op send_op_;
  BufferQueue in_;
  BufferQueue out_;
};

}  // namespace weir
