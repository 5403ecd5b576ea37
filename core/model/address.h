// Addresses: where sockets are (SocketAddress), who a peer is (PeerAddress), and sets of peers (Cidr, CidrSet).
//
// All are values. Any thread.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// Who is on the other end, small enough to lie in every session: an IPv4 address is kept as its IPv6-mapped form.
struct PeerAddress {
  enum class Family : uint8_t {
    none,
    ipv4,
    ipv6,
    local
  };  // `local`: a UNIX socket, which has no address worth keeping

  std::array<uint8_t, 16> bytes{};
  uint16_t port = 0;
  Family family = Family::none;

  static PeerAddress from(const sockaddr* address) noexcept;
  static PeerAddress ipv4(uint32_t host_order, uint16_t port) noexcept;

  bool is_ip() const noexcept { return family == Family::ipv4 || family == Family::ipv6; }
  std::string host() const;       // "10.0.0.1", "::1", "local"
  std::string to_string() const;  // "10.0.0.1:80", "[::1]:80", "local"
  bool operator==(const PeerAddress&) const = default;
};

// An address a socket can be bound or connected to: IPv4, IPv6 or a UNIX path.
class SocketAddress {
 public:
  SocketAddress() noexcept;

  // "10.0.0.1:80", "[::1]:80", ":80" (any address, both families), "unix:/path". No names: they are discovery's work.
  static std::optional<SocketAddress> parse(std::string_view text);
  static SocketAddress from(const sockaddr* data, socklen_t length) noexcept;

  const sockaddr* data() const noexcept { return &storage_.any; }
  socklen_t size() const noexcept { return size_; }
  sa_family_t family() const noexcept { return storage_.any.sa_family; }
  bool is_unix() const noexcept { return family() == AF_UNIX; }
  uint16_t port() const noexcept;  // 0 for a UNIX path
  void set_port(uint16_t port) noexcept;
  std::string_view path() const noexcept;  // "" unless UNIX
  PeerAddress peer() const noexcept { return PeerAddress::from(data()); }

  std::string to_string() const;
  bool operator==(const SocketAddress& other) const { return to_string() == other.to_string(); }

 private:
  union Storage {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un local;
  };
  Storage storage_;
  socklen_t size_ = 0;
};

// A block of addresses, "10.0.0.0/8" or "::1/128" or one address alone.
struct Cidr {
  std::array<uint8_t, 16> bytes{};
  uint8_t bits = 128;  // of the IPv6-mapped form

  static std::optional<Cidr> parse(std::string_view text);
  bool contains(const PeerAddress& peer) const noexcept;
  std::string to_string() const;
  bool operator==(const Cidr&) const = default;
};

// Whom to trust: some blocks, everybody, and whether peers over UNIX sockets are among them.
struct CidrSet {
  std::vector<Cidr> blocks;
  bool everybody = false;
  bool local = false;

  bool empty() const noexcept { return blocks.empty() && !everybody && !local; }
  bool contains(const PeerAddress& peer) const noexcept;
};

}  // namespace weir
