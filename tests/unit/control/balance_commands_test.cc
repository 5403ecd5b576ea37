// What operators ask and say over the stats socket about balancing. That what they say is done and logged is asked in
// steering_test.cc; here are the words.
#include "control/balance_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "control/stats_commands.h"
#include "core/balance/adaptive.h"
#include "core/model/lease.h"
#include "tests/unit/control/steering_fixture.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class BalanceCommands : public SteeringTest {
 protected:
  void SetUp() override {
    SteeringTest::SetUp();
    publish(config_of(upstream_of(2)));
  }
  // Without the empty line at its end.
  std::string answer(const std::string& command) {
    const ControlFigures figures;
    const StatsView view{publisher.current(), process, figures, clock.time, changeable ? watches.get() : nullptr};
    std::string text = answer_stats_command(split_stats_line(command).front(), view);
    EXPECT_TRUE(text.ends_with("\n")) << command;
    EXPECT_TRUE(text == "\n" || text.find("\n\n") == text.size() - 2) << command << ":\n" << text;
    text.pop_back();
    return text;
  }
  std::vector<std::string> lines_of(const std::string& command) {
    std::vector<std::string> lines;
    const std::string text = answer(command);
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find('\n', at);
      lines.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return lines;
  }

  bool changeable = true;
};

// HAProxy's tools look for exactly these.
TEST_F(BalanceCommands, NamesAreAnsweredAsHaproxyDoes) {
  const std::vector<std::string> commands{
      "get weight %",           "set weight % 1",       "set server % weight 1", "set server % state ready",
      "set server % health up", "set server % score 1", "enable server %",       "disable server %"};
  const std::vector<std::pair<std::string, std::string>> names{
      {"app", "Require 'backend/server'.\n"}, {"a", "Require 'backend/server'.\n"}, {"ap/a", "No such backend.\n"},
      {"/a", "No such backend.\n"},           {"App/a", "No such backend.\n"},      {"app/", "No such server.\n"},
      {"app/z", "No such server.\n"},         {"app/A", "No such server.\n"},       {"app/a/b", "No such server.\n"},
  };
  for (const std::string& command : commands) {
    for (const auto& [name, expected] : names) {
      std::string text = command;
      text.replace(text.find('%'), 1, name);
      EXPECT_EQ(answer(text), expected) << text;
    }
  }
  EXPECT_EQ(published_count, 0);
}

TEST_F(BalanceCommands, NamesOfEndpointsMayHaveSlashes) {
  config::UpstreamConfig upstream = upstream_of(1);
  upstream.endpoints[0].name = "unix:/run/a.sock";
  publish(config_of(std::move(upstream)));
  EXPECT_EQ(answer("get weight app/unix:/run/a.sock"), "10 (initial 10)\n");
}

TEST_F(BalanceCommands, NothingChangesWhereNothingMay) {
  changeable = false;
  for (const char* command : {"get weight app/a", "set weight app/a 5", "set server app/a state maint",
                              "enable server app/a", "disable server app/a"}) {
    EXPECT_EQ(answer(command), "Nothing can be changed here.\n") << command;
  }
  EXPECT_THAT(answer("show balance"), StartsWith("app: round_robin")) << "looking is free";
}

TEST_F(BalanceCommands, ArgumentsThatAreMissingOrTooMany) {
  for (const char* command :
       {"get weight", "get weight app/a 1", "set weight app/a", "set weight app/a 1 2", "set server app/a",
        "set server app/a weight", "set server app/a weight 1 2", "set server app/a addr 10.0.0.1", "enable server",
        "enable server app/a now", "disable server", "show balance app api", "set server app/a state maint now",
        "set server app/a score 1 60s", "set server app/a health 0.5 60s again"}) {
    EXPECT_THAT(answer(command),
                ::testing::AnyOf(HasSubstr("it is used so"), HasSubstr("Unknown argument"), HasSubstr("is used so:")))
        << command;
  }
  EXPECT_EQ(published_count, 0);
}

TEST_F(BalanceCommands, WeightsAreNumbersOrPercent) {
  const std::string refused = "Weight is a number from 0 to 65535, or 0% to 100% of the configured one.\n";
  struct Row {
    const char* text;
    const char* weight;  // after it; "": refused
  };
  for (const Row& row : std::vector<Row>{{"1", "1"},         {"0", "0"},
                                         {"65535", "65535"}, {"50%", "5"},
                                         {"100%", "10"},     {"0%", "0"},
                                         {"1%", "1"},  // never nothing, unless that is said
                                         {"44%", "4"},       {"45%", "5"},
                                         {"007", "7"},       {"65536", ""},
                                         {"101%", ""},       {"-1", ""},
                                         {"+1", ""},         {"1.5", ""},
                                         {"1e3", ""},        {"0x10", ""},
                                         {"ten", ""},        {"%", ""},
                                         {"5%%", ""},        {"99999999999999999999", ""}}) {
    for (const std::string command : {"set weight app/a ", "set server app/a weight "}) {
      ASSERT_EQ(answer("set weight app/a 10"), "");
      EXPECT_EQ(answer(command + row.text), *row.weight == '\0' ? refused : "") << command << row.text;
      const std::string now = *row.weight == '\0' ? "10" : row.weight;
      EXPECT_EQ(answer("get weight app/a"), now + " (initial 10)\n") << command << row.text;
    }
  }
}

