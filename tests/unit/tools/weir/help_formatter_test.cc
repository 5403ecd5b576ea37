#include "tools/weir/help_formatter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace weir {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

size_t widest_line(const std::string& text) {
  size_t widest = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    widest = std::max(widest, end - at);
    at = end + 1;
  }
  return widest;
}

TEST(HelpWrapping, LeavesWhatFits) {
  EXPECT_EQ(wrapped("", 10), "");
  EXPECT_EQ(wrapped("short", 10), "short");
  EXPECT_EQ(wrapped(std::string(70, 'x'), 10), std::string(70, 'x'));
}

TEST(HelpWrapping, BreaksAtTheLastSpaceThatFits) {
  const std::string word(34, 'x');
  EXPECT_EQ(wrapped(word + " " + word + "y", 10), word + " " + word + "y");  // 80 columns
  EXPECT_EQ(wrapped(word + " " + word + "yy", 10), word + "\n          " + word + "yy");
}

TEST(HelpWrapping, KeepsLineEnds) {
  EXPECT_EQ(wrapped("one\ntwo three", 4), "one\n    two three");
}

TEST(HelpWrapping, LeavesNoSpacesAtLineEnds) {
  const std::string word(70, 'x');
  EXPECT_EQ(wrapped(word + "  " + word + " ", 4), word + "\n    " + word);
}

TEST(HelpWrapping, DoesNotBreakAWord) {
  const std::string word(100, 'x');
  EXPECT_EQ(wrapped("a " + word + " b", 4), "a\n    " + word + "\n    b");
}

TEST(HelpFormatter, FitsATerminalWhateverOptionsAreCalled) {
  CLI::App app{"What it is", "name"};
  app.formatter(std::make_shared<HelpFormatter>());
  std::string value = "a/default/value";
  std::string text;
  for (int i = 0; i < 40; ++i) text += "sentence ";
  app.add_option("--an-option-with-a-rather-long-name", value, text)->type_name("PATH")->capture_default_str();
  app.add_option("--short", value, text)->envname("A_VARIABLE");
  bool flag = false;
  app.add_flag("--flag", flag, text);
  app.add_subcommand("command", text);
  const std::string help = app.help();
  EXPECT_LE(widest_line(help), help_columns);
  EXPECT_GT(widest_line(help), help_columns - 10);
  EXPECT_THAT(help, HasSubstr("--an-option-with-a-rather-long-name PATH\n"));
  EXPECT_THAT(help, HasSubstr("[a/default/value]"));
  EXPECT_THAT(help, HasSubstr("A_VARIABLE)\n"));
  EXPECT_THAT(help, Not(HasSubstr("\n\n\n")));
  EXPECT_THAT(help, Not(EndsWith("\n\n")));
}

}  // namespace
}  // namespace weir
