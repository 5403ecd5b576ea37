#include "control/stats_socket.h"

#include <errno.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "control/stats_report.h"
#include "tests/unit/control/stats_world.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

uint64_t open_descriptors() {
  return read_process_usage().descriptors;
}

// The other end: a non-blocking client, so that one thread can be both sides.
class Client {
 public:
  explicit Client(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    const auto address = SocketAddress::parse("unix:" + path);
    EXPECT_EQ(::connect(fd_.get(), address->data(), address->size()), 0) << errno;
  }

  // How much of it was taken.
  size_t say(std::string_view text) {
    const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    return sent > 0 ? static_cast<size_t>(sent) : 0;
  }
  void end_saying() { ::shutdown(fd_.get(), SHUT_WR); }
  void vanish() { fd_.reset(); }

  // Reads what is there, `size_max` bytes at the most.
  void hear(size_t size_max = SIZE_MAX) {
    std::array<char, 4096> piece;
    while (size_max > 0 && !ended) {
      const ssize_t received = ::recv(fd_.get(), piece.data(), std::min(size_max, piece.size()), 0);
      if (received < 0 && errno == EAGAIN) return;
      if (received <= 0) {
        ended = true;
        error = received < 0 ? errno : 0;
        return;
      }
      heard.append(piece.data(), static_cast<size_t>(received));
      size_max -= static_cast<size_t>(received);
    }
  }

  std::string heard;
  bool ended = false;
  int error = 0;

 private:
  Fd fd_;
};

// A control loop in small: ring, buffers and wheel on the test's thread, with a clock that stands still unless it is
// moved.
class StatsSocketTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "weir-stats-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory = name;
    path = (directory / "stats.sock").string();
    auto made = Ring::make({.submissions = 128, .completions = 1024});
    ASSERT_TRUE(made) << describe(made.error());
    ring = std::move(*made);
    buffers = std::make_unique<Buffers>(*ring, uint64_t{1} << 20);
    ASSERT_TRUE(buffers->start());
    socket = open_or_fail();
  }

  void TearDown() override {
    if (socket) {
      socket->stop();
      EXPECT_TRUE(turn_until([&] { return socket->stopped(); }));
      socket.reset();
    }
    EXPECT_EQ(wheel.size(), 0U);
    EXPECT_EQ(buffers->in_use(), 0U);
    fs::remove_all(directory);
  }

  Result<std::unique_ptr<StatsSocket>, std::string> open(const std::string& where, uint32_t mode = 0600) {
    return StatsSocket::open(*ring, *buffers, wheel, where, mode, [this] { return world.view(); });
  }
  std::unique_ptr<StatsSocket> open_or_fail() {
    auto opened = open(path);
    EXPECT_TRUE(opened) << opened.error();
    return opened ? std::move(*opened) : nullptr;
  }

  void turn() {
    buffers->replenish();
    ring->wait(world.now, world.now + milliseconds{1});
    ring->dispatch(256);
    wheel.advance(world.now, 256);
  }

  template <class F>
  bool turn_until(F&& done) {
    for (int turns = 0; turns < 10'000; ++turns) {
      if (done()) return true;
      turn();
    }
    return done();
  }

  // What one line is answered.
  std::string ask(std::string_view line) {
    Client client{path};
    client.say(line);
    EXPECT_TRUE(hear_all(client));
    return client.heard;
  }

  bool hear_all(Client& client) {
    return turn_until([&] {
      client.hear();
      return client.ended;
    });
  }

  bool all_gone() {
    return turn_until([&] { return socket->clients() == 0; });
  }

  // Lets time go by without letting anything happen meanwhile.
  void pass(Duration time) { world.now += time; }

  StatsWorld world;
  TimerWheel wheel{world.now};
  fs::path directory;
  std::string path;
  std::unique_ptr<Ring> ring;
  std::unique_ptr<Buffers> buffers;
  std::unique_ptr<StatsSocket> socket;
};

TEST_F(StatsSocketTest, AnswersALineAndCloses) {
  EXPECT_EQ(ask("show stat\n"), stat_csv(world.view()) + "\n");
  EXPECT_TRUE(all_gone());
}

