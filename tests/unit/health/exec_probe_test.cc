#include "health/exec_probe.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/health/checking.h"

namespace weir {
namespace {

class ExecProbeTest : public CheckingTest {
 protected:
  void TearDown() override {
    CheckingTest::TearDown();
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "somebody was not waited for";
  }

  ProbeId add_exec(std::vector<std::string> command, std::vector<std::string> environment = {}) {
    return add<ExecProbe>(ProgramTarget{std::move(command), std::move(environment), timeout});
  }
};

TEST_F(ExecProbeTest, ReportsHowTheProgramEnded) {
  struct Row {
    std::vector<std::string> command;
    std::string reason;
  };
  for (const Row& row :
       {Row{{"true"}, ""}, Row{{"false"}, "exit status 1"}, Row{{"sh", "-c", "test $WEIR_PORT = 8080"}, ""},
        Row{{"sh", "-c", "kill -KILL $$"}, "killed by SIGKILL"},
        Row{{"/no/such`program\n"}, "`/no/such\\`program\\n` cannot be started: No such file or directory (ENOENT)"}}) {
    const ProbeId id = add_exec(row.command, {"WEIR_PORT=8080"});
    ASSERT_TRUE(pass_until(2 * interval, [&] { return prober->asking() > 0 || !reports[id].empty(); }));
    EXPECT_EQ(reason_of(id), row.reason);
    prober->remove(id);
    ASSERT_TRUE(turn_until([&] { return prober->size() == 0; }));
  }
}

TEST_F(ExecProbeTest, AsksAgainAfterItTookTooLong) {
  const ProbeId id = add_exec({"sh", "-c", "trap '' TERM; tail -f /dev/null"});
  for (size_t round = 1; round <= 3; ++round) {
    ASSERT_TRUE(pass_until_asking());
    pass(timeout);
    EXPECT_EQ(reason_of(id, round), "killed after 50ms");
    EXPECT_EQ(prober->asking(), 0U);
  }
}

TEST_F(ExecProbeTest, RemovedAtAnyTurnLeavesNothing) {
  for (int turns = 0; turns < 6; ++turns) {
    const ProbeId id = add_exec({turns % 2 == 0 ? "true" : "cat", "/dev/zero"});
    ASSERT_TRUE(pass_until_asking());
    for (int done = 0; done < turns; ++done) turn();
    prober->remove(id);
    const size_t heard = reports[id].size();
    ASSERT_TRUE(turn_until([&] { return prober->size() == 0; }));
    EXPECT_EQ(reports[id].size(), heard);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  }
}

TEST_F(ExecProbeTest, NoMoreRunThanThereAreSeats) {
  prober = std::make_unique<Prober>(context(), 5, 3);
  std::vector<ProbeId> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(add_exec({"true"}));
  EXPECT_TRUE(pass_until(std::chrono::hours{1}, [&] {
    EXPECT_LE(prober->asking(), 3U);
    for (const ProbeId id : ids) {
      if (reports[id].size() < 2) return false;
    }
    return true;
  }));
}

TEST_F(ExecProbeTest, StopsInTheMiddleOfEverything) {
  for (int i = 0; i < 20; ++i) add_exec({"tail", "-f", "/dev/null"});
  pass(interval / 2);
  EXPECT_GT(prober->asking(), 0U);
  prober->stop();
  ASSERT_TRUE(turn_until([&] { return prober->stopped(); }));
}

}  // namespace
}  // namespace weir
