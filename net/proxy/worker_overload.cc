// Worker: what it does when there is more than can be done: who waits for a place, and who is turned away.
#include "net/io/socket.h"
#include "net/proxy/worker.h"

namespace weir {
namespace {

// A place may come free without anybody telling: another weir's, a limit that has grown, a breaker that has closed.
constexpr Duration lines_interval = std::chrono::milliseconds{10};

}  // namespace

// --- waiting lines --------------------------------------------------------------------------------------------------

bool Worker::wait_in_line(const Upstream& upstream, Waiter& waiter, const WaitingLine::Wish& wish) {
  const QueuePolicy& queue = upstream.resilience.queue;
  if (queue.size == 0) return false;
  UpstreamMemory& memory = memories_[index_of(upstream.id)];
  if (memory.line == nullptr) memory.line = std::make_unique<WaitingLine>(*upstream.state, options_.index);
  if (!memory.line->enter(waiter, wish, now_, queue.size)) {
    upstream.state->at(options_.index).counters.queue_full.add();
    return false;
  }
  somebody_in_line_ = true;
  if (!lines_timer_.armed()) wheel_.arm(lines_timer_, now_ + lines_interval);
  return true;
}

// The place goes to who has waited longest, on whatever worker. Hints are read, so it may be that nobody is there any
// more, or that somebody is overlooked: that one finds the place at its next look.
void Worker::place_free(UpstreamId id) {
  const Upstream* upstream = snapshot_->find(id);
  if (upstream == nullptr || upstream->resilience.queue.size == 0) return;
  if (upstream->state->waiting.load(std::memory_order_relaxed) == 0) return;
  const unsigned first = upstream->state->waiting_longest(options_.index);
  if (first == options_.index) return;  // the look at the end of this turn
  if (const int fd = process_.workers[first]->wake_fd.load(std::memory_order_acquire); fd >= 0) wake(fd);
}

// At the end of each turn while somebody waits; only where it is this worker's turn, as far as is known.
void Worker::look_at_lines() {
  somebody_in_line_ = false;
  for (const auto& upstream : snapshot_->upstreams) {
    UpstreamMemory& memory = memories_[index_of(upstream->id)];
    if (memory.line == nullptr || memory.line->empty()) continue;
    memory.line->tell_displaced();
    if (upstream->state->waiting_longest(options_.index) == options_.index) {
      memory.room_unused = false;
      memory.line->try_all();
    }
    somebody_in_line_ = somebody_in_line_ || !memory.line->empty();
  }
}

// Every now and then: where there was room at two looks, and the worker whose turn it is has not used it, it cannot.
void Worker::take_unused_room() {
  for (const auto& upstream : snapshot_->upstreams) {
    UpstreamMemory& memory = memories_[index_of(upstream->id)];
    if (memory.line == nullptr || memory.line->empty()) continue;
    const bool room = has_room(*upstream);
    if (room && memory.room_unused) memory.line->try_all();
    memory.room_unused = room && !memory.room_unused;
  }
}

void Worker::on_lines(Timer& timer) {
  Worker& worker = owner_of(timer, &Worker::lines_timer_);
  worker.look_at_lines();
  worker.take_unused_room();
  if (worker.somebody_in_line_) worker.wheel_.arm(timer, worker.now_ + lines_interval);
}

// --- shedding -------------------------------------------------------------------------------------------------------

void Worker::look_at_pressure() {
  const Instant now = clock_.now();
  shedder_.turned(now - now_);
  Shedder::Figures figures;
  const uint32_t buffers = buffers_->count();
  figures.buffers_percent = buffers == 0 ? 0 : static_cast<uint32_t>(uint64_t{buffers_->in_use()} * 100 / buffers);
  figures.descriptors_percent = process_.descriptors_percent.load(std::memory_order_relaxed);
  figures.memory_bytes = process_.memory_bytes.load(std::memory_order_relaxed);
  shedder_.look(snapshot_->shedding, figures, now);
}

bool Worker::sheds(Priority priority) noexcept {
  if (!snapshot_->shedding.any() || !shedder_.sheds(priority)) return false;
  switch (shedder_.blamed()) {
    case Shedder::Signal::turn: state_.counters.shed_turn.add(); break;
    case Shedder::Signal::buffers: state_.counters.shed_buffers.add(); break;
    case Shedder::Signal::descriptors: state_.counters.shed_descriptors.add(); break;
    case Shedder::Signal::memory: state_.counters.shed_memory.add(); break;
  }
  return true;
}

}  // namespace weir
