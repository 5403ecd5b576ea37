#include "control/publisher.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/net/io/loopback.h"

namespace weir {
namespace {

constexpr unsigned workers = 2;

config::ListenerConfig listener(std::string name, std::string_view at) {
  config::ListenerConfig config;
  config.name = std::move(name);
  config.address = address_of(at);
  config.upstream = "app";
  return config;
}

config::Config listening(std::vector<config::ListenerConfig> listeners) {
  config::Config config;
  config.listeners = std::move(listeners);
  config::UpstreamConfig upstream;
  upstream.name = "app";
  upstream.endpoints.push_back({"a", address_of("10.0.0.1:80"), 1});
  config.upstreams.push_back(std::move(upstream));
  return config;
}

std::vector<int> fds_of(const ListenerSpec& spec) {
  std::vector<int> fds;
  for (const Fd& fd : spec.sockets->fds) fds.push_back(fd.get());
  return fds;
}

class PublisherTest : public testing::Test {
 protected:
  std::string publish(std::vector<config::ListenerConfig> listeners) {
    return publisher_.publish(listening(std::move(listeners)), {100}, Instant{});
  }
  const ListenerSpec& spec(size_t index) { return publisher_.current().listeners[index]; }

  Folder folder_;
  Published<Snapshot> published_{workers};
  Publisher publisher_{workers, published_};
};

TEST_F(PublisherTest, OpensASocketForEachWorkerOnThePortTheKernelChose) {
  ASSERT_EQ(publish({listener("web", "127.0.0.1:0"), listener("six", "[::1]:0")}), "");
  for (size_t i = 0; i < 2; ++i) {
    const ListenSockets& sockets = *spec(i).sockets;
    ASSERT_EQ(sockets.fds.size(), workers);
    EXPECT_NE(sockets.bound.port(), 0);
    for (const Fd& fd : sockets.fds) EXPECT_EQ(bound_to(fd), sockets.bound);
    EXPECT_NE(sockets.fd_of(0), sockets.fd_of(1));
    EXPECT_EQ(connect_to(stream_for(sockets.bound), sockets.bound), 0);
  }
  EXPECT_EQ(spec(0).address.port(), 0) << "the address stays what the operator wrote";
  EXPECT_EQ(publisher_.current().generation, 1U);
  EXPECT_EQ(publisher_.current().connections_max, 100U);
}

TEST_F(PublisherTest, OpensOneSocketForAllWorkersOnAUnixPath) {
  const std::string path = folder_ / "s";
  ASSERT_EQ(publish({listener("local", "unix:" + path)}), "");
  ASSERT_EQ(spec(0).sockets->fds.size(), 1U);
  EXPECT_EQ(spec(0).sockets->fd_of(0), spec(0).sockets->fd_of(1));
  EXPECT_EQ(connect_to(stream_for(address_of("unix:" + path)), address_of("unix:" + path)), 0);
}

TEST_F(PublisherTest, KeepsTheSocketsOfAnAddressThatStays) {
  ASSERT_EQ(publish({listener("web", "127.0.0.1:0"), listener("local", "unix:" + (folder_ / "s"))}), "");
  const std::vector<int> web = fds_of(spec(0));
  const std::vector<int> local = fds_of(spec(1));
  const SocketAddress bound = spec(0).sockets->bound;
  ASSERT_EQ(publish({listener("local, renamed", "unix:" + (folder_ / "s")), listener("web", "127.0.0.1:0")}), "");
  EXPECT_EQ(fds_of(spec(0)), local);
  EXPECT_EQ(fds_of(spec(1)), web);
  EXPECT_EQ(spec(1).sockets->bound, bound);
  EXPECT_EQ(publisher_.current().generation, 2U);
}

TEST_F(PublisherTest, TellsListenersOnPortsOfTheKernelsChoiceApart) {
  ASSERT_EQ(publish({listener("a", "127.0.0.1:0"), listener("b", "127.0.0.1:0")}), "");
  const SocketAddress a = spec(0).sockets->bound;
  const SocketAddress b = spec(1).sockets->bound;
  ASSERT_NE(a, b);
  ASSERT_EQ(publish({listener("b", "127.0.0.1:0"), listener("c", "127.0.0.1:0"), listener("a", "127.0.0.1:0")}), "");
  EXPECT_EQ(spec(0).sockets->bound, b);
  EXPECT_EQ(spec(2).sockets->bound, a);
  EXPECT_NE(spec(1).sockets->bound, a);
  EXPECT_NE(spec(1).sockets->bound, b);
}

TEST_F(PublisherTest, ClosesTheSocketsOfAnAddressThatGoesWhenNobodySeesThemAnyMore) {
  ASSERT_EQ(publish({listener("web", "127.0.0.1:0"), listener("old", "127.0.0.1:0")}), "");
  const SocketAddress old = spec(1).sockets->bound;
  published_.reader(0).online();
  ASSERT_EQ(publish({listener("web", "127.0.0.1:0")}), "");
  EXPECT_TRUE(publisher_.reclaim()) << "a worker may hold the first Snapshot yet";
  EXPECT_EQ(connect_to(stream_for(old), old), 0);
  published_.reader(0).refresh();
  EXPECT_FALSE(publisher_.reclaim());
  EXPECT_EQ(connect_to(stream_for(old), old), ECONNREFUSED);
  published_.reader(0).offline();
}

TEST_F(PublisherTest, SaysWhatIsInTheWayAndLeavesEverythingAsItWas) {
  const auto stranger = listen_on("127.0.0.1:0");
  const std::string taken = bound_to(*stranger).to_string();
  ASSERT_EQ(publish({listener("web", "127.0.0.1:0")}), "");
  const Snapshot* before = &publisher_.current();
  const std::vector<int> fds = fds_of(spec(0));
  const size_t open = open_descriptors();
  // The new ones that could be opened are closed again, too.
  EXPECT_EQ(publish({listener("web", "127.0.0.1:0"), listener("new", "127.0.0.1:0"), listener("third", taken)}),
            "cannot listen on " + taken +
                " (listener `third`): the address is in use; find who listens there with `ss -ltnp`");
  EXPECT_EQ(open_descriptors(), open);
  EXPECT_EQ(&publisher_.current(), before);
  EXPECT_EQ(fds_of(spec(0)), fds);
  EXPECT_EQ(publisher_.current().generation, 1U);
  EXPECT_FALSE(publisher_.reclaim()) << "something of the refused one was left";
  ASSERT_EQ(publish({listener("web", "127.0.0.1:0"), listener("new", "127.0.0.1:0")}), "");
  EXPECT_EQ(publisher_.current().generation, 2U) << "refused ones leave no gap";
}

TEST_F(PublisherTest, RefusesAPortThatAnotherWeirShares) {
  // SO_REUSEPORT would let both have it.
  ListenOptions sharing;
  sharing.reuse_port = true;
  const auto other = listen_on("127.0.0.1:0", sharing);
  const std::string problem = publish({listener("web", bound_to(*other).to_string())});
  EXPECT_NE(problem.find("the address is in use"), std::string::npos) << problem;
}

TEST_F(PublisherTest, ExplainsEachReasonInItsOwnWords) {
  const std::string file = folder_ / "file";
  const Fd created{::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)};
  ASSERT_TRUE(created.valid());
  const std::vector<std::pair<std::string, std::string>> table{
      {"192.0.2.1:80", "that address is not one of this machine's; see `ip addr`"},
      {"unix:" + (folder_ / "none/s"), "the directory of that path does not exist"},
      {"unix:" + file + "/s", "the directory of that path does not exist"},
      {"unix:" + file,
       "the address is in use; find who listens there with `ss -lxp`, or remove the file if it is no socket"},
  };
  for (const auto& [address, reason] : table) {
    EXPECT_EQ(publish({listener("web", address)}), "cannot listen on " + address + " (listener `web`): " + reason);
  }
  // Nothing was published, and the first that works is the first.
  ASSERT_EQ(publish({listener("web", "127.0.0.1:0")}), "");
  EXPECT_EQ(publisher_.current().generation, 1U);
}

TEST_F(PublisherTest, KeepsStatesAcrossReloadsAndFreesThemAfter) {
  ASSERT_EQ(publish({listener("web", "127.0.0.1:0")}), "");
  EndpointState* state = publisher_.current().upstreams[0]->endpoints[0].state;
  ASSERT_EQ(publish({listener("web", "127.0.0.1:0")}), "");
  EXPECT_EQ(publisher_.current().upstreams[0]->endpoints[0].state, state);
  EXPECT_FALSE(publisher_.reclaim());
  EXPECT_EQ(state->snapshots, 1U);

  // Its endpoint goes, but a connection is left.
  state->connections.store(1, std::memory_order_relaxed);
  config::Config config = listening({listener("web", "127.0.0.1:0")});
  config.upstreams[0].endpoints[0].address = address_of("10.0.0.2:80");
  ASSERT_EQ(publisher_.publish(config, {100}, Instant{}), "");
  EXPECT_TRUE(publisher_.reclaim());
  state->connections.store(0, std::memory_order_relaxed);
  EXPECT_FALSE(publisher_.reclaim());
}

TEST_F(PublisherTest, ReloadsAThousandTimesWithoutALeak) {
  ASSERT_EQ(publish({listener("web", "127.0.0.1:0")}), "");
  const size_t open = open_descriptors();
  const std::vector<int> fds = fds_of(spec(0));
  for (int i = 0; i < 1000; ++i) {
    std::vector<config::ListenerConfig> listeners{listener("web", "127.0.0.1:0")};
    if (i % 2 == 0) listeners.push_back(listener("sometimes", "127.0.0.1:0"));
    ASSERT_EQ(publish(std::move(listeners)), "");
    ASSERT_FALSE(publisher_.reclaim());
  }
  EXPECT_EQ(fds_of(spec(0)), fds);
  EXPECT_EQ(open_descriptors(), open);
  EXPECT_EQ(publisher_.current().generation, 1001U);
}

// --- what changes between reloads -----------------------------------------------------------------------------------

class PublisherRefresh : public PublisherTest {
 protected:
  static constexpr Duration slow_start = std::chrono::seconds{100};

