// Listener: one accepting socket of one worker, and its admission.
//
//      accepting --a limit reached, no descriptors--> pausing --cancel is back--> paused
//         ^                                                                         |
//         '----- parked connections admitted, room again (worker's retry) ----------'
//      any --retire()--> retiring --accept is back, the queue is accepted--> retired
//
// Nothing that a client was promised is lost: a connection that the kernel has handed over when the limit is reached is
// parked, and admitted first when there is room again; the rest waits in the kernel's backlog. Near the limit
// connections are accepted one at a time, so that few are ever parked. Owned by its worker.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/model/listener.h"
#include "net/io/ring.h"

namespace weir {

class Worker;

class Listener {
 public:
  Listener(Worker& worker, const ListenerSpec& spec);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void begin();
  // The new Snapshot's idea of the same listener; null when it names it no more.
  void update(const ListenerSpec* spec) noexcept { spec_ = spec; }
  // Accepts what already waits, then no more. `shut`: nobody else uses the sockets, so clients are to be refused from
  // then on.
  void retire(bool shut);
  bool retiring() const noexcept { return state_ == State::retiring; }
  bool retired() const noexcept { return state_ == State::retired; }

  // Stops accepting for now; the worker resumes it.
  void pause();
  // There may be room or descriptors again.
  void resume();
  bool waiting_for_room() const noexcept { return state_ == State::paused; }

  ListenerId id() const noexcept { return id_; }
  const ListenSockets* sockets() const noexcept { return sockets_.get(); }

 private:
  enum class State : uint8_t { accepting, pausing, paused, retiring, retired };

  static void on_accepted(Op& op, const Completion& completion);
  void accept_more();
  void admit_or_park(int fd);
  bool admit_parked();
  void finish_retiring();

  Worker& worker_;
  const ListenerId id_;
  const ListenerSpec* spec_;  // into the current Snapshot; null once it names this listener no more
  const std::shared_ptr<const ListenSockets> sockets_;
  const int fd_;
  Op accept_op_;
  State state_ = State::paused;
  bool shut_ = false;
  std::vector<int> parked_;
};

}  // namespace weir
