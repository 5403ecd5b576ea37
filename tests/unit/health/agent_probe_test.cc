#include "health/agent_probe.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "health/prober.h"
#include "tests/unit/health/probing.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class AgentProbeTest : public ProbingTest {
 protected:
  static constexpr Duration interval = milliseconds{100};
  static constexpr Duration timeout = milliseconds{50};

  void SetUp() override {
    ProbingTest::SetUp();
    prober = std::make_unique<Prober>(context(), 5);
  }
  void TearDown() override {
    prober->stop();
    EXPECT_TRUE(turn_until([&] { return prober->stopped(); }));
    prober.reset();
    ProbingTest::TearDown();
  }

  ProbeId add(const SocketAddress& address, std::string say = {}) {
    return prober->add(std::make_unique<AgentProbe>(context(), AgentTarget{address, std::move(say), timeout},
                                                    [this](ProbeId id, const AgentReport& report) {
                                                      reports[id].push_back(report);
                                                      if (on_report) on_report(id);
                                                    }),
                       interval);
  }
  // The next connection that the agent gets.
  bool calls(PlayedAgent& agent) {
    if (!pass_until(interval * 12 / 10, [&] { return prober->asking() > 0; })) return false;
    return turn_until([&] { return agent.called(); });
  }
  bool turn_until_reported(ProbeId id, size_t times = 1) {
    return turn_until([&] { return reports[id].size() >= times; });
  }
  // How a first round went.
  std::optional<ProbeFailure> failure(ProbeId id) {
    const AgentReport& report = reports[id].at(0);
    return report.answer ? std::nullopt : std::optional{report.answer.error()};
  }

  std::map<ProbeId, std::vector<AgentReport>> reports;
  std::function<void(ProbeId)> on_report;
  std::unique_ptr<Prober> prober;
};

class AgentProbeOverFamilies : public AgentProbeTest, public testing::WithParamInterface<const char*> {};

TEST_P(AgentProbeOverFamilies, ReportsWhatTheAgentSaysRoundAfterRound) {
  const Folder folder;
  PlayedAgent agent{GetParam()[0] == 'u' ? "unix:" + (folder / "s") : GetParam()};
  const ProbeId id = add(agent.address, "web/one\n");
  const char* const lines[] = {"75%,maxconn:30,maint,down\n", "up\n", "ready 100%\r\n"};
  const AgentAnswer answers[] = {
      {.duty = Duty::maint, .health = AgentHealth::down, .percent = 75, .connections_max = 30},
      {.health = AgentHealth::up},
      {.duty = Duty::ready, .percent = 100}};
  for (size_t round = 0; round < 3; ++round) {
    ASSERT_TRUE(calls(agent)) << round;
    // The agent waits for the question, as many do.
    ASSERT_TRUE(turn_until([&] { return becomes(agent.caller.get(), POLLIN, 0); }));
    EXPECT_EQ(receive_now(agent.caller), "web/one\n");
    agent.say(lines[round]);
    ASSERT_TRUE(turn_until_reported(id, round + 1));
    ASSERT_TRUE(reports[id][round].answer);
    EXPECT_EQ(*reports[id][round].answer, answers[round]);
    EXPECT_LE(reports[id][round].took, timeout);
    EXPECT_TRUE(turn_until([&] { return agent.left(); })) << "one line is all we want";
    agent.hang_up();
  }
}
INSTANTIATE_TEST_SUITE_P(Families, AgentProbeOverFamilies, testing::Values("127.0.0.1:0", "[::1]:0", "unix"),
                         [](const auto& values) { return "Family" + std::to_string(values.index); });

TEST_F(AgentProbeTest, HearsALineThatComesByteByByte) {
  PlayedAgent agent;
  const ProbeId id = add(agent.address);
  ASSERT_TRUE(calls(agent));
  const std::string line = "drain 50% # as slow as that\n";
  for (const char byte : line) {
    EXPECT_TRUE(reports[id].empty());
    agent.say({&byte, 1});
    pass(step);
  }
  ASSERT_TRUE(turn_until_reported(id));
  EXPECT_EQ(*reports[id][0].answer,
            (AgentAnswer{.duty = Duty::drain, .percent = 50, .description = "as slow as that"}));
  agent.hang_up();
}

