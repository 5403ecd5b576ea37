#include "health/tcp_probe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/health/checking.h"

namespace weir {
namespace {

class TcpProbeTest : public CheckingTest {
 protected:
  ProbeId add_tcp(const SocketAddress& address, std::string say = {}, std::string expect = {}) {
    return add<TcpProbe>(TcpTarget{address, std::move(say), std::move(expect), timeout});
  }
};

TEST_F(TcpProbeTest, PassesWhenAConnectionIsMade) {
  PlayedAgent agent;
  const ProbeId id = add_tcp(agent.address);
  for (size_t round = 1; round <= 3; ++round) {
    ASSERT_TRUE(calls(agent));
    EXPECT_EQ(reason_of(id, round), "");
    EXPECT_TRUE(turn_until([&] { return agent.left(); }));
    agent.hang_up();
    EXPECT_EQ(reports[id].size(), round);
  }
}

TEST_F(TcpProbeTest, PassesWhenWhatIsToBeSaidWasTaken) {
  PlayedAgent agent;
  const std::string much(20'000, 'm');
  const ProbeId id = add_tcp(agent.address, much);
  ASSERT_TRUE(calls(agent));
  EXPECT_EQ(reason_of(id), "");
  std::string heard;
  EXPECT_TRUE(turn_until([&] {
    heard += receive_now(agent.caller);
    return heard.size() == much.size();
  }));
}

TEST_F(TcpProbeTest, FailsWhenWhatIsToBeSaidIsNotTaken) {
  PlayedAgent agent;
  const ProbeId id = add_tcp(agent.address, std::string(32 * 1024 * 1024, 'm'));
  ASSERT_TRUE(calls(agent));
  pass(timeout);
  EXPECT_EQ(reason_of(id), "connected, but it did not take in time what was to be said");
}

TEST_F(TcpProbeTest, JudgesWhatIsSaid) {
  struct Row {
    std::string say;
    bool and_closes;
    std::string reason;
  };
  const std::string hay(TcpProbe::heard_bytes_max, 'h');
  for (const Row& row : {Row{"+PONG\r\n", false, ""}, Row{"noise before +PONG and behind", true, ""},
                         Row{hay.substr(5) + "+PONG", false, ""},
                         Row{"-LOADING\r\n", true, "it said `-LOADING\\r\\n` and closed, expected `+PONG`"},
                         Row{"", true, "closed without a word, expected `+PONG`"},
                         Row{hay.substr(4) + "+PONG", false, "the first 16 KiB do not contain `+PONG`"}}) {
    PlayedAgent agent;
    const ProbeId id = add_tcp(agent.address, "PING\r\n", "+PONG");
    ASSERT_TRUE(calls(agent));
    ASSERT_TRUE(turn_until([&] { return becomes(agent.caller.get(), POLLIN, 0); }));
    EXPECT_EQ(receive_now(agent.caller), "PING\r\n");
    agent.say(row.say);
    if (row.and_closes) agent.hang_up();
    EXPECT_EQ(reason_of(id), row.reason);
    prober->remove(id);
  }
}

TEST_F(TcpProbeTest, FailsWhenItIsNotSaidInTime) {
  struct Row {
    std::string_view said;  // byte by byte, and slowly
    std::string reason;
  };
  for (const Row& row : {Row{"", "connected, but it did not say anything in time, expected `+PONG`"},
                         Row{"+PON", "it said `+PON` in time, expected `+PONG`"}}) {
    PlayedAgent agent;
    const ProbeId id = add_tcp(agent.address, "", "+PONG");
    ASSERT_TRUE(calls(agent));
    const Instant began = clock.time;
    for (const char byte : row.said) {
      pass(timeout / 8);
      agent.say({&byte, 1});
      turn();
    }
    EXPECT_TRUE(reports[id].empty());
    pass(began + timeout - clock.time);
    EXPECT_EQ(reason_of(id), row.reason);
    EXPECT_LE(reports[id][0].took, timeout + step);
    prober->remove(id);
  }
}

TEST_F(TcpProbeTest, FindsWhatComesByteByByte) {
  PlayedAgent agent;
  const ProbeId id = add_tcp(agent.address, "", "ababc");
  ASSERT_TRUE(calls(agent));
  for (const char byte : std::string{"xabababc"}) {
    EXPECT_TRUE(reports[id].empty());
    agent.say({&byte, 1});
    pass(step);
  }
  EXPECT_TRUE(turn_until_reported(id));
  EXPECT_TRUE(reports[id][0].passed);
}

TEST_F(TcpProbeTest, FailsWhereThereIsNoConnection) {
  const Folder folder;
  SocketAddress nobody;
  { nobody = PlayedAgent{}.address; }
  // The queue of who takes nobody is full after one; what comes then is not answered at all.
  PlayedAgent full{"127.0.0.1:0", 0};
  std::vector<Fd> crowd;
  for (int i = 0; i < 3; ++i) {
    crowd.push_back(stream_for(full.address));
    static_cast<void>(::connect(crowd.back().get(), full.address.data(), full.address.size()));
  }
  struct Row {
    SocketAddress address;
    std::string reason;
  };
  for (const Row& row :
       {Row{nobody, "no connection: origin: connection refused (ECONNREFUSED)"},
        Row{address_of("unix:" + (folder / "none")), "no connection: origin: connection refused (ENOENT)"},
        Row{full.address, "no connection: origin: no answer in time (ETIMEDOUT)"}}) {
    const ProbeId id = add_tcp(row.address, "hello", "world");
    ASSERT_TRUE(pass_until(interval + timeout + 4 * step, [&] { return !reports[id].empty(); }));
    EXPECT_EQ(reports[id][0].reason, row.reason);
    EXPECT_FALSE(reports[id][0].passed);
    prober->remove(id);
  }
}

TEST_F(TcpProbeTest, SaysHowItBroke) {
  PlayedAgent agent;
  const ProbeId id = add_tcp(agent.address, "", "+PONG");
  ASSERT_TRUE(calls(agent));
  reset_on_close(agent.caller.get());
  agent.hang_up();
  EXPECT_EQ(reason_of(id), "the connection broke: origin: connection reset by the peer (ECONNRESET)");
}

TEST_F(TcpProbeTest, RemovedAtAnyTurnLeavesNothing) {
  PlayedAgent agent;
  for (int turns = 0; turns < 8; ++turns) {
    const ProbeId id = add_tcp(agent.address, "PING", "PONG");
    ASSERT_TRUE(pass_until_asking());
    for (int done = 0; done < turns; ++done) {
      turn();
      if (agent.called()) agent.say("PONG");
    }
    prober->remove(id);
    const size_t heard = reports[id].size();
    ASSERT_TRUE(turn_until([&] { return prober->size() == 0; }));
    EXPECT_EQ(reports[id].size(), heard);
    while (agent.called()) {
    }
    agent.hang_up();
  }
}

// Thousands of endpoints, a burst nowhere: neither when they are added together, nor later, nor after a pause.
TEST_F(TcpProbeTest, TwoThousandAreAskedWithoutABurst) {
  constexpr size_t count = 2'000;
  constexpr Duration every = std::chrono::seconds{5};
  constexpr Duration window = std::chrono::milliseconds{100};
  // 40 is the mean; jitter and what was missed in the pause come on top.
  constexpr size_t usual_max = 70;
  PlayedAgent agent{"127.0.0.1:0", 4096};
  std::vector<Instant> reported;
  uint32_t asking_most = 0;
  for (size_t i = 0; i < count; ++i) {
    prober->add(std::make_unique<TcpProbe>(context(), TcpTarget{agent.address, "", "", std::chrono::seconds{1}},
                                           [&](ProbeId, const CheckReport& report) {
                                             EXPECT_TRUE(report.passed) << report.reason;
                                             reported.push_back(clock.time);
                                           }),
                every);
  }
  const auto let_pass = [&](Duration time) {
    for (const Instant end = clock.time + time; clock.time < end;) {
      clock.time += 5 * step;
      // Each round ends at once, in true time; the clock goes on when it has.
      do {
        turn(Duration::zero());
        asking_most = std::max(asking_most, prober->asking());
        while (agent.called()) {
        }
      } while (prober->asking() > 0);
    }
  };
  const auto most_within = [&] {
    size_t most = 0;
    for (size_t first = 0, last = 0; last < reported.size(); ++last) {
      while (reported[last] - reported[first] >= window) ++first;
      most = std::max(most, last - first + 1);
    }
    return most;
  };
  let_pass(every + 10 * step);
  EXPECT_GE(reported.size(), count);
  EXPECT_LE(most_within(), usual_max);
  let_pass(every);
  EXPECT_GE(reported.size(), 2 * count * 9 / 10);
  EXPECT_LE(most_within(), usual_max);

  reported.clear();
  clock.time += 3 * every;
  let_pass(every);
  EXPECT_GE(reported.size(), count);
  EXPECT_LE(most_within(), 2 * usual_max);
  EXPECT_LE(asking_most, usual_max);
  agent.hang_up();
}

}  // namespace
}  // namespace weir
