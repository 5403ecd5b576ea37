#include "control/alerts/exec_target.h"

#include "tests/unit/control/alerts/alerts_fixture.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using Json = nlohmann::json;
using ExecTargetTest = AlertsTest;

TEST_F(ExecTargetTest, RunsAProgram) {
  alerts->follow(
      {exec_rule("cat >> $0; echo $WEIR_ALERT,$WEIR_SEVERITY,$WEIR_UPSTREAM,$WEIR_ENDPOINT,$WEIR_REASON >> $0")});
  raise();
  alerts->raise(alert(AlertKind::upstream_down));
  ASSERT_TRUE(until_sent(2));
  std::istringstream lines{written()};
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(Json::parse(line).at("number"), 1);
  std::getline(lines, line);
  EXPECT_EQ(line, "endpoint_down,warning,app,10.0.0.1:80,connection refused");
  std::getline(lines, line);
  EXPECT_EQ(Json::parse(line).at("alert"), "upstream_down");
  EXPECT_EQ(figures().target, "exec");
}

TEST_F(ExecTargetTest, AProgramThatFailsIsRunAgain) {
  alerts->follow({exec_rule("echo x >> $0; test $(wc -l < $0) -ge 3")});
  raise();
  ASSERT_TRUE(until_sent(1));
  EXPECT_EQ(written(), "x\nx\nx\n");
  EXPECT_EQ(figures().retries, 2U);
}

TEST_F(ExecTargetTest, ProgramsThatCannotBeHelped) {
  struct Case {
    std::vector<std::string> command;
    const char* reason;
  };
  for (const Case& each :
       {Case{{"/bin/sh", "-c", "exit 3"}, "exit status 3"}, Case{{"/bin/sh", "-c", "kill -9 $$"}, "SIGKILL"},
        Case{{"/no/such/program"}, "cannot be started"},
        Case{{"/bin/sh", "-c", "while :; do read x < /dev/zero; done"}, "killed after 200ms"}}) {
    config::AlertConfig config = rule();
    config.exec = each.command;
    config.retries = 0;
    config.timeout = milliseconds{200};
    alerts->follow({config});
    raise(2);
    ASSERT_TRUE(until_failed(2)) << each.reason;
    EXPECT_THAT(log_lines().back(), HasSubstr(each.reason));
    alerts->follow({});
  }
}

// A NUL would cut the environment's variable short, and 8-bit noise the JSON.
TEST_F(ExecTargetTest, WhateverAReasonQuotes) {
  alerts->follow({exec_rule("cat > $0")});
  Alert odd = alert();
  odd.reason = std::string{"a\0b\xff\"\n", 6} + std::string(5000, 'x');
  alerts->raise(odd);
  ASSERT_TRUE(until_sent(1));
  const std::string reason = Json::parse(written()).at("reason");
  EXPECT_EQ(reason.substr(0, 8), std::string("a\0b\xef\xbf\xbd\"\n", 8));
  EXPECT_LE(reason.size(), Alert::reason_bytes_max + 2);
}

TEST_F(ExecTargetTest, AReasonIsNotCutWithinACharacter) {
  alerts->follow({exec_rule("cat > $0")});
  Alert odd = alert();
  odd.reason = "a";
  while (odd.reason.size() < 2000) odd.reason += "\xc3\xa4";
  alerts->raise(odd);
  ASSERT_TRUE(until_sent(1));
  const std::string reason = Json::parse(written()).at("reason");
  EXPECT_EQ(reason, odd.reason.substr(0, 999));
}

}  // namespace
}  // namespace weir
