// Worker: one pinned thread with a ring, slabs, buffers, pipes, a timer wheel, and the turn.
//
//     turn:  online: read the Snapshot -> letters -> timers -> freed sessions -> buffers to the kernel
//            offline: one system call: submit, wait
//            online: completions -> handlers
//
// It shares nothing with other workers but the Snapshot it reads, the counters it writes and the atomics of endpoints
// and listeners. After start it allocates nothing on the hot path (taking over a new Snapshot does).
//
// Made by main on any thread; run() is the thread's whole life, and everything else below is called from inside run()
// by what the worker owns. Sessions in turn see the worker through the small functions here.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "core/base/clock.h"
#include "core/base/list.h"
#include "core/base/slab.h"
#include "core/base/timer_wheel.h"
#include "core/model/control_message.h"
#include "core/model/process_state.h"
#include "core/model/snapshot.h"
#include "core/rcu/mailbox.h"
#include "core/rcu/published.h"
#include "net/http/date.h"
#include "net/io/buffers.h"
#include "net/io/pipe.h"
#include "net/io/ring.h"
#include "net/proxy/first_word.h"
#include "net/proxy/hedging.h"
#include "net/proxy/http_worker.h"
#include "net/proxy/l4_session.h"
#include "net/proxy/l7_session.h"
#include "net/proxy/listener.h"
#include "net/proxy/relay.h"
#include "net/proxy/retry_budget.h"
#include "net/proxy/shedder.h"
#include "net/proxy/waiting_line.h"

namespace weir {

struct WorkerOptions {
  unsigned index = 0;
  int cpu = -1;               // to be pinned to, or -1
  uint32_t sessions_max = 0;  // slots; the limits of a Snapshot apply within it
  uint64_t buffer_bytes_max = 64ULL << 20;
  uint32_t pipes_max = 256;
  uint32_t pipe_size = 256U << 10;
  bool receive_limit = false;      // Features::receive_limit
  uint64_t seed = 0;               // of random numbers: retries, request ids
  ByteRing* access_log = nullptr;  // null: there is none
};

class Worker {
 public:
  using Letters = Mailbox<ControlMessage>;
  // Bounds of one turn; what is left over is for the next, which then does not wait.
  static constexpr uint32_t completions_per_turn = 4096;
  static constexpr uint32_t timers_per_turn = 1024;

  Worker(const WorkerOptions& options, ProcessState& process, Published<Snapshot>& published, Letters& letters,
         const Clock& clock);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // The ring and its buffers, on the thread that will run(). An error: the machine gives us no ring.
  Result<bool> start();
  // Turns until a letter says otherwise and nothing is left.
  void run();

  unsigned index() const noexcept { return options_.index; }
  Instant now() const noexcept { return now_; }
  Ring& ring() noexcept { return *ring_; }
  Relay& relay() noexcept { return *relay_; }
  TimerWheel& wheel() noexcept { return wheel_; }
  WorkerCounters& counters() noexcept { return state_.counters; }
  const Snapshot& snapshot() const noexcept { return *snapshot_; }
  PickerState& picker_state(UpstreamId id) noexcept { return *memories_[index_of(id)].picker; }

  FirstWord& first_word(UpstreamId id) noexcept { return memories_[index_of(id)].first_word; }
  RetryBudget& retry_budget(UpstreamId id) noexcept { return memories_[index_of(id)].retry_budget; }
  Hedging& hedging(UpstreamId id) noexcept { return memories_[index_of(id)].hedging; }
  unsigned workers() const noexcept { return static_cast<unsigned>(process_.workers.size()); }

  // The time of day, in milliseconds since 1970 and as HTTP writes it; as of this turn.
  int64_t unix_ms() noexcept;
  std::string_view http_date() noexcept;
  // A finer clock than now(), for what happens inside a turn.
  Instant precise_now() const noexcept { return clock_.now(); }
  // No new work is wanted.
  bool draining() const noexcept { return draining_; }

  enum class Admission : uint8_t { admitted, no_slot, listener_full };
  // Makes a session of a client's socket, if the limits allow.
  Admission admit(const ListenerSpec& listener, int fd);
  // How many more sessions the limits allow now, as far as this worker knows.
  uint32_t room() const noexcept;
  // All operations of a closing session are back; it is freed at the end of the turn.
  void session_joined(Session& session);
  // It could not have a descriptor to dial with: it is asked to redial when some are free again, before anybody new is
  // accepted.
  void wait_for_descriptor(L4Session& session);

  // --- waiting for a place at an endpoint

