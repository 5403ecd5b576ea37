// Buffers: the memory that bytes pass through, shared by all sessions of one worker.
//
// A connection owns no buffer while nothing is in flight on it: the kernel picks one out of the provided ring when
// bytes have arrived, and the session gives it back when they have left. Freed buffers are provided again most recent
// first, and no more of them than `level` lie in the kernel's ring, so that a worker goes on using the same few warm
// ones; after a turn in which a receive found the ring empty (-ENOBUFS) the level rises. Beyond the limit, receives
// wait: see starving sessions in worker.h. A share is never lent to the kernel: what came in may need a buffer of our
// own to get out again.
//
// Pages are touched when a buffer is first used, so memory follows the peak, not the limit. Owned by one worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/slab.h"
#include "net/io/ring.h"

namespace weir {

inline constexpr BufferId no_buffer = 0xffff;

class Buffers {
 public:
  static constexpr uint32_t size = 16 * 1024;
  static constexpr uint32_t count_max = 32768;  // the largest ring of provided buffers
  static constexpr uint32_t count_min = 64;

  // As many buffers as `bytes_max` holds, within the bounds above.
  Buffers(Ring& ring, uint64_t bytes_max);
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  // Makes the kernel use them. Once, before the first receive.
  Result<bool> start();

  // What lies `headroom` before it, and `tailroom` behind `size`, belongs to the buffer as well.
  static constexpr uint32_t headroom = 64;  // keeps data() aligned
  static constexpr uint32_t tailroom = 16;
  std::byte* data(BufferId id) noexcept { return memory_.data() + size_t{id} * stride + headroom; }

  // A completion named this buffer: it is ours now.
  void received(BufferId id) noexcept;
  // One for our own bytes, or no_buffer.
  BufferId take() noexcept;
  void give_back(BufferId id) noexcept;

  // Tops up what the kernel has. Once per turn, before waiting.
  void replenish() noexcept;
  // How many the kernel has, as far as we have heard.
  uint32_t available() const noexcept { return in_kernel_; }
  // A receive found none.
  void exhausted() noexcept { exhausted_ = true; }

  uint32_t count() const noexcept { return count_; }
  // Held by sessions right now.
  uint32_t in_use() const noexcept { return in_use_; }

 private:
  friend class BufferQueue;
  struct Filled {
    BufferId next = no_buffer;
    int16_t offset = 0;
    uint16_t left = 0;
  };
  static_assert(size + headroom + tailroom <= 0x7fff);

  // Neighbours differ in where in a page they begin, so that their first bytes do not fight for the same cache sets.
  static constexpr uint32_t stride = size + 3 * 64;
  static_assert(size + headroom + tailroom <= stride);
  static constexpr uint32_t level_start = 128;
  // One in so many is for take() alone.
  static constexpr uint32_t own_share = 8;

  Ring& ring_;
  const uint32_t count_;
  uint32_t level_;
  bool exhausted_ = false;  // since the last replenish()
  uint32_t in_kernel_ = 0;
  uint32_t in_use_ = 0;
  uint32_t fresh_ = 0;  // ids from here on were never used
  Reservation memory_;
  std::vector<Filled> filled_;  // by id
  std::vector<BufferId> free_;  // a stack
};

// Some of a buffer that nobody else has a part in: whoever holds it gives the buffer back, or passes it on.
struct BufferPiece {
  BufferId id = no_buffer;
  int16_t offset = 0;  // from data(); below 0 when something was put in front
  uint16_t size = 0;
};

// BufferQueue: filled buffers in the order of their bytes, in 6 bytes of its own. The links lie with the Buffers.
class BufferQueue {
 public:
  static constexpr uint32_t copied_bytes_max = 2048;  // what counts as small, below

  bool empty() const noexcept { return head_ == no_buffer; }
  uint16_t count() const noexcept { return count_; }

  // A small piece is copied behind the last one if it fits there, so that what waits for a slow peer holds few buffers.
  void push(Buffers& buffers, BufferId id, uint32_t bytes) noexcept;
  void push(Buffers& buffers, const BufferPiece& piece) noexcept;
  void push_front(Buffers& buffers, BufferId id, uint32_t bytes) noexcept;
  // Takes the first buffer out, whole.
  BufferPiece pop_front(Buffers& buffers) noexcept;

  std::byte* front(Buffers& buffers) const noexcept;
  uint32_t front_size(const Buffers& buffers) const noexcept;
  // What is filled, in order, as far as one send takes it.
  SendPieces pieces(Buffers& buffers) const noexcept;
  // Copies the first `bytes` to `out`; there are as many.
  void peek(Buffers& buffers, std::byte* out, uint32_t bytes) const noexcept;
  // Takes `bytes` off the front; emptied buffers go back.
  void consume(Buffers& buffers, uint32_t bytes) noexcept;
  // Moves bytes of later buffers into the first one as far as they fit, so that the head of a stream lies in one piece.
  // Nothing of it may be on its way out.
  void gather(Buffers& buffers) noexcept;
  void clear(Buffers& buffers) noexcept;

 private:
  bool append_to_last(Buffers& buffers, const BufferPiece& piece) noexcept;
  void drop_front(Buffers& buffers) noexcept;

  BufferId head_ = no_buffer;
  BufferId tail_ = no_buffer;
  uint16_t count_ = 0;
};

}  // namespace weir
