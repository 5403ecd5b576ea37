#include "tools/weir/usage_errors.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir {
namespace {

// What is said to these words.
std::string explain(const std::vector<std::string>& words) {
  CLI::App app{"", "weir"};
  app.require_subcommand(1);
  std::string text;
  int number = 0;
  CLI::App* run = app.add_subcommand("run");
  run->add_option("-l,--listen", text);
  run->add_option("--workers", number);
  app.add_subcommand("check");
  try {
    app.parse(std::vector<std::string>{words.rbegin(), words.rend()});  // CLI11 takes them from the back
  } catch (const CLI::ParseError& error) {
    return explain_usage_error(app, error);
  }
  return "understood";
}

TEST(UsageErrors, AreNotForWhatIsUnderstood) {
  EXPECT_EQ(explain({"run", "--listen", ":80"}), "understood");
}

TEST(UsageErrors, SuggestACommand) {
  EXPECT_EQ(explain({"rnu"}), "weir: unknown command `rnu`; did you mean `run`?\n  more: weir --help\n");
  EXPECT_EQ(explain({"frobnicate"}),
            "weir: unknown command `frobnicate`; known here: `run`, `check`\n  more: weir --help\n");
}

TEST(UsageErrors, SayWhichCommandsThereAreToWhoSaysNone) {
  EXPECT_EQ(explain({}), "weir: say what to do; known here: `run`, `check`\n  more: weir --help\n");
}

TEST(UsageErrors, SuggestAnOptionOfTheCommandThatWasNamed) {
  EXPECT_EQ(explain({"run", "--lsten", ":80"}),
            "weir run: unknown option `--lsten`; did you mean `--listen`?\n  more: weir run --help\n");
  EXPECT_EQ(explain({"run", "--lsten=:80"}),
            "weir run: unknown option `--lsten`; did you mean `--listen`?\n  more: weir run --help\n");
  EXPECT_EQ(explain({"run", "--frobnicate"}), "weir run: unknown option `--frobnicate`\n  more: weir run --help\n");
}

TEST(UsageErrors, NameAWordThatDoesNotBelong) {
  EXPECT_EQ(explain({"check", "weir.yaml"}), "weir check: unexpected word `weir.yaml`\n  more: weir check --help\n");
}

TEST(UsageErrors, SayWhatElseIsWrong) {
  EXPECT_EQ(explain({"run", "--workers"}).find("weir run: --workers"), 0U);
  EXPECT_NE(explain({"run", "--workers", "many"}).find("many"), std::string::npos);
}

}  // namespace
}  // namespace weir
