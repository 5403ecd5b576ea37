#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "control/stats_report.h"
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
      ",,,10.0.0.1:9000,,tcp,,,,,,,,,44,0,,,,,,,,,,,,,,2,,,,-,");
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
  world.snapshot.upstreams[0].endpoints[0].weight = 0;
  EXPECT_THAT(lines_of(stat_csv(world.view())).back(), HasSubstr(",DOWN,0,0,"));
}

}  // namespace
}  // namespace weir
