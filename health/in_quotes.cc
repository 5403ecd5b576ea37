#include "health/in_quotes.h"

namespace weir {

std::string in_quotes(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "`";
  for (const char c : text.substr(0, quoted_bytes_max)) {
    switch (c) {
      case '\r': out += "\\r"; continue;
      case '\n': out += "\\n"; continue;
      case '\t': out += "\\t"; continue;
      case '\\': out += "\\\\"; continue;
      case '`': out += "\\`"; continue;
      default: break;
    }
    if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    }
  }
  if (text.size() > quoted_bytes_max) out += "...";
  return out += '`';
}

}  // namespace weir
