// Flow: bytes going one way, from a source socket to a sink socket, until the source ends or something fails.
//
// It copies while pieces are small and splices when they are bulk:
//
//               two full buffers in a row,                    the receive has ended and
//               and more to read                              what was buffered is sent
//     copying ---------------------------> leaving_copy ------------------------------> splicing
//        ^                                                                                 |
//        `---------------------- several small pieces in a row, or no pipe ----------------'
//
// Copying: a multishot receive fills provided buffers, which are sent from where they lie. Sends are not started one by
// one as bytes come in, but at the end of the turn (flush): then all that came in goes out in one send, and an end that
// came with the last bytes leaves in the same packet. When too many buffers wait for a slow sink the receive is
// canceled (back-pressure), and armed again when all of them are sent.
// Splicing: one poll per readiness, then splice(2) in and out of a pooled pipe; a blocked sink is polled for room.
// Nothing is read ahead of what the sink takes but one pipe.
//
// In both modes the end of the source is passed on as the end of the sink once everything before it is sent; the flow
// is then `ended`. Owned by a session, whose worker's thread alone touches it. The sockets are the session's: a Flow
// never closes them.
#pragma once

#include <cstdint>

#include "net/proxy/relay.h"

namespace weir {

class Flow;

// Whose flow it is. Called in the course of a completion. The host may stop() the flow inside any of these calls, but
// must not destroy it before the turn's completions have been dispatched.
class FlowHost {
 public:
  explicit FlowHost(Relay& shared) noexcept : relay(shared) {}

  Relay& relay;

  virtual void flow_received(Flow& flow, uint64_t bytes) = 0;
  virtual void flow_sent(Flow& flow, uint64_t bytes) = 0;
  // Nothing listens to the source for now, so that its death would go unnoticed; see watch_source().
  virtual void flow_unwatched(Flow& flow) = 0;
  // Bytes are waiting and the sink is not open yet.
  virtual void flow_waiting(Flow& flow) = 0;
  // Everything up to the source's end was sent; the end itself is the host's to pass on.
  virtual void flow_ended(Flow& flow) = 0;
  // `error` (an errno) happened on the source's or the sink's side.
  virtual void flow_failed(Flow& flow, bool at_source, int error) = 0;
  // An operation came back while the flow was stopping.
  virtual void flow_stopped(Flow& flow) = 0;

 protected:
  ~FlowHost() = default;
};

class Flow final : public Pump {
 public:
  explicit Flow(FlowHost& host) noexcept : Pump(Kind::flow), host_(host) {}
  // stop() was called and idle() came true, or it was never started.
  ~Flow() { WEIR_ASSERT(idle() && queue_.empty() && pipe_ == no_pipe); }

  // Begins to receive. Until open_sink() the bytes wait, a few buffers of them at most.
  // `later`: the source cannot have sent anything yet.
  void open_source(int fd, bool later, bool local = false);
  // Begins to send: first what has waited.
  void open_sink(int fd);

  // From now on what the source sends is read and thrown away. The sink must not be open.
  void discard();

  // A source that nobody listens to (the sink is slow, or it has ended) is asked to tell if it is reset. Not done at
  // once, because most such pauses are over in no time.
  void watch_source();
  bool unwatched() const noexcept { return source_ >= 0 && !source_op_.in_flight() && !watched_; }

  // Cancels what is in flight; what comes back from now on is dropped. Call release() when idle().
  void stop();
  // Nothing is in flight.
  bool idle() const noexcept { return !source_op_.in_flight() && !sink_op_.in_flight(); }
  // Gives back buffers and pipe.
  void release();

  // Everything but the end itself was passed on.
  bool ended() const noexcept { return ended_; }
  // The source's end was received; bytes before it may still be on their way.
  bool source_ended() const noexcept { return source_ended_; }

  // While the sink is closed: the bytes that wait, in one piece as far as a buffer goes.
  std::byte* waiting_bytes();
  uint32_t waiting_size();
  // Something waits for the sink.
  bool holds_buffers() const noexcept { return !queue_.empty(); }
  // The first piece is full: gathering brings no more.
  bool waiting_full() const;
  void consume_waiting(uint32_t bytes) { queue_.consume(host_.relay.buffers, bytes); }
  // Takes over what somebody else has received from the source, as its first bytes, and says how many those are.
  // Before open_source().
  uint64_t adopt(BufferQueue& received) {
    uint64_t bytes = 0;
    while (!received.empty()) {
      const BufferPiece piece = received.pop_front(host_.relay.buffers);
      bytes += piece.size;
      queue_.push(host_.relay.buffers, piece);
    }
    return bytes;
  }
  // Puts bytes of our own before all others. False if no buffer is free.
  template <class Write>
  bool prepend(Write&& write) {
    const BufferId id = host_.relay.buffers.take();
    if (id == no_buffer) return false;
    queue_.push_front(host_.relay.buffers, id, write(host_.relay.buffers.data(id)));
    return true;
  }

  // By the Relay.
  void flush();
  void resume_starved();

 private:
  enum class Mode : uint8_t { copying, leaving_copy, splicing };

  static void on_receive(Op& op, const Completion& completion);
  static void on_sent(Op& op, const Completion& completion);
  static void on_source_ready(Op& op, const Completion& completion);
  static void on_sink_ready(Op& op, const Completion& completion);
  static void on_watched(Op& op, const Completion& completion);

  void arm_receive(bool later);
  void poll_source();
  void poll_sink();
  void received(const Completion& completion);
  void receive_is_over(int result);
  void flush_later() { host_.relay.flush_later(*this); }
  void send_queued();
  void pass_on_end();
  void after_drained();
  void enter_splicing();
  void leave_splicing();
  void give_back_pipe();
  void splice_turn();
  void absorb(const Completion& completion);

  // The small ones first: they lie in what Pump leaves of a word.
  Mode mode_ = Mode::copying;
  uint8_t streak_ = 0;             // copying: full buffers in a row; splicing: small pieces in a row
  bool paused_ : 1 = false;        // the receive is, or is being, canceled for back-pressure
  bool source_ended_ : 1 = false;  // 0 bytes were received
  bool ended_ : 1 = false;
  bool stopping_ : 1 = false;
  bool discarding_ : 1 = false;
  bool watching_ : 1 = false;  // source_op_ is in flight for watch_source()
  bool watched_ : 1 = false;   // the kernel ended that by itself: not to be tried again
  bool local_ : 1 = false;     // the source is a UNIX socket (see Ring::receive_once)
  PipeId pipe_ = no_pipe;      // held while bytes are in it
  FlowHost& host_;
  Op source_op_;
  Op sink_op_;
  int source_ = -1;
  int sink_ = -1;
  uint32_t piped_ = 0;  // bytes in the pipe
  BufferQueue queue_;
};

}  // namespace weir
