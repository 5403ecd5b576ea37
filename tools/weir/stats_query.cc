#include "tools/weir/stats_query.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/model/address.h"

namespace weir {
namespace {

void be_patient_for(int fd, Duration patience) {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(patience).count();
  timeval time{};
  time.tv_sec = static_cast<time_t>(microseconds / 1'000'000);
  time.tv_usec = static_cast<suseconds_t>(microseconds % 1'000'000);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

std::string explain(const std::string& path, int error) {
  const std::string sentence = "no answer from the stats socket " + path + ": ";
  switch (error) {
    case ENOENT:
      return sentence +
             "there is no such file; is weir running, and is this its stats socket (`admin.stats.path`, or "
             "--stats of weir run)?";
    case ECONNREFUSED: return sentence + "nobody listens there; the weir that made it has ended";
    case EACCES:
    case EPERM: return sentence + "permission denied; ask as the user that runs weir, or set `admin.stats.mode`";
    case EAGAIN: return sentence + "it took too long; weir is stopped, or has many clients there";
    default: return sentence + describe(error_from_errno(error, Side::ourselves));
  }
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

}  // namespace

Result<std::string, NoAnswer> ask_stats_socket(const std::string& path, std::string_view line, Duration patience) {
  const auto failed = [&] { return NoAnswer{explain(path, errno)}; };
  const auto address = SocketAddress::parse("unix:" + path);
  if (!address) return NoAnswer{"`" + path + "` is no path of a UNIX socket (1 to 107 bytes)"};
  const Fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!fd) return failed();
  be_patient_for(fd.get(), patience);
  if (::connect(fd.get(), address->data(), address->size()) != 0) return failed();
  if (!send_all(fd.get(), std::string{line} + "\n")) return failed();
  std::string answer;
  std::array<char, 64 * 1024> piece;
  for (;;) {
    const ssize_t received = ::recv(fd.get(), piece.data(), piece.size(), 0);
    if (received == 0) return answer;
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return failed();
    answer.append(piece.data(), static_cast<size_t>(received));
  }
}

}  // namespace weir
