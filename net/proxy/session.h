// Session: everything of one client connection, as far as the worker must know of it. What it does with the bytes is
// the business of its protocol: L4Session relays them, L7Session reads HTTP.
//
// An immovable slot in one of the worker's slabs; touched by that worker alone. Closing is in two steps: close()
// cancels what is in flight and counts the reason; when the last operation has come back the session reports itself to
// the worker (session_joined), which calls finish() and frees the slot at the end of the turn.
#pragma once

#include "core/base/clock.h"
#include "core/base/list.h"
#include "core/model/counters.h"

namespace weir {

class Session {
 public:
  // The slab it lives in: see Worker::free_joined().
  enum class Kind : uint8_t { l4, l7 };

  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Ends it for `reason`, once. `reset`: the peers get a reset instead of an end.
  virtual void close(CloseReason reason, bool reset = false) = 0;
  // The worker is about to leave: no new work. Who has nothing to do may go at once.
  virtual void drain() = 0;
  virtual bool joining() const noexcept = 0;
  // Since when its peers have moved nothing, if it holds buffers meanwhile; Instant::max() if not.
  virtual Instant holding_buffers_since() const noexcept = 0;
  // Gives everything back: nothing is in flight any more.
  virtual void finish() = 0;

  virtual Kind kind() const noexcept = 0;

  ListNode node;  // in the worker's list of those that have joined

 protected:
  ~Session() = default;
};

}  // namespace weir
