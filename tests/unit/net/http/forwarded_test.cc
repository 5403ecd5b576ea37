#include "net/http/forwarded.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "core/base/random.h"

namespace weir::http {
namespace {

std::string forwarded(const ForwardedElement& element) {
  std::array<char, 256> room{};
  return {room.data(), write_forwarded(element, room)};
}

TEST(Forwarded, WritesOneElement) {
  struct Case {
    ForwardedElement element;
    const char* text;
  };
  const Case cases[] = {
      {{"192.0.2.60", "http", "example.com"}, "for=192.0.2.60;proto=http;host=example.com"},
      {{"192.0.2.60", "https", "example.com:8080"}, "for=192.0.2.60;proto=https;host=\"example.com:8080\""},
      {{"2001:db8::17", "http", "[::1]"}, "for=\"[2001:db8::17]\";proto=http;host=\"[::1]\""},
      {{"::ffff:10.0.0.1", "", ""}, "for=\"[::ffff:10.0.0.1]\""},
      {{"local", "http", ""}, "for=unknown;proto=http"},
      {{"", "", ""}, "for=unknown"},
      {{"10.0.0.1;by=x", "", ""}, "for=unknown"},
      {{"10.0.0.1", "", "a\"b\\c"}, "for=10.0.0.1;host=\"a\\\"b\\\\c\""},
      {{"10.0.0.1", "", "a;b"}, "for=10.0.0.1;host=\"a;b\""},
      {{"10.0.0.1", "http", "a\r\nb"}, "for=10.0.0.1;proto=http"},
      {{"10.0.0.1", "http", std::string_view{"a\0b", 3}}, "for=10.0.0.1;proto=http"},
      {{"10.0.0.1", "http", "a\x7f"}, "for=10.0.0.1;proto=http"},
  };
  for (const Case& c : cases) EXPECT_EQ(forwarded(c.element), c.text);
}

TEST(Forwarded, IsNothingWithoutRoom) {
  const ForwardedElement element{"2001:db8::17", "http", "example.com:80"};
  const std::string whole = forwarded(element);
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto room = std::make_unique<char[]>(size);  // exactly so much, for the address sanitizer
    EXPECT_EQ(write_forwarded(element, {room.get(), size}), 0U) << size;
  }
  std::string exact(whole.size(), '?');
  EXPECT_EQ(write_forwarded(element, exact), whole.size());
  EXPECT_EQ(exact, whole);
}

TEST(ForwardingName, IsComparedAsCgiWould) {
  for (const char* name :
       {"x-forwarded-for", "X-Forwarded-For", "X_Forwarded_For", "x-Forwarded_for", "X_FORWARDED-PROTO",
        "x-forwarded-host", "X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded-Ssl", "Forwarded", "FORWARDED",
        "X-Real-IP", "x_real_ip", "X-Request-Id", "X_Request_ID", "X.Forwarded.For"}) {
    EXPECT_TRUE(is_forwarding_name(name)) << name;
  }
  for (const char* name :
       {"", "via", "Via", "host", "x-forwarded", "x-forwarded-fo", "x-forwarded-forx", "xforwardedfor",
        "x--forwarded-for", "-x-forwarded-for", "forwarded-", "x-request", "x-real-ip2"}) {
    EXPECT_FALSE(is_forwarding_name(name)) << name;
  }
}

TEST(IpAddress, IsWhatTheCLibraryTakes) {
  const auto expected = [](const std::string& text) {
    in6_addr room{};
    return inet_pton(AF_INET, text.c_str(), &room) == 1 || inet_pton(AF_INET6, text.c_str(), &room) == 1;
  };
  for (const char* text : {"0.0.0.0",
                           "255.255.255.255",
                           "256.0.0.1",
                           "1.2.3",
                           "1.2.3.4.5",
                           "01.2.3.4",
                           "1.2.3.4.",
                           ".1.2.3.4",
                           "1..2.3",
                           "::",
                           "::1",
                           "1::",
                           ":",
                           ":::",
                           "1:2:3:4:5:6:7:8",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7::",
                           "::2:3:4:5:6:7:8",
                           "1::2:3:4:5:6:7",
                           "1:2:3:4::5:6:7:8",
                           "1::2::3",
                           "12345::",
                           "g::",
                           "::ffff:1.2.3.4",
                           "::1.2.3.4:5",
                           "1.2.3.4::",
                           "1:2:3:4:5:6:1.2.3.4",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "1:2:3:4:5:1.2.3.4",
                           "1:",
                           ":1",
                           "1:2:3:4:5:6:7:8:",
                           ":1:2:3:4:5:6:7:8",
                           "fe80::1%eth0",
                           "",
                           " 1.2.3.4",
                           "1.2.3.4 ",
                           "::1.2.3.256"}) {
    EXPECT_EQ(is_ip_address(text), expected(text)) << text;
  }
  Random random(29);
  const std::string_view alphabet = "0129af.:::";
  int addresses = 0;
  for (int round = 0; round < 500'000; ++round) {
    std::string text;
    for (uint64_t length = random.below(20); length > 0; --length) text += alphabet[random.below(alphabet.size())];
    ASSERT_EQ(is_ip_address(text), expected(text)) << text;
    addresses += is_ip_address(text) ? 1 : 0;
  }
  EXPECT_GT(addresses, 1000);
}

bool is_in_ten(std::string_view address) {
  return address.starts_with("10.") || address == "fd00::1";
}

TEST(FirstUntrusted, WalksFromTheRight) {
  struct Case {
    const char* value;
    const char* client;
  };
  const Case cases[] = {
      {"203.0.113.7", "203.0.113.7"},
      {"203.0.113.7, 10.0.0.1", "203.0.113.7"},
      {"203.0.113.7,10.0.0.1,10.0.0.2", "203.0.113.7"},
      // What a client has written itself stands left of what the first trusted proxy says of it.
      {"1.1.1.1, 203.0.113.7, 10.0.0.1", "203.0.113.7"},
      {"10.9.9.9, 203.0.113.7", "203.0.113.7"},
      {"10.0.0.3, 10.0.0.2, 10.0.0.1", "10.0.0.3"},
      {"203.0.113.7:4711, 10.0.0.1:80", "203.0.113.7"},
      {"2001:db8::1, fd00::1", "2001:db8::1"},
      {"[2001:db8::1]:4711, [fd00::1]", "2001:db8::1"},
      {"\"[2001:db8::1]:4711\", \"10.0.0.1\"", "2001:db8::1"},
      {" , 203.0.113.7 ,, 10.0.0.1 , ", "203.0.113.7"},
      // Nothing left of something that is no address can be believed.
      {"203.0.113.7, unknown, 10.0.0.1", "10.0.0.1"},
      {"203.0.113.7, 10.0.0.1, unknown", ""},
      {"203.0.113.7, 10.0.0.999", ""},
      {"203.0.113.7, [fd00::1, 10.0.0.1", "10.0.0.1"},
      {"203.0.113.7, [fd00::1]x, 10.0.0.1", "10.0.0.1"},
      {"203.0.113.7, [10.0.0.3], 10.0.0.1", "10.0.0.1"},
      {"203.0.113.7, 10.0.0.2:http, 10.0.0.1", "10.0.0.1"},
      {"203.0.113.7, 10.0.0.2:, 10.0.0.1", "10.0.0.1"},
      {"203.0.113.7 10.0.0.1", ""},
      {"", ""},
      {" , ,", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(first_untrusted(c.value, is_in_ten), c.client) << c.value;
}

TEST(FirstUntrusted, AsksNobodyBeyondTheClient) {
  std::vector<std::string> asked;
  first_untrusted("1.1.1.1, 2.2.2.2, 10.0.0.2, 10.0.0.1", [&](std::string_view address) {
    asked.emplace_back(address);
    return is_in_ten(address);
  });
  EXPECT_EQ(asked, (std::vector<std::string>{"10.0.0.1", "10.0.0.2", "2.2.2.2"}));
}

TEST(FirstUntrusted, TakesSeveralFieldsForOneList) {
  const auto client_of = [](const std::vector<std::string_view>& values) {
    const auto fields = std::make_unique<Fields>();
    fields->add({"Host", "9.9.9.9", FieldId::host});
    for (const std::string_view value : values) {
      fields->add({"X-Forwarded-For", value, FieldId::x_forwarded_for});
      fields->add({"X-Other", "8.8.8.8", FieldId::other});
    }
    return std::string{first_untrusted(*fields, is_in_ten)};
  };
  EXPECT_EQ(client_of({}), "");
  EXPECT_EQ(client_of({"203.0.113.7"}), "203.0.113.7");
  EXPECT_EQ(client_of({"1.1.1.1, 203.0.113.7", "10.0.0.2", "10.0.0.1"}), "203.0.113.7");
  EXPECT_EQ(client_of({"203.0.113.7", "1.1.1.1, 10.0.0.1"}), "1.1.1.1");
  EXPECT_EQ(client_of({"10.0.0.3", "", "10.0.0.2"}), "10.0.0.3");
  EXPECT_EQ(client_of({"203.0.113.7", "nobody", "10.0.0.1"}), "10.0.0.1");
  EXPECT_EQ(client_of({"203.0.113.7", "nobody"}), "");
}

}  // namespace
}  // namespace weir::http
