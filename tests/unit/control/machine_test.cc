#include "control/machine.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <optional>
#include <string>
#include <vector>

namespace weir {
namespace {

config::Config with_workers(std::optional<uint32_t> workers, std::vector<uint32_t> cpus = {}) {
  config::Config config;
  config.workers = workers;
  config.cpus = std::move(cpus);
  config.listeners.resize(1);
  return config;
}

Machine machine(std::vector<unsigned> cpus, double quota = 0, uint64_t descriptors = 1'000'000) {
  return {std::move(cpus), quota, descriptors};
}

struct Placed {
  const char* what;
  std::optional<uint32_t> workers;
  std::vector<uint32_t> wanted;
  std::vector<unsigned> allowed;
  double quota;
  std::vector<int> expected;
};

TEST(Layout, PlacesWorkers) {
  const std::vector<Placed> table{
      {"one per CPU", {}, {}, {0, 1, 2, 3}, 0, {0, 1, 2, 3}},
      {"one per allowed CPU", {}, {}, {1, 3}, 0, {1, 3}},
      {"one per named CPU", {}, {1, 3}, {0, 1, 2, 3}, 0, {1, 3}},
      {"fewer by number", 2, {}, {0, 1, 2, 3}, 0, {0, 1}},
      {"more by number share", 5, {}, {4, 7}, 0, {4, 7, 4, 7, 4}},
      {"by number on named ones", 1, {2, 3}, {0, 1, 2, 3}, 0, {2}},
      {"a quota of one and a half is two", {}, {}, {0, 1, 2, 3}, 1.5, {0, 1}},
      {"a whole quota is itself", {}, {}, {0, 1, 2, 3}, 3.0, {0, 1, 2}},
      {"a small quota is one", {}, {}, {0, 1, 2, 3}, 0.1, {0}},
      {"a large quota changes nothing", {}, {}, {0, 1}, 64, {0, 1}},
      {"a quota on named CPUs", {}, {2, 3}, {0, 1, 2, 3}, 1, {2}},
      {"a number overrides the quota", 4, {}, {0, 1, 2, 3}, 1, {0, 1, 2, 3}},
      {"no CPUs known: one, not pinned", {}, {}, {}, 0, {-1}},
      {"no CPUs known, a number", 2, {}, {}, 0, {-1, -1}},
  };
  for (const Placed& row : table) {
    const Layout layout = lay_out(with_workers(row.workers, row.wanted), machine(row.allowed, row.quota));
    EXPECT_EQ(layout.worker_cpus, row.expected) << row.what;
    EXPECT_EQ(layout.problem, "") << row.what;
  }
}

TEST(Layout, RefusesACpuItMayNotUse) {
  EXPECT_EQ(lay_out(with_workers({}, {1, 5}), machine({0, 1, 2})).problem,
            "cpus: CPU 5 is not among those this process may use (0,1,2); change `cpus`, or the affinity mask weir is "
            "started with");
}

// What a layout takes, as promised: never more than there is.
uint64_t descriptors_of(const Layout& layout, uint64_t connections) {
  return 2 * connections + 2 * uint64_t{layout.pipes_per_worker} * layout.worker_cpus.size();
}

TEST(Layout, SharesDescriptorsBetweenConnectionsAndPipes) {
  for (const uint64_t descriptors : {200U, 256U, 1024U, 4096U, 20'000U, 65'536U, 1'048'576U}) {
    for (const uint32_t workers : {1U, 2U, 8U}) {
      const Layout layout = lay_out(with_workers(workers), machine({0}, 0, descriptors));
      ASSERT_EQ(layout.problem, "") << descriptors;
      EXPECT_GE(layout.connections_max, 1U);
      EXPECT_GE(layout.pipes_per_worker, 1U);
      EXPECT_LE(layout.pipes_per_worker, 256U);
      EXPECT_LE(descriptors_of(layout, layout.connections_max) + 64 + workers * 8, descriptors);
    }
  }
  // Most of a large number goes to connections.
  const Layout large = lay_out(with_workers(2), machine({0, 1}, 0, 1'048'576));
  EXPECT_EQ(large.pipes_per_worker, 256U);
  EXPECT_GT(large.connections_max, 520'000U);
  // Of a small one, an eighth at the most to pipes.
  const Layout small = lay_out(with_workers(2), machine({0, 1}, 0, 1024));
  EXPECT_EQ(small.pipes_per_worker, 32U);
  EXPECT_EQ(small.connections_max, (1024U - 64 - 2 * 8 - 3 - 2 * 2 * 32) / 2);
}

TEST(Layout, KeepsToTheLimitsThatWereWritten) {
  config::Config config = with_workers(2);
  config.limits.pipes_per_worker = 0;
  config.limits.connections = 100;
  const Layout layout = lay_out(config, machine({0, 1}, 0, 1000));
  EXPECT_EQ(layout.problem, "");
  EXPECT_EQ(layout.pipes_per_worker, 0U);
  EXPECT_GE(layout.connections_max, 100U);
  config.limits.pipes_per_worker = 7;
  EXPECT_EQ(lay_out(config, machine({0, 1}, 0, 1000)).pipes_per_worker, 7U);
}

TEST(Layout, SaysWhenDescriptorsDoNotSuffice) {
  config::Config config = with_workers(2);
  config.limits.connections = 500;
  config.limits.pipes_per_worker = 10;
  // 64 for the process, 2 * 8 for the workers, 3 for the listener, 2 * 2 * 10 for pipes, 2 * 500 for connections
  EXPECT_EQ(lay_out(config, machine({0, 1}, 0, 1123)).problem, "");
  EXPECT_EQ(lay_out(config, machine({0, 1}, 0, 1122)).problem,
            "limits: 500 connections, with 2 workers and 10 pipes for each, would need 1123 file descriptors, but "
            "RLIMIT_NOFILE is 1122; lower `limits.connections`, or raise the limit (`ulimit -Hn`, LimitNOFILE= in a "
            "systemd unit)");
  EXPECT_EQ(lay_out(with_workers(4), machine({0, 1}, 0, 64)).problem,
            "limits: a single connection, with 4 workers and 1 pipes for each, would need 111 file descriptors, but "
            "RLIMIT_NOFILE is 64; lower `limits.pipes_per_worker` or `workers`, or raise the limit (`ulimit -Hn`, "
            "LimitNOFILE= in a systemd unit)");
}

TEST(Layout, DoesNotOverflowOnWhatTheRangesAllow) {
  config::Config config = with_workers(4096);
  config.limits.connections = 10'000'000;
  config.limits.pipes_per_worker = 65'535;
  config.listeners.resize(1000);
  EXPECT_NE(lay_out(config, machine({0}, 0, 1'048'576)).problem, "");
  EXPECT_EQ(lay_out(config, machine({0}, 0, ~uint64_t{0})).problem, "");
  EXPECT_EQ(lay_out(config, machine({0}, 0, ~uint64_t{0})).connections_max, 1U << 24);
}

TEST(Machine, ReadsTheQuotaOfACgroup) {
  EXPECT_DOUBLE_EQ(parse_cpu_max("150000 100000"), 1.5);
  EXPECT_DOUBLE_EQ(parse_cpu_max("20000 100000\n"), 0.2);
  for (const char* none : {"max 100000", "", "100000", "0 100000", "-1 100000", "100000 0", "x y", "100000 max"}) {
    EXPECT_EQ(parse_cpu_max(none), 0.0) << none;
  }
}

TEST(Machine, IsWhatTheKernelSays) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const Machine here = look_at_machine();
  rlimit raised{};
  ::getrlimit(RLIMIT_NOFILE, &raised);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(raised.rlim_cur, before.rlim_max);
  EXPECT_EQ(here.descriptors_max, before.rlim_max);

  cpu_set_t mask;
  ASSERT_EQ(::sched_getaffinity(0, sizeof mask, &mask), 0);
  EXPECT_EQ(here.cpus.size(), static_cast<size_t>(CPU_COUNT(&mask)));
  for (const unsigned cpu : here.cpus) EXPECT_TRUE(CPU_ISSET(cpu, &mask)) << cpu;
  EXPECT_TRUE(std::is_sorted(here.cpus.begin(), here.cpus.end()));
  EXPECT_GE(here.cpu_quota, 0.0);
}

}  // namespace
}  // namespace weir
