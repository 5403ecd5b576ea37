#include "net/io/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace weir {
namespace {

void enable(int fd, int level, int option) noexcept {
  const int on = 1;
  ::setsockopt(fd, level, option, &on, sizeof on);
}

// Is the socket behind this UNIX path one that a dead process left behind? Only a refusal says so. A full backlog
// (EAGAIN), no permission, another type of socket, no descriptor to ask with: all those may be somebody's who lives.
bool is_stale(const sockaddr* address, socklen_t size) noexcept {
  const Fd probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  return probe && ::connect(probe.get(), address, size) != 0 && errno == ECONNREFUSED;
}

bool is_socket(const char* path) noexcept {
  struct stat status {};
  return ::lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

}  // namespace

Result<Fd> open_listener(const sockaddr* address, socklen_t size, const ListenOptions& options) {
  auto failed = [] { return error_from_errno(errno, Side::ourselves); };
  const int family = address->sa_family;
  Fd fd{::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!fd) return failed();
  if (family == AF_UNIX) {
    const char* path = reinterpret_cast<const sockaddr_un*>(address)->sun_path;
    // What is not stale, bind() finds in use.
    if (is_socket(path) && is_stale(address, size)) ::unlink(path);
    if (::bind(fd.get(), address, size) != 0) return failed();
    if (::chmod(path, options.unix_mode) != 0 || ::listen(fd.get(), options.backlog) != 0) {
      const Error error = failed();
      ::unlink(path);  // bind() made it
      return error;
    }
    return fd;
  }
  enable(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  if (options.reuse_port) enable(fd.get(), SOL_SOCKET, SO_REUSEPORT);
  if (family == AF_INET6) {
    const int only = options.dual_stack ? 0 : 1;
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  }
  // Accepted sockets inherit it.
  enable(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  if (::bind(fd.get(), address, size) != 0 || ::listen(fd.get(), options.backlog) != 0) return failed();
  return fd;
}

void set_backlog(int listener, int backlog) noexcept {
  ::listen(listener, backlog);
}

int open_stream(int family) noexcept {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  if (family != AF_UNIX) enable(fd, IPPROTO_TCP, TCP_NODELAY);
  return fd;
}

void hold_back_acknowledge(int fd) noexcept {
  const int off = 0;
  ::setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
}

int accept_now(int listener) noexcept {
  const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  return fd >= 0 ? fd : -errno;
}

void wake(int event_fd) noexcept {
  const uint64_t one = 1;
  // Would block, or fail, only at 2^64 - 1 wakings that nobody took note of.
  [[maybe_unused]] const ssize_t written = ::write(event_fd, &one, sizeof one);
}

int shut_down_send(int fd) noexcept {
  return ::shutdown(fd, SHUT_WR) == 0 ? 0 : -errno;
}

int stop_listening(int fd) noexcept {
  return ::shutdown(fd, SHUT_RD) == 0 ? 0 : -errno;
}

void reset_on_close(int fd) noexcept {
  const linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

int pending_error(int fd) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

bool peer_address(int fd, sockaddr_storage& address) noexcept {
  socklen_t size = sizeof address;
  return ::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
}

bool local_address(int fd, sockaddr_storage& address, socklen_t& size) noexcept {
  size = sizeof address;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
}

}  // namespace weir
