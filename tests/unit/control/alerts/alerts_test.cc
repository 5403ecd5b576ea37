#include "control/alerts/alerts.h"

#include <algorithm>
#include <map>

#include "tests/unit/control/alerts/alerts_fixture.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using Json = nlohmann::json;

// --- rules ----------------------------------------------------------------------------------------------------------

TEST_F(AlertsTest, ARuleChoosesItsAlerts) {
  using config::AlertOn;
  config::AlertConfig all = rule("all");
  config::AlertConfig upstreams = rule("upstreams");
  upstreams.on = {AlertOn::upstream};
  config::AlertConfig app = rule("app");
  app.upstreams = {"app", "api"};
  config::AlertConfig app_degraded = rule("app_degraded");
  app_degraded.on = {AlertOn::degraded};
  app_degraded.upstreams = {"app"};
  std::vector<config::AlertConfig> rules{all, upstreams, app, app_degraded};
  for (auto& each : rules) each.log = true;
  alerts->follow(rules);
  alerts->raise(alert(AlertKind::endpoint_down, "app"));
  alerts->raise(alert(AlertKind::upstream_down, "other"));
  alerts->raise(alert(AlertKind::degraded, "app"));
  alerts->raise(alert(AlertKind::recovered, "other"));
  alerts->raise(alert(AlertKind::panic_began, "api"));
  std::map<std::string, uint64_t> raised;
  for (const AlertFigures& each : alerts->figures()) raised[each.rule] = each.raised;
  EXPECT_EQ(raised, (std::map<std::string, uint64_t>{{"all", 5}, {"upstreams", 2}, {"app", 3}, {"app_degraded", 1}}));
}

TEST_F(AlertsTest, ALimitHoldsAndTheRestIsSaid) {
  start_server();
  config::AlertConfig config = hook_rule();
  config.limit = 3;
  config.per = milliseconds{300};
  alerts->follow({config});
  raise(10);
  EXPECT_EQ(figures().suppressed, 7U);
  ASSERT_TRUE(until_sent(3));
  EXPECT_THAT(numbers(), ElementsAre(1, 2, 3));
  ASSERT_TRUE(turn_until([&] {
    raise();
    return figures().sent == 4;
  }));
  // Each that was left out is said once: the four have the numbers of four.
  uint64_t said = 0;
  for (const auto& request : server->requests) said += Json::parse(request.body).at("suppressed").get<uint64_t>();
  EXPECT_GE(said, 7U);
  EXPECT_EQ(numbers().back(), said + 4);
  EXPECT_EQ(figures().suppressed, figures().raised - 4);
}

TEST_F(AlertsTest, NobodyHoldsUpAnother) {
  start_server();
  server->manner = HookServer::Manner::stall;
  config::AlertConfig config = hook_rule();
  config.exec = exec_rule("cat >> $0").exec;
  config.log = true;
  config.timeout = minutes{1};
  alerts->follow({config});
  raise(3);
  ASSERT_TRUE(until_sent(3, 1));
  ASSERT_TRUE(until_sent(3, 2));
  EXPECT_EQ(figures(0).target, "webhook");
  EXPECT_EQ(figures(0).queued, 3U);
  EXPECT_EQ(figures(0).sent, 0U);
}

TEST_F(AlertsTest, AReloadLeavesWhatIsTheSame) {
  start_server();
  server->manner = HookServer::Manner::stall;
  const config::AlertConfig kept = hook_rule("kept");
  const config::AlertConfig gone = exec_rule("read x; exec sleep 60", "gone");
  config::AlertConfig changed = hook_rule("changed");
  alerts->follow({gone, kept, changed});
  raise(3);
  ASSERT_TRUE(turn_until([&] { return server->requests.size() == 2; }));
  changed.timeout = seconds{7};
  config::AlertConfig fresh = rule("fresh");
  fresh.log = true;
  alerts->follow({changed, fresh, kept});
  EXPECT_EQ(alerts->figures().size(), 3U);
  EXPECT_EQ(figures(0).raised, 0U);
  EXPECT_EQ(figures(1).raised, 0U);
  EXPECT_EQ(figures(2).raised, 3U);
  EXPECT_EQ(log_lines_with("a rule ends before its alerts have arrived rule=gone target=exec alerts=3"), 1U);
  EXPECT_EQ(log_lines_with("a rule ends before its alerts have arrived rule=changed target=webhook alerts=3"), 1U);
  server->manner = HookServer::Manner::answer;
  server->go_down();
  server->go_up();
  ASSERT_TRUE(until_sent(3, 2));
}

