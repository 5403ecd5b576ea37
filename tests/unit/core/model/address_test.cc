#include "core/model/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

namespace weir {
namespace {

using Family = PeerAddress::Family;
using namespace std::string_literals;

SocketAddress socket_address(std::string_view text) {
  return SocketAddress::parse(text).value();
}
PeerAddress peer(std::string_view text) {
  return socket_address(text).peer();
}

// --- SocketAddress --------------------------------------------------------------------------------------------------

TEST(SocketAddress, ParsesAndPrints) {
  struct Row {
    std::string text;
    std::string printed;
    sa_family_t family;
    uint16_t port;
    socklen_t size;
  };
  const std::vector<Row> rows = {
      {"10.0.0.1:80", "10.0.0.1:80", AF_INET, 80, sizeof(sockaddr_in)},
      {"0.0.0.0:0", "0.0.0.0:0", AF_INET, 0, sizeof(sockaddr_in)},
      {"255.255.255.255:65535", "255.255.255.255:65535", AF_INET, 65535, sizeof(sockaddr_in)},
      {"[::1]:80", "[::1]:80", AF_INET6, 80, sizeof(sockaddr_in6)},
      {"[2001:DB8:0::1]:443", "[2001:db8::1]:443", AF_INET6, 443, sizeof(sockaddr_in6)},
      {"[::ffff:10.0.0.1]:80", "[::ffff:10.0.0.1]:80", AF_INET6, 80, sizeof(sockaddr_in6)},
      {":8080", "[::]:8080", AF_INET6, 8080, sizeof(sockaddr_in6)},
      {"unix:/run/x.sock", "unix:/run/x.sock", AF_UNIX, 0,
       static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + sizeof "/run/x.sock")},
      {"unix:x", "unix:x", AF_UNIX, 0, static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 2)},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto address = SocketAddress::parse(row.text);
    ASSERT_TRUE(address.has_value());
    EXPECT_EQ(address->to_string(), row.printed);
    EXPECT_EQ(address->family(), row.family);
    EXPECT_EQ(address->port(), row.port);
    EXPECT_EQ(address->size(), row.size);
    EXPECT_EQ(address->is_unix(), row.family == AF_UNIX);
    // What was printed means the same.
    EXPECT_EQ(socket_address(row.printed), *address);
  }
}

TEST(SocketAddress, Refuses) {
  for (const std::string& text : {""s,
                                  ":"s,
                                  "80"s,
                                  "10.0.0.1"s,
                                  "10.0.0.1:"s,
                                  "10.0.0.1:65536"s,
                                  "10.0.0.1:-1"s,
                                  "10.0.0.1:+1"s,
                                  "10.0.0.1: 80"s,
                                  "10.0.0.1:80 "s,
                                  " 10.0.0.1:80"s,
                                  "10.0.0.1:8o"s,
                                  "10.0.0.1:99999999999999999999"s,
                                  "10.0.0:80"s,
                                  "10.0.0.256:80"s,
                                  "10.0.0.01:80"s,
                                  "10.0.0.1\0junk:80"s,
                                  "10.0.0.1:80\0"s,
                                  "localhost:80"s,
                                  "*:80"s,
                                  "::1:80"s,
                                  "[::1]"s,
                                  "[::1]80"s,
                                  "[]:80"s,
                                  "[:80"s,
                                  "]:80"s,
                                  "[10.0.0.1]:80"s,
                                  "[::1\0]:80"s,
                                  "[::g]:80"s,
                                  "[::1]]:80"s,
                                  "unix:"s,
                                  "unix:/a\0b"s,
                                  "unix:/" + std::string(sizeof(sockaddr_un::sun_path) - 1, 'x')}) {
    EXPECT_FALSE(SocketAddress::parse(text).has_value()) << testing::PrintToString(text);
  }
}

TEST(SocketAddress, LongestPath) {
  const std::string path = "/" + std::string(sizeof(sockaddr_un::sun_path) - 2, 'x');
  const SocketAddress address = socket_address("unix:" + path);
  EXPECT_EQ(address.path(), path);
  EXPECT_EQ(address.size(), sizeof(sockaddr_un));
}

