// What each kind of HTTP takes, keeps and refuses. The sentences of refusals are in tests/fixtures/config/bad.
#include "core/config/http_kinds.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace weir::config {
namespace {

// Every text is read, and shown again as the second of its pair, which is read to the same.
template <class Kind, class T>
void expect_taken(const Kind& kind, const T& empty, const std::vector<std::pair<std::string, std::string>>& table) {
  for (const auto& [text, shown] : table) {
    T value = empty;
    const auto mistake = kind.read(text, value);
    ASSERT_FALSE(mistake) << text << ": " << mistake->message;
    EXPECT_EQ(kind.show(value), shown) << text;
    T again = empty;
    EXPECT_FALSE(kind.read(shown, again)) << shown;
    EXPECT_EQ(kind.show(again), shown);
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
    EXPECT_EQ(kind.show(value), kind.show(before)) << text;
  }
}

const std::string line_end_attack = "a\r\nSet-Cookie: b";

TEST(HttpKinds, Hosts) {
  expect_taken(HostPattern{}, std::string{},
               {{"example.com", "example.com"},
                {"EXAMPLE.com", "example.com"},
                {"example.com.", "example.com"},
                {"*.Example.com", "*.example.com"},
                {"a_b-c.d", "a_b-c.d"},
                {"localhost", "localhost"},
                {"10.0.0.1", "10.0.0.1"},
                {"[::1]", "[::1]"},
                {"[FD00::1]", "[fd00::1]"},
                {std::string(253, 'a'), std::string(253, 'a')}});
  expect_refused(HostPattern{}, std::string{"kept"},
                 {"",
                  ".",
                  "..",
                  "*",
                  "*.",
                  "*.*",
                  "*.a.*",
                  "a*",
                  "a.*.b",
                  "*a.b",
                  ".a",
                  "a..b",
                  "a.com:80",
                  "a/b",
                  "::1",
                  "[::1",
                  "[::1]x",
                  "[::1]:80",
                  "[10.0.0.1]",
                  "[]",
                  "[a]",
                  "a b",
                  "a,b",
                  "a@b",
                  "b\xc3\xbc.de",
                  line_end_attack,
                  std::string("a\0b", 3),
                  std::string(254, 'a')});
}

TEST(HttpKinds, Paths) {
  expect_taken(PathText{}, std::string{},
               {{"/", "/"},
                {"/a/b", "/a/b"},
                {"/v1/", "/v1/"},
                {"/%20;x=1,2@~!$&'()*+:", "/%20;x=1,2@~!$&'()*+:"},
                {"//", "//"}});
  expect_refused(PathText{}, std::string{"/kept"},
                 {"", "a", "*", "/a?b", "/a#b", "/a b", "/\xc3\xa9", "http://a/b", "/a\x7f", "/" + line_end_attack,
                  "/" + std::string(4096, 'a')});
}

TEST(HttpKinds, RegularExpressions) {
  expect_taken(Regex{}, std::string{}, {{"^/a$", "^/a$"}, {"(?i)bot", "(?i)bot"}, {"\\.(png|css)$", "\\.(png|css)$"}});
  expect_refused(Regex{}, std::string{"kept"},
                 {"", "(", ")", "[a", "a**", "(?=a)", "(?<!a)", "(a)\\1", "a{1001}", std::string(4097, 'a')});
  std::string value;
  EXPECT_EQ(Regex{}.read("^/a[b", value)->where, "[b");
  EXPECT_EQ(Regex{}.read("a(?=b)", value)->where, "(?=");
}

TEST(HttpKinds, Methods) {
  expect_taken(MethodName{}, std::string{},
               {{"GET", "GET"}, {"PURGE", "PURGE"}, {"purge", "purge"}, {"M-SEARCH", "M-SEARCH"}});
  expect_refused(MethodName{}, std::string{"GET"}, {"", "get", "Post", "A B", "GET,HEAD", "*/*", line_end_attack});
}

TEST(HttpKinds, NamesOfHeadersThatRulesMayChange) {
  for (const HeadOf head : {HeadOf::request, HeadOf::answer}) {
    expect_taken(RuledHeader{head}, std::string{},
                 {{"X-Env", "X-Env"},
                  {"server", "server"},
                  {"Set-Cookie", "Set-Cookie"},
                  {"X-Forwarded-For", "X-Forwarded-For"}});
    expect_refused(
        RuledHeader{head}, std::string{"Kept"},
        {"", "a b", "a:", ":path", "\xc3\xa9", line_end_attack, "Host", "HOST", "connection", "Content-Length",
         "Transfer-Encoding", "TE", "te", "Trailer", "Upgrade", "Keep-Alive", "Proxy-Connection"});
  }
}

TEST(HttpKinds, HeaderLines) {
  const HeaderLine kind{HeadOf::request, true};
  const std::vector<HeaderLineConfig> none;
  expect_taken(kind, none,
               {{"X-Env: prod", "X-Env: prod"},
                {"X-Env:prod", "X-Env: prod"},
                {"X-Env: \t a: b \t", "X-Env: a: b"},
                {"X-Empty:", "X-Empty: "},
                {"X-Route: {route}", "X-Route: {route}"}});
  expect_refused(kind, none,
                 {"", "X", ": a", "X : a", " X: a", "Host: a", "X: {nothing}", "X: " + line_end_attack, "X: a\nb",
                  std::string("X: a\0b", 6), "Content-Length: 3"});
  std::vector<HeaderLineConfig> lines;
  EXPECT_FALSE(kind.read("X-A: 1", lines));
  EXPECT_TRUE(kind.read("x-a: 2", lines)) << "set twice";
  EXPECT_FALSE((HeaderLine{HeadOf::request, false}).read("x-a: 2", lines)) << "added twice";
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[1].name, "x-a");
}

