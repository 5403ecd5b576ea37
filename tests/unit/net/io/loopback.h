// Sockets of this machine to test net/io with: connected pairs, listeners on ports of the kernel's choice, a folder for
// UNIX paths, a child process that may spoil its limits; and an Op that writes down what it hears.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/owner_of.h"
#include "core/model/address.h"
#include "net/io/ring.h"
#include "net/io/socket.h"

namespace weir {

inline SocketAddress address_of(std::string_view text) {
  return SocketAddress::parse(text).value();
}

inline Result<Fd> listen_on(std::string_view text, const ListenOptions& options = {}) {
  const SocketAddress address = address_of(text);
  return open_listener(address.data(), address.size(), options);
}

inline SocketAddress bound_to(const Fd& fd) {
  sockaddr_storage address{};
  socklen_t size = 0;
  EXPECT_TRUE(local_address(fd.get(), address, size));
  return SocketAddress::from(reinterpret_cast<const sockaddr*>(&address), size);
}

inline bool becomes(int fd, short events, int timeout_ms = 10'000) {
  pollfd waiting{fd, events, 0};
  return ::poll(&waiting, 1, timeout_ms) == 1;
}

inline void set_blocking(int fd, bool blocking) {
  const int flags = ::fcntl(fd, F_GETFL);
  ::fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

// 0, or the errno. Blocks until the kernel knows (on loopback: at once).
inline int connect_to(const Fd& fd, const SocketAddress& address) {
  set_blocking(fd.get(), true);
  const int result = ::connect(fd.get(), address.data(), address.size()) == 0 ? 0 : errno;
  set_blocking(fd.get(), false);
  return result;
}

inline Fd stream_for(const SocketAddress& address) {
  return Fd{open_stream(address.family())};
}

// Two ends of one connection, both non-blocking.
struct Pair {
  Fd near;
  Fd far;
};

inline Pair tcp_pair() {
  auto listener = listen_on("127.0.0.1:0");
  EXPECT_TRUE(listener.ok());
  const SocketAddress address = bound_to(*listener);
  Pair pair{stream_for(address), Fd{}};
  EXPECT_EQ(connect_to(pair.near, address), 0);
  EXPECT_TRUE(becomes(listener->get(), POLLIN));
  pair.far.reset(accept_now(listener->get()));
  EXPECT_TRUE(pair.far.valid());
  return pair;
}

inline Pair unix_pair() {
  std::array<int, 2> fds{-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds.data()), 0);
  return {Fd{fds[0]}, Fd{fds[1]}};
}

inline bool send_now(const Fd& fd, std::string_view text) {
  return ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

// As much as the socket takes; how much that was.
inline size_t send_until_full(const Fd& fd) {
  static const std::string block(64 * 1024, 'f');
  size_t total = 0;
  for (;;) {
    const ssize_t sent = ::send(fd.get(), block.data(), block.size(), MSG_NOSIGNAL);
    if (sent <= 0) return total;
    total += static_cast<size_t>(sent);
  }
}

// What is there, up to `size` bytes.
inline std::string receive_now(const Fd& fd, size_t size = 64 * 1024) {
  std::string text(size, '\0');
  const ssize_t received = ::recv(fd.get(), text.data(), size, 0);
  text.resize(received > 0 ? static_cast<size_t>(received) : 0);
  return text;
}

inline bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

inline size_t open_descriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) ++count;
  return count;
}

// A folder that is removed with all that is in it.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "weir-test-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string operator/(std::string_view name) const { return path_ + "/" + std::string{name}; }

 private:
  std::string path_;
};

// Runs `test` in a child process, whose limits are its own. True if it returned true.
template <class Test>
bool in_child(Test&& test) {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool passed = test();
    // Neither destructors nor leak checks of what was copied from the parent.
    ::_exit(passed ? 0 : 1);
  }
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Leaves the process exactly `spare` descriptors more than the ones up to its highest.
inline void leave_descriptors(unsigned spare) {
  int highest = 2;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    const int fd = std::stoi(entry.path().filename().string());
    if (is_open(fd) && fd > highest) highest = fd;
  }
  // The one that listed them is among them and closed by now, or below the highest: look again at what is really open.
  while (!is_open(highest)) --highest;
  // Holes below are filled.
  for (int fd = 3; fd < highest; ++fd) {
    if (!is_open(fd)) ::dup2(2, fd);
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = static_cast<rlim_t>(highest) + 1 + spare;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// An Op with an ear.
struct Noted {
  Op op;
  std::vector<Completion> heard;

  static void note(Op& op, const Completion& completion) { owner_of(op, &Noted::op).heard.push_back(completion); }

  bool over() const { return !op.in_flight(); }
  int32_t result() const { return heard.empty() ? -1'000'000 : heard.back().result; }
};

// Not by a Clock: UBSan opens a pipe to check a virtual call, and some tests have no descriptors left.
inline Instant now_on_loopback() {
  return Instant{std::chrono::steady_clock::now().time_since_epoch()};
}

// Turns the ring until `done` says so; false after ten seconds.
template <class Done>
bool turn_until(Ring& ring, Done&& done) {
  const Instant end = now_on_loopback() + std::chrono::seconds{10};
  for (;;) {
    while (ring.dispatch(64) > 0) {
    }
    if (done()) return true;
    const Instant now = now_on_loopback();
    if (now >= end) return false;
    ring.wait(now, end);
  }
}

inline std::unique_ptr<Ring> make_ring(const RingOptions& options = {.submissions = 16, .completions = 64}) {
  auto made = Ring::make(options);
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : describe(made.error()));
  return std::move(*made);
}

// Buffers of a test's own size, to see where they end.
template <BufferId Count, uint32_t Size>
struct SmallBuffers {
  std::array<std::array<char, Size>, Count> bytes{};

  void provide(Ring& ring, BufferId id) {
    ring.provide_buffer(id, bytes[id].data(), Size);
    ring.commit_buffers();
  }
  void start(Ring& ring) {
    ASSERT_TRUE(ring.register_buffers(Count).ok());
    for (BufferId id = 0; id < Count; ++id) provide(ring, id);
  }
  std::string text(const Completion& completion) const {
    return {bytes[completion.buffer()].data(), static_cast<size_t>(completion.result)};
  }
};

inline void cancel_and_join(Ring& ring, Noted& noted) {
  if (!noted.over()) ring.cancel(noted.op);
  ASSERT_TRUE(turn_until(ring, [&] { return noted.over(); }));
}

}  // namespace weir
