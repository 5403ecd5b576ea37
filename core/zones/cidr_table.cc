#include "core/zones/cidr_table.h"

#include <endian.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "core/base/assert.h"

namespace weir::zones {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::array<uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned mapped_bits = 96;

uint32_t v4_number(const uint8_t* bytes) noexcept {
  uint32_t number = 0;
  std::memcpy(&number, bytes, sizeof number);
  return be32toh(number);
}

Wide v6_number(const uint8_t* bytes) noexcept {
  std::array<uint64_t, 2> halves{};
  std::memcpy(halves.data(), bytes, sizeof halves);
  return Wide{be64toh(halves[0])} << 64 | be64toh(halves[1]);
}

bool is_v4(const Cidr& block) noexcept {
  return block.bits >= mapped_bits && std::equal(mapped_prefix.begin(), mapped_prefix.end(), block.bytes.begin());
}

template <class Key>
struct Block {
  Key first;
  Key last;
  uint32_t value;
};

template <class Key>
Block<Key> block_of(Key address, unsigned bits, uint32_t value) noexcept {
  // A shift by all bits of a type is undefined.
  const Key host =
      bits == 0 ? std::numeric_limits<Key>::max() : static_cast<Key>((Key{1} << (sizeof(Key) * 8 - bits)) - 1);
  return {static_cast<Key>(address & ~host), static_cast<Key>(address | host), value};
}

template <class Key>
class Intervals {
 public:
  // Blocks in any order; the later of two equal ones counts.
  explicit Intervals(std::vector<Block<Key>> blocks) {
    // Outer blocks come before those inside them, and equal ones as they were given.
    std::stable_sort(blocks.begin(), blocks.end(), [](const Block<Key>& a, const Block<Key>& b) {
      return a.first != b.first ? a.first < b.first : a.last > b.last;
    });
    for (const Block<Key>& block : blocks) {
      leave_before(block.first);
      if (next_ < block.first) add(static_cast<Key>(block.first - 1), value_here());
      open_.push_back(block);
    }
    leave_before(greatest);
    add(greatest, value_here());
  }

  std::span<const Key> lasts() const { return lasts_; }
  std::vector<uint32_t> take_values() { return std::move(values_); }

 private:
  static constexpr Key greatest = std::numeric_limits<Key>::max();

  // Ends the blocks that end before `address`, the innermost first.
  void leave_before(Key address) {
    while (!open_.empty() && open_.back().last < address) {
      if (next_ <= open_.back().last) add(open_.back().last, open_.back().value);
      open_.pop_back();
    }
  }

  uint32_t value_here() const { return open_.empty() ? CidrTable::none : open_.back().value; }

  void add(Key last, uint32_t value) {
    if (!values_.empty() && values_.back() == value) {
      lasts_.back() = last;
    } else {
      lasts_.push_back(last);
      values_.push_back(value);
    }
    next_ = static_cast<Key>(last + 1);  // 0 behind the greatest, where nothing follows
  }

  std::vector<Key> lasts_;
  std::vector<uint32_t> values_;
  std::vector<Block<Key>> open_;  // contain the address we are at, each inside the one before
  Key next_ = 0;                  // the first address that is in no interval yet
};

template <class Key, size_t width>
IntervalTree<Key, width> tree_of(std::vector<Block<Key>> blocks) {
  Intervals<Key> intervals(std::move(blocks));
  return {intervals.lasts(), intervals.take_values()};
}

std::vector<Block<uint32_t>> v4_blocks(std::span<const CidrTable::Entry> entries) {
  std::vector<Block<uint32_t>> blocks;
  for (const auto& [block, value] : entries) {
    if (is_v4(block)) blocks.push_back(block_of(v4_number(&block.bytes[12]), block.bits - mapped_bits, value));
  }
  return blocks;
}

std::vector<Block<Wide>> v6_blocks(std::span<const CidrTable::Entry> entries) {
  std::vector<Block<Wide>> blocks;
  for (const auto& [block, value] : entries) {
    if (!is_v4(block)) blocks.push_back(block_of(v6_number(block.bytes.data()), block.bits, value));
  }
  return blocks;
}

}  // namespace

template <class Key, size_t width>
IntervalTree<Key, width>::IntervalTree(std::span<const Key> lasts, std::vector<uint32_t> values)
    : values_(std::move(values)) {
  WEIR_ASSERT(!lasts.empty() && lasts.size() == values_.size());
  WEIR_ASSERT(lasts.back() == std::numeric_limits<Key>::max());
  WEIR_ASSERT(lasts.size() <= std::numeric_limits<uint32_t>::max());

  // The sizes are known from below, the levels lie from the root down.
  std::vector<size_t> sizes;
  size_t total = 0;
  for (size_t size = lasts.size(); size > 1 || sizes.empty();) {
    size = (size + width - 1) / width;
    sizes.push_back(size);
    total += size;
  }
  levels_ = static_cast<unsigned>(sizes.size());
  WEIR_ASSERT(levels_ <= levels_max, levels_);

  Node free;
  free.lasts.fill(std::numeric_limits<Key>::max());
  nodes_.resize(total, free);
  size_t begin = total;
  for (size_t height = 0; height < sizes.size(); ++height) {
    const size_t below = begin;
    begin -= sizes[height];
    begins_[levels_ - 1 - height] = static_cast<uint32_t>(begin);
    const size_t count = height == 0 ? lasts.size() : sizes[height - 1];
    for (size_t i = 0; i < count; ++i) {
      nodes_[begin + i / width].lasts[i % width] = height == 0 ? lasts[i] : nodes_[below + i].lasts.back();
    }
  }
}

CidrTable::CidrTable(std::span<const Entry> entries)
    : v4_(tree_of<uint32_t, 16>(v4_blocks(entries))), v6_(tree_of<Wide, 8>(v6_blocks(entries))) {}

uint32_t CidrTable::find(const PeerAddress& peer) const noexcept {
  switch (peer.family) {
    case PeerAddress::Family::ipv4: return v4_.find(v4_number(&peer.bytes[12]));
    case PeerAddress::Family::ipv6: return v6_.find(v6_number(peer.bytes.data()));
    case PeerAddress::Family::local:
    case PeerAddress::Family::none: return none;
  }
  return none;
}

}  // namespace weir::zones
