// What operators ask about health and resilience over the stats socket, and the same in CSV and JSON. That what is
// shown is true is asked in the tests of the watches; here are the words.
#include "control/health_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/alerts/alerts.h"
#include "control/stats_commands.h"
#include "control/stats_report.h"
#include "tests/unit/control/steering_fixture.h"

namespace weir {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

class HealthCommands : public SteeringTest {
 protected:
  StatsView view() {
    return {publisher.current(), process, figures, clock.time, changeable ? watches.get() : nullptr, told.get()};
  }
  // Without the empty line at its end.
  std::string answer(const std::string& command) {
    std::string text = answer_stats_command(split_stats_line(command).front(), view());
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
  // Of the row of a server: column and field. Nothing here has a comma or a quote in it.
  std::map<std::string, std::string> csv_of(const std::string& server) {
    const auto split = [](const std::string& line) {
      std::vector<std::string> fields{""};
      for (const char c : line) {
        if (c == ',') fields.emplace_back();
        if (c != ',') fields.back() += c;
      }
      return fields;
    };
    const auto lines = lines_of("show stat");
    const auto names = split(lines.front().substr(2));
    std::map<std::string, std::string> row;
    for (const std::string& line : lines) {
      const auto fields = split(line);
      if (fields.size() < 2 || fields[0] != "app" || fields[1] != server) continue;
      for (size_t i = 0; i < fields.size() && i < names.size(); ++i) row[names[i]] = fields[i];
    }
    return row;
  }
  json endpoint_json(size_t index) { return json::parse(stat_json(view()))["upstreams"][0]["endpoints"][index]; }

  // Two endpoints where nobody listens.
  static config::UpstreamConfig probing() {
    config::UpstreamConfig upstream = upstream_of(2);
    upstream.health.emplace();
    upstream.health->interval = milliseconds{100};
    upstream.health->timeout = milliseconds{50};
    upstream.health->fall = 2;
    return upstream;
  }
  testing::AssertionResult rounds(uint64_t count) {
    const Probed& probed = *watches->health().find(*endpoint("a").state);
    for (int steps = 0; steps < 5000 && probed.rounds < count; ++steps) {
      pass(step);
      turn_until([&] { return ring->in_flight() == 0; });
    }
    return probed.rounds == count ? testing::AssertionSuccess() : testing::AssertionFailure() << probed.rounds;
  }

  bool changeable = true;
  std::unique_ptr<Alerts> told;
  const ControlFigures figures{};
};

// --- show health ----------------------------------------------------------------------------------------------------

TEST_F(HealthCommands, ShowHealthIsATableForEachUpstream) {
  publish(config_of(upstream_of(2)));
  EXPECT_THAT(lines_of("show health"),
              ElementsAre("app: nothing is watched",
                          "  endpoint                     state     by         breaker     in row   ejected   score   "
                          "limit   resting   probes",
                          "  a                            ready     -          -           0        0         1.00    "
                          "-       -         -",
                          "  b                            ready     -          -           0        0         1.00    "
                          "-       -         -"));
  EXPECT_EQ(answer("show health none"), "No such backend.\n");
  EXPECT_THAT(answer("show health app"), StartsWith("app: "));
  EXPECT_THAT(answer("show health app now"), StartsWith("Unknown argument"));
  changeable = false;
  EXPECT_THAT(answer("show health"), StartsWith("app: ")) << "looking is free";
}

TEST_F(HealthCommands, ShowHealthSaysWhatProbesSay) {
  publish(config_of(probing()));
  EXPECT_EQ(lines_of("show health")[0], "app: tcp probes every 100ms, fall 2, rise 2");
  EXPECT_THAT(lines_of("show health")[2], ::testing::EndsWith("none yet"));
  ASSERT_TRUE(rounds(1));
  EXPECT_THAT(lines_of("show health")[2], MatchesRegex("  a +ready +- .* failed .* ago, 1 in a row: no connection.*"));
  ASSERT_TRUE(rounds(2));
  EXPECT_THAT(lines_of("show health")[2],
              MatchesRegex("  a +down +probe .* failed .* ago, 2 in a row: no connection.*"));
  EXPECT_EQ(answer("disable health app/a"), "");
  EXPECT_THAT(lines_of("show health")[2], ::testing::EndsWith(" (paused)"));
}

TEST_F(HealthCommands, ShowHealthSaysWhoseDoingItIs) {
  config::UpstreamConfig upstream = upstream_of(6);
  upstream.outliers.emplace();
  upstream.breaker = config::BreakerConfig{.failures = 2};
  upstream.concurrency = config::ConcurrencyConfig{.start = 15};
  upstream.health_score.emplace();
  upstream.degraded = config::DegradedConfig{.healthy = 90};
  publish(config_of(upstream));
  steering->set_duty(endpoint("a"), Duty::drain);
  watches->set_up(endpoint("b"), false);
  Gate& gate = endpoint("c").state->gate;
  gate.failed(false, 2);
  gate.failed(false, 2);
  pass(milliseconds{60});
  endpoint("d").state->counters(0).failure_runs.add();
  endpoint("e").state->standing.agent_up = false;
  endpoint("f").state->gate.unreachable(clock.time + seconds{2});
  pass(seconds{2});
  const auto lines = lines_of("show health app");
  EXPECT_EQ(lines[0], "app: outliers, breaker, health score, concurrency, DEGRADED");
  EXPECT_THAT(lines[2], StartsWith("  a                            drain     operator   closed "));
  EXPECT_THAT(lines[3], StartsWith("  b                            down      operator   closed "));
  EXPECT_THAT(lines[4], StartsWith("  c                            broken    breaker    open        2 "));
  EXPECT_THAT(lines[5], StartsWith("  d                            ejected   outliers   closed      0        1 "));
  EXPECT_THAT(lines[6], StartsWith("  e                            down      agent      closed "));
  EXPECT_THAT(lines[7], MatchesRegex("  f +ready +- +closed +0 +0 +1.00 +15 +yes +-"));
}

TEST_F(HealthCommands, ThirdPartiesReadTheSameInCsv) {
  publish(config_of(probing()));
  auto row = csv_of("a");
  EXPECT_EQ(row["status"], "UP");
  EXPECT_EQ(row["check_status"], "INI");
  EXPECT_EQ(row["check_health"], "3") << "rise 2, fall 2";
  ASSERT_TRUE(rounds(1));
  row = csv_of("a");
  EXPECT_EQ(row["check_health"], "2");
  EXPECT_EQ(row["chkfail"], "1");
  EXPECT_EQ(row["chkdown"], "0");
  ASSERT_TRUE(rounds(2));
  watches->pause_probes(endpoint("a"), true);
  pass(seconds{3});
  row = csv_of("a");
  EXPECT_EQ(row["status"], "DOWN");
  EXPECT_EQ(row["check_status"], "") << "which of HAProxy's codes it would be is not known";
  EXPECT_THAT(row["last_chk"], StartsWith("no connection"));
  EXPECT_EQ(row["check_health"], "0");
  EXPECT_EQ(row["check_rise"], "2");
  EXPECT_EQ(row["check_fall"], "2");
  EXPECT_EQ(row["chkfail"], "2");
  EXPECT_EQ(row["chkdown"], "1");
  EXPECT_EQ(row["lastchg"], "3");
  EXPECT_EQ(row["downtime"], "3");
  EXPECT_EQ(row["qcur"], "0");
  publish(config_of(upstream_of(2)));
  row = csv_of("a");
  EXPECT_EQ(row["check_rise"], "");
  EXPECT_EQ(row["lastchg"], "");
}

TEST_F(HealthCommands, JsonHasAllOfIt) {
  config::UpstreamConfig upstream = probing();
  upstream.breaker.emplace();
  upstream.degraded = config::DegradedConfig{.healthy = 50};
  publish(config_of(upstream));
  json health = endpoint_json(0)["resilience"];
  EXPECT_EQ(health["by"], nullptr);
  EXPECT_EQ(health["breaker"]["state"], "closed");
  EXPECT_EQ(health["limit"], nullptr);
  EXPECT_EQ(health["probes"]["last"], nullptr);
  ASSERT_TRUE(rounds(2));
  EXPECT_EQ(endpoint_json(0)["state"], "down");
  health = endpoint_json(0)["resilience"];
  EXPECT_EQ(health["by"], "probe");
  EXPECT_EQ(health["probes"]["kind"], "tcp");
  EXPECT_EQ(health["probes"]["rounds"], 2);
  EXPECT_EQ(health["probes"]["rounds_failed"], 2);
  EXPECT_EQ(health["probes"]["rounds_in_row"], 2);
  EXPECT_EQ(health["probes"]["times_down"], 1);
  EXPECT_EQ(health["probes"]["paused"], false);
  EXPECT_EQ(health["probes"]["last"]["passed"], false);
  EXPECT_THAT(health["probes"]["last"]["reason"].get<std::string>(), StartsWith("no connection"));
  const json whole = json::parse(stat_json(view()))["upstreams"][0]["resilience"];
  EXPECT_EQ(whole["waiting"], 0);
  EXPECT_EQ(whole["queued"], 0);
  EXPECT_TRUE(whole.contains("degradation"));
}

// --- show queue -----------------------------------------------------------------------------------------------------

TEST_F(HealthCommands, ShowQueueSumsWorkersAndSubsets) {
  config::Config config = config_of(upstream_of(2));
  config.upstreams[0].queue = config::QueueConfig{.size = 50};
  config.upstreams[0].max_pending = 7;
  config.upstreams[0].endpoints[0].metadata = {{"v", "1"}};
  config.listeners.emplace_back();
  config.listeners[0].name = "local";
  const Folder folder;
  config.listeners[0].address = address_of("unix:" + (folder / "s"));
  config.listeners[0].upstream = "app";
  config.listeners[0].subset = {{"v", "1"}};
  publish(config);
  for (size_t i = 0; i < 2; ++i) {
    UpstreamState& state = *upstream(i).state;
    state.waiting.store(2, std::memory_order_relaxed);
    state.pending.store(3, std::memory_order_relaxed);
    state.retrying.store(1, std::memory_order_relaxed);
    state.at(0).counters.queued.add(10);
    state.at(0).counters.hedges_won.add(4);
  }
  const auto lines = lines_of("show queue");
  EXPECT_EQ(lines[0], "app: waiting 4 of 50, pending 6 of 7");
  EXPECT_THAT(lines, ::testing::Contains("  queued: 20"));
  EXPECT_THAT(lines, ::testing::Contains("  hedges_won: 8"));
  EXPECT_THAT(lines, ::testing::Contains("  queue_full: 0"));
  EXPECT_EQ(answer("show queue none"), "No such backend.\n");
  EXPECT_EQ(csv_of("BACKEND")["qcur"], "4");
  EXPECT_EQ(csv_of("BACKEND")["qmax"], "") << "nobody knows";
  config.listeners.clear();
  config.upstreams[0].queue.reset();
  publish(config);
  EXPECT_EQ(csv_of("BACKEND")["qmax"], "0");
}

// --- show alerts ----------------------------------------------------------------------------------------------------

TEST_F(HealthCommands, ShowAlertsSaysWhoIsTold) {
  publish(config_of(upstream_of(1)));
  EXPECT_THAT(answer("show alerts"), StartsWith("Nobody is told"));
  EXPECT_THAT(answer("show alerts now"), StartsWith("Unknown argument"));
  const Log log{LogLevel::error};
  told = std::make_unique<Alerts>(context(), log, "host7", 1);
  EXPECT_THAT(answer("show alerts"), StartsWith("Nobody is told"));
  config::AlertConfig rule;
  rule.name = "all of it";
  rule.log = true;
  told->follow({rule});
  Alert alert;
  alert.upstream = "app";
  told->raise(alert);
  const auto lines = lines_of("show alerts");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], StartsWith("  rule                 target     state     raised "));
  EXPECT_THAT(lines[1], StartsWith("  all of it            log        ok        1 "));
  EXPECT_EQ(json::parse(stat_json(view()))["alerts"][0]["raised"], 1);
  told->stop();
  EXPECT_TRUE(turn_until([&] {
    clock.time += step;
    return told->stopped();
  }));
}