// The kernel gives paths back without a terminator if they fill the field, and nothing at all for an unnamed socket.
TEST(SocketAddress, FromTheKernel) {
  sockaddr_un full{};
  full.sun_family = AF_UNIX;
  std::memset(full.sun_path, 'x', sizeof full.sun_path);
  EXPECT_EQ(SocketAddress::from(reinterpret_cast<sockaddr*>(&full), sizeof full).path(),
            std::string(sizeof full.sun_path, 'x'));

  sockaddr_un unnamed{};
  unnamed.sun_family = AF_UNIX;
  const SocketAddress nameless = SocketAddress::from(reinterpret_cast<sockaddr*>(&unnamed), sizeof(sa_family_t));
  EXPECT_EQ(nameless.path(), "");
  EXPECT_EQ(nameless.to_string(), "unix:");

  // Longer than any address: cut, not overrun.
  sockaddr_storage large{};
  large.ss_family = AF_INET6;
  EXPECT_LE(SocketAddress::from(reinterpret_cast<sockaddr*>(&large), sizeof large).size(), sizeof(SocketAddress));
}

// A real socket agrees with what was parsed: the bytes are where the kernel looks for them.
TEST(SocketAddress, BindsAndComesBack) {
  for (const char* text : {"127.0.0.1:0", "[::1]:0"}) {
    SocketAddress address = socket_address(text);
    const int fd = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(bind(fd, address.data(), address.size()), 0) << text;
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size), 0);
    const SocketAddress got = SocketAddress::from(reinterpret_cast<sockaddr*>(&bound), size);
    EXPECT_NE(got.port(), 0);
    address.set_port(got.port());
    EXPECT_EQ(got, address);
    close(fd);
  }
}

TEST(SocketAddress, NoneAtFirst) {
  const SocketAddress none;
  EXPECT_EQ(none.size(), 0U);
  EXPECT_EQ(none.port(), 0);
  EXPECT_EQ(none.to_string(), "unknown");
  EXPECT_FALSE(none == socket_address("0.0.0.0:0"));
}

TEST(SocketAddress, SetPort) {
  for (const char* text : {"10.0.0.1:1", "[::1]:1"}) {
    SocketAddress address = socket_address(text);
    address.set_port(65534);
    EXPECT_EQ(address.port(), 65534);
  }
  SocketAddress local = socket_address("unix:/x");
  local.set_port(7);
  EXPECT_EQ(local, socket_address("unix:/x"));
}

// --- PeerAddress ----------------------------------------------------------------------------------------------------

TEST(PeerAddress, OfEachFamily) {
  EXPECT_EQ(peer("10.0.0.1:80").family, Family::ipv4);
  EXPECT_EQ(peer("10.0.0.1:80").host(), "10.0.0.1");
  EXPECT_EQ(peer("10.0.0.1:80").to_string(), "10.0.0.1:80");
  EXPECT_EQ(peer("[2001:db8::1]:80").family, Family::ipv6);
  EXPECT_EQ(peer("[2001:db8::1]:80").host(), "2001:db8::1");
  EXPECT_EQ(peer("[2001:db8::1]:80").to_string(), "[2001:db8::1]:80");
  EXPECT_EQ(peer("unix:/run/x.sock").family, Family::local);
  EXPECT_EQ(peer("unix:/run/x.sock").to_string(), "local");
  EXPECT_EQ(PeerAddress{}.to_string(), "unknown");
  EXPECT_FALSE(PeerAddress{}.is_ip());
  EXPECT_FALSE(peer("unix:/x").is_ip());
}

// A client of a dual-stack listener is the client it would be of an IPv4 one.
TEST(PeerAddress, MappedIsIpv4) {
  EXPECT_EQ(peer("[::ffff:10.0.0.1]:80"), peer("10.0.0.1:80"));
  EXPECT_EQ(peer("[::ffff:10.0.0.1]:80").to_string(), "10.0.0.1:80");
  EXPECT_NE(peer("[::10.0.0.1]:80"), peer("10.0.0.1:80"));
  EXPECT_EQ(PeerAddress::ipv4(0x0a000001, 80), peer("10.0.0.1:80"));
}

TEST(PeerAddress, Equality) {
  EXPECT_NE(peer("10.0.0.1:80"), peer("10.0.0.1:81"));
  EXPECT_NE(peer("10.0.0.1:80"), peer("10.0.0.2:80"));
  EXPECT_EQ(peer("unix:/a"), peer("unix:/b"));
}

