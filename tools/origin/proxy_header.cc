#include "tools/origin/proxy_header.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <optional>

#include "tools/origin/text.h"

namespace weir::origin {
namespace {

using State = ProxyHeader::State;

constexpr std::string_view v2_signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::string_view v1_signature{"PROXY "};
constexpr std::size_t v1_bytes_max = 107;  // with the CRLF; section 2.1
constexpr std::size_t v2_fixed_bytes = 16;
constexpr std::size_t unix_path_bytes = 108;

ProxyHeader bad() {
  return {State::bad, 0, {}};
}

std::uint8_t byte_at(std::string_view in, std::size_t at) noexcept {
  return static_cast<std::uint8_t>(in[at]);
}

unsigned u16_at(std::string_view in, std::size_t at) noexcept {
  return static_cast<unsigned>(byte_at(in, at) << 8 | byte_at(in, at + 1));
}

std::string endpoint_text(std::string_view address, bool is_v6, std::uint64_t port) {
  std::string text;
  if (is_v6) text.push_back('[');
  text.append(address);
  if (is_v6) text.push_back(']');
  return text.append(":").append(std::to_string(port));
}

// --- v1: one line of text ---

bool is_address(std::string_view text, int family) {
  std::array<unsigned char, sizeof(in6_addr)> binary;
  return inet_pton(family, std::string{text}.c_str(), binary.data()) == 1;
}

// No sign, no leading zeros: section 2.1 wants the canonical form.
std::optional<std::uint64_t> parse_port(std::string_view text) {
  const auto port = parse_number(text);
  if (!port || *port > 65535 || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return port;
}

std::optional<std::string> describe_v1(std::string_view line) {
  line.remove_prefix(v1_signature.size());
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return "v1 UNKNOWN";
  std::array<std::string_view, 5> words;  // protocol, source, destination, source port, destination port
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto space = line.find(' ');
    if ((space == std::string_view::npos) != (i + 1 == words.size())) return std::nullopt;
    words[i] = line.substr(0, space);
    line.remove_prefix(std::min(words[i].size() + 1, line.size()));
  }
  const bool is_v6 = words[0] == "TCP6";
  if (!is_v6 && words[0] != "TCP4") return std::nullopt;
  const int family = is_v6 ? AF_INET6 : AF_INET;
  const auto source_port = parse_port(words[3]);
  const auto destination_port = parse_port(words[4]);
  if (!is_address(words[1], family) || !is_address(words[2], family) || !source_port || !destination_port) {
    return std::nullopt;
  }
  return "v1 " + std::string{words[0]} + ' ' + endpoint_text(words[1], is_v6, *source_port) + " -> " +
         endpoint_text(words[2], is_v6, *destination_port);
}

ProxyHeader read_v1(std::string_view in) {
  const auto end = in.substr(0, v1_bytes_max).find("\r\n");
  if (end == std::string_view::npos) return in.size() >= v1_bytes_max ? bad() : ProxyHeader{};
  auto description = describe_v1(in.substr(0, end));
  if (!description) return bad();
  return {State::complete, end + 2, std::move(*description)};
}

// --- v2: fixed part, addresses, then TLVs that are skipped ---

std::string describe_inet(std::string_view addresses, bool is_v6) {
  const std::size_t size = is_v6 ? sizeof(in6_addr) : sizeof(in_addr);
  const auto address = [&](std::size_t at) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(is_v6 ? AF_INET6 : AF_INET, addresses.data() + at, text.data(), text.size());
    return std::string{text.data()};
  };
  return endpoint_text(address(0), is_v6, u16_at(addresses, 2 * size)) + " -> " +
         endpoint_text(address(size), is_v6, u16_at(addresses, 2 * size + 2));
}

std::string describe_unix(std::string_view addresses) {
  const auto path = [&](std::size_t at) {
    const std::string_view field = addresses.substr(at, unix_path_bytes);
    return std::string{field.substr(0, field.find('\0'))};
  };
  return path(0) + " -> " + path(unix_path_bytes);
}

std::optional<std::string> describe_v2(unsigned family, unsigned transport, std::string_view addresses) {
  const std::size_t needed = family == 1 ? 12 : family == 2 ? 36 : 2 * unix_path_bytes;
  if (family == 0 && transport == 0) return "v2 UNSPEC";
  if (family < 1 || family > 3 || transport < 1 || transport > 2 || addresses.size() < needed) return std::nullopt;
  if (family == 3) return std::string{transport == 1 ? "v2 UNIX " : "v2 UNIX-DGRAM "} + describe_unix(addresses);
  return std::string{transport == 1 ? "v2 TCP" : "v2 UDP"} + (family == 1 ? "4 " : "6 ") +
         describe_inet(addresses, family == 2);
}

ProxyHeader read_v2(std::string_view in) {
  if (in.size() < v2_fixed_bytes) return {};
  const unsigned version = byte_at(in, 12) >> 4;
  const unsigned command = byte_at(in, 12) & 0xf;
  if (version != 2 || command > 1) return bad();
  const std::size_t size = v2_fixed_bytes + u16_at(in, 14);
  if (in.size() < size) return {};
  if (command == 0) return {State::complete, size, "v2 LOCAL"};  // addresses, if any, mean nothing then
  const unsigned protocol = byte_at(in, 13);
  auto description = describe_v2(protocol >> 4, protocol & 0xf, in.substr(v2_fixed_bytes, size - v2_fixed_bytes));
  if (!description) return bad();
  return {State::complete, size, std::move(*description)};
}

bool may_become(std::string_view in, std::string_view signature) noexcept {
  return in.substr(0, signature.size()) == signature.substr(0, in.size());
}

}  // namespace

ProxyHeader read_proxy_header(std::string_view in) {
  if (may_become(in, v2_signature)) return read_v2(in);
  if (may_become(in, v1_signature)) return in.size() < v1_signature.size() ? ProxyHeader{} : read_v1(in);
  return bad();
}

}  // namespace weir::origin
