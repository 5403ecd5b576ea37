// LengthSet: which lengths the keys of a table have. Who looks for the longest key that some text begins (or ends) with
// then asks only for lengths that exist, instead of one lookup per segment of whatever a client sends.
//
// A value of 24 bytes, owned by its table. Always true: it knows lengths below 64 exactly, and of the longer ones their
// remainder modulo 64 and the greatest; so it may name a length that no key has, but it misses none.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace weir::routing {

class LengthSet {
 public:
  void insert(size_t length) noexcept {
    longest_ = std::max(longest_, length);
    (length < 64 ? short_ : long_) |= uint64_t{1} << length % 64;
  }

  // Calls visit(length) for lengths up to `most`, the greatest first, until it returns true. Whether it did.
  template <class Visit>
  bool descend(size_t most, Visit&& visit) const noexcept {
    most = std::min(most, longest_);
    for (; most >= 64; --most) {
      if ((long_ >> most % 64 & 1) != 0 && visit(most)) return true;
    }
    uint64_t left = short_ & (~uint64_t{0} >> (63 - most));
    while (left != 0) {
      const auto length = static_cast<size_t>(std::bit_width(left)) - 1;
      if (visit(length)) return true;
      left ^= uint64_t{1} << length;
    }
    return false;
  }

 private:
  uint64_t short_ = 0;
  uint64_t long_ = 0;
  size_t longest_ = 0;
};

}  // namespace weir::routing