// --- Cidr -----------------------------------------------------------------------------------------------------------

TEST(Cidr, ParsesAndPrints) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"10.0.0.0/8", "10.0.0.0/8"},
      {"10.1.2.3/8", "10.0.0.0/8"},  // host bits are cleared
      {"10.1.2.3", "10.1.2.3/32"},
      {"10.1.2.255/31", "10.1.2.254/31"},
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"255.255.255.255/0", "0.0.0.0/0"},
      {"::1", "::1/128"},
      {"::/0", "::/0"},
      {"2001:db8:ffff::/33", "2001:db8:8000::/33"},
      {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
  };
  for (const auto& [text, printed] : rows) {
    const auto cidr = Cidr::parse(text);
    ASSERT_TRUE(cidr.has_value()) << text;
    EXPECT_EQ(cidr->to_string(), printed);
    EXPECT_EQ(Cidr::parse(printed), cidr);
  }
}

TEST(Cidr, Refuses) {
  for (const std::string& text :
       {""s, "/"s, "/8"s, "10.0.0.0/"s, "10.0.0.0/33"s, "10.0.0.0/-1"s, "10.0.0.0/8/8"s, "10.0.0.0/ 8"s, "10.0.0/8"s,
        "::/129"s, "::/x"s, "[::]/0"s, "10.0.0.0/8\0"s, "10.0.0.0\0/8"s, "example.com/8"s, "all"s}) {
    EXPECT_FALSE(Cidr::parse(text).has_value()) << testing::PrintToString(text);
  }
}

TEST(Cidr, Contains) {
  struct Row {
    const char* block;
    const char* inside;
    const char* outside;
  };
  for (const Row& row : std::vector<Row>{
           {"10.0.0.0/8", "10.255.255.255:1", "11.0.0.0:1"},
           {"10.0.0.0/8", "[::ffff:10.0.0.1]:1", "[::10.0.0.1]:1"},
           {"192.168.1.64/26", "192.168.1.127:1", "192.168.1.128:1"},
           {"192.168.1.64/26", "192.168.1.64:1", "192.168.1.63:1"},
           {"10.1.2.3", "10.1.2.3:9", "10.1.2.2:9"},
           {"0.0.0.0/0", "255.255.255.255:1", "[::1]:1"},
           {"2001:db8::/33", "[2001:db8:7fff::]:1", "[2001:db8:8000::]:1"},
           {"::1", "[::1]:1", "[::2]:1"},
           {"::/0", "[ffff::]:1", "unix:/x"},
           // An IPv4 peer lies in an IPv6 block only on paper.
           {"::/0", "[::fffe:10.0.0.1]:1", "10.0.0.1:1"},
           {"::/80", "[::1]:1", "10.0.0.1:1"},
       }) {
    const Cidr block = Cidr::parse(row.block).value();
    EXPECT_TRUE(block.contains(peer(row.inside))) << row.block << " " << row.inside;
    EXPECT_FALSE(block.contains(peer(row.outside))) << row.block << " " << row.outside;
    EXPECT_FALSE(block.contains(PeerAddress{}));
  }
}

TEST(CidrSet, Contains) {
  CidrSet set;
  EXPECT_TRUE(set.empty());
  EXPECT_FALSE(set.contains(peer("10.0.0.1:1")));
  EXPECT_FALSE(set.contains(peer("unix:/x")));

  set.blocks = {Cidr::parse("10.0.0.0/8").value(), Cidr::parse("::1").value()};
  EXPECT_FALSE(set.empty());
  EXPECT_TRUE(set.contains(peer("10.0.0.1:1")));
  EXPECT_TRUE(set.contains(peer("[::1]:1")));
  EXPECT_FALSE(set.contains(peer("11.0.0.1:1")));
  EXPECT_FALSE(set.contains(peer("unix:/x")));

  set.local = true;
  EXPECT_TRUE(set.contains(peer("unix:/x")));
  EXPECT_FALSE(set.contains(peer("11.0.0.1:1")));

  CidrSet everybody;
  everybody.everybody = true;
  EXPECT_FALSE(everybody.empty());
  EXPECT_TRUE(everybody.contains(peer("11.0.0.1:1")));
  EXPECT_TRUE(everybody.contains(peer("[::1]:1")));
}

}  // namespace
}  // namespace weir
