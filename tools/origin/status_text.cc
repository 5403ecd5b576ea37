#include "tools/origin/status_text.h"

#include <cstdint>

#include "net/http/message.h"

namespace weir::origin {

std::string_view status_text(int status) noexcept {
  const std::string_view reason = http::reason_of(static_cast<uint16_t>(status));
  return reason.empty() ? "Unknown" : reason;
}

}  // namespace weir::origin
