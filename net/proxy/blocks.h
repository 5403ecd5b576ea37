// Blocks: pieces of memory for what an exchange must remember while it waits: its request, for another try; who asked
// for what, for the log.
//
// A waiting exchange holds no buffer, only blocks of about the size of its head, in five classes. What is reserved
// costs memory only once it is used, the most recently freed block goes first. Owned by one worker.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/base/slab.h"

namespace weir {

class Blocks;

// Some bytes in a block, growing as they are written. Empty until the first append(); moved by hand, see release().
class Block {
 public:
  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { WEIR_ASSERT(data_ == nullptr); }

  // False if it would grow beyond the largest class, or none of that is free: then it is as before.
  bool append(Blocks& blocks, std::span<const std::byte> bytes) noexcept;
  // Makes room for so many bytes in all.
  bool reserve(Blocks& blocks, uint32_t size) noexcept;
  void release(Blocks& blocks) noexcept;

  const std::byte* data() const noexcept { return data_; }
  uint32_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::string_view text(uint32_t at, uint32_t size) const noexcept {
    return {reinterpret_cast<const char*>(data_) + at, size};
  }

 private:
  std::byte* data_ = nullptr;
  uint16_t size_ = 0;
  uint8_t kind_ = 0;  // index of its class
};

class Blocks {
 public:
  static constexpr std::array<uint32_t, 5> sizes{512, 1024, 2048, 4096, 16384};
  static constexpr uint32_t size_max = sizes.back();

  // `count_max` of each class, but of the larger ones no more than `large_max`.
  explicit Blocks(uint32_t count_max);

  uint32_t in_use() const noexcept;

 private:
  friend class Block;
  static constexpr uint32_t large_max = 65536;
  template <uint32_t size>
  struct Bytes {
    alignas(64) std::array<std::byte, size> bytes;
    Bytes() noexcept {}  // NOLINT(modernize-use-equals-default): not to be zeroed
  };

  std::byte* take(uint8_t kind) noexcept;
  void give_back(uint8_t kind, std::byte* data) noexcept;

  Slab<Bytes<sizes[0]>> smallest_;
  Slab<Bytes<sizes[1]>> small_;
  Slab<Bytes<sizes[2]>> medium_;
  Slab<Bytes<sizes[3]>> large_;
  Slab<Bytes<sizes[4]>> largest_;
};

}  // namespace weir
