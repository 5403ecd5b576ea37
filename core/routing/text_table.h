// TextTable: from a text, within a scope, to a number. A hash table with open addressing in two pieces of memory (slots
// and text), made once by the control thread, immutable from then on; any thread looks things up, without allocating.
//
// At most half of the slots are in use, and a text is compared only where all 64 bits of the hash agree: what is not
// there costs one cache miss, what is there costs two, however many entries there are.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::routing {

class TextTable {
 public:
  static constexpr uint32_t none = ~uint32_t{0};

  struct Entry {
    uint32_t scope = 0;
    std::string_view text;
    uint32_t value = none;
  };

  TextTable() = default;
  // Pairs of scope and text are distinct, and no value is `none`.
  explicit TextTable(std::span<const Entry> entries);

  // The value, or `none`.
  uint32_t find(uint32_t scope, std::string_view text) const noexcept;

 private:
  struct Slot {
    uint64_t hash = 0;
    uint32_t text_begin = 0;
    uint32_t text_size = 0;
    uint32_t scope = 0;
    uint32_t value = none;  // `none`: free
  };

  std::vector<Slot> slots_;  // a power of two, or none at all
  std::string texts_;
};

}  // namespace weir::routing
