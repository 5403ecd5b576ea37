#include "net/proxy/listener.h"

#include <errno.h>
#include <unistd.h>

#include "net/io/socket.h"
#include "net/proxy/worker.h"

namespace weir {
namespace {

// With less room than this, connections are accepted one at a time: a multishot accept could bring in a whole backlog
// at once.
constexpr uint32_t room_for_many = 256;
// Taken from a backlog in one go while retiring.
constexpr uint32_t last_accepts_max = 4096;

}  // namespace

Listener::Listener(Worker& worker, const ListenerSpec& spec)
    : worker_(worker), id_(spec.id), spec_(&spec), sockets_(spec.sockets), fd_(sockets_->fd_of(worker.index())) {}

Listener::~Listener() {
  WEIR_ASSERT(parked_.empty() && !accept_op_.in_flight());
}

void Listener::begin() {
  WEIR_ASSERT(state_ == State::paused);
  accept_more();
}

void Listener::accept_more() {
  state_ = State::accepting;
  // A limit of the listener's own is shared with other workers, so it is always approached one by one.
  if (spec_->connections_max == 0 && worker_.room() >= room_for_many) {
    worker_.ring().accept_many(accept_op_, on_accepted, fd_);
  } else {
    worker_.ring().accept_one(accept_op_, on_accepted, fd_);
  }
}

void Listener::on_accepted(Op& op, const Completion& completion) {
  Listener& listener = owner_of(op, &Listener::accept_op_);
  Worker& worker = listener.worker_;
  if (completion.result >= 0) {
    listener.admit_or_park(completion.result);
  } else {
    switch (completion.error()) {
      case ECANCELED:  // by us
      case EINTR:
      case EAGAIN: break;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        worker.counters().accept_paused_descriptors.add();
        listener.pause();
        break;
      case ECONNABORTED:  // the client left while it waited
      case EPROTO:
      case EPERM:  // a firewall rule
      case ENETDOWN:
      case ENONET:
      case EHOSTDOWN:
      case EHOSTUNREACH:
      case ENETUNREACH: worker.counters().accept_errors.add(); break;
      default:
        worker.counters().accept_errors.add();
        worker.counters().unexpected_errors.add();
        // Not to spin on something that stays wrong: the worker's retry tries again.
        listener.pause();
    }
  }
  if (op.in_flight()) return;
  switch (listener.state_) {
    case State::accepting: return listener.accept_more();
    case State::pausing: listener.state_ = State::paused; return worker.retry_later();
    case State::retiring: return listener.finish_retiring();
    case State::paused:
    case State::retired: WEIR_ASSERT(false, static_cast<int>(listener.state_));
  }
}

void Listener::pause() {
  if (state_ != State::accepting) return;
  state_ = State::pausing;
  spec_->state->counters(worker_.index()).paused.add();
  if (accept_op_.in_flight()) worker_.ring().cancel(accept_op_);
}

void Listener::admit_or_park(int fd) {
  if (spec_ == nullptr) {
    // Accepted after the listener had left the Snapshot; there is nothing any more that says what to do with it.
    worker_.ring().close(fd);
    return;
  }
  switch (worker_.admit(*spec_, fd)) {
    case Worker::Admission::admitted: return;
    case Worker::Admission::no_slot: worker_.counters().accept_paused_slots.add(); break;
    case Worker::Admission::listener_full: worker_.counters().accept_paused_listener.add(); break;
  }
  parked_.push_back(fd);
  worker_.parked(1);
  pause();
}

bool Listener::admit_parked() {
  while (!parked_.empty()) {
    if (worker_.admit(*spec_, parked_.front()) != Worker::Admission::admitted) return false;
    parked_.erase(parked_.begin());
    worker_.parked(-1);
  }
  return true;
}

void Listener::resume() {
  if (state_ != State::paused) return;
  if (!admit_parked()) return;
  accept_more();
}

void Listener::retire(bool shut) {
  if (state_ == State::retiring || state_ == State::retired) return;
  const bool settled = state_ == State::paused;
  state_ = State::retiring;
  shut_ = shut;
  if (accept_op_.in_flight()) {
    worker_.ring().cancel(accept_op_);
  } else {
    WEIR_ASSERT(settled);
    finish_retiring();
  }
}

// Those who wait in the backlog were told by the kernel that they are connected. They are served as far as there is
// room.
void Listener::finish_retiring() {
  if (spec_ != nullptr) {
    admit_parked();
    for (uint32_t i = 0; shut_ && i < last_accepts_max && parked_.empty(); ++i) {
      const int fd = accept_now(fd_);
      if (fd == -ECONNABORTED || fd == -EINTR) continue;
      if (fd < 0) break;
      admit_or_park(fd);
    }
  }
  for (const int fd : parked_) worker_.ring().close(fd);
  worker_.parked(-static_cast<int>(parked_.size()));
  parked_.clear();
  if (shut_) stop_listening(fd_);
  state_ = State::retired;
}

}  // namespace weir
