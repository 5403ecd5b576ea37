#include "net/proxy/proxy_protocol.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/random.h"

namespace weir {
namespace {

using Status = ProxyParse::Status;
using namespace std::string_literals;

// Parses a copy of exactly that size on the heap, so that a sanitizer sees each byte read beyond its end.
ProxyParse parse(std::string_view text) {
  const auto bytes = std::as_bytes(std::span{text});
  return parse_proxy_header(std::vector<std::byte>(bytes.begin(), bytes.end()));
}

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string two_bytes(size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}
std::string v2(int command, int family, const std::string& body) {
  return signature + static_cast<char>(command) + static_cast<char>(family) + two_bytes(body.size()) + body;
}
std::string tlv(int type, const std::string& value) {
  return static_cast<char>(type) + two_bytes(value.size()) + value;
}
std::string hex(std::string_view digits) {
  std::string bytes;
  for (size_t i = 0; i < digits.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string{digits.substr(i, 2)}, nullptr, 16)));
  }
  return bytes;
}

const std::string addresses4 = "\x0a\x01\x02\x03\xc0\xa8\x00\x0b\xdc\x04\x01\xbb"s;
const std::string addresses6 =
    hex("20010db8000000000000000000000001"
        "20010db80000000000000000000000ff"
        "dc0401bb");
const std::string addresses_unix(216, 'u');

// --- headers that are good ------------------------------------------------------------------------------------------

struct Good {
  const char* name;
  std::string header;
  std::string source;  // "" where the header names nobody
  std::string destination;
};

