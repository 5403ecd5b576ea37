// Loops with real sockets, in a thread of the test: what the conversations' tests cannot see.
#include "tools/origin/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <thread>

#include "tests/unit/tools/origin/client.h"
#include "tests/unit/tools/origin/dialogue.h"

namespace weir::origin {
namespace {

using testing::Each;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// One loop on a free port, stopped and joined at the end.
class RunningLoop {
 public:
  explicit RunningLoop(OriginOptions options = {}, const std::string& listen = "127.0.0.1:0")
      : settings_(settings_of(options)),
        address_(*parse_listen_address(listen)),
        loop_(settings_, board_, 0, listeners(), clock_),
        thread_([this] { EXPECT_TRUE(loop_.run()); }) {}

  ~RunningLoop() {
    loop_.ask(Loop::Order::quit);
    join();
  }

  void stop() { loop_.ask(Loop::Order::stop); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  const ListenAddress& address() const { return address_; }
  const Scoreboard& board() const { return board_; }

 private:
  static Settings settings_of(const OriginOptions& options) {
    std::string complaint;
    const auto settings = check(options, complaint);
    EXPECT_TRUE(settings) << complaint;
    return *settings;
  }

  std::vector<Fd> listeners() {
    std::vector<Fd> listeners;
    listeners.push_back(open_listener(address_, false));
    EXPECT_TRUE(listeners.back().valid());
    return listeners;
  }

  const Settings settings_;
  const SystemClock clock_;
  Scoreboard board_{1};
  ListenAddress address_;
  Loop loop_;
  std::thread thread_;
};

TEST(OriginLoop, ServesEveryFamily) {
  const std::string path = testing::TempDir() + "weir-origin-" + std::to_string(getpid()) + ".sock";
  for (const std::string& listen : {std::string{"127.0.0.1:0"}, std::string{"[::1]:0"}, "unix:" + path}) {
    RunningLoop origin{{.name = "o1"}, listen};
    Client client{origin.address()};
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(client.say(get("/")));
      EXPECT_THAT(client.hear_answer(), EndsWith("\r\n\r\nhello from o1\n")) << listen;
    }
    EXPECT_EQ(origin.board().sum(&Stats::connections), 1u);
  }
  unlink(path.c_str());
}

TEST(OriginLoop, ReplacesAUnixSocketLeftBehindButNotOneInUse) {
  const std::string path = testing::TempDir() + "weir-origin-" + std::to_string(getpid()) + ".sock";
  ListenAddress address = *parse_listen_address("unix:" + path);
  Fd first = open_listener(address, false);
  ASSERT_TRUE(first.valid());
  EXPECT_FALSE(open_listener(address, false).valid());
  EXPECT_EQ(errno, EADDRINUSE);
  first.reset();
  EXPECT_TRUE(open_listener(address, false).valid());
  unlink(path.c_str());
}

TEST(OriginLoop, FailuresLookDifferentOnTheWire) {
  RunningLoop origin;
  Client reset{origin.address()};
  reset.say(get("/fail?mode=reset"));
  EXPECT_EQ(reset.hear_to_the_end(), "");
  EXPECT_EQ(reset.error(), ECONNRESET);
  Client closed{origin.address()};
  closed.say(get("/fail?mode=close"));
  EXPECT_EQ(closed.hear_to_the_end(), "");
  EXPECT_EQ(closed.error(), 0);
  Client half{origin.address()};
  half.say(get("/fail/bytes/100000?mode=half"));
  EXPECT_EQ(body_of(half.hear_to_the_end()).size(), 50'000u);
  EXPECT_EQ(half.error(), 0);
}

TEST(OriginLoop, ARefusalIsHeardByAClientThatIsStillSending) {
  RunningLoop origin;
  Client client{origin.address()};
  ASSERT_TRUE(client.say("nonsense\r\n\r\n" + std::string(1'000'000, 'x')));
  client.finish();
  EXPECT_THAT(client.hear_to_the_end(), StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(client.error(), 0) << "no reset overtook the answer";
}

TEST(OriginLoop, LargeEchoesSurviveInBothDirections) {
  RunningLoop origin;
  Client client{origin.address()};
  std::string body;
  while (body.size() < 5'000'000) body += std::to_string(body.size()) + ",";
  const std::string asked = request("POST", "/echo", "Content-Length: " + std::to_string(body.size()) + "\r\n");
  std::thread sender([&] { EXPECT_TRUE(client.say(asked + body)); });
  const std::string answer = client.hear_answer();
  sender.join();
  EXPECT_TRUE(body_of(answer) == asked + body);
}

TEST(OriginLoop, RawEchoSendsTheRestAfterTheClientsEnd) {
  RunningLoop origin{{.raw = "echo"}};
  Client client{origin.address()};
  const std::string said(300'000, 'e');
  std::thread sender([&] {
    EXPECT_TRUE(client.say(said));
    client.finish();
  });
  EXPECT_EQ(client.hear_to_the_end().size(), said.size());
  EXPECT_EQ(client.error(), 0);
  sender.join();
}

TEST(OriginLoop, RawResetResetsAndNameCloses) {
  RunningLoop resetting{{.raw = "reset"}};
  Client reset{resetting.address()};
  reset.say("x");
  reset.hear(1);
  EXPECT_EQ(reset.error(), ECONNRESET);
  RunningLoop naming{{.name = "o2", .raw = "name"}};
  Client name{naming.address()};
  EXPECT_EQ(name.hear_to_the_end(), "o2\n");
  EXPECT_EQ(name.error(), 0);
}

TEST(OriginLoop, ProxyHeadersComeFirstHoweverTheyArrive) {
  RunningLoop origin{{.name = "o1", .raw = "banner", .proxy_protocol = true}};
  Client client{origin.address()};
  ASSERT_TRUE(client.say("PROXY TCP4 1.2.3.4 5.6.7."));
  ASSERT_TRUE(client.say("8 555 80\r\nhello"));
  const std::string expected = "proxy v1 TCP4 1.2.3.4:555 -> 5.6.7.8:80\nbanner o1\nhello";
  EXPECT_EQ(client.hear(expected.size()), expected);
  Client bad{origin.address()};
  bad.say("HELLO TCP4");
  EXPECT_EQ(bad.hear_to_the_end(), "");
}

TEST(OriginLoop, DelaysHoldUpNobodyElse) {
  RunningLoop origin;
  Client slow{origin.address()};
  Client quick{origin.address()};
  const SystemClock clock;
  const Instant start = clock.now();
  ASSERT_TRUE(slow.say(get("/delay/200")));
  ASSERT_TRUE(quick.say(get("/")));
  EXPECT_THAT(quick.hear_answer(), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(origin.board().sum(&Stats::requests), 2u);
  EXPECT_THAT(slow.hear_answer(), StartsWith("HTTP/1.1 200"));
  EXPECT_GE(clock.now() - start, std::chrono::milliseconds{200});
}

TEST(OriginLoop, AClientThatReadsNothingIsBoundedAndStarvesNobody) {
  RunningLoop origin;
  Client deaf{origin.address()};
  ASSERT_TRUE(deaf.say(get("/endless")));
  Client other{origin.address()};
  std::uint64_t bytes_before = 1;
  std::uint64_t bytes_after = 0;
  // Until the kernel's buffers are full, and not a byte more is taken by the deaf connection between two answers.
  for (int i = 0; i < 10'000 && bytes_after != bytes_before; ++i) {
    bytes_before = origin.board().sum(&Stats::bytes_out);
    ASSERT_TRUE(other.say(get("/status/204")));
    const std::string answer = other.hear_answer();
    ASSERT_THAT(answer, StartsWith("HTTP/1.1 204"));
    bytes_after = origin.board().sum(&Stats::bytes_out) - answer.size();
  }
  EXPECT_EQ(bytes_after, bytes_before);
  EXPECT_GT(deaf.hear(10'000'000).size(), 9'999'999u) << "and it goes on once read";
}

TEST(OriginLoop, OutOfDescriptorsItWaitsAndGoesOn) {
  constexpr std::size_t clients_count = 30;
  constexpr std::size_t served_at_once = 10;
  RunningLoop origin;
  std::vector<Client> clients;
  for (std::size_t i = 0; i < clients_count; ++i) clients.emplace_back(AF_INET);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(clients.back().descriptor()) + 1 + served_at_once;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  for (Client& client : clients) {
    EXPECT_TRUE(client.connect_to(origin.address()));
    EXPECT_TRUE(client.say(get("/")));
  }
  // The kernel hands them out in the order they came.
  std::vector<std::string> answers;
  for (std::size_t i = 0; i < served_at_once; ++i) answers.push_back(clients[i].hear_answer());
  EXPECT_EQ(origin.board().sum(&Stats::connections), served_at_once);
  for (std::size_t i = 0; i + served_at_once < clients_count; ++i) {
    clients[i].leave();
    answers.push_back(clients[i + served_at_once].hear_answer());
  }
  setrlimit(RLIMIT_NOFILE, &before);
  // Looked at only now: UndefinedBehaviorSanitizer needs descriptors to look at a matcher.
  EXPECT_THAT(answers, Each(StartsWith("HTTP/1.1 200")));
  EXPECT_EQ(origin.board().sum(&Stats::requests), clients_count);
}

TEST(OriginLoop, StoppingLetsAnswersEndAndIdleConnectionsGo) {
  RunningLoop origin;
  Client idle{origin.address()};
  ASSERT_TRUE(idle.say(get("/")));
  idle.hear_answer();
  Client busy{origin.address()};
  ASSERT_TRUE(busy.say(get("/delay/100")));
  Client probe{origin.address()};
  while (origin.board().sum(&Stats::requests) < 2) {
    ASSERT_TRUE(probe.say(get("/count")));
    ASSERT_THAT(probe.hear_answer(), StartsWith("HTTP/1.1 200"));
  }
  origin.stop();
  EXPECT_EQ(idle.hear_to_the_end(), "");
  EXPECT_THAT(busy.hear_to_the_end(), HasSubstr("Connection: close\r\n"));
  origin.join();
  EXPECT_EQ(origin.board().open_connections(), 0u);
  Client late{AF_INET};
  EXPECT_FALSE(late.connect_to(origin.address()));
}

TEST(OriginLoop, StoppingWaitsForTheEndlessOnlyAMoment) {
  RunningLoop origin{{.raw = "silent"}};
  Client client{origin.address()};
  ASSERT_TRUE(client.say("anybody?"));
  RunningLoop endless{{.raw = "endless"}};
  Client deaf{endless.address()};
  ASSERT_EQ(deaf.hear(1).size(), 1u);
  origin.stop();
  endless.stop();
  origin.join();
  endless.join();
  EXPECT_EQ(client.hear_to_the_end(), "");
}

}  // namespace
}  // namespace weir::origin