TEST(HttpKinds, AHeaderIsRemovedOnceInWhateverCase) {
  std::vector<std::string> names;
  const Each kind{RuledHeader{HeadOf::request}};
  EXPECT_FALSE(kind.read("X-A", names));
  EXPECT_TRUE(kind.read("x-a", names));
  EXPECT_FALSE(kind.read("x-b", names));
  EXPECT_EQ(names, (std::vector<std::string>{"X-A", "x-b"}));
}

TEST(HttpKinds, Texts) {
  expect_taken(Text{"this", 0, 4}, std::string{}, {{"", ""}, {"a b", "a b"}, {"\xc3\xa9", "\xc3\xa9"}});
  expect_refused(Text{"this", 1, 4}, std::string{"kept"}, {"", "abcde", "a\nb", "a\x7f"});
  expect_taken(Body{}, std::string{},
               {{"", ""}, {"a\nb\n", "a\nb\n"}, {std::string(8192, 'a'), std::string(8192, 'a')}});
  expect_refused(Body{}, std::string{}, {std::string(8193, 'a')});
}

TEST(HttpKinds, MediaTypes) {
  expect_taken(MediaType{}, std::string{},
               {{"text/plain", "text/plain"},
                {"text/html; charset=utf-8", "text/html; charset=utf-8"},
                {"application/problem+json", "application/problem+json"}});
  expect_refused(MediaType{}, std::string{"a/b"},
                 {"", "text", "/", "a/", "/b", "a/b/c", "a b/c", "a/b;\nc", "a/b\r\nX: y"});
}

TEST(HttpKinds, StatusesOfRedirects) {
  expect_taken(RedirectStatus{}, uint16_t{0},
               {{"301", "301"}, {"302", "302"}, {"303", "303"}, {"307", "307"}, {"308", "308"}});
  expect_refused(RedirectStatus{}, uint16_t{302}, {"", "300", "304", "305", "200", "0308", "3o1", "+301"});
}

TEST(HttpKinds, PercentsArePartsOfAMillion) {
  const std::vector<std::pair<std::string_view, uint32_t>> table{
      {"100", 1'000'000},   {"10", 100'000},      {"0.5", 5'000},         {"0.0001", 1},
      {"33.3333", 333'333}, {"99.9999", 999'999}, {"100.0000", 1'000'000}};
  for (const auto& [text, parts] : table) {
    uint32_t value = 0;
    EXPECT_FALSE(Percent{}.read(text, value)) << text;
    EXPECT_EQ(value, parts) << text;
  }
  expect_taken(Percent{}, uint32_t{0}, {{"100", "100"}, {"0.50", "0.5"}, {"0.0001", "0.0001"}, {"010", "10"}});
  expect_refused(Percent{}, uint32_t{7},
                 {"", "0", "0.0", "100.0001", "101", "-1", "1e1", ".5", "5.", "1.2.3", "0.00001", "10%", "ten",
                  "4294967296", "99999999999999999999"});
}

TEST(HttpKinds, Keys) {
  expect_taken(KeyFrom{KeyFrom::Use::split}, KeySource{},
               {{"random", "random"},
                {"client_ip", "client_ip"},
                {"header:X-User", "header:X-User"},
                {"cookie:id", "cookie:id"},
                {"query:q", "query:q"}});
  expect_refused(KeyFrom{KeyFrom::Use::split}, KeySource{},
                 {"", "cookie", "cookie:", "cookie:a b", "header: a", "Cookie:a", "ip", "path"});
  expect_taken(KeyFrom{KeyFrom::Use::session}, KeySource{},
               {{"header:X-User", "header:X-User"}, {"cookie:JSESSIONID", "cookie:JSESSIONID"}});
  expect_refused(KeyFrom{KeyFrom::Use::session}, KeySource{KeySource::Kind::cookie, "kept"},
                 {"", "random", "client_ip", "query:q", "cookie:a;b"});
}