std::vector<Good> good_headers() {
  const std::string from4 = "10.1.2.3:56324";
  const std::string to4 = "192.168.0.11:443";
  const std::string from6 = "[2001:db8::1]:56324";
  const std::string to6 = "[2001:db8::ff]:443";
  return {
      {"v1 of the specification", "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", "192.168.0.1:56324", to4},
      {"v1 least numbers", "PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0:0", "0.0.0.0:0"},
      {"v1 largest numbers", "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535",
       "255.255.255.255:65535"},
      {"v1 ipv6", "PROXY TCP6 2001:db8::1 2001:db8::ff 56324 443\r\n", from6, to6},
      {"v1 ipv6 upper case", "PROXY TCP6 2001:DB8::1 2001:dB8::fF 56324 443\r\n", from6, to6},
      {"v1 ipv6 without a gap", "PROXY TCP6 2001:db8:0:0:0:0:0:1 2001:0db8:0000:0000:0000:0000:0000:00ff 56324 443\r\n",
       from6, to6},
      {"v1 ipv6 gap alone", "PROXY TCP6 :: ::1 1 2\r\n", "[::]:1", "[::1]:2"},
      {"v1 ipv6 gap at the end", "PROXY TCP6 1:: 1:2:3:4:5:6:7:: 1 2\r\n", "[1::]:1", "[1:2:3:4:5:6:7:0]:2"},
      {"v1 ipv6 gap at the start", "PROXY TCP6 ::2:3:4:5:6:7:8 ::8 1 2\r\n", "[0:2:3:4:5:6:7:8]:1", "[::8]:2"},
      {"v1 ipv6 gap for one group", "PROXY TCP6 1:2:3::5:6:7:8 1::3:4:5:6:7:8 1 2\r\n", "[1:2:3:0:5:6:7:8]:1",
       "[1:0:3:4:5:6:7:8]:2"},
      {"v1 ipv6 longest",
       "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
       "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
      {"v1 mapped as groups", "PROXY TCP6 ::ffff:a01:203 ::ffff:c0a8:b 56324 443\r\n", from4, to4},
      {"v1 mapped as nginx sends it", "PROXY TCP6 ::ffff:10.1.2.3 ::FFFF:192.168.0.11 56324 443\r\n", from4, to4},
      {"v1 compatible as inet_ntop prints it", "PROXY TCP6 ::10.1.2.3 ::1 56324 443\r\n", "[::10.1.2.3]:56324",
       "[::1]:443"},
      {"v1 unknown", "PROXY UNKNOWN\r\n", "", ""},
      {"v1 unknown with a space", "PROXY UNKNOWN \r\n", "", ""},
      {"v1 unknown with addresses", "PROXY UNKNOWN 192.168.0.1 192.168.0.11 56324 443\r\n", "", ""},
      {"v1 unknown with lone CR and LF", "PROXY UNKNOWN a\rb\nc\r\r\n", "", ""},
      {"v1 unknown, longest", "PROXY UNKNOWN " + std::string(91, '?') + "\r\n", "", ""},
      {"v1 as HAProxy 2.6 sends it", "PROXY TCP6 ::1 ::1 40444 58915\r\n", "[::1]:40444", "[::1]:58915"},

      {"v2 ipv4", v2(0x21, 0x11, addresses4), from4, to4},
      {"v2 ipv6", v2(0x21, 0x21, addresses6), from6, to6},
      {"v2 ipv6 mapped", v2(0x21, 0x21, hex("00000000000000000000ffff0a010203") + addresses6.substr(16)), from4, to6},
      {"v2 unix", v2(0x21, 0x31, addresses_unix), "local", "local"},
      {"v2 unix with a TLV", v2(0x21, 0x31, addresses_unix + tlv(0x04, "")), "local", "local"},
      {"v2 local", v2(0x20, 0x00, ""), "", ""},
      {"v2 local with a family and addresses", v2(0x20, 0x11, addresses4), "", ""},
      {"v2 local with an unassigned family", v2(0x20, 0xff, ""), "", ""},
      {"v2 local with bytes that are no TLVs", v2(0x20, 0x00, "?"), "", ""},
      {"v2 unspecified", v2(0x21, 0x00, ""), "", ""},
      {"v2 unspecified with bytes", v2(0x21, 0x00, "whatever they mean"), "", ""},
      {"v2 unspecified family", v2(0x21, 0x01, ""), "", ""},
      {"v2 unspecified transport", v2(0x21, 0x10, addresses4), "", ""},
      {"v2 unspecified transport, no addresses", v2(0x21, 0x20, ""), "", ""},
      {"v2 TLV", v2(0x21, 0x11, addresses4 + tlv(0x02, "weir.example")), from4, to4},
      {"v2 empty TLV", v2(0x21, 0x11, addresses4 + tlv(0x04, "")), from4, to4},
      {"v2 several TLVs", v2(0x21, 0x21, addresses6 + tlv(0x01, "h2") + tlv(0x04, "") + tlv(0xea, "vpce-1")), from6,
       to6},
      {"v2 TLV of more than 255 bytes", v2(0x21, 0x11, addresses4 + tlv(0x20, std::string(700, 's'))), from4, to4},
      {"v2 longest", v2(0x21, 0x11, addresses4 + tlv(0x04, std::string(proxy_header_size_max - 16 - 12 - 3, 'n'))),
       from4, to4},
      {"v2 as HAProxy 2.6 sends it", hex("0d0a0d0a000d0a515549540a2111000c7f0000017f000001d6ac87af"), "127.0.0.1:54956",
       "127.0.0.1:34735"},
      {"v2 as HAProxy 2.6 sends it for a UNIX socket", hex("0d0a0d0a000d0a515549540a20000000"), "", ""},
      {"v2 checksum by HAProxy 2.6", hex("0d0a0d0a000d0a515549540a211100137f0000017f000001d60ca047030004cdda0d05"),
       "127.0.0.1:54796", "127.0.0.1:41031"},
      {"v2 checksum by HAProxy 2.6, ipv6",
       hex("0d0a0d0a000d0a515549540a2121002b0000000000000000000000000000000100000000000000000000000000000001ece8b00d"
           "0300042627efcc"),
       "[::1]:60648", "[::1]:45069"},
      {"v2 checksum before another TLV, by HAProxy 2.6",
       hex("0d0a0d0a000d0a515549540a211100257f0000017f000001e3bcb9e1030004862434a905000f3132372e302e302e312d353833303"
           "0"),
       "127.0.0.1:58300", "127.0.0.1:47585"},
  };
}

TEST(ProxyProtocol, ReadsGoodHeadersAtEverySplit) {
  for (const Good& good : good_headers()) {
    SCOPED_TRACE(good.name);
    for (size_t size = 0; size < good.header.size(); ++size) {
      ASSERT_EQ(parse(good.header.substr(0, size)).status, Status::need_more) << "of " << size << " bytes";
    }
    // What follows is the client's: it changes nothing, whatever it looks like.
    for (const std::string& payload : {""s, "G"s, "\r\n"s, good.header, "\0\xff"s}) {
      const ProxyParse got = parse(good.header + payload);
      ASSERT_EQ(got.status, Status::done);
      EXPECT_EQ(got.size, good.header.size());
      EXPECT_EQ(got.local, good.source.empty());
      if (got.local) continue;
      EXPECT_EQ(got.source.to_string(), good.source);
      EXPECT_EQ(got.destination.to_string(), good.destination);
    }
  }
}

// --- headers that are bad -------------------------------------------------------------------------------------------

struct Bad {
  const char* name;
  std::string possible;  // could still become a header
  std::string fatal;     // its first byte says no
};

std::vector<Bad> bad_headers() {
  const std::string local = signature + "\x20"s;
  const std::string proxied = signature + "\x21"s;
  const std::string tcp4 = proxied + "\x11"s;
  const std::string full6 = "2001:db8:0:0:0:0:0:1";
  const auto head4 = [&](size_t tlvs_size) { return tcp4 + two_bytes(12 + tlvs_size) + addresses4; };
  const std::string checksummed = hex("0d0a0d0a000d0a515549540a211100137f0000017f000001d60ca047030004cdda0d05");
  return {
      {"http", "", "GET / HTTP/1.1\r\n"},
      {"http, almost", "P", "OST / HTTP/1.1\r\n"},
      {"tls", "", "\x16\x03\x01"},
      {"zero", "", "\0"s},
      {"v1 lower case", "", "proxy TCP4 "},
      {"v1 no space", "PROXY", "TCP4 "},
      {"v1 tab", "PROXY", "\tTCP4 "},
      {"v1 two spaces", "PROXY ", " TCP4 "},
      {"v1 lower case family", "PROXY ", "tcp4 "},
      {"v1 no such family", "PROXY TCP", "5 "},
      {"v1 udp", "PROXY U", "DP4 "},
      {"v1 family runs on", "PROXY TCP4", "4 "},
      {"v1 two spaces before the source", "PROXY TCP4 ", " 1.2.3.4"},
      {"v1 nothing but a family", "PROXY TCP4", "\r\n"},
      {"v1 number too large", "PROXY TCP4 25", "6.1.1.1 "},
      {"v1 number too long", "PROXY TCP4 100", "0.1.1.1 "},
      {"v1 leading zero", "PROXY TCP4 0", "1.2.3.4 "},
      {"v1 double zero", "PROXY TCP4 1.0", "0.3.4 "},
      {"v1 three numbers", "PROXY TCP4 1.2.3", " 5.6.7.8 "},
      {"v1 five numbers", "PROXY TCP4 1.2.3.4", ".5 "},
      {"v1 empty number", "PROXY TCP4 1.", ".3.4 "},
      {"v1 minus", "PROXY TCP4 ", "-1.2.3.4 "},
      {"v1 hexadecimal", "PROXY TCP4 0", "xa.2.3.4 "},
      {"v1 ipv6 as TCP4", "PROXY TCP4 ", "::1 ::1 1 2\r\n"},
      {"v1 ipv4 as TCP6", "PROXY TCP6 1", ".2.3.4 "},
      {"v1 two spaces between addresses", "PROXY TCP4 1.2.3.4 ", " 5.6.7.8 "},
      {"v1 two spaces before a port", "PROXY TCP4 1.2.3.4 5.6.7.8 ", " 1 2\r\n"},
      {"v1 port too large", "PROXY TCP4 1.2.3.4 5.6.7.8 6553", "6 2\r\n"},
      {"v1 port with a leading zero", "PROXY TCP4 1.2.3.4 5.6.7.8 0", "80 2\r\n"},
      {"v1 port with a sign", "PROXY TCP4 1.2.3.4 5.6.7.8 ", "+80 2\r\n"},
      {"v1 port missing", "PROXY TCP4 1.2.3.4 5.6.7.8 1", "\r\n"},
      {"v1 space before the end", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2", " \r\n"},
      {"v1 LF alone", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2", "\n"},
      {"v1 CR alone", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r", "G"},
      {"v1 zero byte in a number", "PROXY TCP4 1.2.3.4 5.6.7.8 1", "\0 2\r\n"s},
      {"v1 zero byte in a group", "PROXY TCP6 1:", "\0:2"s},
      {"v1 ipv6 group of five", "PROXY TCP6 2001:0db8", "0:"},
      {"v1 ipv6 no hexadecimal", "PROXY TCP6 2001:", "g"},
      {"v1 ipv6 two gaps", "PROXY TCP6 1::2:", ":3 "},
      {"v1 ipv6 three colons", "PROXY TCP6 1::", ":3 "},
      {"v1 ipv6 one colon first", "PROXY TCP6 :", "1:2 "},
      {"v1 ipv6 one colon last", "PROXY TCP6 1::2:", " "},
      {"v1 ipv6 seven groups", "PROXY TCP6 1:2:3:4:5:6:7", " "},
      {"v1 ipv6 nine groups", "PROXY TCP6 " + full6, ":9 "},
      {"v1 ipv6 eight groups and a gap", "PROXY TCP6 1:2:3:4:5:6:7::", "8 "},
      {"v1 ipv6 gap and eight groups", "PROXY TCP6 ::1:2:3:4:5:6:7", ":8 "},
      {"v1 ipv6 zone", "PROXY TCP6 fe80::1", "%eth0 "},
      {"v1 ipv6 brackets", "PROXY TCP6 ", "[::1] "},
      {"v1 quad where inet_ntop prints none", "PROXY TCP6 2001:db8::1", ".2.3.4 "},
      {"v1 quad after another prefix", "PROXY TCP6 ::fffe:1", ".2.3.4 "},
      {"v1 quad of large numbers", "PROXY TCP6 ::ffff:256", ".2.3.4 "},
      {"v1 quad and a group", "PROXY TCP6 ::ffff:1.2.3.4", ":5 "},
      {"v1 mixed families", "PROXY TCP4 1.2.3.4 ", "::1 1 2\r\n"},
      {"v1 unknown runs on", "PROXY UNKNOWN", "S\r\n"},
      {"v1 unknown, LF alone", "PROXY UNKNOWN", "\n"},
      {"v1 unknown, CR alone", "PROXY UNKNOWN\r", "\r\n"},
      {"v1 unknown, too long", "PROXY UNKNOWN " + std::string(91, '?'), "?\r\n"},
      {"v1 unknown, too long by the LF", "PROXY UNKNOWN " + std::string(91, '?') + "\r", "\r\n"},

      {"v2 wrong signature", "\r\n\r\n\0\r\nQU"s, "OT\n"},
      {"v2 version 1", signature, "\x11"},
      {"v2 version 3", signature, "\x31"},
      {"v2 no such command", signature, "\x22"},
      {"v2 datagram over ipv4", proxied, "\x12"},
      {"v2 datagram over ipv6", proxied, "\x22"},
      {"v2 datagram over unix", proxied, "\x32"},
      {"v2 no such transport", proxied, "\x13"},
      {"v2 no such family", proxied, "\x41"},
      {"v2 no such family, unspecified transport", proxied, "\x40"},
      {"v2 no addresses", tcp4 + "\0"s, "\0"s},
      {"v2 ipv4 too short", tcp4 + "\0"s, "\x0b"},
      {"v2 ipv6 too short", proxied + "\x21\0"s, "\x23"},
      {"v2 unix too short", proxied + "\x31\0"s, "\xd7"},
      {"v2 too long", tcp4 + "\x0f"s, "\xf1"},
      {"v2 much too long", tcp4, "\x10"},
      {"v2 local, too long", local + "\0\x0f"s, "\xf1"},
      {"v2 one byte is no TLV", tcp4 + "\0"s, "\x0d"},
      {"v2 two bytes are no TLV", tcp4 + "\0"s, "\x0e"},
      {"v2 TLV longer than the header", head4(3) + "\x04\0"s, "\x01"},
      {"v2 TLV much longer than the header", head4(30) + "\x04"s, "\x01"},
      {"v2 TLV leaves one byte", head4(4) + "\x04\0"s, "\0?"s},
      {"v2 second TLV longer than the header", head4(7) + "\x04\0\x01?\x04\0"s, "\x01"},
      {"v2 no room for a checksum", head4(6), "\x03"},
      {"v2 checksum leaves one byte", head4(8), "\x03"},
      {"v2 checksum of 3 bytes", head4(20) + "\x03\0"s, "\x03"},
      {"v2 checksum of 5 bytes", head4(20) + "\x03\0"s, "\x05"},
      {"v2 checksum of 260 bytes", head4(400) + "\x03"s, "\x01"},
      {"v2 two checksums", head4(14) + "\x03\0\x04"s + "abcd", "\x03"},
      {"v2 wrong checksum", checksummed.substr(0, checksummed.size() - 1), "\x04"},
  };
}

TEST(ProxyProtocol, RefusesBadHeadersAtTheFirstWrongByte) {
  for (const Bad& bad : bad_headers()) {
    SCOPED_TRACE(bad.name);
    for (size_t size = 0; size <= bad.possible.size(); ++size) {
      ASSERT_EQ(parse(bad.possible.substr(0, size)).status, Status::need_more) << "of " << size << " bytes";
    }
    for (size_t size = 1; size <= bad.fatal.size(); ++size) {
      ASSERT_EQ(parse(bad.possible + bad.fatal.substr(0, size)).status, Status::bad) << "of " << size << " bytes more";
    }
    ASSERT_EQ(parse(bad.possible + bad.fatal + std::string(200, '\n')).status, Status::bad);
  }
}

// A checksum is of every byte before and after it.
TEST(ProxyProtocol, ChecksumCoversEveryByte) {
  const std::string header =
      hex("0d0a0d0a000d0a515549540a211100257f0000017f000001e3bcb9e1030004862434a905000f3132372e302e302e312d3538333030");
  ASSERT_EQ(parse(header).status, Status::done);
  for (size_t at = 16; at < header.size(); ++at) {
    if (at == 28) continue;  // Its own type: what is no checksum any more is not compared.
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = header;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      EXPECT_NE(parse(changed).status, Status::done) << "byte " << at << ", bit " << bit;
    }
  }
}

// "Still possible" is meant: from any such place there is a next byte that keeps it possible. As a line cannot grow for
// ever, it ends as a header.
TEST(ProxyProtocol, WhateverIsNotBadCanBecomeGood) {
  Random random(20240601);
  std::array<int, 3> ends{};  // TCP4, TCP6, UNKNOWN
  for (int walk = 0; walk < 30; ++walk) {
    std::string line = std::array{"PROXY TCP4 "s, "PROXY TCP6 "s, "PROXY UN"s}[static_cast<size_t>(walk) % 3];
    while (parse(line).status != Status::done) {
      ASSERT_LE(line.size(), proxy_line_size_max);
      std::string next;
      for (int byte = 0; byte < 256; ++byte) {
        if (parse(line + static_cast<char>(byte)).status != Status::bad) next.push_back(static_cast<char>(byte));
      }
      ASSERT_FALSE(next.empty()) << line;
      line.push_back(next[random.below(next.size())]);
    }
    EXPECT_EQ(parse(line).size, line.size());
    ++ends[static_cast<size_t>(walk) % 3];
  }
  EXPECT_EQ(ends, (std::array{10, 10, 10}));
}

TEST(ProxyProtocol, WhateverIsNotBadCanBecomeGoodInBinary) {
  Random random(20240602);
  for (int walk = 0; walk < 20; ++walk) {
    std::string header = signature;
    while (parse(header).status != Status::done) {
      ASSERT_LE(header.size(), 16U + 255U);
      std::string next;
      for (int byte = 0; byte < 256; ++byte) {
        if (header.size() == 14 && byte != 0) continue;  // Longer headers take longer and are no different.
        // The one promise it cannot keep: whether a checksum is right shows at the end.
        if (header.size() > 16 && byte == 3) continue;
        if (parse(header + static_cast<char>(byte)).status != Status::bad) next.push_back(static_cast<char>(byte));
      }
      ASSERT_FALSE(next.empty()) << "after " << header.size() << " bytes";
      header.push_back(next[random.below(next.size())]);
    }
    EXPECT_EQ(parse(header).size, header.size());
  }
}

// --- mutations ------------------------------------------------------------------------------------------------------

// Version 1 by other means: the whole line at hand, fields by splitting, addresses by the C library.
std::optional<std::pair<std::string, std::string>> reference(std::string_view text) {
  const size_t end = text.substr(0, proxy_line_size_max).find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  std::vector<std::string> fields{""};
  for (const char c : text.substr(0, end)) {
    if (c == ' ') {
      fields.emplace_back();
    } else {
      fields.back().push_back(c);
    }
  }
  if (fields.size() < 2 || fields[0] != "PROXY") return std::nullopt;
  if (fields[1] == "UNKNOWN") return std::pair{""s, ""s};
  if (fields.size() != 6 || (fields[1] != "TCP4" && fields[1] != "TCP6")) return std::nullopt;
  const auto side = [&](const std::string& host, const std::string& port) -> std::optional<std::string> {
    std::array<unsigned char, 16> bytes{};
    const int family = fields[1] == "TCP4" ? AF_INET : AF_INET6;
    if (host.find('\0') != std::string::npos || inet_pton(family, host.c_str(), bytes.data()) != 1) return std::nullopt;
    const bool digits = !port.empty() && port.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || port.size() > 5 || (port.size() > 1 && port[0] == '0') || std::stoi(port) > 65535) {
      return std::nullopt;
    }
    std::array<char, INET6_ADDRSTRLEN> canonical{};
    inet_ntop(family, bytes.data(), canonical.data(), canonical.size());
    const std::string_view printed = canonical.data();
    if (family == AF_INET) return std::string{printed} + ":" + port;
    if (printed.starts_with("::ffff:") && printed.find('.') != std::string::npos) {
      return std::string{printed.substr(7)} + ":" + port;
    }
    return "[" + std::string{printed} + "]:" + port;
  };
  const auto source = side(fields[2], fields[4]);
  const auto destination = side(fields[3], fields[5]);
  if (!source || !destination) return std::nullopt;
  return std::pair{*source, *destination};
}

std::string mutated(std::string text, Random& random, std::string_view alphabet) {
  for (uint64_t changes = 1 + random.below(3); changes > 0 && !text.empty(); --changes) {
    const size_t at = random.below(text.size());
    const char byte = alphabet.empty() ? static_cast<char>(random.next()) : alphabet[random.below(alphabet.size())];
    switch (random.below(5)) {
      case 0: text[at] = byte; break;
      case 1: text.insert(at, 1, byte); break;
      case 2: text.erase(at, 1); break;
      case 3: text[at] = static_cast<char>(text[at] ^ (1 << random.below(8))); break;
      default: text.insert(at, text.substr(random.below(text.size()), random.below(8))); break;
    }
  }
  return text;
}

// Whatever comes: first undecided, then decided for good, and the same for the same bytes however they are split.
void expect_consistent(const std::string& text) {
  ProxyParse decided;
  for (size_t size = 0; size <= text.size(); ++size) {
    const ProxyParse got = parse(text.substr(0, size));
    if (decided.status == Status::need_more) {
      if (got.status == Status::done) {
        ASSERT_EQ(got.size, size);
      }
      decided = got;
      continue;
    }
    ASSERT_EQ(got.status, decided.status) << size;
    if (got.status != Status::done) continue;
    ASSERT_EQ(got.size, decided.size);
    ASSERT_EQ(got.local, decided.local);
    ASSERT_EQ(got.source, decided.source);
    ASSERT_EQ(got.destination, decided.destination);
  }
}

TEST(ProxyProtocol, SurvivesMutations) {
  Random random(7);
  const std::vector<Good> headers = good_headers();
  std::array<int, 3> verdicts{};
  for (int round = 0; round < 4000; ++round) {
    const std::string& header = headers[random.below(headers.size())].header;
    if (header.size() > 300) continue;  // They have their splits tested; here they would only be slow.
    const std::string text = mutated(header, random, "") + "GET / HTTP/1.1\r\n";
    ASSERT_NO_FATAL_FAILURE(expect_consistent(text)) << testing::PrintToString(text);
    ++verdicts[static_cast<size_t>(parse(text).status)];
  }
  for (const int count : verdicts) EXPECT_GT(count, 20);  // All three were met.
}

TEST(ProxyProtocol, AgreesWithASlowReferenceOnMutatedLines) {
  Random random(11);
  std::vector<std::string> lines;
  for (const Good& good : good_headers()) {
    if (good.header.starts_with("PROXY TCP")) lines.push_back(good.header);
  }
  int good_ones = 0;
  for (int round = 0; round < 100'000; ++round) {
    const std::string text = mutated(lines[random.below(lines.size())], random, "0123456789abcfF::.. \r\n");
    // The C library accepts a dotted quad after any six groups.
    if (text.starts_with("PROXY TCP6") && text.find('.') != std::string::npos) continue;
    const auto expected = reference(text);
    const ProxyParse got = parse(text);
    ASSERT_EQ(got.status == Status::done, expected.has_value()) << testing::PrintToString(text);
    if (!expected) continue;
    ++good_ones;
    ASSERT_EQ(got.source.to_string(), expected->first);
    ASSERT_EQ(got.destination.to_string(), expected->second);
  }
  EXPECT_GT(good_ones, 5'000);
}

// --- writing --------------------------------------------------------------------------------------------------------

PeerAddress peer(const char* text) {
  return SocketAddress::parse(text).value().peer();
}

std::string written(ProxyHeader version, const PeerAddress& source, const PeerAddress& destination) {
  std::array<std::byte, proxy_line_size_max> out{};
  const uint32_t size = write_proxy_header(version, source, destination, out);
  return {reinterpret_cast<const char*>(out.data()), size};
}

TEST(ProxyProtocol, Writes) {
  const PeerAddress from4 = peer("10.1.2.3:56324");
  const PeerAddress to4 = peer("192.168.0.11:443");
  const PeerAddress from6 = peer("[2001:db8::1]:56324");
  const PeerAddress to6 = peer("[2001:db8::ff]:443");
  const PeerAddress local = peer("unix:/run/x.sock");
  const std::string nobody = signature + "\x20\0\0\0"s;

  EXPECT_EQ(written(ProxyHeader::v1, from4, to4), "PROXY TCP4 10.1.2.3 192.168.0.11 56324 443\r\n");
  EXPECT_EQ(written(ProxyHeader::v1, from6, to6), "PROXY TCP6 2001:db8::1 2001:db8::ff 56324 443\r\n");
  EXPECT_EQ(written(ProxyHeader::v1, from4, to6), "PROXY TCP6 ::ffff:a01:203 2001:db8::ff 56324 443\r\n");
  EXPECT_EQ(written(ProxyHeader::v1, from6, to4), "PROXY TCP6 2001:db8::1 ::ffff:c0a8:b 56324 443\r\n");
  EXPECT_EQ(written(ProxyHeader::v1, local, to4), "PROXY UNKNOWN\r\n");
  EXPECT_EQ(written(ProxyHeader::v1, local, local), "PROXY UNKNOWN\r\n");
  EXPECT_EQ(written(ProxyHeader::v1, from4, PeerAddress{}), "PROXY UNKNOWN\r\n");

  EXPECT_EQ(written(ProxyHeader::v2, from4, to4), v2(0x21, 0x11, addresses4));
  EXPECT_EQ(written(ProxyHeader::v2, from6, to6), v2(0x21, 0x21, addresses6));
  EXPECT_EQ(written(ProxyHeader::v2, from4, to6),
            v2(0x21, 0x21, hex("00000000000000000000ffff0a010203") + addresses6.substr(16)));
  EXPECT_EQ(written(ProxyHeader::v2, local, to4), nobody);
  EXPECT_EQ(written(ProxyHeader::v2, from6, local), nobody);
  EXPECT_EQ(written(ProxyHeader::v2, PeerAddress{}, to4), nobody);

  EXPECT_EQ(written(ProxyHeader::off, from4, to4), "");
}

TEST(ProxyProtocol, LongestLineFits) {
  const PeerAddress longest = peer("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
  EXPECT_EQ(written(ProxyHeader::v1, longest, longest).size(), 104U);
}

TEST(ProxyProtocol, ReadsWhatItWrote) {
  Random random(3);
  const auto some = [&] {
    PeerAddress address = PeerAddress::ipv4(static_cast<uint32_t>(random.next()), static_cast<uint16_t>(random.next()));
    if (random.below(2) == 0) return address;
    address.family = PeerAddress::Family::ipv6;
    // Many zero groups: the places of "::" are what can go wrong.
    for (size_t i = 0; i < 16; i += 2) {
      address.bytes[i] = 0;
      address.bytes[i + 1] = random.below(2) == 0 ? uint8_t{0} : static_cast<uint8_t>(random.next());
    }
    address.bytes[0] = 0x20;
    return address;
  };
  for (int round = 0; round < 5000; ++round) {
    const PeerAddress source = some();
    const PeerAddress destination = some();
    for (const ProxyHeader version : {ProxyHeader::v1, ProxyHeader::v2}) {
      const std::string header = written(version, source, destination);
      const ProxyParse got = parse(header + "x");
      ASSERT_EQ(got.status, Status::done) << testing::PrintToString(header);
      ASSERT_EQ(got.size, header.size());
      ASSERT_EQ(got.source, source);
      ASSERT_EQ(got.destination, destination);
    }
  }
}

TEST(ProxyProtocolDeathTest, WantsRoomForTheLongestHeader) {
  std::array<std::byte, proxy_line_size_max - 1> out{};
  const PeerAddress someone = peer("10.1.2.3:1");
  EXPECT_DEATH(write_proxy_header(ProxyHeader::v2, someone, someone, out), "assertion failed");
}

}  // namespace
}  // namespace weir