TEST_F(AgentProbeTest, TakesTheEndOfTheConnectionForTheEndOfTheLine) {
  PlayedAgent agent;
  const ProbeId id = add(agent.address);
  ASSERT_TRUE(calls(agent));
  agent.say("stopped");
  pass(step);
  EXPECT_TRUE(reports[id].empty()) << "more may come";
  agent.hang_up();
  ASSERT_TRUE(turn_until_reported(id));
  EXPECT_EQ(*reports[id][0].answer, AgentAnswer{.health = AgentHealth::stopped});
}

TEST_F(AgentProbeTest, TakesAnEmptyLineForAnAnswerWithoutWishes) {
  PlayedAgent agent;
  const ProbeId id = add(agent.address);
  ASSERT_TRUE(calls(agent));
  agent.say("\n");
  ASSERT_TRUE(turn_until_reported(id));
  ASSERT_TRUE(reports[id][0].answer);
  EXPECT_EQ(*reports[id][0].answer, AgentAnswer{});
  agent.hang_up();
}

TEST_F(AgentProbeTest, FailsWhereNobodyListens) {
  SocketAddress nobody;
  { nobody = PlayedAgent{}.address; }
  const ProbeId id = add(nobody);
  ASSERT_TRUE(pass_until(interval * 5, [&] { return reports[id].size() == 3; })) << "it comes again at its time";
  EXPECT_EQ(failure(id),
            (ProbeFailure{ProbeFailure::Kind::not_connected, error_from_errno(ECONNREFUSED, Side::origin)}));
  EXPECT_EQ(describe(*failure(id)), "no connection: origin: connection refused (ECONNREFUSED)");
}

TEST_F(AgentProbeTest, FailsWhenTheAgentIsSilentAndAsksAgain) {
  PlayedAgent agent;
  const ProbeId id = add(agent.address);
  ASSERT_TRUE(calls(agent));
  pass(timeout);
  ASSERT_TRUE(turn_until_reported(id));
  EXPECT_EQ(failure(id)->kind, ProbeFailure::Kind::silent);
  EXPECT_EQ(reports[id][0].took, timeout);
  EXPECT_TRUE(turn_until([&] { return agent.left(); }));
  ASSERT_TRUE(calls(agent));
  agent.say("up\n");
  ASSERT_TRUE(turn_until_reported(id, 2));
  EXPECT_TRUE(reports[id][1].answer);
  agent.hang_up();
}

TEST_F(AgentProbeTest, FailsWhenTheAgentHangsUpWithoutALine) {
  PlayedAgent agent;
  const ProbeId id = add(agent.address);
  ASSERT_TRUE(calls(agent));
  agent.hang_up();
  ASSERT_TRUE(turn_until_reported(id));
  EXPECT_EQ(failure(id)->kind, ProbeFailure::Kind::closed);
}

TEST_F(AgentProbeTest, FailsWhenTheLineNeverEnds) {
  PlayedAgent agent;
  const ProbeId id = add(agent.address);
  ASSERT_TRUE(calls(agent));
  const std::string endless(AgentProbe::line_bytes_max / 2, 'u');
  agent.say(endless);
  agent.say(endless);
  pass(step);
  EXPECT_TRUE(reports[id].empty()) << "the end may come yet";
  agent.say("p");
  ASSERT_TRUE(turn_until_reported(id));
  EXPECT_EQ(failure(id)->kind, ProbeFailure::Kind::too_long);
  EXPECT_TRUE(turn_until([&] { return agent.left(); }));
  agent.hang_up();
}

TEST_F(AgentProbeTest, RemovedInTheMiddleIsNotHeardOfAgain) {
  PlayedAgent agent;
  const ProbeId id = add(agent.address, "hello\n");
  ASSERT_TRUE(calls(agent));
  prober->remove(id);
  agent.say("up\n");  // on its way already
  EXPECT_TRUE(turn_until([&] { return agent.left(); }));
  ASSERT_TRUE(turn_until([&] { return prober->size() == 0; }));
  pass(3 * interval);
  EXPECT_TRUE(reports[id].empty());
  EXPECT_FALSE(agent.called());
  agent.hang_up();
}

