#include "tools/origin/proxy_header.h"

#include <gtest/gtest.h>

namespace weir::origin {
namespace {

using State = ProxyHeader::State;
using namespace std::string_literals;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string v4_addresses = "\x01\x02\x03\x04\x05\x06\x07\x08\x02\x2b\x00\x50"s;

std::string v2(char version_command, char family_transport, const std::string& rest) {
  const auto size = rest.size();
  return signature + version_command + family_transport + static_cast<char>(size >> 8) + static_cast<char>(size) + rest;
}

std::string unix_path(std::string path) {
  path.resize(108);
  return path;
}

TEST(OriginProxyHeader, IsDescribed) {
  struct Row {
    std::string header;
    std::string description;
  };
  const Row rows[] = {
      {"PROXY TCP4 1.2.3.4 5.6.7.8 555 80\r\n", "v1 TCP4 1.2.3.4:555 -> 5.6.7.8:80"},
      {"PROXY TCP6 ::1 2001:db8::2 555 80\r\n", "v1 TCP6 [::1]:555 -> [2001:db8::2]:80"},
      {"PROXY UNKNOWN\r\n", "v1 UNKNOWN"},
      {"PROXY UNKNOWN whatever it says\r\n", "v1 UNKNOWN"},
      {v2('\x21', '\x11', v4_addresses), "v2 TCP4 1.2.3.4:555 -> 5.6.7.8:80"},
      {v2('\x21', '\x12', v4_addresses), "v2 UDP4 1.2.3.4:555 -> 5.6.7.8:80"},
      {v2('\x21', '\x11', v4_addresses + "\x04\x00\x02hi"s), "v2 TCP4 1.2.3.4:555 -> 5.6.7.8:80"},  // a TLV
      {v2('\x21', '\x21', std::string(15, '\0') + '\x01' + std::string(15, '\0') + "\x02\x02\x2b\x01\xbb"),
       "v2 TCP6 [::1]:555 -> [::2]:443"},
      {v2('\x21', '\x31', unix_path("/a") + unix_path("/b/c")), "v2 UNIX /a -> /b/c"},
      {v2('\x20', '\x00', ""), "v2 LOCAL"},
      {v2('\x20', '\x11', v4_addresses), "v2 LOCAL"},
      {v2('\x21', '\x00', "tlvs"), "v2 UNSPEC"},
  };
  for (const Row& row : rows) {
    const ProxyHeader header = read_proxy_header(row.header + "hello");
    EXPECT_EQ(header.state, State::complete) << row.description;
    EXPECT_EQ(header.size, row.header.size()) << row.description;
    EXPECT_EQ(header.description, row.description);
    for (std::size_t size = 0; size < row.header.size(); ++size) {
      ASSERT_EQ(read_proxy_header(row.header.substr(0, size)).state, State::incomplete)
          << row.description << " " << size;
    }
  }
}

TEST(OriginProxyHeader, BadOnesAreRefusedAsSoonAsTheyShow) {
  const std::string rows[] = {
      "G",
      "PROXX",
      "\r\n\r\nX",
      "PROXY TCP4 1.2.3.4 5.6.7.8 555\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 555 80 9\r\n",
      "PROXY TCP4 1.2.3.4  5.6.7.8 555 80\r\n",
      "PROXY TCP4 ::1 ::1 555 80\r\n",
      "PROXY TCP6 1.2.3.4 5.6.7.8 555 80\r\n",
      "PROXY TCP4 1.2.3.256 5.6.7.8 555 80\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 65536 80\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 0555 80\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 555 80\n\r\n",
      "PROXY UDP4 1.2.3.4 5.6.7.8 555 80\r\n",
      "PROXY UNKNOWNX\r\n",
      "PROXY UNKNOWN " + std::string(100, 'x'),
      v2('\x11', '\x11', v4_addresses),            // version 1
      v2('\x22', '\x11', v4_addresses),            // command 2
      v2('\x21', '\x11', v4_addresses.substr(1)),  // too short for its family
      v2('\x21', '\x13', v4_addresses),            // transport 3
      v2('\x21', '\x41', v4_addresses),            // family 4
      v2('\x21', '\x21', v4_addresses),
  };
  for (const std::string& row : rows) EXPECT_EQ(read_proxy_header(row).state, State::bad) << row;
}

}  // namespace
}  // namespace weir::origin
