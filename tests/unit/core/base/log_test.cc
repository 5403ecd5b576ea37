#include "core/base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/base/fd.h"

namespace weir {
namespace {

using std::chrono::milliseconds;

// 2023-11-14T22:13:20.007Z
constexpr milliseconds some_time{1'700'000'000'007};

std::string text_line(std::string_view message, std::initializer_list<LogField> fields = {}) {
  return format_log_line(LogFormat::text, some_time, LogLevel::info, "control", message, fields);
}
std::string json_line(std::string_view message, std::initializer_list<LogField> fields = {}) {
  return format_log_line(LogFormat::json, some_time, LogLevel::info, "control", message, fields);
}

std::string escaped(std::string_view text) {
  std::string out;
  append_json_escaped(out, text);
  return out;
}

TEST(Log, WritesTextForEyes) {
  EXPECT_EQ(text_line("listening", {{"address", "127.0.0.1:80"}, {"workers", 2}}),
            "2023-11-14T22:13:20.007Z info  control: listening address=127.0.0.1:80 workers=2");
}

TEST(Log, WritesJsonForMachines) {
  EXPECT_EQ(json_line("listening", {{"address", "127.0.0.1:80"}, {"workers", 2}}),
            R"({"time":"2023-11-14T22:13:20.007Z","level":"info","area":"control","message":"listening",)"
            R"("address":"127.0.0.1:80","workers":2})");
  EXPECT_EQ(json_line("ready"),
            R"({"time":"2023-11-14T22:13:20.007Z","level":"info","area":"control","message":"ready"})");
}

TEST(Log, AlignsLevelsOfDifferentLength) {
  const auto line = [](LogLevel level) {
    return format_log_line(LogFormat::text, milliseconds{0}, level, "a", "m", {});
  };
  EXPECT_EQ(line(LogLevel::debug), "1970-01-01T00:00:00.000Z debug a: m");
  EXPECT_EQ(line(LogLevel::info), "1970-01-01T00:00:00.000Z info  a: m");
  EXPECT_EQ(line(LogLevel::warn), "1970-01-01T00:00:00.000Z warn  a: m");
  EXPECT_EQ(line(LogLevel::error), "1970-01-01T00:00:00.000Z error a: m");
}

TEST(Log, ShowsEveryMillisecondAsItIs) {
  for (int64_t ms = 0; ms < 1000; ++ms) {
    const std::string line =
        format_log_line(LogFormat::text, milliseconds{1'700'000'000'000 + ms}, LogLevel::info, "a", "m", {});
    std::string fraction = std::to_string(1000 + ms);
    fraction[0] = '.';
    ASSERT_EQ(line.substr(19, 5), fraction + "Z");
  }
}

TEST(Log, WritesEachTypeOfValue) {
  const std::string name = "web";
  EXPECT_EQ(text_line("m", {{"s", name},
                            {"view", std::string_view{"v"}},
                            {"negative", -5},
                            {"small", uint8_t{200}},
                            {"large", std::numeric_limits<uint64_t>::max()},
                            {"least", std::numeric_limits<int64_t>::min()},
                            {"ratio", 0.25},
                            {"yes", true},
                            {"no", false}}),
            "2023-11-14T22:13:20.007Z info  control: m s=web view=v negative=-5 small=200 large=18446744073709551615 "
            "least=-9223372036854775808 ratio=0.25 yes=true no=false");
}

TEST(Log, JsonHasNoWordForWhatIsNoNumber) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(json_line("m", {{"a", infinity}, {"b", -infinity}, {"c", std::nan("")}, {"d", 1.5}})
                  .ends_with(R"("message":"m","a":null,"b":null,"c":null,"d":1.5})"));
}

TEST(Log, TextQuotesWhatAReaderCouldNotDelimit) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"plain", "v=plain"},
      {"", "v=\"\""},
      {"two words", "v=\"two words\""},
      {"a=b", "v=\"a=b\""},
      {"say \"hi\"", R"(v="say \"hi\"")"},
      {R"(back\slash)", R"(v="back\\slash")"},
      {"two\nlines", R"(v="two\nlines")"},
      {"\x1b[31m", R"(v=\u001b[31m)"},
  };
  for (const auto& [value, expected] : table) {
    EXPECT_EQ(text_line("m", {{"v", value}}), "2023-11-14T22:13:20.007Z info  control: m " + expected);
  }
}