// --- probes by hand -------------------------------------------------------------------------------------------------

TEST_F(HealthCommands, ProbesArePausedInHaproxysWords) {
  publish(config_of(probing()));
  EXPECT_EQ(answer("disable health app/a"), "");
  EXPECT_FALSE(watches->health().find(*endpoint("a").state)->probe);
  EXPECT_EQ(answer("disable health app/a"), "");
  EXPECT_EQ(answer("enable health app/a"), "");
  EXPECT_TRUE(watches->health().find(*endpoint("a").state)->probe);
  EXPECT_EQ(answer("enable health app/z"), "No such server.\n");
  EXPECT_EQ(answer("enable health api/a"), "No such backend.\n");
  EXPECT_EQ(answer("disable health a"), "Require 'backend/server'.\n");
  EXPECT_THAT(answer("enable health"), HasSubstr("is used so"));
  EXPECT_EQ(answer("set server app/a health down"), "");
  EXPECT_FALSE(watches->health().find(*endpoint("a").state)->judge.up());
  publish(config_of(upstream_of(2)));
  EXPECT_EQ(answer("disable health app/a"), "");
  EXPECT_EQ(answer("enable health app/a"), "Health checks are not configured on this server, cannot enable.\n");
  changeable = false;
  EXPECT_EQ(answer("enable health app/a"), "Nothing can be changed here.\n");
}

}  // namespace
}  // namespace weir