TEST_F(StatsSocketTest, AnswersSeveralCommandsInOrder) {
  EXPECT_EQ(ask("show version; show stat json;show version\n"),
            version_text() + "\n" + stat_json(world.view()) + "\n" + version_text() + "\n");
}

TEST_F(StatsSocketTest, AnswersALineThatComesByteByByte) {
  Client client{path};
  for (const char c : std::string{"show version\n"}) {
    EXPECT_FALSE(client.ended);
    client.say({&c, 1});
    turn();
  }
  EXPECT_TRUE(hear_all(client));
  EXPECT_EQ(client.heard, version_text() + "\n");
}

TEST_F(StatsSocketTest, TheEndOfWhatAClientSaysEndsALineToo) {
  Client client{path};
  client.say("show version");
  client.end_saying();
  EXPECT_TRUE(hear_all(client));
  EXPECT_EQ(client.heard, version_text() + "\n");
}

TEST_F(StatsSocketTest, AnswersAClientThatHasSaidItsEndAtOnce) {
  Client client{path};
  client.say("show stat\n");
  client.end_saying();
  EXPECT_TRUE(hear_all(client));
  EXPECT_EQ(client.heard, stat_csv(world.view()) + "\n");
  EXPECT_EQ(client.error, 0);
}

TEST_F(StatsSocketTest, AnswersOneLineAndNoMore) {
  EXPECT_EQ(ask("show version\nshow stat\n"), version_text() + "\n");
}

