#include "net/io/buffers.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace weir {

Buffers::Buffers(Ring& ring, uint64_t bytes_max)
    : ring_(ring),
      count_(static_cast<uint32_t>(std::clamp<uint64_t>(bytes_max / size, count_min, count_max))),
      level_(std::min(level_start, count_)),
      memory_(size_t{count_} * stride),
      filled_(count_) {
  free_.reserve(count_);
}

Result<bool> Buffers::start() {
  auto registered = ring_.register_buffers(std::bit_ceil(count_));
  if (registered) replenish();
  return registered;
}

void Buffers::received(BufferId id) noexcept {
  WEIR_ASSERT(id < count_, id);
  WEIR_ASSERT(in_kernel_ > 0);
  --in_kernel_;
  ++in_use_;
}

BufferId Buffers::take() noexcept {
  if (!free_.empty()) {
    const BufferId id = free_.back();
    free_.pop_back();
    ++in_use_;
    return id;
  }
  if (fresh_ == count_) return no_buffer;
  ++in_use_;
  return static_cast<BufferId>(fresh_++);
}

void Buffers::give_back(BufferId id) noexcept {
  WEIR_ASSERT(id < fresh_, id);
  WEIR_ASSERT(in_use_ > 0);
  --in_use_;
  free_.push_back(id);  // within what was reserved
}

void Buffers::replenish() noexcept {
  // Once per turn, however many receives it was: they all saw the same empty ring.
  if (exhausted_) level_ = std::min(level_ * 2, count_);
  exhausted_ = false;
  const uint32_t lent_max = count_ - count_ / own_share;
  while (in_kernel_ < level_ && in_kernel_ + in_use_ < lent_max) {
    const BufferId id = take();
    --in_use_;
    ++in_kernel_;
    ring_.provide_buffer(id, data(id), size);
  }
  ring_.commit_buffers();
}

// The last buffer may be in the middle of being sent; what is behind its bytes is not touched by that.
bool BufferQueue::append_to_last(Buffers& buffers, const BufferPiece& piece) noexcept {
  if (empty() || piece.size > copied_bytes_max) return false;
  Buffers::Filled& last = buffers.filled_[tail_];
  const int32_t end = last.offset + last.left;
  if (end + piece.size > static_cast<int32_t>(Buffers::size)) return false;
  std::memcpy(buffers.data(tail_) + end, buffers.data(piece.id) + piece.offset, piece.size);
  last.left = static_cast<uint16_t>(last.left + piece.size);
  buffers.give_back(piece.id);
  return true;
}

void BufferQueue::push(Buffers& buffers, BufferId id, uint32_t bytes) noexcept {
  WEIR_ASSERT(bytes > 0 && bytes <= Buffers::size, bytes);
  push(buffers, BufferPiece{id, 0, static_cast<uint16_t>(bytes)});
}

void BufferQueue::push(Buffers& buffers, const BufferPiece& piece) noexcept {
  if (append_to_last(buffers, piece)) return;
  const BufferId id = piece.id;
  buffers.filled_[id] = {no_buffer, piece.offset, piece.size};
  if (empty()) {
    head_ = id;
  } else {
    buffers.filled_[tail_].next = id;
  }
  tail_ = id;
  ++count_;
}

void BufferQueue::push_front(Buffers& buffers, BufferId id, uint32_t bytes) noexcept {
  WEIR_ASSERT(bytes > 0 && bytes <= Buffers::size, bytes);
  buffers.filled_[id] = {head_, 0, static_cast<uint16_t>(bytes)};
  if (empty()) tail_ = id;
  head_ = id;
  ++count_;
}

BufferPiece BufferQueue::pop_front(Buffers& buffers) noexcept {
  WEIR_ASSERT(!empty());
  const BufferId id = head_;
  const Buffers::Filled& filled = buffers.filled_[id];
  head_ = filled.next;
  if (head_ == no_buffer) tail_ = no_buffer;
  --count_;
  return {id, filled.offset, filled.left};
}

std::byte* BufferQueue::front(Buffers& buffers) const noexcept {
  return buffers.data(head_) + buffers.filled_[head_].offset;
}

uint32_t BufferQueue::front_size(const Buffers& buffers) const noexcept {
  return buffers.filled_[head_].left;
}

SendPieces BufferQueue::pieces(Buffers& buffers) const noexcept {
  SendPieces pieces;
  for (BufferId id = head_; id != no_buffer && pieces.count < SendPieces::count_max; id = buffers.filled_[id].next) {
    const Buffers::Filled& filled = buffers.filled_[id];
    pieces.list[pieces.count++] = {buffers.data(id) + filled.offset, filled.left};
  }
  return pieces;
}

void BufferQueue::peek(Buffers& buffers, std::byte* out, uint32_t bytes) const noexcept {
  for (BufferId id = head_; bytes > 0; id = buffers.filled_[id].next) {
    WEIR_ASSERT(id != no_buffer);
    const Buffers::Filled& filled = buffers.filled_[id];
    const uint32_t copied = std::min<uint32_t>(bytes, filled.left);
    std::memcpy(out, buffers.data(id) + filled.offset, copied);
    out += copied;
    bytes -= copied;
  }
}

void BufferQueue::consume(Buffers& buffers, uint32_t bytes) noexcept {
  while (bytes > 0) {
    WEIR_ASSERT(!empty(), bytes);
    Buffers::Filled& filled = buffers.filled_[head_];
    const uint32_t taken = std::min<uint32_t>(bytes, filled.left);
    filled.offset = static_cast<int16_t>(filled.offset + static_cast<int32_t>(taken));
    filled.left = static_cast<uint16_t>(filled.left - taken);
    bytes -= taken;
    if (filled.left == 0) drop_front(buffers);
  }
}

void BufferQueue::gather(Buffers& buffers) noexcept {
  if (count_ < 2) return;
  Buffers::Filled& first = buffers.filled_[head_];
  if (first.offset != 0) {
    std::memmove(buffers.data(head_), buffers.data(head_) + first.offset, first.left);
    first.offset = 0;
  }
  while (first.next != no_buffer) {
    const BufferId next_id = first.next;
    Buffers::Filled& next = buffers.filled_[next_id];
    const uint32_t room = Buffers::size - first.left;
    const uint32_t moved = std::min<uint32_t>(room, next.left);
    if (moved == 0) return;
    std::memcpy(buffers.data(head_) + first.left, buffers.data(next_id) + next.offset, moved);
    first.left = static_cast<uint16_t>(first.left + moved);
    next.offset = static_cast<int16_t>(next.offset + static_cast<int32_t>(moved));
    next.left = static_cast<uint16_t>(next.left - moved);
    if (next.left > 0) return;
    first.next = next.next;
    if (tail_ == next_id) tail_ = head_;
    --count_;
    buffers.give_back(next_id);
  }
}

void BufferQueue::clear(Buffers& buffers) noexcept {
  while (!empty()) drop_front(buffers);
}

void BufferQueue::drop_front(Buffers& buffers) noexcept {
  buffers.give_back(pop_front(buffers).id);
}

}  // namespace weir
