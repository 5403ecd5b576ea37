// Version 1: a line of text (section 2.1).
#include <algorithm>
#include <array>

#include "net/proxy/proxy_protocol_parse.h"

namespace weir {
namespace {

using Status = ProxyParse::Status;

// Takes a line apart from left to right. The first byte that no valid line could have there makes it bad for good,
// running out of bytes makes it wait; from then on all its functions do nothing, so that callers need not ask after
// each.
class LineReader {
 public:
  explicit LineReader(std::string_view text) noexcept : text_(text) {}

  bool ok() const noexcept { return outcome_ == Status::done; }
  Status outcome() const noexcept { return outcome_; }  // `done`: well so far
  uint32_t position() const noexcept { return static_cast<uint32_t>(at_); }

  void expect(std::string_view literal) noexcept {
    for (const char c : literal) {
      if (!take(c)) fail();
    }
  }

  // Is this byte next? If so it is taken.
  bool take(char c) noexcept {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  // Decimal, without leading zeros or signs. A number that begins with 0 ends there; a digit behind it is nobody's.
  uint32_t number(uint32_t max) noexcept {
    if (take('0')) return 0;
    uint32_t value = 0;
    if (!is_digit(peek())) fail();
    while (is_digit(peek())) {
      value = value * 10 + static_cast<uint32_t>(text_[at_++] - '0');
      if (value > max) fail();
    }
    return value;
  }

  std::array<uint8_t, 16> ipv4() noexcept {
    std::array<uint8_t, 16> bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    for (size_t i = 12; i < 16; ++i) {
      if (i > 12) expect(".");
      bytes[i] = static_cast<uint8_t>(number(255));
    }
    return bytes;
  }

  std::array<uint8_t, 16> ipv6() noexcept;

 private:
  // The next byte, or 0, which no field may contain: with that the line has run out, or was bad before.
  char peek() noexcept {
    if (!ok()) return '\0';
    if (at_ == text_.size()) {
      outcome_ = Status::need_more;
      return '\0';
    }
    return text_[at_];
  }
  void fail() noexcept {
    if (ok()) outcome_ = Status::bad;
  }
  static bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
  static int hex_digit(char c) noexcept {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  }
  uint16_t hex_group() noexcept {
    unsigned value = 0;
    if (hex_digit(peek()) < 0) fail();
    for (int digits = 0; digits < 4 && hex_digit(peek()) >= 0; ++digits) {
      value = value << 4 | static_cast<unsigned>(hex_digit(text_[at_++]));
    }
    return static_cast<uint16_t>(value);
  }

  std::string_view text_;
  size_t at_ = 0;
  Status outcome_ = Status::done;
};

// Groups of hexadecimal digits up to the space that ends the field.
std::array<uint8_t, 16> LineReader::ipv6() noexcept {
  constexpr size_t none = ~size_t{0};
  std::array<uint8_t, 16> bytes{};
  size_t size = 0;    // bytes written, two per group
  size_t gap = none;  // how many of them stand before the "::", which stands for one group of zeros at least
  const auto has_room = [&] { return size + (gap == none ? 0 : 2) < bytes.size(); };

  if (peek() == ':') {
    expect("::");
    gap = 0;
  }
  while (ok()) {
    if (gap == size && peek() == ' ') break;
    if (!has_room()) {
      fail();
      break;
    }
    const size_t group_at = at_;
    const uint16_t group = hex_group();
    // "::10.0.0.1" and "::ffff:10.0.0.1": what looked like a group was the first number of a dotted quad.
    if (peek() == '.' && gap == 0 && (size == 0 || (size == 2 && bytes[0] == 0xff && bytes[1] == 0xff))) {
      at_ = group_at;
      const auto quad = ipv4();
      std::copy(quad.begin() + 12, quad.end(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      size += 4;
      break;
    }
    bytes[size] = static_cast<uint8_t>(group >> 8);
    bytes[size + 1] = static_cast<uint8_t>(group);
    size += 2;
    if (peek() == ' ') break;
    if (!has_room()) fail();
    expect(":");
    if (gap == none && take(':')) gap = size;
  }
  if (gap == none) {
    if (size < bytes.size()) fail();
    return bytes;
  }
  // What stands behind the gap belongs to the end.
  std::rotate(bytes.begin() + static_cast<std::ptrdiff_t>(gap), bytes.begin() + static_cast<std::ptrdiff_t>(size),
              bytes.end());
  return bytes;
}

// Of UNKNOWN the rest of the line is not to be looked at.
ProxyParse parse_unknown(LineReader& reader, std::string_view text) noexcept {
  ProxyParse parse;
  parse.local = true;
  if (reader.take(' ')) {
    const size_t end = text.substr(0, proxy_line_size_max).find("\r\n", reader.position());
    if (end == std::string_view::npos) {
      const size_t missing = text.ends_with('\r') ? 1 : 2;
      return text.size() + missing <= proxy_line_size_max ? undone(Status::need_more) : undone(Status::bad);
    }
    parse.status = Status::done;
    parse.size = static_cast<uint32_t>(end + 2);
    return parse;
  }
  reader.expect("\r\n");
  parse.status = reader.outcome();
  parse.size = reader.position();
  return parse;
}

}  // namespace

ProxyParse parse_proxy_v1(std::string_view text) noexcept {
  LineReader reader(text);
  reader.expect("PROXY ");
  if (reader.take('U')) {
    reader.expect("NKNOWN");
    return parse_unknown(reader, text);
  }
  reader.expect("TCP");
  const bool ipv6 = reader.take('6');
  reader.expect(ipv6 ? " " : "4 ");
  const auto source = ipv6 ? reader.ipv6() : reader.ipv4();
  reader.expect(" ");
  const auto destination = ipv6 ? reader.ipv6() : reader.ipv4();
  reader.expect(" ");
  const auto source_port = static_cast<uint16_t>(reader.number(65535));
  reader.expect(" ");
  const auto destination_port = static_cast<uint16_t>(reader.number(65535));
  reader.expect("\r\n");
  if (!reader.ok()) return undone(reader.outcome());
  // Two addresses of 39 characters and two ports of 5 make 104: the form bounds the line.
  return {.status = Status::done,
          .size = reader.position(),
          .source = proxied_address(source, source_port),
          .destination = proxied_address(destination, destination_port)};
}

}  // namespace weir
