#include "core/routing/query.h"

#include <cstdint>

namespace weir::routing {
namespace {

int digit_of(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

DecodedText decode_parameter(std::string_view raw, std::span<char> room) noexcept {
  if (raw.find('%') == std::string_view::npos && raw.find('+') == std::string_view::npos) {
    return {raw.substr(0, room.size()), raw.size() <= room.size()};
  }
  size_t size = 0;
  for (size_t at = 0; at < raw.size(); ++at) {
    if (size == room.size()) return {{room.data(), size}, false};
    char c = raw[at] == '+' ? ' ' : raw[at];
    if (c == '%' && at + 2 < raw.size()) {
      const int high = digit_of(raw[at + 1]);
      const int low = digit_of(raw[at + 2]);
      if (high >= 0 && low >= 0) {
        c = static_cast<char>(high << 4 | low);
        at += 2;
      }
    }
    room[size++] = c;
  }
  return {{room.data(), size}, true};
}

RawParameter take_parameter(std::string_view& query) noexcept {
  const size_t end = query.find('&');
  const std::string_view parameter = query.substr(0, end);
  query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
  const size_t equals = parameter.find('=');
  if (equals == std::string_view::npos) return {parameter, {}};
  return {parameter.substr(0, equals), parameter.substr(equals + 1)};
}

}  // namespace weir::routing
