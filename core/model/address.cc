#include "core/model/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace weir {
namespace {

constexpr std::string_view unix_prefix = "unix:";
constexpr std::array<uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

template <class T>
std::optional<T> parse_number(std::string_view text, T max) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty() || value > max) return std::nullopt;
  return value;
}

std::array<uint8_t, 16> mapped(const in_addr& v4) {
  std::array<uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), mapped_prefix.data(), mapped_prefix.size());
  std::memcpy(bytes.data() + mapped_prefix.size(), &v4, sizeof v4);
  return bytes;
}

bool is_mapped(const std::array<uint8_t, 16>& bytes) {
  return std::memcmp(bytes.data(), mapped_prefix.data(), mapped_prefix.size()) == 0;
}

std::string text_of(const std::array<uint8_t, 16>& bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_mapped(bytes)) {
    inet_ntop(AF_INET, bytes.data() + mapped_prefix.size(), text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
  }
  return text.data();
}

// inet_pton(3) for text that may have a zero byte inside, which no address has.
bool parse_host(int family, std::string_view text, void* out) {
  return text.find('\0') == std::string_view::npos && inet_pton(family, std::string{text}.c_str(), out) == 1;
}

// One IP address without a port, in either family.
std::optional<std::array<uint8_t, 16>> parse_ip(std::string_view text) {
  in_addr v4{};
  if (parse_host(AF_INET, text, &v4)) return mapped(v4);
  std::array<uint8_t, 16> bytes{};
  if (parse_host(AF_INET6, text, bytes.data())) return bytes;
  return std::nullopt;
}

}  // namespace

PeerAddress PeerAddress::from(const sockaddr* address) noexcept {
  PeerAddress peer;
  switch (address->sa_family) {
    case AF_INET: {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
      peer.bytes = mapped(v4->sin_addr);
      peer.port = ntohs(v4->sin_port);
      peer.family = Family::ipv4;
      break;
    }
    case AF_INET6: {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
      std::memcpy(peer.bytes.data(), &v6->sin6_addr, peer.bytes.size());
      peer.port = ntohs(v6->sin6_port);
      // A dual-stack listener sees IPv4 clients in mapped form; to everybody else they are IPv4 clients.
      peer.family = is_mapped(peer.bytes) ? Family::ipv4 : Family::ipv6;
      break;
    }
    case AF_UNIX: peer.family = Family::local; break;
    default: break;
  }
  return peer;
}

PeerAddress PeerAddress::ipv4(uint32_t host_order, uint16_t port) noexcept {
  in_addr v4{};
  v4.s_addr = htonl(host_order);
  PeerAddress peer;
  peer.bytes = mapped(v4);
  peer.port = port;
  peer.family = Family::ipv4;
  return peer;
}

std::string PeerAddress::host() const {
  switch (family) {
    case Family::none: return "unknown";
    case Family::local: return "local";
    case Family::ipv4:
    case Family::ipv6: return text_of(bytes);
  }
  return "unknown";
}

std::string PeerAddress::to_string() const {
  if (!is_ip()) return host();
  const std::string number = std::to_string(port);
  return family == Family::ipv4 ? host() + ":" + number : "[" + host() + "]:" + number;
}

SocketAddress::SocketAddress() noexcept {
  std::memset(&storage_, 0, sizeof storage_);
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) {
  SocketAddress address;
  if (text.starts_with(unix_prefix)) {
    const std::string_view path = text.substr(unix_prefix.size());
    if (path.empty() || path.size() >= sizeof address.storage_.local.sun_path) return std::nullopt;
    if (path.find('\0') != std::string_view::npos) return std::nullopt;
    address.storage_.local.sun_family = AF_UNIX;
    std::memcpy(address.storage_.local.sun_path, path.data(), path.size());
    address.size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
    return address;
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_number<uint32_t>(text.substr(colon + 1), 65535);
  if (!port) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.empty()) host = "[::]";
  if (host.front() == '[' && host.back() == ']') {
    const std::string_view inner = host.substr(1, host.size() - 2);
    address.storage_.v6.sin6_family = AF_INET6;
    address.storage_.v6.sin6_port = htons(static_cast<uint16_t>(*port));
    address.size_ = sizeof(sockaddr_in6);
    if (!parse_host(AF_INET6, inner, &address.storage_.v6.sin6_addr)) return std::nullopt;
    return address;
  }
  address.storage_.v4.sin_family = AF_INET;
  address.storage_.v4.sin_port = htons(static_cast<uint16_t>(*port));
  address.size_ = sizeof(sockaddr_in);
  if (!parse_host(AF_INET, host, &address.storage_.v4.sin_addr)) return std::nullopt;
  return address;
}