TEST(HttpKinds, ReasonsToTryAgain) {
  RetryOn on;
  for (const std::string_view text : {"connect", "reset", "timeout", "429", "500", "599"})
    EXPECT_FALSE(RetryReason{}.read(text, on)) << text;
  EXPECT_EQ(on, (RetryOn{.connect = true, .reset = true, .timeout = true, .statuses = {429, 500, 599}, .off = false}));
  EXPECT_EQ(RetryReason{}.show(on), "connect, reset, timeout, 429, 500, 599");
  expect_refused(RetryReason{}, on, {"", "connect", "429", "off", "430", "499", "600", "5xx", "503 ", "refused"});
  RetryOn off;
  EXPECT_FALSE(RetryReason{}.read("off", off));
  EXPECT_EQ(RetryReason{}.show(off), "off");
  EXPECT_TRUE(RetryReason{}.read("reset", off)) << "`off` stands alone";
}

TEST(HttpKinds, BlocksOfClients) {
  CidrSet set;
  EXPECT_FALSE(ClientBlock{}.read("10.0.0.0/8", set));
  EXPECT_FALSE(ClientBlock{}.read("::1", set));
  EXPECT_EQ(ClientBlock{}.show(set), "10.0.0.0/8, ::1/128");
  expect_refused(ClientBlock{}, set, {"", "all", "unix", "10.0.0.0/33", "10.1.1.1/8", "example.com"});
}

TEST(HttpKinds, NamesInVia) {
  expect_taken(ViaName{}, std::string{"weir"}, {{"edge-1.example", "edge-1.example"}, {"off", "off"}});
  expect_refused(ViaName{}, std::string{"weir"}, {"", "a b", "a,b", "a\r\nb", std::string(65, 'a')});
}

TEST(HttpKinds, AttributesOfCookies) {
  expect_taken(CookieDomain{}, std::string{"x"}, {{"", ""}, {"example.com", "example.com"}});
  expect_refused(CookieDomain{}, std::string{"x"}, {".example.com", ".", "a b", "a;b", "a\nb", std::string(254, 'a')});
  expect_taken(CookiePath{}, std::string{}, {{"/", "/"}, {"/app", "/app"}});
  expect_refused(CookiePath{}, std::string{"/"}, {"", "a", "/a;b", "/a b", "/a\nb"});
}

TEST(HttpKinds, SecretsAreNeverRepeated) {
  std::string value;
  EXPECT_FALSE(Secret{}.read("0123456789abcdef", value));
  EXPECT_EQ(value, "0123456789abcdef");
  EXPECT_EQ(Secret{}.show(value), "");
  for (const std::string& text : {std::string{"hunter2"}, std::string{}, std::string(1025, 'h')}) {
    const auto mistake = Secret{}.read(text, value);
    ASSERT_TRUE(mistake);
    EXPECT_EQ((mistake->message + mistake->fix + mistake->where).find("hunter"), std::string::npos);
    EXPECT_EQ(value, "0123456789abcdef");
  }
}

TEST(HttpKinds, PlacesOfLogs) {
  expect_taken(LogTarget{}, std::string{},
               {{"stdout", "stdout"},
                {"syslog", "syslog"},
                {"/var/log/a.log", "/var/log/a.log"},
                {"./a.log", "./a.log"},
                {"unix:/run/log", "unix:/run/log"}});
  expect_refused(LogTarget{}, std::string{"stdout"},
                 {"", "stderr", "Stdout", "a.log", "/var/log/", "unix:", "unix:a", "unix:/" + std::string(107, 'a'),
                  "/" + std::string(4095, 'a'), std::string("/a\0b", 4)});
}

TEST(HttpKinds, Booleans) {
  expect_taken(Boolean{}, false, {{"true", "true"}, {"false", "false"}});
  expect_refused(Boolean{}, true, {"", "yes", "no", "on", "off", "True", "FALSE", "1", "0", "maybe"});
  bool value = false;
  EXPECT_EQ(Boolean{}.read("Yes", value)->fix, "write `true`");
  EXPECT_EQ(Boolean{}.read("off", value)->fix, "write `false`");
  EXPECT_EQ(Boolean{}.read("maybe", value)->fix, "write `true` or `false`");
}

}  // namespace
}  // namespace weir::config