TEST_F(AgentProbeTest, RemovedAtAnyTurnLeavesNothing) {
  PlayedAgent agent;
  for (int turns = 0; turns < 8; ++turns) {
    const ProbeId id = add(agent.address, "hello\n");
    ASSERT_TRUE(pass_until(interval + 2 * step, [&] { return prober->asking() > 0; }));
    for (int done = 0; done < turns; ++done) {
      turn();
      if (agent.called()) agent.say("up\n");
    }
    prober->remove(id);
    const size_t heard = reports[id].size();
    ASSERT_TRUE(turn_until([&] { return prober->size() == 0; }));
    EXPECT_EQ(reports[id].size(), heard);
    EXPECT_EQ(ring->in_flight(), 0U);
    while (agent.called()) {
    }
    agent.hang_up();
  }
}

TEST_F(AgentProbeTest, MayBeReplacedByItsReport) {
  PlayedAgent agent;
  const ProbeId first = add(agent.address);
  ProbeId second{};
  on_report = [&](ProbeId id) {
    if (id != first) return;
    prober->remove(first);
    second = add(agent.address);
  };
  ASSERT_TRUE(calls(agent));
  agent.say("up\n");
  ASSERT_TRUE(turn_until_reported(first));
  ASSERT_TRUE(calls(agent));
  agent.say("down\n");
  ASSERT_TRUE(turn_until_reported(second));
  EXPECT_EQ(*reports[second][0].answer, AgentAnswer{.health = AgentHealth::down});
  EXPECT_EQ(reports[first].size(), 1U);
  agent.hang_up();
}

TEST_F(AgentProbeTest, ManyAgentsAreAskedAtTheSameTime) {
  constexpr size_t agents = 100;
  std::vector<std::unique_ptr<PlayedAgent>> all;
  for (size_t i = 0; i < agents; ++i) {
    all.push_back(std::make_unique<PlayedAgent>());
    add(all.back()->address);
  }
  // Each says its number; every tenth nothing.
  const auto play = [&] {
    for (size_t i = 0; i < agents; ++i) {
      if (all[i]->called() && i % 10 != 0) all[i]->say(std::to_string(i) + "%\n");
    }
  };
  ASSERT_TRUE(pass_until(interval * 4, [&] {
    play();
    for (size_t i = 0; i < agents; ++i) {
      if (reports[ProbeId{i + 1}].size() < 2) return false;
    }
    return true;
  }));
  for (size_t i = 0; i < agents; ++i) {
    const AgentReport& report = reports[ProbeId{i + 1}][1];
    ASSERT_EQ(report.answer.ok(), i % 10 != 0) << i;
    if (report.answer) {
      EXPECT_EQ(report.answer.value().percent, i);
    } else {
      EXPECT_EQ(report.answer.error().kind, ProbeFailure::Kind::silent);
    }
  }
}

TEST_F(AgentProbeTest, StopsInTheMiddleOfEverything) {
  PlayedAgent agent;
  for (int i = 0; i < 50; ++i) add(agent.address, "hello\n");
  pass(interval / 2);
  EXPECT_GT(prober->asking(), 0U);
  EXPECT_LT(prober->asking(), 50U);
  size_t heard = 0;
  for (const auto& [id, all] : reports) heard += all.size();
  prober->stop();
  ASSERT_TRUE(turn_until([&] { return prober->stopped(); }));
  for (const auto& [id, all] : reports) heard -= all.size();
  EXPECT_EQ(heard, 0U);
}

// The process has no descriptors left: rounds fail and say so, and the first one after there are some again succeeds.
TEST_F(AgentProbeTest, OutlivesALackOfDescriptors) {
  EXPECT_TRUE(in_child([this] {
    prober.reset();
    begin_anew();
    prober = std::make_unique<Prober>(context(), 5);
    PlayedAgent agent;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const ProbeId id = add(agent.address);
    leave_descriptors(0);
    const ProbeFailure none_left{ProbeFailure::Kind::not_connected, error_from_errno(EMFILE, Side::ourselves)};
    if (!pass_until(3 * interval, [&] { return reports[id].size() == 2; })) return false;
    for (const AgentReport& report : reports[id]) {
      if (report.answer || report.answer.error() != none_left) return false;
    }
    ::setrlimit(RLIMIT_NOFILE, &limit);
    if (!calls(agent)) return false;
    agent.say("up\n");
    return turn_until_reported(id, 3) && reports[id][2].answer.ok();
  }));
}

}  // namespace
}  // namespace weir