SocketAddress SocketAddress::from(const sockaddr* data, socklen_t length) noexcept {
  SocketAddress address;
  address.size_ = std::min<socklen_t>(length, sizeof address.storage_);
  std::memcpy(&address.storage_, data, address.size_);
  return address;
}

uint16_t SocketAddress::port() const noexcept {
  switch (family()) {
    case AF_INET: return ntohs(storage_.v4.sin_port);
    case AF_INET6: return ntohs(storage_.v6.sin6_port);
    default: return 0;
  }
}

void SocketAddress::set_port(uint16_t port) noexcept {
  if (family() == AF_INET) storage_.v4.sin_port = htons(port);
  if (family() == AF_INET6) storage_.v6.sin6_port = htons(port);
}

std::string_view SocketAddress::path() const noexcept {
  if (!is_unix()) return {};
  return {storage_.local.sun_path, strnlen(storage_.local.sun_path, sizeof storage_.local.sun_path)};
}

std::string SocketAddress::to_string() const {
  if (is_unix()) return std::string{unix_prefix}.append(path());
  if (family() == AF_INET6) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(AF_INET6, &storage_.v6.sin6_addr, text.data(), text.size());
    return "[" + std::string{text.data()} + "]:" + std::to_string(port());
  }
  return peer().to_string();
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  const auto bytes = parse_ip(host);
  if (!bytes) return std::nullopt;
  const bool v4 = host.find(':') == std::string_view::npos;
  Cidr cidr{*bytes, 128};
  if (slash != std::string_view::npos) {
    const auto bits = parse_number<unsigned>(text.substr(slash + 1), v4 ? 32 : 128);
    if (!bits) return std::nullopt;
    cidr.bits = static_cast<uint8_t>(v4 ? *bits + 96 : *bits);
  }
  // Host bits are cleared, so that equal blocks are equal values.
  for (size_t i = 0; i < cidr.bytes.size(); ++i) {
    const int kept = static_cast<int>(cidr.bits) - static_cast<int>(i) * 8;
    const unsigned mask = kept >= 8 ? 0xffU : kept <= 0 ? 0U : 0xffU << (8 - kept) & 0xffU;
    cidr.bytes[i] = static_cast<uint8_t>(cidr.bytes[i] & mask);
  }
  return cidr;
}

bool Cidr::contains(const PeerAddress& peer) const noexcept {
  if (!peer.is_ip()) return false;
  // Mapped addresses lie in ::/0, but who trusts all of IPv6 has not said a word about IPv4.
  if (peer.family == PeerAddress::Family::ipv4 && bits < 96) return false;
  const size_t whole = bits / 8;
  if (std::memcmp(bytes.data(), peer.bytes.data(), whole) != 0) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const unsigned mask = 0xffU << (8 - rest) & 0xffU;
  return (bytes[whole] & mask) == (peer.bytes[whole] & mask);
}

std::string Cidr::to_string() const {
  const bool v4 = is_mapped(bytes) && bits >= 96;
  return text_of(bytes) + "/" + std::to_string(v4 ? bits - 96 : bits);
}

bool CidrSet::contains(const PeerAddress& peer) const noexcept {
  if (peer.family == PeerAddress::Family::local) return local;
  if (everybody) return true;
  for (const Cidr& block : blocks) {
    if (block.contains(peer)) return true;
  }
  return false;
}

}  // namespace weir