TEST_F(AlertsTest, WithoutRulesNothingHappens) {
  raise();
  alerts->follow({});
  raise();
  EXPECT_THAT(alerts->figures(), IsEmpty());
}

// --- the log --------------------------------------------------------------------------------------------------------

TEST_F(AlertsTest, WritesToTheLog) {
  config::AlertConfig config = rule();
  config.log = true;
  alerts->follow({config});
  raise();
  alerts->raise(alert(AlertKind::endpoint_up));
  Alert whole = alert(AlertKind::upstream_down);
  whole.endpoint = "";
  alerts->raise(whole);
  ASSERT_TRUE(until_sent(3));
  EXPECT_THAT(log_lines(),
              ElementsAre("warn  alert: the endpoint is down alert=endpoint_down upstream=app endpoint=10.0.0.1:80 "
                          "reason=\"connection refused\" suppressed=0",
                          "info  alert: the endpoint is up again alert=endpoint_up upstream=app endpoint=10.0.0.1:80 "
                          "reason=\"connection refused\" suppressed=0",
                          "error alert: no endpoint takes work alert=upstream_down upstream=app "
                          "reason=\"connection refused\" suppressed=0"));
}

// --- much, and the end ----------------------------------------------------------------------------------------------

TEST_F(AlertsTest, TenThousandAtOnce) {
  start_server();
  server->manner = HookServer::Manner::stall;
  config::AlertConfig config = hook_rule();
  config.exec = {"/bin/cat"};
  config.timeout = minutes{1};
  alerts->follow({config});
  constexpr int count = 10'000;
  const Instant before = clock.now();
  raise(count);
  const Duration each = (clock.now() - before) / count;
  RecordProperty("raise_ns", std::to_string(each.count()));
  EXPECT_LT(each, std::chrono::microseconds{10});
  EXPECT_EQ(figures().queued, AlertDelivery::queue_max + 1);
  EXPECT_EQ(figures().dropped, count - AlertDelivery::queue_max - 1);
  EXPECT_EQ(log_lines_with("too many alerts are waiting; the oldest are dropped rule=ops target=webhook waiting=1000"),
            1U);
  // The first was on its way; of the others the newest are left.
  ASSERT_TRUE(turn_until([&] { return !server->requests.empty(); }));
  server->manner = HookServer::Manner::answer;
  server->answers = {"HTTP/1.1 500 Again\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"};
  server->go_down();
  server->go_up();
  ASSERT_TRUE(turn_until([&] { return figures().sent == AlertDelivery::queue_max + 1; }, seconds{60}));
  std::vector<uint64_t> arrived = numbers();
  EXPECT_TRUE(std::is_sorted(arrived.begin(), arrived.end()));
  EXPECT_EQ(arrived.front(), 1U);
  EXPECT_EQ(arrived.back(), static_cast<uint64_t>(count));
  arrived.erase(std::unique(arrived.begin(), arrived.end()), arrived.end());
  EXPECT_EQ(arrived.size(), AlertDelivery::queue_max + 1);
  EXPECT_EQ(arrived[1], count - AlertDelivery::queue_max + 1);
}

TEST_F(AlertsTest, StopsInTheMiddleOfEverything) {
  const ThrowawayCertificate certificate;
  for (int turns = 0; turns < 30; turns += 3) {
    start_server(&certificate);
    HookServer plain;
    plain.manner = HookServer::Manner::stall;
    config::AlertConfig tls = hook_rule("tls");
    config::AlertConfig hanging = rule("hanging");
    hanging.webhook = plain.webhook();
    config::AlertConfig failing = exec_rule("exit 1", "failing");
    config::AlertConfig silent = exec_rule("read x; exec sleep 60", "silent");
    silent.log = true;
    for (config::AlertConfig* each : {&tls, &hanging, &failing, &silent}) each->retries = 1000;
    alerts->follow({tls, hanging, failing, silent});
    raise(20);
    for (int i = 0; i < turns; ++i) {
      turn();
      plain.step();
    }
    if (turns % 2 == 0) alerts->follow({hanging});
    const Instant before = clock.now();
    stop();
    EXPECT_LT(clock.now() - before, seconds{2});
    raise();
    EXPECT_THAT(alerts->figures(), IsEmpty());
    alerts = std::make_unique<Alerts>(context(), log, "lb1", 1);
  }
}

}  // namespace
}  // namespace weir
