// WaitingLine: those of one worker who found every endpoint of an upstream full, in the order in which their turn
// comes: the higher priority first, then who came first. Each waits for a time that is its own business.
//
//     found all full --enter--> waiting --a place may be free: turn_came()--> goes on, or waits again at its place
//                                  |
//                                  '-- leaves (time, client gone), or is displaced by a higher priority and told so
//                                      at the next look
//
// Most would take a place at any endpoint: where one of those finds none, nobody behind it needs to look. Who has asked
// some endpoints in vain waits for the others, and holds nobody up.
//
// The size of the line is bounded over all workers, by the count in the UpstreamState; there, too, each worker says how
// long its first one has been waiting, so that a free place goes to the worker whose turn it is (Worker::place_free).
//
// Owned by a worker, one per upstream; its thread alone.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/clock.h"
#include "core/base/list.h"
#include "core/model/resilience.h"
#include "core/model/upstream_state.h"

namespace weir {

class WaitingLine;

// Embedded in whoever may have to wait.
class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  bool in_line() const noexcept { return line_ != nullptr; }
  // Out of the line, by its own wish. Nothing happens outside of one.
  void leave_line() noexcept;

 protected:
  ~Waiter() = default;

 private:
  friend class WaitingLine;

  // It may try again; it is in no line while it does. Whether it waits no longer. If it does, it keeps its place.
  virtual bool turn_came() = 0;
  // Somebody else needed its place; it is in no line.
  virtual void displaced() = 0;

  ListNode waiting_node_;
  WaitingLine* line_ = nullptr;
  Instant waiting_since_{};
  Priority waiting_priority_ = priority_usual;
  bool takes_any_ = true;
  bool is_displaced_ = false;  // has no place any more, and has not been told
};

class WaitingLine {
 public:
  WaitingLine(UpstreamState& state, unsigned worker) noexcept : state_(state), at_(state.at(worker)) {}
  ~WaitingLine();
  WaitingLine(const WaitingLine&) = delete;
  WaitingLine& operator=(const WaitingLine&) = delete;

  struct Wish {
    Priority priority = priority_usual;
    bool takes_any = true;  // any endpoint will do
  };
  // False: the line is full, and nobody in this worker's part of it has less right to be there.
  bool enter(Waiter& waiter, const Wish& wish, Instant now, uint32_t size_max);

  bool empty() const noexcept { return count_ == 0 && displaced_.empty(); }
  uint32_t count() const noexcept { return count_; }

  // Lets them try in turn, until one who would take any place finds none.
  void try_all();
  // Not at once, because what they do then may be anything, and may displace others.
  void tell_displaced();

 private:
  friend class Waiter;

  Waiter* first() noexcept;
  Waiter* last_below(Priority priority) noexcept;
  // Counted among those who are here, or not any more; where in the lines is another matter.
  void count_in(Waiter& waiter) noexcept;
  void count_out(Waiter& waiter) noexcept;
  void remove(Waiter& waiter) noexcept;
  void publish_oldest() noexcept;

  UpstreamState& state_;
  UpstreamAtWorker& at_;
  uint32_t count_ = 0;
  std::array<List<Waiter, &Waiter::waiting_node_>, priority_max + 1> lines_;
  List<Waiter, &Waiter::waiting_node_> displaced_;
};

}  // namespace weir