TEST_F(StatsSocketTest, WhatComesBehindTheLineIsNoErrorToTheClient) {
  Client client{path};
  client.say("show version\n" + std::string(50'000, 'x'));
  EXPECT_TRUE(hear_all(client));
  EXPECT_EQ(client.heard, version_text() + "\n");
  EXPECT_EQ(client.error, 0);
}

TEST_F(StatsSocketTest, ServesClientsSideBySide) {
  Client slow{path};
  slow.say("show ver");
  turn();
  EXPECT_EQ(ask("show version\n"), version_text() + "\n");
  EXPECT_FALSE(slow.ended);
  slow.say("sion\n");
  EXPECT_TRUE(hear_all(slow));
  EXPECT_EQ(slow.heard, version_text() + "\n");
}

TEST_F(StatsSocketTest, RefusesALineThatIsTooLong) {
  Client client{path};
  const std::string line(StatsClient::line_bytes_max * 4, 'x');
  size_t said = 0;
  EXPECT_TRUE(turn_until([&] {
    if (said < line.size()) said += client.say(std::string_view{line}.substr(said));
    client.hear();
    return client.ended;
  }));
  EXPECT_THAT(client.heard, StartsWith("Line too long: "));
  EXPECT_THAT(client.heard, HasSubstr("16384 bytes"));
  EXPECT_EQ(client.error, 0);
}

TEST_F(StatsSocketTest, TakesTheLongestLine) {
  std::string line(StatsClient::line_bytes_max, ' ');
  line.replace(0, 12, "show version");
  EXPECT_EQ(ask(line + "\n"), version_text() + "\n");
}

TEST_F(StatsSocketTest, AClientThatVanishesLeavesNothingBehind) {
  world.add_upstream("wide", 4000);
  EXPECT_EQ(ask("show version\n"), version_text() + "\n");
  EXPECT_TRUE(all_gone());
  const uint64_t descriptors = open_descriptors();
  for (const std::string_view said : {"", "show st", "show stat json\n", "show stat\n"}) {
    for (int turns = 0; turns < 4; ++turns) {
      Client client{path};
      client.say(said);
      for (int i = 0; i < turns; ++i) turn();
      client.vanish();
      EXPECT_TRUE(turn_until([&] { return socket->clients() == 0 && open_descriptors() == descriptors; })) << said;
    }
  }
  EXPECT_EQ(buffers->in_use(), 0U);
}

TEST_F(StatsSocketTest, ASlowReaderGetsAllOfALongAnswer) {
  world.add_upstream("wide", 6000);
  const std::string expected = stat_json(world.view()) + "\n";
  ASSERT_GT(expected.size(), size_t{1} << 20);
  Client client{path};
  client.say("show stat json\n");
  Duration taken{};
  EXPECT_TRUE(turn_until([&] {
    const size_t before = client.heard.size();
    client.hear(1000);
    // Slower in all than the patience of the socket, which is for each piece.
    if (before / StatsClient::piece_bytes_max != client.heard.size() / StatsClient::piece_bytes_max) {
      pass(seconds{2});
      taken += seconds{2};
    }
    return client.ended;
  }));
  EXPECT_EQ(client.error, 0);
  EXPECT_GT(taken, seconds{30});
  EXPECT_TRUE(client.heard == expected) << client.heard.size() << " of " << expected.size();
}

TEST_F(StatsSocketTest, AReaderThatTakesNothingIsLetGo) {
  world.add_upstream("wide", 6000);
  Client client{path};
  client.say("show stat json\n");
  for (int i = 0; i < 50; ++i) turn();
  EXPECT_EQ(socket->clients(), 1U);
  pass(seconds{9});
  turn();
  EXPECT_EQ(socket->clients(), 1U);
  pass(seconds{2});
  EXPECT_TRUE(all_gone());
}

TEST_F(StatsSocketTest, ASilentClientIsLetGo) {
  Client client{path};
  EXPECT_TRUE(turn_until([&] { return socket->clients() == 1; }));
  pass(seconds{9});
  client.say("show ");
  for (int i = 0; i < 10; ++i) turn();
  pass(seconds{9});
  for (int i = 0; i < 10; ++i) turn();
  EXPECT_EQ(socket->clients(), 1U) << "it had said something";
  pass(seconds{2});
  EXPECT_TRUE(all_gone());
  EXPECT_TRUE(hear_all(client));
  EXPECT_EQ(client.heard, "");
}

TEST_F(StatsSocketTest, AClientThatStaysAfterItsAnswerIsLetGo) {
  Client client{path};
  client.say("show version\n");
  EXPECT_TRUE(hear_all(client));
  for (int i = 0; i < 10; ++i) turn();
  EXPECT_EQ(socket->clients(), 1U);
  pass(seconds{2});
  EXPECT_TRUE(all_gone());
}

TEST_F(StatsSocketTest, MoreClientsThanItServesWaitForTheirTurn) {
  std::vector<std::unique_ptr<Client>> holding;
  for (uint32_t i = 0; i < StatsSocket::clients_max; ++i) holding.push_back(std::make_unique<Client>(path));
  EXPECT_TRUE(turn_until([&] { return socket->clients() == StatsSocket::clients_max; }));
  Client waiting{path};
  waiting.say("show version\n");
  for (int i = 0; i < 20; ++i) turn();
  waiting.hear();
  EXPECT_EQ(waiting.heard, "");
  holding.pop_back();
  EXPECT_TRUE(hear_all(waiting));
  EXPECT_EQ(waiting.heard, version_text() + "\n");
}

TEST_F(StatsSocketTest, ServesManyOneAfterTheOther) {
  const uint64_t descriptors = open_descriptors();
  for (int i = 0; i < 300; ++i) ASSERT_EQ(ask("show version\n"), version_text() + "\n") << i;
  EXPECT_TRUE(turn_until([&] { return open_descriptors() == descriptors; }));
}

TEST_F(StatsSocketTest, AnswersWhenTrafficHasTakenEveryDescriptor) {
  turn();
  turn();
  // An accept keeps to the limit that it was begun under, so the first one still gets a descriptor.
  Client first{path};
  std::array<Client, 2> clients{Client{path}, Client{path}};
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{256, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  std::vector<Fd> taken;
  for (Fd fd{::dup(0)}; fd; fd.reset(::dup(0))) taken.push_back(std::move(fd));
  EXPECT_TRUE(turn_until([&] { return socket->clients() == 1; }));
  for (Client& client : clients) {
    client.say("show version\n");
    EXPECT_TRUE(turn_until([&] {
      pass(milliseconds{1});  // it asks again later
      client.hear();
      return client.ended;
    }));
    EXPECT_EQ(client.heard, version_text() + "\n");
    EXPECT_TRUE(turn_until([&] {
      pass(milliseconds{1});  // and waits for the client to leave
      return socket->clients() == 1;
    }));
    EXPECT_FALSE(Fd{::dup(0)}) << "traffic could take the spare one";
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_F(StatsSocketTest, StoppingRemovesTheFileAndLetsGoOfEverybody) {
  Client silent{path};
  EXPECT_TRUE(turn_until([&] { return socket->clients() == 1; }));
  socket->stop();
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(turn_until([&] { return socket->stopped(); }));
  EXPECT_TRUE(hear_all(silent));
}

TEST_F(StatsSocketTest, StoppingLetsAnAnswerBeFinished) {
  world.add_upstream("wide", 6000);
  const std::string expected = stat_json(world.view()) + "\n";
  Client client{path};
  client.say("show stat json\n");
  EXPECT_TRUE(turn_until([&] {
    client.hear(1000);
    return !client.heard.empty();
  }));
  socket->stop();
  EXPECT_TRUE(hear_all(client));
  EXPECT_EQ(client.heard.size(), expected.size());
  EXPECT_TRUE(turn_until([&] { return socket->stopped(); }));
}

TEST_F(StatsSocketTest, StoppingDoesNotWaitForAReaderThatTakesNothing) {
  world.add_upstream("wide", 6000);
  Client client{path};
  client.say("show stat json\n");
  for (int i = 0; i < 20; ++i) turn();
  socket->stop();
  for (int i = 0; i < 20; ++i) turn();
  EXPECT_FALSE(socket->stopped());
  pass(seconds{2});
  EXPECT_TRUE(turn_until([&] { return socket->stopped(); }));
}

TEST_F(StatsSocketTest, MayGoAgainBeforeTheLoopHasTurned) {
  const std::string other = (directory / "other.sock").string();
  auto opened = open(other);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(fs::exists(other));
  opened->reset();
  EXPECT_FALSE(fs::exists(other));
}

TEST_F(StatsSocketTest, StoppingLeavesAFileThatIsNotItsOwn) {
  fs::remove(path);
  std::ofstream{path} << "somebody else's";
  socket->stop();
  EXPECT_TRUE(fs::exists(path));
  EXPECT_TRUE(turn_until([&] { return socket->stopped(); }));
}

TEST_F(StatsSocketTest, TheFileHasThePermissionsThatWereAskedFor) {
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  auto other = open((directory / "wide.sock").string(), 0660);
  ASSERT_TRUE(other);
  ASSERT_EQ(::stat((*other)->path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0660U);
  (*other)->stop();
  EXPECT_TRUE(turn_until([&] { return (*other)->stopped(); }));
}

TEST_F(StatsSocketTest, TakesOverWhatADeadProcessLeft) {
  const std::string stale = (directory / "stale.sock").string();
  {
    const auto address = SocketAddress::parse("unix:" + stale);
    const Fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ASSERT_EQ(::bind(fd.get(), address->data(), address->size()), 0);
    ASSERT_EQ(::listen(fd.get(), 1), 0);
  }
  ASSERT_TRUE(fs::exists(stale));
  auto other = open(stale);
  ASSERT_TRUE(other) << other.error();
  (*other)->stop();
  EXPECT_TRUE(turn_until([&] { return (*other)->stopped(); }));
}

TEST_F(StatsSocketTest, SaysWhyItCannotListen) {
  auto opened = open((directory / "no/such/stats.sock").string());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error(), HasSubstr("the directory " + (directory / "no/such").string() + " does not exist"));
  EXPECT_THAT(opened.error(), HasSubstr("mkdir -p "));

  opened = open(path);  // ours
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error(), HasSubstr("another process answers there"));

  std::ofstream{directory / "file"} << "precious";
  opened = open((directory / "file").string());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error(), HasSubstr("a file that is no socket is in the way"));
  EXPECT_TRUE(fs::exists(directory / "file"));

  opened = open((directory / "file" / "stats.sock").string());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error(), HasSubstr("is not a directory"));

  opened = open("/" + std::string(200, 'x'));
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error(), HasSubstr("107 bytes"));
}

}  // namespace
}  // namespace weir
