// AccessLog: takes the records of finished requests out of the workers' rings, and writes a line for each to a file,
// stdout, syslog or a UNIX datagram socket.
//
//     worker --push(ring, record)--> ring --+
//     worker --push(ring, record)--> ring --+--> this thread: format, batch --> AccessSink
//
// Made by main before the workers' threads, stopped after them; it owns a thread of its own, which is the consumer of
// every ring. A worker never waits for it: a ring that is full is the worker's loss (it counts that), and what a sink
// does not take in time is lost here and counted here. Lines of one worker are in order; those of several are mixed
// within the tenth of a second that a batch collects.
#pragma once

#include <poll.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "control/access_sink.h"
#include "control/figures.h"
#include "core/base/byte_ring.h"
#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/log.h"
#include "core/base/result.h"

namespace weir {

struct AccessLogSettings {
  std::string to;                   // a path, `stdout`, `syslog`, or `unix:/path`
  bool json = true;                 // or else combined
  uint32_t mode = 0640;             // of a file it creates
  uint32_t queue_bytes = 1U << 20;  // of each worker's ring, which main makes
};

class AccessLog {
 public:
  // Opens what `to` names and starts the thread. The error is a sentence that says what to do. The rings outlive it.
  static Result<std::unique_ptr<AccessLog>, std::string> open(const AccessLogSettings& settings,
                                                              std::vector<ByteRing*> rings, const Clock& clock,
                                                              const Log& log);
  ~AccessLog() { stop(); }
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  // Opens the file anew, by its name: for who has renamed it. Any thread; it happens soon.
  void reopen() noexcept;
  // Writes what is in the rings, ends the thread, and is back within a second however slow a pipe or socket is. (A disk
  // that hangs is waited for: the kernel lets nobody go there.) The owner's thread, after the workers; again is
  // nothing.
  void stop();

  const AccessLogFigures& figures() const noexcept { return figures_; }

 private:
  AccessLog(const AccessLogSettings& settings, std::unique_ptr<AccessSink> sink, std::vector<ByteRing*> rings,
            const Clock& clock, const Log& log);

  void ring_bell() const noexcept;
  // All below: the thread's own.
  void run();
  void wait();
  void reopen_now();
  void drain();
  bool is_asked() const noexcept;
  bool drain_some(ByteRing& ring);
  void flush();
  void give_up_the_rest();
  void report();

  const AccessLogSettings settings_;
  const std::vector<ByteRing*> rings_;
  const Clock& clock_;
  const Log log_;
  const Fd bell_;  // rung by reopen() and stop()
  std::atomic<bool> reopen_asked_{false};
  std::atomic<bool> stop_asked_{false};
  AccessLogFigures figures_;

  std::unique_ptr<AccessSink> sink_;
  AccessLines lines_;
  std::vector<pollfd> awaited_;  // the bell, and that of each ring
  bool finishing_ = false;       // the last drain is under way, until finish_at_
  Instant finish_at_{};
  // For the error log, which hears of losses now and then, not of each.
  uint64_t lost_untold_ = 0;
  bool failing_ = false;  // the last delivery was not complete
  int last_failure_ = 0;  // its errno, or that of the last one that was not
  bool told_ = false;     // of losses, but not yet that they are over
  Instant tell_next_{};

  std::thread thread_;
};

}  // namespace weir
