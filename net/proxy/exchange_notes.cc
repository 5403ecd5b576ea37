#include "net/proxy/exchange_notes.h"

#include <algorithm>

namespace weir {

void ExchangeNotes::note(Blocks& blocks, Text which, std::string_view text) noexcept {
  text = text.substr(0, Blocks::size_max - block_.size());
  const uint32_t at = block_.size();
  if (text.empty() || !block_.append(blocks, std::as_bytes(std::span{text}))) return;
  at_[which] = static_cast<uint16_t>(at);
  size_[which] = static_cast<uint16_t>(text.size());
}

std::string_view ExchangeNotes::text(Text which) const noexcept {
  return size_[which] == 0 ? std::string_view{} : block_.text(at_[which], size_[which]);
}

}  // namespace weir
