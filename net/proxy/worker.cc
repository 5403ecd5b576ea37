#include "net/proxy/worker.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <utility>

#include "net/io/socket.h"

namespace weir {
namespace {

// Fine enough for a second try after the slowest of a hundred quick answers; timeouts would do with less.
constexpr Duration wheel_tick = std::chrono::milliseconds{1};

// How often a paused listener asks again whether there is room.
constexpr Duration retry_interval = std::chrono::milliseconds{20};

// Who has moved nothing for so long while buffers are wanted may be shed, so many at once, so often.
constexpr Duration slow_peer_grace = std::chrono::seconds{1};
constexpr Duration shed_interval = std::chrono::milliseconds{100};
constexpr size_t shed_at_once = 16;

void pin_to(int cpu) noexcept {
  if (cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  // The mask was checked at start; if the CPU has gone offline since, the scheduler's choice has to do.
  ::sched_setaffinity(0, sizeof set, &set);
}

}  // namespace

Worker::Worker(const WorkerOptions& options, ProcessState& process, Published<Snapshot>& published, Letters& letters,
               const Clock& clock)
    : options_(options),
      process_(process),
      state_(*process.workers[options.index]),
      reader_(published.reader(options.index)),
      letters_(letters),
      clock_(clock),
      now_(clock.now()),
      wheel_(now_, wheel_tick),
      l4_sessions_(options.sessions_max),
      l7_sessions_(options.sessions_max),
      l4_waiters_(options.sessions_max),
      retry_timer_(on_retry),
      drain_timer_(on_drain_end),
      lines_timer_(on_lines) {}

Worker::~Worker() = default;

Result<bool> Worker::start() {
  pin_to(options_.cpu);
  RingOptions ring_options;
  ring_options.receive_limit = options_.receive_limit;
  auto made = Ring::make(ring_options);
  if (!made) return made.error();
  ring_ = std::move(*made);
  buffers_ = std::make_unique<Buffers>(*ring_, options_.buffer_bytes_max);
  if (auto started = buffers_->start(); !started) return started;
  pipes_ = std::make_unique<Pipes>(options_.pipes_max, options_.pipe_size);
  relay_ = std::make_unique<Relay>(*ring_, *buffers_, *pipes_, state_.counters);
  // Each session has two flows, or two connections and two flows that carry on for them.
  relay_->reserve(size_t{options_.sessions_max} * 4);
  http_ = std::make_unique<HttpWorker>(*this, options_.sessions_max, options_.seed);
  http_->access_log = options_.access_log;
  state_.buffers_total.store(buffers_->count(), std::memory_order_relaxed);
  ring_->read(letter_op_, on_letter, letters_.event_fd(), &letter_count_, sizeof letter_count_);
  state_.wake_fd.store(letters_.event_fd(), std::memory_order_release);
  return true;
}

void Worker::run() {
  snapshot_ = reader_.online();
  apply_snapshot();
  while (!finished()) turn();
  // What goes on without a session: mirrors, idle connections to origins.
  http_->leave();
  while (!http_->empty()) turn();
  wheel_.cancel(retry_timer_);
  wheel_.cancel(drain_timer_);
  wheel_.cancel(lines_timer_);
  // The last operation of ours; closes that are written down go out with it.
  leaving_ = true;
  ring_->cancel(letter_op_);
  while (letter_op_.in_flight()) {
    ring_->wait(now_, std::nullopt);
    ring_->dispatch(completions_per_turn);
  }
  listeners_.clear();
  reader_.offline();
}

bool Worker::finished() const noexcept {
  return draining_ && session_count() == 0 && listeners_.empty();
}

void Worker::turn() {
  buffers_->replenish();
  resume_starved();
  publish_figures();

  if (snapshot_->shedding.any() || shedder_.below() > 0) look_at_pressure();

  const std::optional<Instant> until = wake_at();
  reader_.offline();
  ring_->wait(now_, until);
  snapshot_ = reader_.online();
  now_ = clock_.now();
  state_.counters.turns.add();
  if (snapshot_->generation != generation_) apply_snapshot();

  state_.counters.completions.add(ring_->dispatch(completions_per_turn));
  wheel_.advance(now_, timers_per_turn);
  if (somebody_in_line_) look_at_lines();
  relay_->flush();
  free_joined();
  if (room_again_) resume_listeners();
  if (retiring_) {
    std::erase_if(listeners_, [](const auto& listener) { return listener->retired(); });
    retiring_ = std::any_of(listeners_.begin(), listeners_.end(), [](const auto& each) { return each->retiring(); });
  }
}

std::optional<Instant> Worker::wake_at() const noexcept {
  // Flows that wait for a buffer while there are some are not to wait for anything else.
  if (!relay_->starving.empty() && buffers_->available()) return now_;
  if (relay_->flush_pending()) return now_;
  const std::optional<Instant> timer = wheel_.next();
  if (shedder_.below() == 0) return timer;
  // Who turns work away looks whether it still has to, also when there is nothing else to do.
  const Instant look = now_ + Shedder::step;
  return timer ? std::min(*timer, look) : look;
}

int64_t Worker::unix_ms() noexcept {
  return clock_.unix_ms();
}

std::string_view Worker::http_date() noexcept {
  const int64_t second = clock_.unix_ms() / 1000;
  if (second != date_second_) {
    date_second_ = second;
    http::write_date(second, date_text_);
  }
  return {date_text_.data(), date_text_.size()};
}

void Worker::publish_figures() {
  // Relaxed: figures for the stats.
  const uint32_t connections = session_count();
  state_.connections.store(connections, std::memory_order_relaxed);
  state_.connections_peak.store(std::max(connections, state_.connections_peak.load(std::memory_order_relaxed)),
                                std::memory_order_relaxed);
  state_.origin_connections.store(http_->pool.size(), std::memory_order_relaxed);
  state_.origin_connections_idle.store(http_->pool.idle_count(), std::memory_order_relaxed);
  state_.exchanges.store(http_->exchanges.size(), std::memory_order_relaxed);
  state_.buffers_in_use.store(buffers_->in_use(), std::memory_order_relaxed);
  state_.connections_parked.store(static_cast<uint32_t>(parked_), std::memory_order_relaxed);
  state_.pipes_in_use.store(pipes_->in_use(), std::memory_order_relaxed);
}

// --- the Snapshot ---------------------------------------------------------------------------------------------------

void Worker::apply_snapshot() {
  generation_ = snapshot_->generation;
  state_.counters.snapshots_applied.add();
  apply_upstreams();
  apply_listeners();
  // Who waits for an upstream that is gone is told so when it tries; only now, because what it does then may be
  // anything.
  for (const auto& line : std::exchange(orphans_, {})) {
    line->tell_displaced();
    line->try_all();
  }
}

void Worker::apply_upstreams() {
  std::vector<UpstreamMemory> memories(snapshot_->upstream_by_id.size());
  upstream_states_.resize(memories.size());
  for (const auto& upstream : snapshot_->upstreams) {
    const uint32_t at = index_of(upstream->id);
    upstream_states_[at] = upstream->state;
    UpstreamMemory& memory = memories[at];
    if (at < memories_.size()) memory = std::move(memories_[at]);
    if (memory.version != upstream->version) {
      const bool same = memory.algorithm == upstream->algorithm;
      const uint64_t seed = (uint64_t{at} << 32) + options_.index;
      memory.picker = upstream->picker->make_state(seed, same ? memory.picker.get() : nullptr);
      memory.version = upstream->version;
      for (const Endpoint& endpoint : upstream->endpoints) {
        bool& wanted = endpoint.state->at(options_.index).idle_wanted;
        if (wanted && !endpoint.idle_wanted) http_->pool.close_idle(*endpoint.state);
        wanted = endpoint.idle_wanted;
      }
      memory.algorithm = upstream->algorithm;
    }
  }
  for (UpstreamMemory& memory : memories_) {
    if (memory.line != nullptr) orphans_.push_back(std::move(memory.line));
  }
  memories_ = std::move(memories);
  if (snapshot_->configured == configured_) return;
  // Which endpoints there are has not changed since then; with thousands of them, this takes a while.
  configured_ = snapshot_->configured;
  for (const auto& upstream : snapshot_->upstreams) {
    for (const Endpoint& endpoint : upstream->endpoints) {
      endpoint.state->at(options_.index).configured = configured_;
    }
  }
  http_->pool.follow_snapshot();
}

void Worker::apply_listeners() {
  for (const auto& listener : listeners_) {
    const ListenerSpec* spec = snapshot_->find(listener->id());
    const bool same = spec != nullptr && spec->sockets.get() == listener->sockets();
    listener->update(same ? spec : nullptr);
    if (same || draining_) continue;
    const bool inherited = std::any_of(snapshot_->listeners.begin(), snapshot_->listeners.end(),
                                       [&](const auto& other) { return other.sockets.get() == listener->sockets(); });
    listener->retire(!inherited);
    retiring_ = true;
  }
  if (draining_) return;
  for (const ListenerSpec& spec : snapshot_->listeners) {
    const bool here = std::any_of(listeners_.begin(), listeners_.end(), [&](const auto& listener) {
      return listener->id() == spec.id && listener->sockets() == spec.sockets.get();
    });
    if (here) continue;
    listeners_.push_back(std::make_unique<Listener>(*this, spec));
    listeners_.back()->begin();
  }
}

// --- letters from the control thread --------------------------------------------------------------------------------

void Worker::on_letter(Op& op, const Completion& /*completion*/) {
  Worker& worker = owner_of(op, &Worker::letter_op_);
  if (worker.leaving_) return;
  worker.read_letters();
  worker.ring_->read(op, on_letter, worker.letters_.event_fd(), &worker.letter_count_, sizeof worker.letter_count_);
}

void Worker::read_letters() {
  ControlMessage letter;
  while (letters_.receive(letter)) {
    switch (letter.kind) {
      case ControlMessage::Kind::look: break;  // Looking is what every turn begins with.
      case ControlMessage::Kind::drain: drain(letter.deadline); break;
      case ControlMessage::Kind::stop:
        drain(now_);
        cut_sessions(CloseReason::stopped);
        break;
    }
  }
}

void Worker::drain(Instant deadline) {
  wheel_.arm(drain_timer_, deadline);
  if (draining_) return;
  draining_ = true;
  for (const auto& listener : listeners_) listener->retire(true);
  retiring_ = true;
  for_each_session([](Session& session) { session.drain(); });
}

void Worker::on_drain_end(Timer& timer) {
  Worker& worker = owner_of(timer, &Worker::drain_timer_);
  worker.cut_sessions(CloseReason::drain_timeout);
  // A client that was in the backlog may still come in while the listeners retire.
  worker.wheel_.arm(timer, worker.now_ + retry_interval);
}

void Worker::cut_sessions(CloseReason reason) {
  uint32_t cut = 0;
  for_each_session([&](Session& session) {
    if (session.joining()) return;
    session.close(reason);
    ++cut;
  });
  state_.connections_cut.fetch_add(cut, std::memory_order_relaxed);
}

// --- sessions -------------------------------------------------------------------------------------------------------

uint32_t Worker::room() const noexcept {
  const uint32_t here = std::min(snapshot_->connections_per_worker_max, options_.sessions_max);
  const uint32_t everywhere = snapshot_->connections_max;
  const uint32_t taken = process_.connections.load(std::memory_order_relaxed);
  const uint32_t room_here = here > session_count() ? here - session_count() : 0;
  return std::min(room_here, everywhere > taken ? everywhere - taken : 0);
}

Worker::Admission Worker::admit(const ListenerSpec& listener, int fd) {
  if (session_count() >= std::min(snapshot_->connections_per_worker_max, options_.sessions_max)) {
    return Admission::no_slot;
  }
  // Counted first and taken back if it was one too many, so that workers together never exceed a limit.
  if (process_.connections.fetch_add(1, std::memory_order_relaxed) >= snapshot_->connections_max) {
    process_.connections.fetch_sub(1, std::memory_order_relaxed);
    return Admission::no_slot;
  }
  if (listener.connections_max > 0 &&
      listener.state->connections.load(std::memory_order_relaxed) >= listener.connections_max) {
    process_.connections.fetch_sub(1, std::memory_order_relaxed);
    return Admission::listener_full;
  }
  state_.counters.accepted.add();
  if (listener.http != nullptr) {
    L7Session* session = l7_sessions_.create(*http_, listener, fd);
    WEIR_ASSERT(session != nullptr);
    session->begin(listener);
  } else {
    L4Session* session = l4_sessions_.create(*this, listener, fd);
    WEIR_ASSERT(session != nullptr);
    session->begin(listener);
  }
  return Admission::admitted;
}

void Worker::session_joined(Session& session) {
  if (!session.node.linked()) joined_.push_back(session);
}

// At the end of a turn, so that no handler ever returns into a session that is gone.
void Worker::free_joined() {
  http_->free_over();
  while (Session* session = joined_.pop_front()) {
    session->finish();
    switch (session->kind()) {
      case Session::Kind::l4: l4_sessions_.destroy(static_cast<L4Session&>(*session)); break;
      case Session::Kind::l7: l7_sessions_.destroy(static_cast<L7Session&>(*session)); break;
    }
    process_.connections.fetch_sub(1, std::memory_order_relaxed);
    room_again_ = true;
  }
}

// --- limits ---------------------------------------------------------------------------------------------------------

void Worker::wait_for_descriptor(L4Session& session) {
  without_descriptor_.push_back(session);
  descriptors_are_short();
}

void Worker::descriptors_are_short() {
  state_.counters.accept_paused_descriptors.add();
  http_->pool.shed();
  for (const auto& listener : listeners_) listener->pause();
  retry_later();
}

void Worker::resume_dialing() {
  // In order, until one finds none again: those behind it would not find any either, and it stays in front of them.
  List<Session, &Session::node> waiting;
  waiting.take_all(without_descriptor_);
  while (without_descriptor_.empty() && !waiting.empty()) static_cast<L4Session*>(waiting.pop_front())->redial();
  without_descriptor_.take_all(waiting);
}

void Worker::retry_later() {
  if (!retry_timer_.armed()) wheel_.arm(retry_timer_, now_ + retry_interval);
}

void Worker::on_retry(Timer& timer) {
  owner_of(timer, &Worker::retry_timer_).resume_listeners();
}

void Worker::resume_listeners() {
  room_again_ = false;
  resume_dialing();
  if (!without_descriptor_.empty()) return retry_later();
  for (const auto& listener : listeners_) {
    if (!listener->waiting_for_room()) continue;
    listener->resume();
    if (listener->waiting_for_room()) retry_later();
  }
}

// Buffers have run out. Those who hold some for a peer that takes nothing give them back, the stillest first: a few at
// a time, and none that moved anything lately.
void Worker::shed_slow_peers() {
  if (now_ < shed_next_) return;
  shed_next_ = now_ + shed_interval;
  struct Victim {
    Instant since = Instant::max();
    Session* session = nullptr;
  };
  std::array<Victim, shed_at_once> stillest{};
  for_each_session([&](Session& session) {
    const Instant since = session.holding_buffers_since();
    Victim& last = stillest.back();
    if (since >= last.since || since + slow_peer_grace > now_) return;
    last = {since, &session};
    std::sort(stillest.begin(), stillest.end(), [](const Victim& a, const Victim& b) { return a.since < b.since; });
  });
  for (const Victim& victim : stillest) {
    if (victim.session != nullptr) victim.session->close(CloseReason::slow_peer, true);
  }
}

void Worker::resume_starved() {
  if (!relay_->starving.empty() && buffers_->available() == 0) {
    shed_slow_peers();
    // Who is shed gives back in the next turn; if nobody could be, time must pass first.
    if (!retry_timer_.armed()) wheel_.arm(retry_timer_, now_ + retry_interval);
  }
  // At most as many as there are buffers, or all the others would only find them gone.
  relay_->resume_starved(buffers_->available());
}

}  // namespace weir
