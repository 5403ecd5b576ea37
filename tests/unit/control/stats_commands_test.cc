#include "control/stats_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "control/stats_report.h"
#include "tests/unit/control/stats_world.h"

namespace weir {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using Words = StatsWords;

std::string answer(const std::string& command) {
  const StatsWorld world;
  return answer_stats_command(split_stats_line(command).front(), world.view());
}

TEST(StatsLine, IsCommandsOfWords) {
  EXPECT_THAT(split_stats_line("show info"), ElementsAre(Words{"show", "info"}));
  EXPECT_THAT(split_stats_line("  show\t info\r"), ElementsAre(Words{"show", "info"}));
  EXPECT_THAT(split_stats_line("show info;show  stat json ; help"),
              ElementsAre(Words{"show", "info"}, Words{"show", "stat", "json"}, Words{"help"}));
}

TEST(StatsLine, LeavesEmptyCommandsOut) {
  EXPECT_THAT(split_stats_line(";help;; ;help;"), ElementsAre(Words{"help"}, Words{"help"}));
}

TEST(StatsLine, IsNeverWithoutACommand) {
  EXPECT_THAT(split_stats_line(""), ElementsAre(IsEmpty()));
  EXPECT_THAT(split_stats_line(" ; "), ElementsAre(IsEmpty()));
}

TEST(StatsLine, BackslashTakesTheMeaningAway) {
  EXPECT_THAT(split_stats_line(R"(a\;b c\ d \\)"), ElementsAre(Words{"a;b", "c d", "\\"}));
  EXPECT_THAT(split_stats_line("end\\"), ElementsAre(Words{"end\\"}));
}

TEST(StatsCommands, AnswerWithTheReportAndAnEmptyLine) {
  const StatsWorld world;
  EXPECT_EQ(answer("show stat"), stat_csv(world.view()) + "\n");
  EXPECT_EQ(answer("show stat json"), stat_json(world.view()) + "\n");
  EXPECT_EQ(answer("show version"), version_text() + "\n");
  EXPECT_EQ(answer("show activity"), activity_text(world.view()) + "\n");
  EXPECT_THAT(answer("show info"), StartsWith("Name: weir\n"));
  EXPECT_THAT(answer("show info"), EndsWith("\n\n"));
  EXPECT_EQ(nlohmann::json::parse(answer("show info json"))["name"], "weir");
}

TEST(StatsCommands, HelpListsThemAll) {
  const std::string list = answer("help");
  for (const char* command : {"show info [json]", "show stat [json]", "show activity", "show version [json]", "help"}) {
    EXPECT_THAT(list, HasSubstr(command));
  }
}

TEST(StatsCommands, HelpListsThoseThatBeginSo) {
  EXPECT_THAT(answer("help show v"), HasSubstr("show version"));
  EXPECT_THAT(answer("help show v"), Not(HasSubstr("show info")));
  EXPECT_THAT(answer("help frob"), StartsWith("Unknown argument `frob` of `help`"));
}

TEST(StatsCommands, AnUnknownOneGetsASuggestionAndTheList) {
  EXPECT_THAT(answer("shwo stat"), StartsWith("Unknown command: `shwo stat`; did you mean `show stat`?\n"));
  EXPECT_THAT(answer("show sta json"), StartsWith("Unknown command: `show sta`; did you mean `show stat`?\n"));
  EXPECT_THAT(answer("halp"), StartsWith("Unknown command: `halp`; did you mean `help`?\n"));
  EXPECT_THAT(answer("frobnicate"), StartsWith("Unknown command: `frobnicate`\n"));
  EXPECT_THAT(answer("frobnicate"), HasSubstr("show version [json]"));
  EXPECT_THAT(answer("show"), StartsWith("Unknown command: `show`"));
  EXPECT_THAT(answer(""), StartsWith("Unknown command. Please enter one of the following commands only:\n"));
}

TEST(StatsCommands, ArgumentsThatMeanNothingAreRefused) {
  EXPECT_THAT(answer("show stat jsno"),
              StartsWith("Unknown argument `jsno` of `show stat`; it is used so: show stat [json]\n"));
  EXPECT_THAT(answer("show activity json"), StartsWith("Unknown argument `json` of `show activity`"));
  EXPECT_THAT(answer("show info json json"), StartsWith("Unknown argument"));
}

TEST(StatsCommands, WhatIsRepeatedBackCannotPlayWithTheTerminal) {
  EXPECT_THAT(answer("\x1b[2J"), Not(HasSubstr("\x1b")));
}

TEST(StatsCommands, NoAnswerHasAnEmptyLineInside) {
  for (const char* command : {"show info", "show info json", "show stat", "show stat json", "show activity",
                              "show version", "help", "nonsense", ""}) {
    const std::string text = answer(command);
    EXPECT_EQ(text.find("\n\n"), text.size() - 2) << command;
  }
}

}  // namespace
}  // namespace weir
