#include "net/http/field.h"

#include <cstring>

#include "net/http/text.h"

namespace weir::http {
namespace {

constexpr std::string_view names[] = {
#define FIELD(name, text, how) text,
#include "net/http/fields.def"
#undef FIELD
};
constexpr size_t name_count = std::size(names);

// The known names in a table without collisions. The compiler finds the factor that makes it so; a new row in
// fields.def needs nothing else. What is hashed tells all names apart: the length, the first letter, and the last but
// one (x-forwarded-host and x-forwarded-port end alike).
constexpr unsigned slot_bits = 8;

constexpr uint32_t slot_of(std::string_view name, uint32_t factor) noexcept {
  const uint32_t key = static_cast<uint32_t>(name.size()) << 16 |
                       static_cast<uint32_t>(ascii_lower(name.front())) << 8 |
                       static_cast<uint32_t>(ascii_lower(name[name.size() - 2]));
  return (key * factor) >> (32 - slot_bits);
}

struct NameTable {
  uint32_t factor = 0;
  std::array<uint8_t, 1 << slot_bits> slots{};  // an id, or that of `other`
};

consteval NameTable make_name_table() {
  NameTable table;
  for (uint32_t factor = 0x9e3779b1; table.factor == 0; factor += 2) {
    table.slots.fill(name_count);
    table.factor = factor;
    for (size_t i = 0; i < name_count; ++i) {
      uint8_t& slot = table.slots[slot_of(names[i], factor)];
      if (slot != name_count) {
        table.factor = 0;
        break;
      }
      slot = static_cast<uint8_t>(i);
    }
  }
  return table;
}
constexpr NameTable name_table = make_name_table();

uint64_t load_8(const char* from) noexcept {
  uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// Eight bytes with their ASCII capitals made small: bit 7 of each byte says whether it is one, and two places to the
// right it is the bit by which the cases differ.
uint64_t lower_8(uint64_t word) noexcept {
  constexpr uint64_t ones = 0x0101010101010101;
  const uint64_t low_bits = word & (ones * 0x7f);
  const uint64_t from_a = low_bits + ones * (0x80 - 'A');
  const uint64_t beyond_z = low_bits + ones * (0x7f - 'Z');
  return word | ((~word & (from_a ^ beyond_z) & (ones * 0x80)) >> 2);
}

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  const size_t size = a.size();
  if (size < 8) {
    for (size_t i = 0; i < size; ++i) {
      if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
    }
    return true;
  }
  for (size_t i = 0; i + 8 < size; i += 8) {
    if (lower_8(load_8(a.data() + i)) != lower_8(load_8(b.data() + i))) return false;
  }
  return lower_8(load_8(a.data() + size - 8)) == lower_8(load_8(b.data() + size - 8));
}

FieldId field_id_of(std::string_view name) noexcept {
  if (name.size() < 2) return FieldId::other;
  const uint8_t index = name_table.slots[slot_of(name, name_table.factor)];
  if (index == name_count || !equals_ignoring_case(name, names[index])) return FieldId::other;
  return static_cast<FieldId>(index);
}

std::string_view name_of(FieldId id) noexcept {
  return id == FieldId::other ? std::string_view{} : names[static_cast<size_t>(id)];
}

const Field* Fields::find(std::string_view name) const noexcept {
  const FieldId id = field_id_of(name);
  if (id != FieldId::other) return find(id);
  for (const Field& field : *this) {
    if (field.id == id && equals_ignoring_case(field.name, name)) return &field;
  }
  return nullptr;
}

}  // namespace weir::http