  // Upstreams `app` (a, b and the backup c) and `api` (x).
  static config::Config two_upstreams() {
    config::Config config = listening({listener("web", "127.0.0.1:0")});
    config::UpstreamConfig& app = config.upstreams[0];
    app.endpoints.push_back({"b", address_of("10.0.0.2:80"), 1});
    app.endpoints.push_back({"c", address_of("10.0.0.3:80"), 1});
    app.endpoints[2].tier = 1;
    config::UpstreamConfig api;
    api.name = "api";
    api.endpoints.push_back({"x", address_of("10.0.1.1:80"), 1});
    config.upstreams.push_back(std::move(api));
    return config;
  }
  void start(const config::Config& config) {
    ASSERT_EQ(publisher_.publish(config, {100}, now_), "");
    EXPECT_TRUE(publisher_.take_events().empty()) << "nothing has happened yet";
  }
  const Upstream& upstream(size_t index) const { return *publisher_.current().upstreams[index]; }
  Standing& standing(size_t index) const { return upstream(0).endpoints[index].state->standing; }
  bool refresh() {
    const auto refreshed = publisher_.refresh(now_);
    EXPECT_EQ(refreshed.problem, "");
    publisher_.reclaim();
    return refreshed.published;
  }
  // As words: "panic app", "over app", "tiers app 2", "down app", "up app".
  std::vector<std::string> events() {
    std::vector<std::string> words;
    for (const BalanceEvent& event : publisher_.take_events()) {
      switch (event.kind) {
        case BalanceEvent::Kind::panic_began: words.push_back("panic " + event.upstream); break;
        case BalanceEvent::Kind::panic_ended: words.push_back("over " + event.upstream); break;
        case BalanceEvent::Kind::tiers_changed:
          words.push_back("tiers " + event.upstream + " " + std::to_string(event.tiers));
          break;
        case BalanceEvent::Kind::upstream_down: words.push_back("down " + event.upstream); break;
        case BalanceEvent::Kind::upstream_up: words.push_back("up " + event.upstream); break;
      }
    }
    return words;
  }

