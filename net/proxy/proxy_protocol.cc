#include "net/proxy/proxy_protocol.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

#include "core/base/assert.h"
#include "net/proxy/proxy_protocol_parse.h"

namespace weir {
namespace {

// Appends to a buffer whose size was checked once, for the longest there can be.
class Writer {
 public:
  explicit Writer(std::span<std::byte> out) noexcept : begin_(reinterpret_cast<char*>(out.data())) {
    WEIR_ASSERT(out.size() >= proxy_line_size_max, static_cast<long long>(out.size()));
  }

  void text(std::string_view bytes) noexcept {
    WEIR_ASSERT(size_ + bytes.size() <= proxy_line_size_max);
    std::memcpy(begin_ + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void byte(unsigned value) noexcept {
    const char c = static_cast<char>(value);
    text({&c, 1});
  }
  void two_bytes(unsigned value) noexcept {
    byte(value >> 8 & 0xff);
    byte(value & 0xff);
  }
  void bytes(std::span<const uint8_t> some) noexcept {
    text({reinterpret_cast<const char*>(some.data()), some.size()});
  }
  void number(unsigned value, int base = 10) noexcept {
    std::array<char, 10> digits{};
    const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), value, base);
    text({digits.data(), static_cast<size_t>(result.ptr - digits.data())});
  }
  uint32_t size() const noexcept { return static_cast<uint32_t>(size_); }

 private:
  char* begin_;
  size_t size_ = 0;
};

std::span<const uint8_t, 4> quad_of(const PeerAddress& address) noexcept {
  return std::span{address.bytes}.last<4>();
}

void write_ipv4_text(Writer& writer, const PeerAddress& address) noexcept {
  const auto quad = quad_of(address);
  for (size_t i = 0; i < quad.size(); ++i) {
    if (i > 0) writer.text(".");
    writer.number(quad[i]);
  }
}

void write_ipv6_text(Writer& writer, const PeerAddress& address) noexcept {
  if (address.family == PeerAddress::Family::ipv4) {
    // The protocol knows only groups of hexadecimal digits, while inet_ntop(3) would write "::ffff:10.0.0.1".
    const auto quad = quad_of(address);
    writer.text("::ffff:");
    writer.number(static_cast<unsigned>(quad[0] << 8 | quad[1]), 16);
    writer.text(":");
    writer.number(static_cast<unsigned>(quad[2] << 8 | quad[3]), 16);
    return;
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, address.bytes.data(), text.data(), text.size());
  writer.text(text.data());
}

// What one header can say of two addresses.
enum class Pair : uint8_t { nobody, ipv4, ipv6 };

Pair pair_of(const PeerAddress& source, const PeerAddress& destination) noexcept {
  if (!source.is_ip() || !destination.is_ip()) return Pair::nobody;
  return source.family == destination.family && source.family == PeerAddress::Family::ipv4 ? Pair::ipv4 : Pair::ipv6;
}

uint32_t write_line(const PeerAddress& source, const PeerAddress& destination, Writer writer) noexcept {
  const Pair pair = pair_of(source, destination);
  if (pair == Pair::nobody) {
    writer.text("PROXY UNKNOWN\r\n");
    return writer.size();
  }
  const bool ipv4 = pair == Pair::ipv4;
  const auto write_address = ipv4 ? write_ipv4_text : write_ipv6_text;
  writer.text(ipv4 ? "PROXY TCP4 " : "PROXY TCP6 ");
  write_address(writer, source);
  writer.text(" ");
  write_address(writer, destination);
  writer.text(" ");
  writer.number(source.port);
  writer.text(" ");
  writer.number(destination.port);
  writer.text("\r\n");
  return writer.size();
}

uint32_t write_binary(const PeerAddress& source, const PeerAddress& destination, Writer writer) noexcept {
  writer.text({"\r\n\r\n\0\r\nQUIT\n", 12});
  const Pair pair = pair_of(source, destination);
  if (pair == Pair::nobody) {
    writer.byte(0x20);    // version 2, LOCAL
    writer.byte(0x00);    // no family, no transport
    writer.two_bytes(0);  // no addresses
    return writer.size();
  }
  const bool ipv4 = pair == Pair::ipv4;
  const size_t address_size = ipv4 ? 4 : 16;
  writer.byte(0x21);                // version 2, PROXY
  writer.byte(ipv4 ? 0x11 : 0x21);  // STREAM over either
  writer.two_bytes(static_cast<unsigned>(2 * address_size + 4));
  writer.bytes(std::span{source.bytes}.last(address_size));
  writer.bytes(std::span{destination.bytes}.last(address_size));
  writer.two_bytes(source.port);
  writer.two_bytes(destination.port);
  return writer.size();
}

}  // namespace

ProxyParse parse_proxy_header(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return {};
  if (bytes[0] == std::byte{'\r'}) return parse_proxy_v2(bytes);
  return parse_proxy_v1({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

PeerAddress proxied_address(const std::array<uint8_t, 16>& bytes, uint16_t port) noexcept {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  std::memcpy(&address.sin6_addr, bytes.data(), bytes.size());
  return PeerAddress::from(reinterpret_cast<const sockaddr*>(&address));
}

uint32_t write_proxy_header(ProxyHeader version, const PeerAddress& source, const PeerAddress& destination,
                            std::span<std::byte> out) noexcept {
  switch (version) {
    case ProxyHeader::off: return 0;
    case ProxyHeader::v1: return write_line(source, destination, Writer{out});
    case ProxyHeader::v2: return write_binary(source, destination, Writer{out});
  }
  return 0;
}

}  // namespace weir
