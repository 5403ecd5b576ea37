// What each kind of health and resilience takes, keeps and refuses. The sentences of refusals are in
// tests/fixtures/config/bad.
#include "core/config/resilience_kinds.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace weir::config {
namespace {

struct Row {
  std::string text;
  std::string shown;
};

// Every text is read, and shown again as the second of its row, which is read to the same.
template <class Kind, class T>
void expect_taken(const Kind& kind, const T& empty, const std::vector<Row>& table) {
  for (const auto& [text, shown] : table) {
    T value = empty;
    const auto mistake = kind.read(text, value);
    ASSERT_FALSE(mistake) << text << ": " << mistake->message;
    EXPECT_EQ(kind.show(value), shown) << text;
    T again = empty;
    EXPECT_FALSE(kind.read(shown, again)) << shown;
    EXPECT_EQ(again, value) << shown;
  }
}

// Each is refused with a message and a fix, and leaves the value alone.
template <class Kind, class T>
void expect_refused(const Kind& kind, const T& before, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    T value = before;
    const auto mistake = kind.read(text, value);
    ASSERT_TRUE(mistake) << "`" << text << "`";
    EXPECT_FALSE(mistake->message.empty()) << text;
    EXPECT_FALSE(mistake->fix.empty()) << text;
    EXPECT_EQ(value, before) << text;
  }
}

const std::string line_end_attack = "a\r\nX: b";

TEST(ResilienceKinds, Targets) {
  expect_taken(RequestTarget{}, std::string{},
               {{"/", "/"},
                {"/a?b=c&d", "/a?b=c&d"},
                {"/%20", "/%20"},
                {"/" + std::string(4095, 'a'), "/" + std::string(4095, 'a')}});
  expect_refused(RequestTarget{}, std::string{"kept"},
                 {"", "a", "*", "/a b", "/#", "/\x7f", "/\xc3\xbc", "http://a/", "/" + line_end_attack,
                  "/" + std::string(4096, 'a')});
}

TEST(ResilienceKinds, Authorities) {
  expect_taken(Authority{}, std::string{},
               {{"example.com", "example.com"},
                {"Example.com:8080", "example.com:8080"},
                {"10.0.0.1", "10.0.0.1"},
                {"[::1]", "[::1]"},
                {"[FD00::1]:443", "[fd00::1]:443"},
                {"localhost:65535", "localhost:65535"}});
  expect_refused(Authority{}, std::string{"kept"},
                 {"", ":80", "a:", "a:0", "a:65536", "a:80:80", "::1", "[::1", "[::1]80", "[a]", "*.a", "a/b", "a b",
                  "user@a", "a..b", line_end_attack});
}

TEST(ResilienceKinds, ServerNames) {
  expect_taken(ServerName{}, std::string{},
               {{"Example.com", "example.com"}, {"a-b_c.d", "a-b_c.d"}, {"1.example", "1.example"}});
  expect_refused(ServerName{}, std::string{"kept"}, {"", "10.0.0.1", "[::1]", "a:443", "*.a", "a b"});
}

TEST(ResilienceKinds, Statuses) {
  std::vector<StatusRange> ranges;
  for (const char* text : {"200", "204-299", "599", "300-300"}) EXPECT_FALSE(Statuses{}.read(text, ranges)) << text;
  EXPECT_EQ(Statuses{}.show(ranges), "200, 204-299, 599, 300");
  EXPECT_EQ(ranges[1], (StatusRange{204, 299}));
  expect_refused(Statuses{}, ranges,
                 {"", "-", "199", "600", "100-200", "500-600", "400-", "-400", "2xx", "404-403", "200", "250",
                  "203-204", "299-301", "200-599", "0x1f4", "+400", "400 - 401", "99999999999999999999"});
  EXPECT_FALSE(Statuses{}.read("201-203", ranges));
}

TEST(ResilienceKinds, Commands) {
  std::vector<std::string> command;
  for (const char* word : {"/bin/test", "-n", "", "a b", "-n", "$HOME"})
    EXPECT_FALSE(CommandWord{}.read(word, command));
  EXPECT_EQ(command, (std::vector<std::string>{"/bin/test", "-n", "", "a b", "-n", "$HOME"}));
  expect_refused(CommandWord{}, std::vector<std::string>{},
                 {"", "test", "./test", "../test", "/bin/", "/bin/test -n", std::string("/bin/a\0b", 8),
                  "/" + std::string(4096, 'a')});
  expect_refused(CommandWord{}, command, {std::string("a\0b", 3), std::string(4097, 'a')});
  while (command.size() < 64) ASSERT_FALSE(CommandWord{}.read("x", command));
  expect_refused(CommandWord{}, command, {"x"});
}