  Instant now_{std::chrono::hours{1}};
  using Words = std::vector<std::string>;
};

TEST_F(PublisherRefresh, PublishesNothingIfNothingChanged) {
  start(two_upstreams());
  const Snapshot* before = &publisher_.current();
  EXPECT_FALSE(refresh());
  EXPECT_EQ(&publisher_.current(), before);
  EXPECT_EQ(before->generation, 1U);
}

TEST_F(PublisherRefresh, SharesWhatHasNotChanged) {
  start(two_upstreams());
  const auto sockets = publisher_.current().listeners[0].sockets;
  const std::shared_ptr<const Upstream> app = publisher_.current().upstreams[0];
  const std::shared_ptr<const Upstream> api = publisher_.current().upstreams[1];
  standing(1).weight = 4;
  ASSERT_TRUE(refresh());
  const Snapshot& after = publisher_.current();
  EXPECT_EQ(after.generation, 2U);
  EXPECT_EQ(after.upstreams[1], api);
  ASSERT_NE(after.upstreams[0], app);
  EXPECT_EQ(after.upstreams[0]->version, 2U);
  EXPECT_EQ(api->version, 1U);
  EXPECT_EQ(after.upstreams[0]->shares.each, (std::vector<uint32_t>{100, 400, 100}));
  EXPECT_EQ(app->shares.each, (std::vector<uint32_t>{100, 100, 100})) << "what workers may still read";
  EXPECT_EQ(after.listeners[0].sockets, sockets);
  EXPECT_EQ(after.find(app->id), after.upstreams[0].get());
  EXPECT_FALSE(refresh());
  // A reload goes on from there.
  ASSERT_EQ(publisher_.publish(two_upstreams(), {100}, now_), "");
  EXPECT_EQ(publisher_.current().generation, 3U);
  EXPECT_EQ(upstream(0).endpoints[1].weight, 4U) << "what somebody said outlives it";
}

TEST_F(PublisherRefresh, TellsWhereNobodyTakesWork) {
  start(two_upstreams());
  standing(0).up = false;
  standing(1).duty = Duty::maint;
  ASSERT_TRUE(refresh());
  EXPECT_EQ(events(), (Words{"tiers app 2"})) << "the backup does";
  standing(2).ejected = true;
  ASSERT_TRUE(refresh());
  EXPECT_EQ(events(), (Words{"down app"}));
  standing(2).duty = Duty::drain;
  refresh();
  ASSERT_EQ(publisher_.publish(two_upstreams(), {100}, now_), "");
  EXPECT_EQ(events(), Words{}) << "a reload is no news either";
  standing(0).up = true;
  ASSERT_TRUE(refresh());
  const Words back = events();
  EXPECT_NE(std::find(back.begin(), back.end(), "up app"), back.end());
}

TEST_F(PublisherRefresh, StatesOutliveTheSnapshotsThatWereRefreshed) {
  start(two_upstreams());
  EndpointState* const state = upstream(0).endpoints[0].state;
  for (uint32_t i = 2; i < 200; ++i) {
    standing(0).weight = i;
    ASSERT_TRUE(refresh());
  }
  EXPECT_EQ(upstream(0).endpoints[0].state, state);
  EXPECT_EQ(state->snapshots, 1U);
  EXPECT_FALSE(publisher_.reclaim());
}

TEST_F(PublisherRefresh, SubsetsFollowTheSameStandings) {
  config::Config config = two_upstreams();
  config.upstreams[0].endpoints[0].metadata = {{"v", "1"}};
  config.upstreams[0].endpoints[1].metadata = {{"v", "1"}};
  config.listeners[0].subset = {{"v", "1"}};
  start(config);
  ASSERT_EQ(publisher_.current().upstreams.size(), 3U);
  standing(0).duty = Duty::drain;
  ASSERT_TRUE(refresh());
  EXPECT_EQ(upstream(2).shares.each, (std::vector<uint32_t>{0, 100}));
  EXPECT_EQ(upstream(0).shares.each, (std::vector<uint32_t>{0, 100, 100}));
}

TEST_F(PublisherRefresh, AsksAgainWhileSomebodyStartsSlowly) {
  config::Config config = two_upstreams();
  config.upstreams[0].slow_start = slow_start;
  start(config);
  EXPECT_EQ(publisher_.refresh_interval(), Duration::zero());
  config.upstreams[0].endpoints.push_back({"d", address_of("10.0.0.4:80"), 1});
  ASSERT_EQ(publisher_.publish(config, {100}, now_), "");
  EXPECT_EQ(upstream(0).shares.each[3], 10U);
  const Duration interval = publisher_.refresh_interval();
  EXPECT_GT(interval, Duration::zero());
  EXPECT_LE(interval, slow_start / 50);
  uint32_t share = 10;
  for (int i = 0; i < 200 && publisher_.refresh_interval() > Duration::zero(); ++i) {
    now_ += publisher_.refresh_interval();
    refresh();
    EXPECT_GE(upstream(0).shares.each[3], share);
    EXPECT_LE(upstream(0).shares.each[3], share + 5) << "not in leaps";
    share = upstream(0).shares.each[3];
  }
  EXPECT_EQ(share, 100U);
  EXPECT_EQ(publisher_.refresh_interval(), Duration::zero());
  EXPECT_FALSE(refresh());
}

TEST_F(PublisherRefresh, IntervalsAreNeitherABusyLoopNorLeaps) {
  struct Row {
    Duration slow_start;
    Duration interval;
  };
  using std::chrono::milliseconds;
  for (const Row& row :
       {Row{milliseconds{1}, milliseconds{20}}, Row{milliseconds{1000}, milliseconds{20}},
        Row{milliseconds{5000}, milliseconds{100}}, Row{milliseconds{3'600'000}, milliseconds{1000}}}) {
    config::Config config = two_upstreams();
    config.upstreams[0].slow_start = row.slow_start;
    ASSERT_EQ(publisher_.publish(config, {100}, now_), "");
    standing(0).since = now_;
    refresh();
    EXPECT_EQ(publisher_.refresh_interval(), row.interval);
  }
}

TEST_F(PublisherRefresh, TellsOfPanicOnceForEachTimeItBegins) {
  config::Config config = two_upstreams();
  config.upstreams[0].panic_threshold = 50;
  start(config);
  for (uint64_t times = 1; times <= 2; ++times) {
    standing(0).up = false;
    ASSERT_TRUE(refresh());
    EXPECT_EQ(events(), Words{});
    standing(1).up = false;
    ASSERT_TRUE(refresh());
    EXPECT_EQ(events(), Words{"panic app"});
    EXPECT_EQ(upstream(0).state->panics, times);
    // It goes on: another change of it, and a reload, are no news.
    standing(2).agent_connections_max = static_cast<uint32_t>(times);
    ASSERT_TRUE(refresh());
    ASSERT_EQ(publisher_.publish(config, {100}, now_), "");
    EXPECT_EQ(events(), Words{});
    standing(0).up = standing(1).up = true;
    ASSERT_TRUE(refresh());
    EXPECT_EQ(events(), Words{"over app"});
    EXPECT_EQ(upstream(0).state->panics, times);
  }
}

TEST_F(PublisherRefresh, TellsOfTiersOnceForEachChange) {
  config::Config config = two_upstreams();
  config.upstreams[0].endpoints[0].metadata = {{"v", "1"}};
  config.listeners[0].subset = {{"v", "1"}};
  config.listeners[0].subset_fallback = config::SubsetFallback::any;
  start(config);
  standing(0).up = false;
  ASSERT_TRUE(refresh());
  EXPECT_EQ(events(), Words{}) << "what a subset does is not an upstream's news";
  standing(1).up = false;
  ASSERT_TRUE(refresh());
  EXPECT_EQ(events(), Words{"tiers app 2"});
  standing(1).health = 0.5;
  refresh();
  ASSERT_EQ(publisher_.publish(config, {100}, now_), "");
  EXPECT_EQ(events(), Words{});
  standing(1).up = true;
  ASSERT_TRUE(refresh());
  EXPECT_EQ(events(), Words{"tiers app 1"});
}

}  // namespace
}  // namespace weir
