#include "net/http/target.h"

#include <algorithm>

#include "net/http/text.h"

namespace weir::http {

std::string_view lower_host(std::string_view host, std::span<char> out) noexcept {
  if (host.size() > out.size()) return {};
  std::transform(host.begin(), host.end(), out.begin(), ascii_lower);
  return {out.data(), host.size()};
}

}  // namespace weir::http
