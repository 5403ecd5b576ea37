// AccessSink: where the lines of the access log go: a file, stdout, syslog, or a UNIX datagram socket.
//
// Made and used by the access log's thread (made by main before there is one); nothing here is shared. A sink never
// waits beyond the deadline it is given: what its receiver does not take until then is lost, and it says how much that
// was and why. It mends itself: what broke is opened anew when the next lines come.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace weir {

// A batch of lines in one piece of memory, which is used again for the next batch.
class AccessLines {
 public:
  // Append a line to it without its newline, then end_line().
  std::string& begin_line() noexcept { return text_; }
  void end_line() {
    text_ += '\n';
    ends_.push_back(text_.size());
  }
  void clear() noexcept {
    text_.clear();
    ends_.clear();
  }

  size_t count() const noexcept { return ends_.size(); }
  bool empty() const noexcept { return ends_.empty(); }
  std::string_view text() const noexcept { return text_; }  // with the newlines
  std::string_view line(size_t index) const noexcept;       // without its newline
  size_t count_within(size_t bytes) const noexcept;         // lines that lie whole in the first `bytes`

 private:
  std::string text_;
  std::vector<size_t> ends_;  // behind each newline
};

// What became of a batch.
struct Delivery {
  size_t lines = 0;  // that were taken
  size_t bytes = 0;  // of all that was taken
  int error = 0;     // why the others were not, an errno: EAGAIN for a receiver that is too slow; 0 when all were taken
  bool reopened = false;  // it had been broken, and was opened anew for this batch
};

// How long a sink may wait.
struct Patience {
  const Clock& clock;
  Instant deadline;

  bool is_over() const noexcept { return clock.now() >= deadline; }
  // Waits until `fd` can be written to, or has failed; false when the deadline came first.
  bool await_writable(int fd) const noexcept;
};

class AccessSink {
 public:
  AccessSink() = default;
  AccessSink(const AccessSink&) = delete;
  AccessSink& operator=(const AccessSink&) = delete;
  virtual ~AccessSink() = default;

  virtual Delivery deliver(const AccessLines& lines, const Patience& patience) noexcept = 0;
  // Opens anew what has a name. Empty, or why that was not possible; the old one then stays in use.
  virtual std::string reopen() = 0;
};

using OpenedSink = Result<std::unique_ptr<AccessSink>, std::string>;

// By the `to` of the configuration: a path, `stdout`, `syslog` or `unix:/path`. The error is a sentence for the
// operator.
OpenedSink open_access_sink(const std::string& to, uint32_t mode);

// The kinds.
OpenedSink open_file_sink(const std::string& path, uint32_t mode);
// `fd` is borrowed: it is never closed, and flags that others see are never changed on it.
OpenedSink open_descriptor_sink(int fd, const std::string& name);
// Each line is a datagram, `prefix` before it and no newline behind it. That nobody receives there yet is no error.
OpenedSink open_datagram_sink(const std::string& path, const std::string& prefix);

}  // namespace weir
