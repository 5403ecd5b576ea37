#include "tools/origin/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "tools/origin/text.h"

namespace weir::origin {
namespace {

constexpr int backlog = 4096;  // the kernel lowers it to net.core.somaxconn

// The kernel's own way of typing an address: each family is a different reading of the same bytes.
template <typename T>
ListenAddress from(const T& address, std::size_t size = sizeof(T)) {
  ListenAddress result;
  std::memcpy(&result.address, &address, size);
  result.size = static_cast<socklen_t>(size);
  return result;
}

template <typename T>
T to(const ListenAddress& address) {
  T result{};
  std::memcpy(&result, &address.address, sizeof(T));
  return result;
}

std::optional<ListenAddress> parse_unix(std::string_view path) {
  sockaddr_un address{};
  if (path.empty() || path.size() >= sizeof(address.sun_path)) return std::nullopt;
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  return from(address, offsetof(sockaddr_un, sun_path) + path.size() + 1);
}

std::optional<ListenAddress> parse_v4(const std::string& host, in_port_t port) {
  sockaddr_in address{};
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return std::nullopt;
  address.sin_family = AF_INET;
  address.sin_port = port;
  return from(address);
}

std::optional<ListenAddress> parse_v6(const std::string& host, in_port_t port) {
  sockaddr_in6 address{};
  if (inet_pton(AF_INET6, host.c_str(), &address.sin6_addr) != 1) return std::nullopt;
  address.sin6_family = AF_INET6;
  address.sin6_port = port;
  return from(address);
}

bool set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

// A UNIX socket file outlives its process. Nobody answers on it: it may go.
void remove_stale_socket(const ListenAddress& address) {
  const std::string path = address.unix_path();
  struct stat info {};
  if (stat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return;
  const Fd fd{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  const auto* name = reinterpret_cast<const sockaddr*>(&address.address);
  if (fd && connect(fd.get(), name, address.size) != 0 && errno == ECONNREFUSED) unlink(path.c_str());
}

bool bind_and_listen(int fd, ListenAddress& address, bool shares_port) {
  if (address.family() != AF_UNIX) {
    if (!set(fd, SOL_SOCKET, SO_REUSEADDR, 1)) return false;
    if (shares_port && !set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) return false;
    // Accepted sockets inherit it on Linux: one system call less for each connection.
    if (!set(fd, IPPROTO_TCP, TCP_NODELAY, 1)) return false;
  }
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address.address), address.size) != 0) return false;
  if (listen(fd, backlog) != 0) return false;
  address.size = sizeof(address.address);
  return getsockname(fd, reinterpret_cast<sockaddr*>(&address.address), &address.size) == 0;
}

}  // namespace

std::string ListenAddress::unix_path() const {
  return family() == AF_UNIX ? std::string{to<sockaddr_un>(*this).sun_path} : std::string{};
}

std::string ListenAddress::text() const {
  if (family() == AF_UNIX) return "unix:" + unix_path();
  std::array<char, INET6_ADDRSTRLEN> host{};
  if (family() == AF_INET6) {
    const auto v6 = to<sockaddr_in6>(*this);
    inet_ntop(AF_INET6, &v6.sin6_addr, host.data(), host.size());
    return '[' + std::string{host.data()} + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  const auto v4 = to<sockaddr_in>(*this);
  inet_ntop(AF_INET, &v4.sin_addr, host.data(), host.size());
  return std::string{host.data()} + ':' + std::to_string(ntohs(v4.sin_port));
}

std::optional<ListenAddress> parse_listen_address(std::string_view text) {
  if (text.starts_with("unix:")) return parse_unix(text.substr(5));
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto number = parse_number(text.substr(colon + 1));
  if (!number || *number > 65535) return std::nullopt;
  const in_port_t port = htons(static_cast<in_port_t>(*number));
  const std::string host{text.substr(0, colon)};
  if (host.empty()) return parse_v6("::", port);
  if (host.front() == '[' && host.back() == ']') return parse_v6(host.substr(1, host.size() - 2), port);
  return parse_v4(host, port);
}

Fd open_listener(ListenAddress& address, bool shares_port) {
  if (address.family() == AF_UNIX) remove_stale_socket(address);
  Fd fd{socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (fd && bind_and_listen(fd.get(), address, shares_port)) return fd;
  const int error = errno;
  fd.reset();
  errno = error;
  return {};
}

}  // namespace weir::origin
