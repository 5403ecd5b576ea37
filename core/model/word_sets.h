// WordSets: words found by a key, in fixed memory, in sets of eight. A set is one cache line, so a key costs one miss.
// What a word says, and how it tells its key from the others of the set, is the business of the table that owns this;
// a word that nobody has written is 0.
//
// Which keys meet in a set depends on a seed that nobody outside knows: who sends keys cannot choose them so that they
// crowd somebody out. Any thread; the words are atomics, and everything else is constant.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>

namespace weir {

class WordSets {
 public:
  static constexpr uint32_t ways = 8;
  static constexpr uint32_t entries_min = 1024;
  static constexpr uint32_t entries_max = uint32_t{1} << 31;

  struct alignas(64) Set {
    std::array<std::atomic<uint64_t>, ways> words{};
  };

  // `entries` is rounded up to a power of two.
  WordSets(uint32_t entries, uint64_t seed)
      : count_(std::bit_ceil(std::clamp(entries, entries_min, entries_max))),
        seed_(seed),
        sets_(std::make_unique<Set[]>(count_ / ways)) {}

  // Another number for each key, the same one always. Its upper half chooses the set, so tags come from the lower one.
  // The mixer is that of splitmix64 by Vigna: keys may be numbers that count as well as hashes.
  uint64_t hash(uint64_t key) const noexcept {
    uint64_t mixed = key ^ seed_;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
  }
  Set& set_of(uint64_t hash) noexcept { return sets_[set_index(hash)]; }
  uint32_t set_index(uint64_t hash) const noexcept {
    return static_cast<uint32_t>((hash >> 32) * (count_ / ways) >> 32);
  }

  uint32_t count() const noexcept { return count_; }
  uint32_t sets() const noexcept { return count_ / ways; }
  Set& set(uint32_t index) noexcept { return sets_[index]; }
  const Set& set(uint32_t index) const noexcept { return sets_[index]; }

 private:
  const uint32_t count_;
  const uint64_t seed_;
  const std::unique_ptr<Set[]> sets_;
};

}  // namespace weir
