#include "tools/weir/stats_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <array>
#include <filesystem>
#include <string>
#include <thread>

#include "core/base/fd.h"
#include "core/model/address.h"
#include "net/io/socket.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

class StatsQuery : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "weir-query-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory = name;
    path = directory + "/s.sock";
  }
  void TearDown() override { std::filesystem::remove_all(directory); }

  Fd listen() const {
    const auto address = SocketAddress::parse("unix:" + path);
    Fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    EXPECT_EQ(::bind(fd.get(), address->data(), address->size()), 0);
    EXPECT_EQ(::listen(fd.get(), 4), 0);
    return fd;
  }

  std::string directory;
  std::string path;
};

TEST_F(StatsQuery, BringsTheWholeAnswer) {
  const Fd listener = listen();
  const std::string answer(300'000, 'x');
  std::string heard;
  std::thread server{[&] {
    const Fd client{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    std::array<char, 100> line;
    const ssize_t size = ::recv(client.get(), line.data(), line.size(), 0);
    heard.assign(line.data(), static_cast<size_t>(size));
    ::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
  }};
  const auto asked = ask_stats_socket(path, "show info", seconds{30});
  server.join();
  ASSERT_TRUE(asked) << asked.error().sentence;
  EXPECT_EQ(*asked, answer);
  EXPECT_EQ(heard, "show info\n");
}

TEST_F(StatsQuery, DoesNotWaitForeverForOneThatIsSilent) {
  const Fd listener = listen();
  const auto asked = ask_stats_socket(path, "show info", milliseconds{20});
  ASSERT_FALSE(asked);
  EXPECT_THAT(asked.error().sentence, HasSubstr("it took too long"));
}

TEST_F(StatsQuery, SaysThatThereIsNoSuchFile) {
  const auto asked = ask_stats_socket(path, "show info", seconds{1});
  ASSERT_FALSE(asked);
  EXPECT_THAT(asked.error().sentence, HasSubstr(path + ": there is no such file"));
}

TEST_F(StatsQuery, SaysThatNobodyIsBehindTheFile) {
  listen();
  const auto asked = ask_stats_socket(path, "show info", seconds{1});
  ASSERT_FALSE(asked);
  EXPECT_THAT(asked.error().sentence, HasSubstr("nobody listens there"));
}

TEST_F(StatsQuery, SaysThatAPathCannotBeOne) {
  const auto asked = ask_stats_socket(std::string(200, 'x'), "show info", seconds{1});
  ASSERT_FALSE(asked);
  EXPECT_THAT(asked.error().sentence, HasSubstr("no path of a UNIX socket"));
}

}  // namespace
}  // namespace weir
