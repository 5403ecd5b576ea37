#include "tools/origin/request_head.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "tools/origin/text.h"

namespace weir::origin {
namespace {

enum CharClass : std::uint8_t { token = 1, field_content = 2, target_char = 4 };

// token: RFC 9110 section 5.6.2; field content: section 5.5, with obs-text; a target is anything printable without
// spaces.
constexpr std::array<std::uint8_t, 256> char_classes = [] {
  std::array<std::uint8_t, 256> classes{};
  constexpr std::string_view separators = "\"(),/:;<=>?@[\\]{}";
  for (unsigned c = 0x20; c < 256; ++c) {
    if (c == 0x7f) continue;
    classes[c] = field_content;
    if (c == 0x20) continue;
    classes[c] |= target_char;
    if (c < 0x7f && separators.find(static_cast<char>(c)) == std::string_view::npos) classes[c] |= token;
  }
  classes['\t'] = field_content;
  return classes;
}();

bool is(char c, CharClass wanted) noexcept {
  return (char_classes[static_cast<unsigned char>(c)] & wanted) != 0;
}

bool all_are(std::string_view text, CharClass wanted) noexcept {
  return std::all_of(text.begin(), text.end(), [wanted](char c) { return is(c, wanted); });
}

// Takes one line from the front, without its CRLF; a line feed elsewhere is caught by the character classes.
std::string_view take_line(std::string_view& bytes) noexcept {
  const std::string_view line = bytes.substr(0, bytes.find("\r\n"));
  bytes.remove_prefix(line.size() + 2);
  return line;
}

int read_request_line(std::string_view line, RequestHead& head) noexcept {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return 400;
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (head.method.empty() || !all_are(head.method, token)) return 400;
  if (head.target.empty() || !all_are(head.target, target_char)) return 400;
  if (version.size() != 8 || !version.starts_with("HTTP/")) return 400;
  if (!version.starts_with("HTTP/1.")) return 505;
  head.is_http10 = version == "HTTP/1.0";
  head.keep_alive = !head.is_http10;
  return 0;
}

// What has to be seen of all fields before the framing can be judged.
struct Framing {
  bool host = false;
  bool transfer_encoding = false;
  std::optional<std::uint64_t> content_length;
};

int read_content_length(std::string_view value, Framing& framing) noexcept {
  const auto length = parse_number(value);
  if (!length || *length > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return 400;
  if (framing.content_length && framing.content_length != length) return 400;
  framing.content_length = length;
  return 0;
}

int read_transfer_encoding(std::string_view value, RequestHead& head, Framing& framing) noexcept {
  if (framing.transfer_encoding || head.is_http10) return 400;
  framing.transfer_encoding = true;
  head.chunked = same_word(value, "chunked");
  return head.chunked ? 0 : 501;
}

void read_connection(std::string_view value, RequestHead& head) noexcept {
  while (!value.empty()) {
    const std::string_view option = value.substr(0, value.find(','));
    value.remove_prefix(std::min(option.size() + 1, value.size()));
    if (same_word(trimmed(option), "close")) {
      head.keep_alive = false;
      return;
    }
    if (head.is_http10 && same_word(trimmed(option), "keep-alive")) head.keep_alive = true;
  }
}

int read_expect(std::string_view value, RequestHead& head) noexcept {
  if (!same_word(value, "100-continue")) return 417;
  head.expects_continue = !head.is_http10;
  return 0;
}

// The length picks the few names that matter; all others cost one switch.
int read_field(std::string_view name, std::string_view value, RequestHead& head, Framing& framing) noexcept {
  switch (name.size()) {
    case 4:
      if (!same_word(name, "host")) return 0;
      if (framing.host) return 400;
      framing.host = true;
      return 0;
    case 6: return same_word(name, "expect") ? read_expect(value, head) : 0;
    case 10:
      if (same_word(name, "connection")) read_connection(value, head);
      return 0;
    case 14: return same_word(name, "content-length") ? read_content_length(value, framing) : 0;
    case 17: return same_word(name, "transfer-encoding") ? read_transfer_encoding(value, head, framing) : 0;
    default: return 0;
  }
}

int read_field_line(std::string_view line, RequestHead& head, Framing& framing) noexcept {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return 400;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  // The name's class has no space in it: that refuses folded lines and a space before the colon too.
  if (!all_are(name, token) || !all_are(value, field_content)) return 400;
  return read_field(name, value, head, framing);
}

}  // namespace

std::size_t request_head_size(std::string_view in, std::size_t searched) noexcept {
  const std::size_t from = searched < 3 ? 0 : searched - 3;
  const std::size_t end = in.find("\r\n\r\n", from);
  return end == std::string_view::npos ? end : end + 4;
}

int read_request_head(std::string_view bytes, RequestHead& head) noexcept {
  head = RequestHead{};
  if (const int refusal = read_request_line(take_line(bytes), head)) return refusal;
  head.fields = bytes.substr(0, bytes.size() - 2);
  Framing framing;
  for (std::string_view rest = head.fields; !rest.empty();) {
    if (const int refusal = read_field_line(take_line(rest), head, framing)) return refusal;
  }
  if (!framing.host && !head.is_http10) return 400;
  if (framing.transfer_encoding && framing.content_length) return 400;
  head.body_bytes = framing.content_length.value_or(0);
  return 0;
}

bool may_start_request(char first) noexcept {
  return is(first, token) || first == '\r';
}

}  // namespace weir::origin
