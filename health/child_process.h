// ChildProcess: runs a program, one at a time, and hears of its end; for whoever lives on the control loop.
//
//     resting --begin--> running --it ended--> resting
//        ^  |              `--time, given up--> killed --it ended--> resting
//        |  `--it could not be started--> unstarted --the wheel's next turn--.
//        `-------------------------------------------------------------------'
//
// The program gets a session and a process group of its own, /dev/null (or the given bytes) to read and /dev/null to
// write, signals as if fresh from the boot, and no other descriptor. When it ends, and when it is killed, its whole
// group is killed: what it started in the background goes with it (but for what made itself a session of its own). It
// is always waited for: no zombies.
//
// Its end is noticed through a pidfd, by the ring. Starting it takes the calling thread as long as the kernel needs to
// find the program and begin it: a fraction of a millisecond, or a few where all cores are busy. Nothing else blocks.
//
// A member of its watcher, on the control thread. While it is not resting it may not go: give_up(), and wait to be
// told.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/timer_wheel.h"
#include "health/probe_context.h"
#include "net/io/op.h"

namespace weir {

// What became of a program. A value.
struct ChildEnd {
  enum class How : uint8_t {
    exited,       // `number` is its status
    signaled,     // `number` is the signal that somebody else killed it with
    timed_out,    // killed by us, after `number` milliseconds
    given_up,     // killed by us, because it is not wanted any more
    not_started,  // `number` is the errno
    lost,         // it ended, but the kernel does not say how: SIGCHLD is ignored, or somebody else waited for it
  };
  How how = How::lost;
  int number = 0;

  bool passed() const noexcept { return how == How::exited && number == 0; }
  bool operator==(const ChildEnd&) const = default;
};

// "exit status 3", "killed by SIGSEGV", "killed after 1s", "cannot be started: No such file or directory (ENOENT)".
std::string describe(const ChildEnd& end);

class ChildProcess {
 public:
  class Watcher {
   public:
    // How it went is told by end(). The child is resting: it may be begun anew, or destroyed.
    virtual void child_over() = 0;

   protected:
    ~Watcher() = default;
  };

  // None of it is needed any more when begin() has returned.
  struct Order {
    const std::vector<std::string>& command;      // the program, searched for in PATH unless it has a slash; arguments
    const std::vector<std::string>& environment;  // "NAME=value"; with weir's PATH, if none is among them, and no more
    std::string_view input;                       // what it reads from its standard input, input_bytes_max at the most
    Duration timeout;
  };

  static constexpr size_t input_bytes_max = 64 * 1024;

  ChildProcess(const ProbeContext& context, Watcher& watcher) noexcept;
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Never tells the watcher before it has returned.
  void begin(const Order& order);
  // Kills it; the watcher is told when it is gone, possibly from within. Nothing happens while resting.
  void give_up();

  bool resting() const noexcept { return state_ == State::resting; }

  // Of the last one, valid from child_over() until begin().
  const ChildEnd& end() const noexcept { return end_; }
  // From begin() until it was gone.
  Duration took() const noexcept { return took_; }

 private:
  enum class State : uint8_t { resting, running, killed, unstarted };

  static void on_ended(Op& op, const Completion& completion);
  static void on_timer(Timer& timer);

  void become(State next);
  // 0, or the errno.
  int start(const Order& order);
  void kill(const ChildEnd& why);
  void watch();
  void collect();
  // May destroy the child process: it comes last.
  void rest();

  const ProbeContext context_;
  Watcher& watcher_;
  State state_ = State::resting;
  pid_t pid_ = -1;  // of the process and of its group: valid exactly while running and killed
  Fd pidfd_;        // the same
  Op op_;           // polls the pidfd, while running and killed
  Timer timer_;     // armed while running (its time is up) and unstarted (tells of it)
  Duration timeout_{};
  Instant began_{};
  Duration took_{};
  ChildEnd end_;
};

}  // namespace weir
