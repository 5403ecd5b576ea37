#include "core/routing/text_table.h"

#include <bit>
#include <limits>

#include "core/base/assert.h"
#include "hashing/hash64.h"

namespace weir::routing {

TextTable::TextTable(std::span<const Entry> entries) {
  if (entries.empty()) return;
  size_t text_size = 0;
  for (const Entry& entry : entries) text_size += entry.text.size();
  WEIR_ASSERT(text_size <= std::numeric_limits<uint32_t>::max(), static_cast<long long>(text_size));
  texts_.reserve(text_size);
  slots_.resize(std::bit_ceil(entries.size() * 2));

  for (const Entry& entry : entries) {
    WEIR_ASSERT(entry.value != none);
    WEIR_ASSERT(find(entry.scope, entry.text) == none, entry.value);
    const uint64_t hash = hashing::hash64(entry.text, entry.scope);
    size_t at = hash & (slots_.size() - 1);
    while (slots_[at].value != none) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = {.hash = hash,
                  .text_begin = static_cast<uint32_t>(texts_.size()),
                  .text_size = static_cast<uint32_t>(entry.text.size()),
                  .scope = entry.scope,
                  .value = entry.value};
    texts_.append(entry.text);
  }
}

uint32_t TextTable::find(uint32_t scope, std::string_view text) const noexcept {
  if (slots_.empty()) return none;
  const uint64_t hash = hashing::hash64(text, scope);
  for (size_t at = hash & (slots_.size() - 1); slots_[at].value != none; at = (at + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[at];
    if (slot.hash != hash || slot.scope != scope) continue;
    // The hash alone is not enough: a client that knows the function could make a text that only has it in common.
    if (std::string_view{texts_.data() + slot.text_begin, slot.text_size} == text) return slot.value;
  }
  return none;
}

}  // namespace weir::routing
