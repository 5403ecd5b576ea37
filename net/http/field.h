// Fields: the header (or trailer) section of one message, as views into the bytes it was parsed from.
//
// Every HTTP version parses into these and writes from these. A value: valid as long as the bytes it looks at. The
// array is large, so a worker has few of them and uses them again. No I/O, no allocation. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/assert.h"

namespace weir::http {

enum class FieldId : uint8_t {
#define FIELD(name, text, how) name,
#include "net/http/fields.def"
#undef FIELD
  other,
};

struct Field {
  std::string_view name;   // as it was written
  std::string_view value;  // without the whitespace around it
  FieldId id = FieldId::other;
  bool hop = false;  // not to be passed on: by its name, because Connection names it, or because it must not be there
};

// The id of a name, in any case of letters.
FieldId field_id_of(std::string_view name) noexcept;
// How weir writes it; "" for `other`.
std::string_view name_of(FieldId id) noexcept;
constexpr bool is_hop_by_hop(FieldId id) noexcept {
  constexpr uint64_t end = 0;
  constexpr uint64_t hop = 1;
  constexpr uint64_t hops = 0
#define FIELD(name, text, how) | how << static_cast<unsigned>(FieldId::name)
#include "net/http/fields.def"
#undef FIELD
      ;
  static_assert(static_cast<unsigned>(FieldId::other) < 64, "one bit for each");
  return (hops >> static_cast<unsigned>(id) & 1) != 0;
}

// The same but for the case of ASCII letters.
bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

class Fields {
 public:
  // Of a message that is parsed; and room for what is added to it on its way.
  static constexpr uint32_t parsed_max = 256;
  static constexpr uint32_t count_max = parsed_max + 128;

  void clear() noexcept { count_ = 0; }
  bool full() const noexcept { return count_ == count_max; }
  uint32_t count() const noexcept { return count_; }
  void add(const Field& field) noexcept {
    WEIR_ASSERT(count_ < count_max);
    list_[count_++] = field;
  }
  Field& operator[](uint32_t index) noexcept { return list_[index]; }
  const Field& operator[](uint32_t index) const noexcept { return list_[index]; }

  Field* begin() noexcept { return list_.data(); }
  Field* end() noexcept { return list_.data() + count_; }
  const Field* begin() const noexcept { return list_.data(); }
  const Field* end() const noexcept { return list_.data() + count_; }

  // The first one of that name, or null.
  const Field* find(FieldId id) const noexcept {
    for (const Field& field : *this) {
      if (field.id == id) return &field;
    }
    return nullptr;
  }
  const Field* find(std::string_view name) const noexcept;

 private:
  std::array<Field, count_max> list_;
  uint32_t count_ = 0;
};

}  // namespace weir::http
