#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "control/stats_report.h"
#include "core/balance/reshare.h"
#include "tests/unit/control/stats_world.h"

namespace weir {
namespace {

using ::testing::HasSubstr;

// What HAProxy 2.6.12 prints, up to where its optional modules begin.
constexpr const char* haproxy_header =
    "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,act,"
    "bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,rate_lim,rate_max,"
    "check_status,check_code,check_duration,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,hanafail,req_rate,"
    "req_rate_max,req_tot,cli_abrt,srv_abrt,comp_in,comp_out,comp_byp,comp_rsp,lastsess,last_chk,last_agt,qtime,ctime,"
    "rtime,ttime,agent_status,agent_code,agent_duration,check_desc,agent_desc,check_rise,check_fall,check_health,"
    "agent_rise,agent_fall,agent_health,addr,cookie,mode,algo,conn_rate,conn_rate_max,conn_tot,intercepted,dcon,dses,"
    "wrew,connect,reuse,cache_lookups,cache_hits,srv_icur,src_ilim,qtime_max,ctime_max,rtime_max,ttime_max,eint,"
    "idle_conn_cur,safe_conn_cur,used_conn_cur,need_conn_est,uweight,agg_server_status,agg_server_check_status,"
    "agg_check_status,-,";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// A row without quoted fields, by the names of the header.
std::map<std::string, std::string> fields_of(const std::string& header, const std::string& row) {
  std::map<std::string, std::string> fields;
  size_t name_at = header.find_first_not_of("# ");
  for (size_t at = 0; at < row.size();) {
    const size_t name_end = header.find(',', name_at);
    const size_t end = row.find(',', at);
    fields[header.substr(name_at, name_end - name_at)] = row.substr(at, end - at);
    name_at = name_end + 1;
    at = end + 1;
  }
  EXPECT_EQ(name_at, header.size());
  return fields;
}

TEST(StatsCsv, BeginsWithHaproxysHeader) {
  EXPECT_EQ(lines_of(stat_csv(StatsWorld{}.view())).front(), haproxy_header);
}

TEST(StatsCsv, HasARowForEachListenerAndEndpointAndTheirSum) {
  const StatsWorld world;
  const auto lines = lines_of(stat_csv(world.view()));
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(
      lines[1],
      "web,FRONTEND,,,4,,100,40,1001,70000,,,2,,,,,OPEN,,,,,,,,,1,1,0,,,,0,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,"
      "tcp,,,,40,,,,,,,,,,,,,,,,,,,,,,,,-,");
  EXPECT_EQ(
      lines[3],
      "app,e0,0,0,4,,,39,1001,70000,,,,5,1,0,4,no check,2,1,0,,,,,,1,2,1,,44,,2,,,,,,,,,,,,,,,,,,1,,,,,,,,,,,,,,,,,,,,"
      ",,,10.0.0.1:9000,,tcp,,,,,,,,,44,0,,,,,,,,,,,,4,,2,,,,-,");
  EXPECT_EQ(
      lines[5],
      "app,BACKEND,0,0,5,,,40,1001,70000,,,,5,1,0,4,UP,2,1,0,,,,,,1,2,0,,45,,1,,,,,,,,,,,,,,,,,,1,,,,,,,,,,,,,,,,,,,,,"
      ",,,,tcp,round_robin,,,,,,,,45,0,,,,,,,,,,,,,,2,,,,-,");
}

TEST(StatsCsv, PutsFiguresUnderTheirNames) {
  const StatsWorld world;
  const auto lines = lines_of(stat_csv(world.view()));
  auto web = fields_of(lines[0], lines[1]);
  EXPECT_EQ(web["scur"], "4");
  EXPECT_EQ(web["slim"], "100");
  EXPECT_EQ(web["conn_tot"], "40");
  EXPECT_EQ(web["ereq"], "2");
  EXPECT_EQ(web["mode"], "tcp");
  auto first = fields_of(lines[0], lines[3]);
  EXPECT_EQ(first["lbtot"], "44");
  EXPECT_EQ(first["econ"], "5");
  EXPECT_EQ(first["wredis"], "4");
  EXPECT_EQ(first["addr"], "10.0.0.1:9000");
  EXPECT_EQ(first["uweight"], "2");
  EXPECT_EQ(first["type"], "2");
  auto second = fields_of(lines[0], lines[4]);
  EXPECT_EQ(second["weight"], "0");
  EXPECT_EQ(second["sid"], "2");
  auto backend = fields_of(lines[0], lines[5]);
  EXPECT_EQ(backend["act"], "1");  // the endpoint of weight 0 takes no work
  EXPECT_EQ(backend["algo"], "round_robin");
}

TEST(StatsCsv, LeavesColumnsOfHttpEmptyInTcp) {
  const StatsWorld world;
  const auto lines = lines_of(stat_csv(world.view()));
  for (const size_t row : {1U, 3U, 5U}) {
    auto fields = fields_of(lines[0], lines[row]);
    EXPECT_EQ(fields["mode"], "tcp") << row;
    for (const char* name : {"req_tot", "hrsp_1xx", "hrsp_2xx", "hrsp_5xx", "hrsp_other", "cli_abrt", "srv_icur"}) {
      EXPECT_EQ(fields[name], "") << row << " " << name;
    }
  }
}

TEST(StatsCsv, SaysWhatClientsAskedAndGotInHttp) {
  StatsWorld world;
  world.make_http(0);
  world.web.counters(0).requests.add(60);
  world.web.counters(1).requests.add(40);
  world.web.counters(0).requests_refused.add(5);
  world.web.counters(0).answers_1xx.add(1);
  world.web.counters(0).answers_2xx.add(70);
  world.web.counters(1).answers_2xx.add(7);
  world.web.counters(1).answers_3xx.add(3);
  world.web.counters(1).answers_4xx.add(14);
  world.web.counters(1).answers_5xx.add(15);
  world.web.counters(1).client_aborts.add(6);
  const auto lines = lines_of(stat_csv(world.view()));
  auto web = fields_of(lines[0], lines[1]);
  EXPECT_EQ(web["mode"], "http");
  EXPECT_EQ(web["req_tot"], "100");
  EXPECT_EQ(web["ereq"], "7");  // with the two PROXY headers
  EXPECT_EQ(web["hrsp_1xx"], "1");
  EXPECT_EQ(web["hrsp_2xx"], "77");
  EXPECT_EQ(web["hrsp_3xx"], "3");
  EXPECT_EQ(web["hrsp_4xx"], "14");
  EXPECT_EQ(web["hrsp_5xx"], "15");
  EXPECT_EQ(web["hrsp_other"], "0");
  EXPECT_EQ(web["cli_abrt"], "6");
  EXPECT_EQ(web["srv_abrt"], "");
  EXPECT_EQ(web["stot"], "40");  // connections, still
}

TEST(StatsCsv, SaysWhatEndpointsWereAskedAndSaidInHttp) {
  StatsWorld world;
  world.make_http(0);
  Upstream& app = *world.upstreams[0];
  EndpointState& first = *app.endpoints[0].state;
  first.counters(0).requests.add(90);
  first.counters(1).requests.add(9);
  first.counters(1).reused.add(60);
  first.counters(0).answers_1xx.add(2);
  first.counters(0).answers_2xx.add(80);
  first.counters(0).answers_3xx.add(4);
  first.counters(0).answers_4xx.add(5);
  first.counters(1).answers_5xx.add(6);
  first.counters(0).answers_malformed.add(10);
  first.counters(1).answers_cut.add(20);
  EndpointState& second = *app.endpoints[1].state;
  second.counters(0).requests.add(1000);
  second.counters(0).reused.add(500);
  second.counters(0).answers_2xx.add(900);
  second.counters(1).answers_cut.add(200);
  const auto lines = lines_of(stat_csv(world.view()));
  auto row = fields_of(lines[0], lines[3]);
  EXPECT_EQ(row["mode"], "http");
  EXPECT_EQ(row["req_tot"], "99");
  EXPECT_EQ(row["reuse"], "60");
  EXPECT_EQ(row["hrsp_1xx"], "2");
  EXPECT_EQ(row["hrsp_2xx"], "80");
  EXPECT_EQ(row["hrsp_3xx"], "4");
  EXPECT_EQ(row["hrsp_4xx"], "5");
  EXPECT_EQ(row["hrsp_5xx"], "6");
  EXPECT_EQ(row["hrsp_other"], "0");
  EXPECT_EQ(row["eresp"], "31");  // with the one reset
  EXPECT_EQ(row["srv_abrt"], "20");
  EXPECT_EQ(row["used_conn_cur"], "4");
  EXPECT_EQ(row["cli_abrt"], "");
  EXPECT_EQ(row["srv_icur"], "");
  auto sum = fields_of(lines[0], lines[5]);
  EXPECT_EQ(sum["mode"], "http");
  EXPECT_EQ(sum["req_tot"], "1099");
  EXPECT_EQ(sum["reuse"], "560");
  EXPECT_EQ(sum["hrsp_2xx"], "980");
  EXPECT_EQ(sum["eresp"], "231");
  EXPECT_EQ(sum["srv_abrt"], "220");
  EXPECT_EQ(sum["used_conn_cur"], "");  // HAProxy's BACKEND has none either
}

// By whom an upstream is named, and what its rows then say.
TEST(StatsCsv, AnUpstreamHasTheModeOfThoseWhoNameIt) {
  StatsWorld world;
  for (const char* name : {"split_a", "split_b", "mirror", "by_nobody"}) world.add_upstream(name, 1);
  world.snapshot.listeners[1].upstream = no_upstream;
  world.make_http(1, {route_to({1, 2}), route_mirrored_to(3)});
  const auto modes = [&] {
    const auto lines = lines_of(stat_csv(world.view()));
    std::map<std::string, std::string> found;
    for (size_t i = 3; i < lines.size(); ++i) {  // behind the listeners, of which one has a name in quotes
      auto fields = fields_of(lines[0], lines[i]);
      auto [at, is_new] = found.emplace(fields["pxname"], fields["mode"]);
      EXPECT_EQ(at->second, fields["mode"]) << fields["pxname"] << " " << fields["svname"];
    }
    return found;
  };
  using Modes = std::map<std::string, std::string>;
  EXPECT_EQ(
      modes(),
      (Modes{{"app", "tcp"}, {"split_a", "http"}, {"split_b", "http"}, {"mirror", "http"}, {"by_nobody", "tcp"}}));
  world.make_http(0);  // and `app` is where its requests go
  EXPECT_EQ(modes()["app"], "http");
}

TEST(StatsCsv, AnUpstreamOfBothModesIsHttp) {
  StatsWorld world;
  world.make_http(1);
  const auto lines = lines_of(stat_csv(world.view()));
  EXPECT_EQ(fields_of(lines[0], lines[1])["mode"], "tcp");
  EXPECT_EQ(fields_of(lines[0], lines[5])["mode"], "http");
}

TEST(StatsCsv, SaysWhatEndpointsDoInHaproxysWords) {
  struct Row {
    const char* what;
    Standing standing;
    const char* status;
    const char* weight;
  };
  for (const Row& row : std::vector<Row>{{"nothing is known", {}, "no check", "2"},
                                         {"drain", {.duty = Duty::drain}, "DRAIN", "0"},
                                         {"maint", {.duty = Duty::maint}, "MAINT", "0"},
                                         {"as its agent says", {.agent_duty = Duty::maint}, "MAINT", "0"},
                                         {"down", {.up = false}, "DOWN", "0"},
                                         {"no health", {.health = 0}, "DOWN", "0"},
                                         {"maint and down", {.duty = Duty::maint, .up = false}, "MAINT", "0"},
                                         {"no weight", {.weight = 0}, "DRAIN", "0"},
                                         {"half its health", {.health = 0.5}, "no check", "1"},
                                         {"a little", {.health = 0.01}, "no check", "1"},
                                         {"more", {.weight = 9}, "no check", "9"}}) {
    StatsWorld world;
    Upstream& app = *world.upstreams[0];
    app.endpoints[0].state->standing = row.standing;
    reshare(app, world.now);
    const auto lines = lines_of(stat_csv(world.view()));
    auto fields = fields_of(lines[0], lines[3]);
    EXPECT_EQ(fields["status"], row.status) << row.what;
    EXPECT_EQ(fields["weight"], row.weight) << row.what;
    EXPECT_EQ(fields["uweight"], "2") << row.what;
    EXPECT_EQ(fields["slim"], "") << row.what;
    auto sum = fields_of(lines[0], lines[5]);
    EXPECT_EQ(sum["status"], *row.weight == '0' ? "DOWN" : "UP") << row.what;
    EXPECT_EQ(sum["weight"], row.weight) << row.what;
  }
}

TEST(StatsCsv, TellsBackupsFromThoseInUse) {
  StatsWorld world;
  world.add_upstream("more", 3);
  Upstream& more = *world.upstreams[1];
  more.endpoints[1].tier = 1;
  more.endpoints[2].tier = 1;
  more.endpoints[2].state->standing.up = false;
  more.endpoints[0].configured_connections_max = 25;
  reshare(more, world.now);
  const auto lines = lines_of(stat_csv(world.view()));
  auto first = fields_of(lines[0], lines[6]);
  EXPECT_EQ(first["act"], "1");
  EXPECT_EQ(first["bck"], "0");
  EXPECT_EQ(first["slim"], "25");
  auto second = fields_of(lines[0], lines[7]);
  EXPECT_EQ(second["act"], "0");
  EXPECT_EQ(second["bck"], "1");
  auto sum = fields_of(lines[0], lines[9]);
  EXPECT_EQ(sum["act"], "1");
  EXPECT_EQ(sum["bck"], "1") << "one of two is down";
  EXPECT_EQ(sum["status"], "UP");
}

// A subset has no rows of its own; who goes by it, goes to the upstream.
TEST(StatsCsv, ASubsetIsAPartOfItsUpstream) {
  StatsWorld world;
  world.add_upstream("app", 1);
  world.upstreams[1]->is_subset = true;
  world.make_http(1, {route_to({1})});
  world.snapshot.listeners[1].upstream = no_upstream;
  const auto lines = lines_of(stat_csv(world.view()));
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(fields_of(lines[0], lines[5])["mode"], "http");
}

TEST(StatsCsv, AListenerWithoutALimitHasThatOfTheProcess) {
  const StatsWorld world;
  EXPECT_THAT(lines_of(stat_csv(world.view()))[2], HasSubstr("FRONTEND,,,0,,9000,"));
}

TEST(StatsCsv, QuotesNamesThatWouldBreakARow) {
  const StatsWorld world;
  EXPECT_THAT(lines_of(stat_csv(world.view()))[2], ::testing::StartsWith("\"local, \"\"private\"\"\",FRONTEND,"));
}

TEST(StatsCsv, SaysThatADrainingListenerIsStopped) {
  StatsWorld world;
  world.figures.draining = true;
  EXPECT_THAT(lines_of(stat_csv(world.view()))[1], HasSubstr(",STOP,"));
}

TEST(StatsCsv, AnUpstreamWhoseEndpointsTakeNothingIsDown) {
  StatsWorld world;
  world.upstreams[0]->shares.each[0] = 0;
  EXPECT_THAT(lines_of(stat_csv(world.view())).back(), HasSubstr(",DOWN,0,0,"));
}

}  // namespace
}  // namespace weir
