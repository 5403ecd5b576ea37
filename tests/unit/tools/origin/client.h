// A blocking client for tests of the origin's sockets. Every wait ends after ten seconds, so that a hang is a failure.
#pragma once

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "core/base/fd.h"
#include "tools/origin/listen_address.h"

namespace weir::origin {

class Client {
 public:
  explicit Client(int family) : fd_(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  explicit Client(const ListenAddress& address) : Client(address.family()) { connect_to(address); }

  bool connect_to(const ListenAddress& address) {
    return connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address.address), address.size) == 0;
  }

  bool say(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void finish() { shutdown(fd_.get(), SHUT_WR); }
  void leave() { fd_.reset(); }

  // At most `size` bytes, fewer only if the connection ended or ten seconds went by; error() tells.
  std::string hear(std::size_t size) {
    std::string heard;
    std::array<char, 65536> buffer;
    error_ = 0;
    while (heard.size() < size) {
      const ssize_t got = recv(fd_.get(), buffer.data(), std::min(buffer.size(), size - heard.size()), 0);
      if (got < 0) error_ = errno;
      if (got <= 0) break;
      heard.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return heard;
  }

  // One whole answer with Content-Length.
  std::string hear_answer() {
    std::string answer;
    while (!answer.ends_with("\r\n\r\n")) {
      const std::string byte = hear(1);
      if (byte.empty()) return answer;
      answer += byte;
    }
    const auto field = answer.find("Content-Length: ");
    return field == std::string::npos ? answer : answer + hear(std::stoul(answer.substr(field + 16)));
  }

  std::string hear_to_the_end() { return hear(std::string::npos); }

  // Of the last hear(): 0 is the other side's orderly end, or enough.
  int error() const { return error_; }
  int descriptor() const { return fd_.get(); }

 private:
  Fd fd_;
  int error_ = 0;
};

}  // namespace weir::origin