TEST(Log, AMessageCannotEndItsLineNorPaintTheTerminal) {
  EXPECT_EQ(text_line("cannot read \"x\"\r\n2023 error: forged\x1b[2J\x7f"),
            R"(2023-11-14T22:13:20.007Z info  control: cannot read "x"\r\n2023 error: forged\u001b[2J\u007f)");
}

TEST(Log, JsonEscapesControlCharactersInEveryPlace) {
  EXPECT_EQ(format_log_line(LogFormat::json, some_time, LogLevel::error, "a\"b", "c\\d\n", {{"k\t", "v\x01"}}),
            R"({"time":"2023-11-14T22:13:20.007Z","level":"error","area":"a\"b","message":"c\\d\n","k\t":"v\u0001"})");
  for (int c = 0; c < 0x20; ++c) {
    for (const char out : escaped(std::string(1, static_cast<char>(c)))) EXPECT_GE(out, 0x20) << c;
  }
}

TEST(Log, KeepsUtf8AndReplacesWhatIsNot) {
  const std::string bad = "\xef\xbf\xbd";  // U+FFFD
  const std::vector<std::pair<std::string, std::string>> table{
      {"caf\xc3\xa9", "caf\xc3\xa9"},
      {"\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf"},                  // the shortest and longest of two bytes
      {"\xe0\xa0\x80\xef\xbf\xbf", "\xe0\xa0\x80\xef\xbf\xbf"},  // of three
      {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},  // of four
      {"\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80"},                  // around the surrogates
      {"\x80z", bad + "z"},                                                      // a continuation of nothing
      {"\xffz", bad + "z"},                                                      // no lead byte at all
      {"\xc0\xafz", bad + bad + "z"},                                            // an overlong slash
      {"\xe0\x80\xafz", bad + bad + bad + "z"},                                  // and a longer one
      {"\xed\xa0\x80z", bad + bad + bad + "z"},                                  // a surrogate
      {"\xf4\x90\x80\x80z", bad + bad + bad + bad + "z"},                        // above U+10FFFF
      {"\xc3", bad},                                                             // cut off
      {"\xc3\"", bad + "\\\""},                                                  // the quote is still a quote
      {"\xf0\x9f\x98", bad + bad + bad},
  };
  for (const auto& [text, expected] : table) EXPECT_EQ(escaped(text), expected);
}

TEST(Log, WritesOnlyWhatIsEnabledAndEachLineInOnePiece) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK | O_DIRECT), 0);  // a packet per write(2)
  const Fd reading{ends[0]};
  const Fd writing{ends[1]};
  const Log log{LogLevel::warn, LogFormat::text, writing.get()};
  EXPECT_FALSE(log.enabled(LogLevel::info));
  EXPECT_TRUE(log.enabled(LogLevel::warn));
  log.debug("a", "not this");
  log.info("a", "nor this");
  log.warn("a", "one", {{"n", 1}});
  log.error("a", "two");
  log.print("as it\nis");
  log.print("ended\n");

  std::array<char, 512> packet{};
  const auto next = [&] {
    const ssize_t size = ::read(reading.get(), packet.data(), packet.size());
    return size > 0 ? std::string{packet.data(), static_cast<size_t>(size)} : std::string{};
  };
  EXPECT_TRUE(next().ends_with("Z warn  a: one n=1\n"));
  EXPECT_TRUE(next().ends_with("Z error a: two\n"));
  EXPECT_EQ(next(), "as it\nis\n");
  EXPECT_EQ(next(), "ended\n");
  EXPECT_EQ(next(), "");
}

TEST(Log, WithNowhereToWriteLosesTheLineAndGoesOn) {
  const Log log{LogLevel::info, LogFormat::json, -1};
  log.info("a", "lost");
}

}  // namespace
}  // namespace weir
