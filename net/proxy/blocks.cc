#include "net/proxy/blocks.h"

#include <algorithm>
#include <cstring>

namespace weir {

Blocks::Blocks(uint32_t count_max)
    : smallest_(count_max),
      small_(count_max),
      medium_(count_max),
      large_(std::min(count_max, large_max)),
      largest_(std::min(count_max, large_max)) {}

uint32_t Blocks::in_use() const noexcept {
  return smallest_.size() + small_.size() + medium_.size() + large_.size() + largest_.size();
}

namespace {

constexpr auto kinds = static_cast<uint8_t>(Blocks::sizes.size());

template <class T>
std::byte* bytes_of(T* slot) noexcept {
  return slot == nullptr ? nullptr : slot->bytes.data();
}

template <class T>
void destroy(Slab<T>& slab, std::byte* data) noexcept {
  slab.destroy(*reinterpret_cast<T*>(data));  // its only member
}

}  // namespace

std::byte* Blocks::take(uint8_t kind) noexcept {
  switch (kind) {
    case 0: return bytes_of(smallest_.create());
    case 1: return bytes_of(small_.create());
    case 2: return bytes_of(medium_.create());
    case 3: return bytes_of(large_.create());
    default: return bytes_of(largest_.create());
  }
}

void Blocks::give_back(uint8_t kind, std::byte* data) noexcept {
  switch (kind) {
    case 0: return destroy(smallest_, data);
    case 1: return destroy(small_, data);
    case 2: return destroy(medium_, data);
    case 3: return destroy(large_, data);
    default: return destroy(largest_, data);
  }
}

bool Block::reserve(Blocks& blocks, uint32_t size) noexcept {
  if (data_ != nullptr && size <= Blocks::sizes[kind_]) return true;
  for (uint8_t kind = 0; kind < kinds; ++kind) {
    if (size > Blocks::sizes[kind]) continue;
    std::byte* larger = blocks.take(kind);
    if (larger == nullptr) return false;
    if (data_ != nullptr) {
      std::memcpy(larger, data_, size_);
      blocks.give_back(kind_, data_);
    }
    data_ = larger;
    kind_ = kind;
    return true;
  }
  return false;
}

bool Block::append(Blocks& blocks, std::span<const std::byte> bytes) noexcept {
  if (!reserve(blocks, static_cast<uint32_t>(size_ + bytes.size()))) return false;
  std::memcpy(data_ + size_, bytes.data(), bytes.size());
  size_ = static_cast<uint16_t>(size_ + bytes.size());
  return true;
}

void Block::release(Blocks& blocks) noexcept {
  if (data_ != nullptr) blocks.give_back(kind_, data_);
  data_ = nullptr;
  size_ = 0;
}

}  // namespace weir
