// Op: one operation in flight, embedded in what waits for it; its address travels through the kernel as user_data.
//
// An Op belongs to its owner's worker. It is in flight from the call on the Ring that starts it until the handler of
// its last completion is called; in between neither it nor its owner may go away (asserted). The handler finds the
// owner with owner_of().
#pragma once

#include <cstdint>

#include "core/base/assert.h"
#include "core/base/owner_of.h"
#include "net/io/features.h"

namespace weir {

using BufferId = uint16_t;

// What the kernel said of an operation. A value, valid as long as you like.
struct Completion {
  int32_t result = 0;  // bytes, a descriptor, an event mask; or -errno
  uint32_t flags = 0;  // completion_*, see features.h

  bool failed() const noexcept { return result < 0; }
  int error() const noexcept { return -result; }
  // More completions of the same Op will follow.
  bool more() const noexcept { return (flags & completion_more) != 0; }
  // The socket had more to read after this receive.
  bool more_to_read() const noexcept { return (flags & completion_nonempty) != 0; }
  bool has_buffer() const noexcept { return (flags & completion_buffer) != 0; }
  BufferId buffer() const noexcept { return static_cast<BufferId>(flags >> completion_buffer_shift); }
};

class Op {
 public:
  using Handler = void (*)(Op&, const Completion&);

  Op() = default;
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;
  ~Op() { WEIR_ASSERT(!in_flight_); }

  bool in_flight() const noexcept { return in_flight_; }
  // A cancel was asked for and the last completion has not come yet.
  bool canceling() const noexcept { return canceling_; }

 private:
  friend class Ring;
  // Set by the call that starts the operation; one Op may serve different operations one after the other.
  Handler handler_ = nullptr;
  bool in_flight_ = false;
  bool canceling_ = false;
};
static_assert(sizeof(Op) == 16);

}  // namespace weir
