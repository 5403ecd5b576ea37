#include "net/io/socket.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "tests/unit/net/io/loopback.h"

namespace weir {
namespace {

int option(const Fd& fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(fd.get(), level, name, &value, &size);
  return value;
}

// 0, or the errno of connecting to where `listener` is bound, through `address`.
int reach(const SocketAddress& address) {
  return connect_to(stream_for(address), address);
}

// Why there can be no listener; nothing if there can.
std::optional<Error> refusal(std::string_view where, const ListenOptions& options = {}) {
  const auto opened = listen_on(where, options);
  return opened ? std::nullopt : std::optional{opened.error()};
}

const Error in_use = error_from_errno(EADDRINUSE, Side::ourselves);

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

// --- listening ------------------------------------------------------------------------------------------------------

class ListenerOverFamilies : public testing::TestWithParam<const char*> {};

TEST_P(ListenerOverFamilies, AcceptsAndKnowsBothEnds) {
  const Folder folder;
  const std::string where = GetParam()[0] == 'u' ? "unix:" + (folder / "s") : GetParam();
  const auto listener = listen_on(where);
  ASSERT_TRUE(listener.ok()) << describe(listener.error());
  EXPECT_NE(::fcntl(listener->get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(listener->get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(accept_now(listener->get()), -EAGAIN);

  const SocketAddress address = bound_to(*listener);
  EXPECT_NE(address.is_unix(), address.port() != 0);
  const Fd client = stream_for(address);
  ASSERT_EQ(connect_to(client, address), 0);
  ASSERT_TRUE(becomes(listener->get(), POLLIN));
  const Fd server{accept_now(listener->get())};
  ASSERT_TRUE(server.valid());
  EXPECT_NE(::fcntl(server.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(server.get(), F_GETFD) & FD_CLOEXEC, 0);

  sockaddr_storage peer{};
  ASSERT_TRUE(peer_address(server.get(), peer));
  const PeerAddress seen = PeerAddress::from(reinterpret_cast<const sockaddr*>(&peer));
  EXPECT_EQ(bound_to(server).port(), address.port());
  EXPECT_EQ(bound_to(server).path(), address.path());
  if (address.is_unix()) {
    EXPECT_EQ(seen.family, PeerAddress::Family::local);
  } else {
    EXPECT_EQ(seen, bound_to(client).peer());
    EXPECT_EQ(option(client, IPPROTO_TCP, TCP_NODELAY), 1);
    EXPECT_EQ(option(server, IPPROTO_TCP, TCP_NODELAY), 1) << "inherited from the listener";
  }
}
INSTANTIATE_TEST_SUITE_P(Families, ListenerOverFamilies, testing::Values("127.0.0.1:0", "[::1]:0", "[::]:0", "unix"),
                         [](const auto& values) { return "Family" + std::to_string(values.index); });

TEST(Socket, OnTheAnyAddressTakesBothFamiliesUnlessToldOtherwise) {
  const auto both = listen_on(":0");
  ASSERT_TRUE(both.ok());
  SocketAddress v4 = address_of("127.0.0.1:0");
  v4.set_port(bound_to(*both).port());
  EXPECT_EQ(reach(v4), 0);

  ListenOptions options;
  options.dual_stack = false;
  const auto six = listen_on(":0", options);
  ASSERT_TRUE(six.ok());
  v4.set_port(bound_to(*six).port());
  EXPECT_EQ(reach(v4), ECONNREFUSED);
}

TEST(Socket, SharesAPortOnlyWhenAsked) {
  ListenOptions sharing;
  sharing.reuse_port = true;
  const auto first = listen_on("127.0.0.1:0", sharing);
  ASSERT_TRUE(first.ok());
  const std::string taken = bound_to(*first).to_string();
  EXPECT_TRUE(listen_on(taken, sharing).ok());
  EXPECT_EQ(refusal(taken), in_use);
}

TEST(Socket, ListensAgainRightAfterConnectionsOfTheLastOneWereClosed) {
  auto listener = listen_on("127.0.0.1:0");
  const SocketAddress address = bound_to(*listener);
  {
    // The server closes first, so TIME_WAIT is on its side.
    const Fd client = stream_for(address);
    ASSERT_EQ(connect_to(client, address), 0);
    ASSERT_TRUE(becomes(listener->get(), POLLIN));
    Fd server{accept_now(listener->get())};
    server.reset();
    ASSERT_TRUE(becomes(client.get(), POLLIN));
  }
  listener->reset();
  EXPECT_TRUE(listen_on(address.to_string()).ok());
}

TEST(Socket, SaysWhyItCannotListen) {
  EXPECT_EQ(refusal("192.0.2.1:0"), error_from_errno(EADDRNOTAVAIL, Side::ourselves));
  EXPECT_EQ(refusal("unix:/nowhere/at/all"), error_from_errno(ENOENT, Side::ourselves));
  EXPECT_EQ(open_stream(AF_MAX + 1), -EAFNOSUPPORT);
}

// --- UNIX paths -----------------------------------------------------------------------------------------------------

TEST(UnixListener, HasTheModeItWasGiven) {
  const Folder folder;
  ListenOptions options;
  for (const uint32_t mode : {0600U, 0666U, 0620U}) {
    options.unix_mode = mode;
    const std::string path = folder / std::to_string(mode);
    ASSERT_TRUE(listen_on("unix:" + path, options).ok());
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, mode);
  }
}

TEST(UnixListener, TakesOverThePathOfTheDead) {
  const Folder folder;
  const SocketAddress address = address_of("unix:" + (folder / "s"));
  { ASSERT_TRUE(listen_on(address.to_string()).ok()); }
  ASSERT_TRUE(exists(folder / "s")) << "closing does not remove it";
  ASSERT_EQ(reach(address), ECONNREFUSED);
  const auto listener = listen_on(address.to_string());
  ASSERT_TRUE(listener.ok()) << describe(listener.error());
  EXPECT_EQ(reach(address), 0);
}

TEST(UnixListener, LeavesTheLivingAlone) {
  const Folder folder;
  const SocketAddress address = address_of("unix:" + (folder / "s"));
  ListenOptions narrow;
  narrow.backlog = 0;
  const auto living = listen_on(address.to_string(), narrow);
  EXPECT_EQ(refusal(address.to_string()), in_use);
  // The question left a connection in its backlog, which is full now; that is a sign of life, too.
  EXPECT_EQ(refusal(address.to_string()), in_use);
  ::close(accept_now(living->get()));
  EXPECT_EQ(reach(address), 0) << "it was taken from the living";
}

TEST(UnixListener, TakesNothingFromALivingSocketOfAnotherType) {
  const Folder folder;
  const SocketAddress address = address_of("unix:" + (folder / "s"));
  const Fd datagrams{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  ASSERT_EQ(::bind(datagrams.get(), address.data(), address.size()), 0);
  EXPECT_EQ(refusal(address.to_string()), in_use);
  EXPECT_TRUE(exists(folder / "s"));
}

TEST(UnixListener, TakesNothingWhenItCannotAsk) {
  const Folder folder;
  const SocketAddress address = address_of("unix:" + (folder / "s"));
  const auto living = listen_on(address.to_string());
  EXPECT_TRUE(in_child([&] {
    leave_descriptors(1);  // for the listener, not for the question
    return !listen_on(address.to_string()).ok();
  }));
  EXPECT_EQ(reach(address), 0) << "it was taken from the living";
}

TEST(UnixListener, NeverRemovesWhatIsNoSocket) {
  const Folder folder;
  const std::string file = folder / "file";
  std::ofstream{file} << "precious";
  EXPECT_EQ(refusal("unix:" + file), in_use);
  std::string content;
  std::ifstream{file} >> content;
  EXPECT_EQ(content, "precious");

  // Nor a link, even to a socket that is dead.
  { ASSERT_TRUE(listen_on("unix:" + (folder / "dead")).ok()); }
  const std::string link = folder / "link";
  ASSERT_EQ(::symlink((folder / "dead").c_str(), link.c_str()), 0);
  EXPECT_EQ(refusal("unix:" + link), in_use);
  EXPECT_TRUE(exists(link));
  EXPECT_TRUE(exists(folder / "dead"));
}

// --- ends -----------------------------------------------------------------------------------------------------------

TEST(Socket, ThatIsShutDownSendsTheEndAndStillReceives) {
  const Pair pair = tcp_pair();
  EXPECT_EQ(shut_down_send(pair.near.get()), 0);
  ASSERT_TRUE(becomes(pair.far.get(), POLLIN));
  char byte = 0;
  EXPECT_EQ(::recv(pair.far.get(), &byte, 1, 0), 0);
  ASSERT_TRUE(send_now(pair.far, "back"));
  ASSERT_TRUE(becomes(pair.near.get(), POLLIN));
  EXPECT_EQ(receive_now(pair.near), "back");
  const Fd lonely{open_stream(AF_INET)};
  EXPECT_EQ(shut_down_send(lonely.get()), -ENOTCONN);
}

TEST(Socket, ThatIsToResetDoesSoWhenClosed) {
  Pair pair = tcp_pair();
  reset_on_close(pair.near.get());
  EXPECT_FALSE(becomes(pair.far.get(), POLLIN, 0)) << "not before it is closed";
  pair.near.reset();
  ASSERT_TRUE(becomes(pair.far.get(), POLLIN));
  char byte = 0;
  EXPECT_EQ(::recv(pair.far.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);

  Pair polite = tcp_pair();
  polite.near.reset();
  ASSERT_TRUE(becomes(polite.far.get(), POLLIN));
  EXPECT_EQ(::recv(polite.far.get(), &byte, 1, 0), 0) << "without it, the end is a plain one";
}

TEST(Socket, ThatStopsListeningRefuses) {
  const Folder folder;
  for (const std::string& where : {std::string{"127.0.0.1:0"}, std::string{"[::1]:0"}, "unix:" + (folder / "s")}) {
    const auto listener = listen_on(where);
    const SocketAddress address = bound_to(*listener);
    ASSERT_EQ(reach(address), 0);
    EXPECT_EQ(stop_listening(listener->get()), 0) << where;
    EXPECT_EQ(reach(address), ECONNREFUSED) << where;
  }
}

TEST(Socket, TellsOfItsErrorOnce) {
  Pair pair = tcp_pair();
  EXPECT_EQ(pending_error(pair.near.get()), 0);
  reset_on_close(pair.far.get());
  pair.far.reset();
  ASSERT_TRUE(becomes(pair.near.get(), POLLERR));
  EXPECT_EQ(pending_error(pair.near.get()), ECONNRESET);
  EXPECT_EQ(pending_error(pair.near.get()), 0);
}

TEST(Socket, WithoutAPeerSaysSo) {
  sockaddr_storage address{};
  socklen_t size = 0;
  const Fd lonely{open_stream(AF_INET)};
  EXPECT_FALSE(peer_address(lonely.get(), address));
  EXPECT_FALSE(peer_address(-1, address));
  EXPECT_FALSE(local_address(-1, address, size));
  Pair pair = tcp_pair();
  EXPECT_TRUE(peer_address(pair.near.get(), address));
  reset_on_close(pair.far.get());
  pair.far.reset();
  ASSERT_TRUE(becomes(pair.near.get(), POLLERR));
  EXPECT_FALSE(peer_address(pair.near.get(), address));
}

}  // namespace
}  // namespace weir