  // Does somebody wait for any place in the upstream already, on this worker or another? Who comes now has to wait
  // behind them.
  bool somebody_waits(const Upstream& upstream) const noexcept {
    return upstream.resilience.queue.size > 0 && upstream.state->waiting_for_any.load(std::memory_order_relaxed) > 0;
  }
  // False: there is no queue, or no room in it.
  bool wait_in_line(const Upstream& upstream, Waiter& waiter, const WaitingLine::Wish& wish);
  // A Lease of the upstream has ended: somebody who waits may have its place.
  void place_free(UpstreamId id);
  // What is happening at an upstream, also after a reload has removed it.
  UpstreamState& upstream_state(UpstreamId id) noexcept { return *upstream_states_[index_of(id)]; }
  L4Waiter* make_waiter(L4Session& session, const TriedEndpoints& tried) { return l4_waiters_.create(session, tried); }
  void waiter_over(L4Waiter& waiter) { l4_waiters_.destroy(waiter); }

  // Whether work of this priority is to be turned away, because there is too much; it is counted then.
  bool sheds(Priority priority) noexcept;

  // Somebody has found none: nobody new is accepted for a while, and idle connections to origins are given up.
  void descriptors_are_short();
  // A listener has paused: try again soon, also if no session of ours ends until then.
  void retry_later();
  // `count` connections more (or less) are accepted and wait for a slot.
  void parked(int count) noexcept { parked_ += count; }

 private:
  // What this worker remembers of an upstream, from Snapshot to Snapshot.
  struct UpstreamMemory {
    uint64_t version = 0;  // of the Upstream it was made for
    std::string_view algorithm;
    std::unique_ptr<PickerState> picker;
    FirstWord first_word;
    RetryBudget retry_budget;
    Hedging hedging;
    std::unique_ptr<WaitingLine> line;  // once somebody had to wait
    bool room_unused = false;           // at the last look there was some, and it was another worker's turn
  };

  static void on_letter(Op& op, const Completion& completion);
  static void on_retry(Timer& timer);
  static void on_drain_end(Timer& timer);
  static void on_lines(Timer& timer);

  bool finished() const noexcept;
  void turn();
  void apply_snapshot();
  void apply_listeners();
  void apply_upstreams();
  void read_letters();
  void free_joined();
  void resume_dialing();
  void resume_listeners();
  void shed_slow_peers();
  void resume_starved();
  void look_at_lines();
  void take_unused_room();
  void look_at_pressure();
  void drain(Instant deadline);
  void cut_sessions(CloseReason reason);
  void publish_figures();
  std::optional<Instant> wake_at() const noexcept;
  uint32_t session_count() const noexcept { return l4_sessions_.size() + l7_sessions_.size(); }
  template <class Visit>
  void for_each_session(Visit&& visit) {
    l4_sessions_.for_each([&](L4Session& session) { visit(static_cast<Session&>(session)); });
    l7_sessions_.for_each([&](L7Session& session) { visit(static_cast<Session&>(session)); });
  }

  const WorkerOptions options_;
  ProcessState& process_;
  WorkerState& state_;
  Published<Snapshot>::Reader& reader_;
  Letters& letters_;
  const Clock& clock_;

  Instant now_;
  const Snapshot* snapshot_ = nullptr;
  uint64_t generation_ = 0;  // of the Snapshot that listeners and pickers follow
  uint64_t configured_ = 0;  // of the one that pools follow
  TimerWheel wheel_;
  std::unique_ptr<Ring> ring_;
  std::unique_ptr<Buffers> buffers_;
  std::unique_ptr<Pipes> pipes_;
  std::unique_ptr<Relay> relay_;
  Slab<L4Session> l4_sessions_;
  Slab<L7Session> l7_sessions_;
  Slab<L4Waiter> l4_waiters_;
  std::unique_ptr<HttpWorker> http_;
  List<Session, &Session::node> joined_;
  List<Session, &Session::node> without_descriptor_;  // of L4Sessions
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<UpstreamMemory> memories_;               // by UpstreamId
  std::vector<UpstreamState*> upstream_states_;        // by UpstreamId, of all that there ever were
  std::vector<std::unique_ptr<WaitingLine>> orphans_;  // of upstreams that a reload has just removed
  Op letter_op_;
  uint64_t letter_count_ = 0;  // what the eventfd reads into
  Timer retry_timer_;
  Instant shed_next_{};  // not before that
  Timer drain_timer_;
  Timer lines_timer_;
  Shedder shedder_;
  Instant turn_began_{};      // of the present one, after its waiting
  int64_t date_second_ = -1;  // of date_text_
  std::array<char, http::date_size> date_text_{};
  bool draining_ = false;
  bool leaving_ = false;           // nothing is left but to take the last operations home
  bool room_again_ = false;        // a session ended in this turn
  bool somebody_in_line_ = false;  // of this worker, as far as it was looked at
  bool retiring_ = false;          // some listener is on its way out
  int parked_ = 0;                 // over all listeners
};

}  // namespace weir
