// Relay: what moves bytes on one worker shares with others that do: the ring, buffers, pipes, and two lists of whom to
// call back.
//
// A Pump is something that moves bytes (a Flow, a Connection, ...). It asks to be flushed at the end of the turn, when
// everything that came in has been seen and one send can take it all; and it waits in `starving` when it wants to
// receive and there are no buffers. Owned by a worker; touched by its thread alone.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/list.h"
#include "core/model/counters.h"
#include "net/io/buffers.h"
#include "net/io/op.h"
#include "net/io/pipe.h"
#include "net/io/ring.h"

namespace weir {

// Sessions have two each, and millions of them may be idle: so it is told apart by a byte and not by a virtual table.
class Pump {
 public:
  enum class Kind : uint8_t { flow, connection };

  ListNode starving_node;  // in Relay::starving

 protected:
  explicit Pump(Kind kind) noexcept : kind_(kind) {}
  ~Pump() = default;

 private:
  friend struct Relay;
  const Kind kind_;
  bool to_flush_ = false;  // in Relay::to_flush_
};

struct Relay {
  Relay(Ring& ring_of_worker, Buffers& its_buffers, Pipes& its_pipes, WorkerCounters& its_counters) noexcept
      : ring(ring_of_worker), buffers(its_buffers), pipes(its_pipes), counters(its_counters) {}

  Ring& ring;
  Buffers& buffers;
  Pipes& pipes;
  WorkerCounters& counters;
  // Pumps whose receive is to be armed when there are buffers; the worker takes them in order.
  List<Pump, &Pump::starving_node> starving;

  // Costs memory only once it is used.
  void reserve(size_t pumps_max) { to_flush_.reserve(pumps_max); }
  void flush_later(Pump& pump) {
    if (pump.to_flush_) return;
    pump.to_flush_ = true;
    to_flush_.push_back(&pump);
  }
  // Something asked after this turn's flush: the next one is not to wait for anything else.
  bool flush_pending() const noexcept { return !to_flush_.empty(); }
  // Before sessions of this turn are freed.
  void flush();
  // Tells up to `count` that wait for buffers.
  void resume_starved(uint32_t count);

 private:
  std::vector<Pump*> to_flush_;
};

}  // namespace weir
