#include "tools/origin/output.h"

#include <algorithm>

#include "core/base/assert.h"

namespace weir::origin {

void Output::append(std::string_view bytes) {
  WEIR_ASSERT(borrowed_.empty());
  owned_.append(bytes);
}

void Output::lend(std::string_view bytes) {
  WEIR_ASSERT(borrowed_.empty());
  if (bytes.size() <= copied_bytes_max) {
    owned_.append(bytes);
  } else {
    borrowed_ = bytes;
  }
}

std::array<iovec, 2> Output::pieces() const noexcept {
  // iovec is not const-correct; sendmsg() only reads.
  return {iovec{const_cast<char*>(owned_.data()) + owned_sent_, owned_.size() - owned_sent_},
          iovec{const_cast<char*>(borrowed_.data()), borrowed_.size()}};
}

void Output::drop(std::size_t count) noexcept {
  const std::size_t of_owned = std::min(count, owned_.size() - owned_sent_);
  owned_sent_ += of_owned;
  WEIR_ASSERT(count - of_owned <= borrowed_.size());
  borrowed_.remove_prefix(count - of_owned);
  if (owned_sent_ < owned_.size()) return;
  owned_sent_ = 0;
  if (owned_.capacity() > kept_capacity_max) {
    owned_ = std::string{};
  } else {
    owned_.clear();
  }
}

std::string Output::text() const {
  std::string all = owned_.substr(owned_sent_);
  all.append(borrowed_);
  return all;
}

}  // namespace weir::origin