TEST(ResilienceKinds, Probes) {
  ProbeKind kind = ProbeKind::tcp;
  EXPECT_FALSE(ProbeWord{}.read("exec", kind));
  EXPECT_EQ(kind, ProbeKind::exec);
  expect_refused(ProbeWord{}, ProbeKind::http, {"", "grpc", "agent", "https", "TCP", "ping"});
  expect_taken(ProbeMethod{}, std::string{}, {{"GET", "GET"}, {"HEAD", "HEAD"}, {"PROPFIND", "PROPFIND"}});
  expect_refused(ProbeMethod{}, std::string{"GET"}, {"", "CONNECT", "get", "G T", line_end_attack});
  expect_taken(Switch{}, false, {{"on", "on"}, {"off", "off"}});
  expect_refused(Switch{}, true, {"", "true", "yes", "On"});
  expect_taken(Bytes{"this", 4}, std::string{}, {{"", ""}, {"\r\n\t\x01", "\r\n\t\x01"}});
  expect_refused(Bytes{"this", 4}, std::string{"kept"}, {"12345"});
}

TEST(ResilienceKinds, WebhooksAreTakenApart) {
  struct Case {
    std::string text;
    WebhookUrl url;
  };
  const std::vector<Case> cases{
      {"http://example.com", {false, "example.com", 80, "/", "example.com"}},
      {"https://Example.com/", {true, "example.com", 443, "/", "example.com"}},
      {"https://example.com:443/a?b=c", {true, "example.com", 443, "/a?b=c", "example.com"}},
      {"https://example.com:80/a", {true, "example.com", 80, "/a", "example.com:80"}},
      {"http://10.0.0.1:8080?x=1", {false, "10.0.0.1", 8080, "/?x=1", "10.0.0.1:8080"}},
      {"http://[::1]:81/hook/%20", {false, "::1", 81, "/hook/%20", "[::1]:81"}},
      {"http://[FD00::1]", {false, "fd00::1", 80, "/", "[fd00::1]"}},
      {"http://a/@b:c", {false, "a", 80, "/@b:c", "a"}},
  };
  for (const Case& each : cases) {
    WebhookUrl url;
    const auto mistake = Webhook{}.read(each.text, url);
    ASSERT_FALSE(mistake) << each.text << ": " << mistake->message;
    EXPECT_EQ(url, each.url) << each.text;
  }
  expect_refused(Webhook{}, cases[0].url,
                 {"",
                  "example.com",
                  "HTTP://a",
                  "ftp://a",
                  "https:/a",
                  "https://",
                  "https:///a",
                  "https://:443/",
                  "http://a:0",
                  "http://a:b",
                  "http://u@a/",
                  "http://u:p@a/",
                  "http://::1/",
                  "http://*.a/",
                  "http://a/ b",
                  "http://a/#b",
                  "http://a#b",
                  "http://a?b#c",
                  "http://a/" + line_end_attack,
                  "http://a/" + std::string(4096, 'a')});
}

// Whoever knows it may use it.
TEST(ResilienceKinds, AWebhookIsNeverRepeated) {
  for (const std::string text : {"ftp://a/hidden", "https:///hidden", "https://hidden@a/", "https://a:hidden/",
                                 "https://a/hidden#x", "https://a/hid den", "http://a:1:2/hidden"}) {
    WebhookUrl url;
    const auto mistake = Webhook{}.read(text, url);
    ASSERT_TRUE(mistake) << text;
    EXPECT_EQ((mistake->message + mistake->fix).find("hid"), std::string::npos) << mistake->message;
  }
  WebhookUrl url;
  ASSERT_FALSE(Webhook{}.read("https://a/hidden", url));
  EXPECT_EQ(Webhook{}.show(url), "");
}

TEST(ResilienceKinds, RateKeys) {
  for (const char* text : {"all", "client_ip", "header:X-Key", "cookie:id", "query:q"}) {
    std::optional<KeySource> key{{KeySource::Kind::path, ""}};
    ASSERT_FALSE(RateKey{}.read(text, key)) << text;
    EXPECT_EQ(RateKey{}.show(key), text);
    EXPECT_EQ(key.has_value(), std::string{text} != "all");
  }
  for (const char* text : {"", "path", "random", "client_address", "header:", "header:a b", "cookie", "ALL"}) {
    std::optional<KeySource> key{{KeySource::Kind::query, "kept"}};
    const auto mistake = RateKey{}.read(text, key);
    ASSERT_TRUE(mistake) << text;
    EXPECT_FALSE(mistake->fix.empty());
    EXPECT_EQ(RateKey{}.show(key), "query:kept");
  }
}

}  // namespace
}  // namespace weir::config
