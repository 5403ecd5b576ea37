// Mailbox<T>: letters from one thread to another, with an eventfd to wake a receiver that waits in its ring.
//
// One sender, one receiver. send() never blocks: it reports when the box is full, which only a receiver that has
// stopped turning can cause.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "core/base/assert.h"
#include "core/base/fd.h"
#include "core/base/spsc_queue.h"

namespace weir {

template <class T, uint32_t N = 64>
class Mailbox {
 public:
  Mailbox() : event_(::eventfd(0, EFD_CLOEXEC)) { WEIR_ASSERT(event_.valid()); }

  // For the receiver's ring: readable (8 bytes) after each send().
  int event_fd() const noexcept { return event_.get(); }

  bool send(T letter) noexcept {
    const bool taken = queue_.try_push(std::move(letter));
    const uint64_t one = 1;
    // Would block, or fail, only at 2^64 - 1 letters that nobody took note of. A full box wakes the receiver, too.
    [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
    return taken;
  }

  bool receive(T& letter) noexcept { return queue_.try_pop(letter); }

 private:
  Fd event_;
  SpscQueue<T, N> queue_;
};

}  // namespace weir
