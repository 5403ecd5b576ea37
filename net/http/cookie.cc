#include "net/http/cookie.h"

#include <algorithm>
#include <cstring>

#include "core/base/assert.h"
#include "net/http/characters.h"

namespace weir::http {
namespace {

// Takes from `rest` what stands before the next semicolon, and the semicolon.
std::string_view take_part(std::string_view& rest) noexcept {
  const size_t semicolon = rest.find(';');
  const std::string_view part = rest.substr(0, semicolon);
  rest.remove_prefix(semicolon == std::string_view::npos ? rest.size() : semicolon + 1);
  return part;
}

std::optional<CookiePair> read_pair(std::string_view part) noexcept {
  part = without_blanks_around(part);
  const size_t equals = part.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  return CookiePair{part.substr(0, equals), part.substr(equals + 1)};
}

}  // namespace

std::optional<std::string_view> find_cookie(std::string_view cookies, std::string_view name) noexcept {
  while (!cookies.empty()) {
    const auto pair = read_pair(take_part(cookies));
    if (pair && pair->name == name) return pair->value;
  }
  return std::nullopt;
}

uint32_t remove_cookie(std::string_view cookies, std::string_view name, std::span<char> out) noexcept {
  WEIR_ASSERT(out.size() >= cookies.size(), static_cast<long long>(out.size()));
  size_t size = 0;
  while (!cookies.empty()) {
    std::string_view part = take_part(cookies);
    // Asked before anything is written: writing may be into the same memory, up to the end of this part.
    const auto pair = read_pair(part);
    if (pair && pair->name == name) continue;
    if (size == 0) {
      part.remove_prefix(std::min(part.find_first_not_of(" \t"), part.size()));
      if (part.empty()) continue;
    } else {
      out[size++] = ';';
    }
    std::memmove(out.data() + size, part.data(), part.size());
    size += part.size();
  }
  return static_cast<uint32_t>(size);
}

std::optional<CookiePair> read_set_cookie(std::string_view set_cookie) noexcept {
  auto pair = read_pair(take_part(set_cookie));
  if (!pair) return std::nullopt;
  // Blanks around either are taken off, as browsers do (section 5.2).
  pair->name = without_blanks_around(pair->name);
  pair->value = without_blanks_around(pair->value);
  if (pair->name.empty()) return std::nullopt;
  return pair;
}

}  // namespace weir::http