TEST_F(BalanceCommands, PercentAreOfTheConfiguredWeight) {
  answer("set weight app/a 1000");
  answer("set weight app/a 50%");
  EXPECT_EQ(answer("get weight app/a"), "5 (initial 10)\n");
  config::UpstreamConfig upstream = upstream_of(2);
  upstream.endpoints[0].weight = 65'535;
  upstream.endpoints[1].weight = 0;
  publish(config_of(std::move(upstream)));
  answer("set weight app/a 99%");
  EXPECT_EQ(answer("get weight app/a"), "64880 (initial 65535)\n");
  EXPECT_EQ(answer("set weight app/b 50%"), "");
  EXPECT_EQ(answer("get weight app/b"), "0 (initial 0)\n");
}

TEST_F(BalanceCommands, StatesAreThree) {
  EXPECT_EQ(answer("set server app/a state drain"), "");
  EXPECT_EQ(standing("a").duty, Duty::drain);
  EXPECT_EQ(answer("set server app/a state maint"), "");
  EXPECT_EQ(standing("a").duty, Duty::maint);
  EXPECT_EQ(answer("set server app/a state ready"), "");
  EXPECT_EQ(standing("a").duty, Duty::ready);
  EXPECT_EQ(answer("disable server app/a"), "");
  EXPECT_EQ(standing("a").duty, Duty::maint);
  EXPECT_EQ(standing("b").duty, Duty::ready);
  EXPECT_EQ(answer("enable server app/a"), "");
  EXPECT_EQ(standing("a").duty, Duty::ready);
  for (const char* text : {"stopped", "READY", "", "up"}) {
    EXPECT_EQ(answer("set server app/a state " + std::string{*text == '\0' ? "\\ " : text}),
              "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n");
  }
}

TEST_F(BalanceCommands, HealthIsUpDownOrAScore) {
  EXPECT_EQ(answer("set server app/a health down"), "");
  EXPECT_FALSE(standing("a").up);
  EXPECT_EQ(answer("set server app/a health up"), "");
  EXPECT_TRUE(standing("a").up);
  EXPECT_EQ(answer("set server app/a health 0.5"), "");
  EXPECT_EQ(standing("a").health, 0.5);
  for (const char* text : {"0", "1", "0.0001", ".5", "1e-3"}) {
    EXPECT_EQ(answer("set server app/a health " + std::string{text}), "") << text;
  }
  answer("set server app/a health 1");
  for (const char* text : {"stopping", "1.1", "-0.1", "nan", "inf", "50%", "0,5", "1x"}) {
    EXPECT_EQ(
        answer("set server app/a health " + std::string{text}),
        "'set server <srv> health' expects 'up', 'down', or a score from 0 to 1, and after a score how soon it is "
        "back at 1, such as '60s'.\n")
        << text;
  }
  EXPECT_EQ(standing("a").health, 1);
}

TEST_F(BalanceCommands, AHealthScoreMayBeForATime) {
  EXPECT_EQ(answer("set server app/a health 0.5 10s"), "");
  EXPECT_EQ(share(0), 500U);
  pass(std::chrono::seconds{5});
  EXPECT_NEAR(share(0), 750, 30);
  pass(std::chrono::seconds{6});
  EXPECT_EQ(share(0), 1000U);
  for (const char* text : {"0.5 0s", "0.5 10", "0.5 soon", "2 10s", "up 10s", "down 10s"}) {
    EXPECT_THAT(answer("set server app/a health " + std::string{text}), StartsWith("'set server <srv> health' expects"))
        << text;
  }
  EXPECT_EQ(share(0), 1000U);
}

TEST_F(BalanceCommands, ScoresAreFromNothingToAll) {
  EXPECT_EQ(answer("set server app/a score 0.75"), "");
  EXPECT_EQ(endpoint("a").state->reported.read(clock.time, std::chrono::seconds{1}), 0.75);
  for (const char* text : {"2", "-1", "nan", "75%", "all"}) {
    EXPECT_EQ(answer("set server app/a score " + std::string{text}),
              "'set server <srv> score' expects a number from 0 to 1.\n")
        << text;
  }
}

// --- show balance ---------------------------------------------------------------------------------------------------

TEST_F(BalanceCommands, ShowsATableForEachUpstream) {
  EXPECT_THAT(
      lines_of("show balance"),
      ElementsAre(
          "app: round_robin, tiers in use 1",
          "  endpoint                     state     weight  gets     health    tier  now      latency     score",
          "  a                            no check  10      10.00    1.00      0     0        -           -",
          "  b                            no check  10      10.00    1.00      0     0        -           -"));
}

