#include "control/access_sink.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>

namespace weir {
namespace {

constexpr std::string_view unix_prefix = "unix:";
// Facility local0, severity informational (RFC 3164 section 4.1.1). Time and host are added by the local daemon.
constexpr const char* syslog_prefix = "<134>weir: ";

}  // namespace

std::string_view AccessLines::line(size_t index) const noexcept {
  const size_t begin = index == 0 ? 0 : ends_[index - 1];
  return text().substr(begin, ends_[index] - 1 - begin);
}

size_t AccessLines::count_within(size_t bytes) const noexcept {
  return static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), bytes) - ends_.begin());
}

bool Patience::await_writable(int fd) const noexcept {
  pollfd waited{fd, POLLOUT, 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.now());
    const int ready = ::poll(&waited, 1, static_cast<int>(std::clamp<int64_t>(left.count(), 0, 60'000)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

OpenedSink open_access_sink(const std::string& to, uint32_t mode) {
  if (to == "stdout") return open_descriptor_sink(STDOUT_FILENO, to);
  if (to == "syslog") return open_datagram_sink("/dev/log", syslog_prefix);
  if (to.starts_with(unix_prefix)) return open_datagram_sink(to.substr(unix_prefix.size()), "");
  return open_file_sink(to, mode);
}

}  // namespace weir
