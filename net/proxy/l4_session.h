// L4Session: one client connection relayed to one origin, byte by byte, without looking into it.
//
//             +--bad or late header------------------------------------------.
//             |                                                              v
//   greeting (PROXY header expected) --> dialing --connected--> relaying --> joining --nothing in flight--> (slot
//   freed)
//             |                          ^  |  |                   |           ^  ^
//   no header expected ------------------'  |  |                   |           |  |
//                            refused, silent:  |              both flows ended,   |
//                            the next endpoint |              a reset, a timeout, |
//                                              |              the worker stops    |
//                             none is left     v                                  |
//                                          lingering --the client ends, or time---'
//
// Lingering: the client was told the end, and what it still sends is thrown away for a moment; closing at once would
// answer bytes on their way with a reset, which can overtake the end.
//
// It receives from the client from the beginning, so that bytes are at hand when the origin answers and a client that
// leaves is noticed. An immovable slot in the worker's slab; touched by that worker alone.
#pragma once

#include <cstdint>

#include "core/base/clock.h"
#include "core/base/timer_wheel.h"
#include "core/model/lease.h"
#include "core/model/listener.h"
#include "core/model/picker.h"
#include "core/model/upstream.h"
#include "net/proxy/admission.h"
#include "net/proxy/choose.h"
#include "net/proxy/flow.h"
#include "net/proxy/session.h"
#include "net/proxy/waiting_line.h"

namespace weir {

class Worker;

class L4Session;

// Where a session waits in line for an endpoint that has room. In a slab of the worker, and only as long as it waits:
// sessions wait seldom, and there are many of them.
class L4Waiter final : public Waiter {
 public:
  L4Waiter(L4Session& session, const TriedEndpoints& tried) noexcept : session_(session), tried_(tried) {}
  const TriedEndpoints& tried() const noexcept { return tried_; }

 private:
  bool turn_came() override;
  void displaced() override;

  L4Session& session_;
  const TriedEndpoints tried_;  // before it began to wait
};

class L4Session final : public Session, public FlowHost {
 public:
  L4Session(Worker& worker, const ListenerSpec& listener, int client) noexcept;
  ~L4Session();

  // Takes up work: expects a PROXY header or dials.
  void begin(const ListenerSpec& listener);

  void close(CloseReason reason, bool reset = false) override;
  void drain() override {}  // there is no telling where its protocol could be interrupted
  bool joining() const noexcept override { return state_ == State::joining; }
  Instant holding_buffers_since() const noexcept override;
  void finish() override;
  Kind kind() const noexcept override { return Kind::l4; }

  // By its L4Waiter, which may be gone when this returns. Whether it waits no longer.
  bool turn_came();
  void displaced();

  // A descriptor may be free again, after dial() had found none; until then its `node` is in the worker's list.
  void redial();

 private:
  enum class State : uint8_t { greeting, dialing, relaying, lingering, joining };

  void flow_received(Flow& flow, uint64_t bytes) override;
  void flow_sent(Flow& flow, uint64_t bytes) override;
  void flow_unwatched(Flow& flow) override;
  void flow_waiting(Flow& flow) override;
  void flow_ended(Flow& flow) override;
  void flow_failed(Flow& flow, bool at_source, int error) override;
  void flow_stopped(Flow& flow) override;

  // Nothing is in flight any more.
  bool joined() const noexcept { return up_.idle() && down_.idle() && !connect_op_.in_flight(); }
  static void on_connected(Op& op, const Completion& completion);
  static void on_timer(Timer& timer);

  void become(State next);
  void read_greeting();
  // Whether it may; if not, it has been closed.
  bool come_in(const ListenerSpec& listener);
  void dial();
  void connect_to(const Upstream& upstream, Choice choice);
  void nobody(const Upstream& upstream, const Choice& choice);
  void wait_in_line(const Upstream& upstream);
  void leave_line();
  bool begin_pending(const Upstream& upstream);
  void end_pending();
  void waited_too_long();
  void connect_failed(bool timed_out);
  void give_up(CloseReason reason);
  void join(bool reset);
  void drop_origin();
  void begin_relaying();
  Duration idle_max() const noexcept { return std::chrono::milliseconds{idle_ms_max_}; }
  void arm_timer();
  void look_around();
  ChoiceFor wish(const Upstream& upstream);
  void note_answer();
  void note_first_word(bool client);
  void note_silence();
  bool find_client();
  bool prepend_greeting(ProxyHeader version);

  Worker& worker_;
  ListenerState& listener_state_;
  const UpstreamId upstream_;
  const int client_;
  int origin_ = -1;
  State state_ = State::greeting;
  bool greeting_expected_ : 1 = false;
  bool connect_timed_out_ : 1 = false;
  bool reset_ : 1 = false;
  bool somebody_spoke_ : 1 = false;
  bool origin_is_local_ : 1 = false;  // over a UNIX socket
  bool in_line_ : 1 = false;
  bool pending_ : 1 = false;  // counted by the upstream among those without a connection
  ClientSeat seat_;
  Priority priority_;
  Flow up_;
  Flow down_;
  Op connect_op_;
  Timer timer_;
  Lease lease_;
  union {
    TriedEndpoints tried_{};  // while dialing
    L4Waiter* waiter_;        // while dialing, and in line
    Instant asked_;           // while relaying: when it was the origin's turn; Instant::max() when it was not
  };
  PeerAddress peer_;         // the client; from its socket, or as its PROXY header says
  PeerAddress destination_;  // where it connected to
  EndpointId endpoint_{};
  uint32_t idle_ms_max_;  // 0: none
  Instant active_;        // when bytes moved last
  Instant lifetime_end_;  // Instant::max() when there is none
};

// What an idle connection costs in user memory, apart from what the kernel keeps for its sockets.
static_assert(sizeof(L4Session) <= 400);

}  // namespace weir