TEST_F(BalanceCommands, ShowsWhatEachGetsAndWhy) {
  config::UpstreamConfig upstream = upstream_of(5);
  upstream.balance = "maglev";
  upstream.bounded_load = 1.25;
  upstream.endpoints[4].tier = 2;
  publish(config_of(std::move(upstream)));
  answer("set server app/a state drain");
  answer("set server app/b health 0.25");
  answer("set server app/b score 0.5");
  answer("set weight app/c 20");
  answer("set server app/d health down");
  const Lease first{*endpoint("c").state};
  const Lease second{*endpoint("c").state};
  endpoint("c").state->at(0).latency.add(milliseconds{12}, clock.time, std::chrono::seconds{10});
  const auto lines = lines_of("show balance app");
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_EQ(lines[0], "app: maglev, bounded load 1.25, tiers in use 1");
  EXPECT_EQ(lines[2],
            "  a                            DRAIN     10      0.00     1.00      0     0        -           -");
  EXPECT_EQ(lines[3],
            "  b                            no check  10      2.50     0.25      0     0        -           0.50");
  EXPECT_EQ(lines[4],
            "  c                            no check  20      20.00    1.00      0     2        12.000 ms   -");
  EXPECT_EQ(lines[5],
            "  d                            DOWN      10      0.00     1.00      0     0        -           -");
  EXPECT_EQ(lines[6],
            "  e                            no check  10      (10.00)  1.00      2     0        -           -")
      << "a backup stands by";
}

TEST_F(BalanceCommands, ShowsPanicAndTiers) {
  config::UpstreamConfig upstream = upstream_of(3);
  upstream.endpoints[2].tier = 1;
  publish(config_of(upstream));
  answer("disable server app/a");
  answer("disable server app/b");
  EXPECT_EQ(lines_of("show balance").front(), "app: round_robin, tiers in use 2");
  upstream.panic_threshold = 50;
  publish(config_of(std::move(upstream)));
  answer("set server app/c health down");
  EXPECT_THAT(lines_of("show balance").front(), HasSubstr(", PANIC"));
}

TEST_F(BalanceCommands, ShowsOneUpstreamOrAll) {
  config::Config config = config_of(upstream_of(1));
  config.upstreams.push_back(upstream_of(1, "api"));
  publish(config);
  EXPECT_THAT(answer("show balance"), StartsWith("app: "));
  EXPECT_THAT(answer("show balance"), HasSubstr("\napi: "));
  EXPECT_THAT(answer("show balance api"), StartsWith("api: "));
  EXPECT_THAT(answer("show balance api"), Not(HasSubstr("app: ")));
  EXPECT_EQ(answer("show balance none"), "No such backend.\n");
}

TEST_F(BalanceCommands, ALongNameMovesItsLineAlone) {
  config::UpstreamConfig upstream = upstream_of(2);
  upstream.endpoints[0].name = std::string(40, 'n');
  publish(config_of(std::move(upstream)));
  const auto lines = lines_of("show balance");
  EXPECT_THAT(lines[2], StartsWith("  " + std::string(40, 'n') + " no check  10 "));
  EXPECT_THAT(lines[3], StartsWith("  b                            no check"));
}

TEST_F(BalanceCommands, ShowsWhatAdaptiveBalancingThinks) {
  config::UpstreamConfig upstream = upstream_of(2);
  upstream.balance = "adaptive";
  upstream.adaptive = {.window = milliseconds{100}, .windows = 2, .margin = 10, .requests = 50};
  publish(config_of(std::move(upstream)));
  const auto window = [&] {
    for (size_t i = 0; i < shadow_count; ++i) {
      for (int n = 0; n < 100; ++n) {
        this->upstream().state->shadows[0].predicted[i].add(adaptive_algorithms[i] == "least_time" ? 1'000'000
                                                                                                   : 2'000'000);
      }
    }
    pass(milliseconds{100});
  };
  auto lines = lines_of("show balance");
  ASSERT_GE(lines.size(), 5U);
  EXPECT_EQ(lines[0], "app: adaptive, tiers in use 1");
  EXPECT_EQ(lines[1], "  adaptive: round_robin decides, 0 switches, 0 arrivals in the last window");
  EXPECT_THAT(lines[2], StartsWith("    round_robin: predicted mean "));
  window();
  lines = lines_of("show balance");
  EXPECT_EQ(lines[1], "  adaptive: round_robin decides, 0 switches, 100 arrivals in the last window");
  EXPECT_THAT(lines[4], ::testing::EndsWith(", better for 1 windows"));
  window();
  lines = lines_of("show balance");
  EXPECT_EQ(lines[1], "  adaptive: least_time decides, 1 switches, 100 arrivals in the last window");
  EXPECT_THAT(lines[5], StartsWith("    last switch: least_time: predicted p99 "));
}

}  // namespace
}  // namespace weir
