#include "health/child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/owner_of.h"

namespace weir {
namespace {

// Bytes that can be read from their beginning, like a file; nothing has to feed them to anybody. 0, or the errno.
int file_of(std::string_view bytes, Fd& file) {
  file.reset(::memfd_create("weir-input", MFD_CLOEXEC));
  if (!file.valid()) return errno;
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return ::lseek(file.get(), 0, SEEK_SET) < 0 ? errno : 0;
}

// The C library has it only from 2.36 on, and there not for C++ (its header forgot to say so).
int open_pidfd(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

// What a new program starts with: posix_spawn's two objects, which must be destroyed.
class Beginnings {
 public:
  explicit Beginnings(int input) {
    WEIR_ASSERT(::posix_spawn_file_actions_init(&files_) == 0);
    WEIR_ASSERT(::posix_spawnattr_init(&attributes_) == 0);
    if (input >= 0) {
      check(::posix_spawn_file_actions_adddup2(&files_, input, STDIN_FILENO));
    } else {
      check(::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
    }
    check(::posix_spawn_file_actions_addopen(&files_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0));
    check(::posix_spawn_file_actions_addopen(&files_, STDERR_FILENO, "/dev/null", O_WRONLY, 0));
    // Ours close on exec anyway; those that we were started with may not.
    check(::posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1));

    // We block signals that we read from a descriptor, and ignore SIGPIPE; both would be inherited.
    sigset_t signals;
    ::sigemptyset(&signals);
    check(::posix_spawnattr_setsigmask(&attributes_, &signals));
    ::sigfillset(&signals);
    check(::posix_spawnattr_setsigdefault(&attributes_, &signals));
    check(
        ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  }
  Beginnings(const Beginnings&) = delete;
  Beginnings& operator=(const Beginnings&) = delete;
  ~Beginnings() {
    ::posix_spawn_file_actions_destroy(&files_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  const posix_spawn_file_actions_t& files() const noexcept { return files_; }
  const posix_spawnattr_t& attributes() const noexcept { return attributes_; }

 private:
  // They fail for want of memory, and for arguments that these are not.
  static void check(int error) { WEIR_ASSERT(error == 0, error); }

  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

// As exec wants them: pointers into the texts, and a null behind the last.
std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 2);
  // exec has no const for historical reasons; it writes to none of them.
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::string in_words(int milliseconds) {
  return milliseconds % 1000 == 0 ? std::to_string(milliseconds / 1000) + "s" : std::to_string(milliseconds) + "ms";
}

std::string exit_in_words(int status) {
  // What shells make of a command of theirs that they could not run.
  constexpr int not_executable = 126;
  constexpr int not_found = 127;
  const char* const hint = status == not_executable ? " (of a shell: not executable)"
                           : status == not_found    ? " (of a shell: no such command)"
                                                    : "";
  return "exit status " + std::to_string(status) + hint;
}

}  // namespace

std::string describe(const ChildEnd& end) {
  switch (end.how) {
    case ChildEnd::How::exited: return exit_in_words(end.number);
    case ChildEnd::How::signaled: {
      const char* const name = ::sigabbrev_np(end.number);
      return "killed by " + (name != nullptr ? std::string{"SIG"} + name : "signal " + std::to_string(end.number));
    }
    case ChildEnd::How::timed_out: return "killed after " + in_words(end.number);
    case ChildEnd::How::given_up: return "killed because it was not wanted any more";
    case ChildEnd::How::not_started: {
      const char* const name = ::strerrorname_np(end.number);
      const char* const words = ::strerrordesc_np(end.number);
      if (name == nullptr || words == nullptr) return "cannot be started: error " + std::to_string(end.number);
      return std::string{"cannot be started: "} + words + " (" + name + ")";
    }
    case ChildEnd::How::lost: return "ended, but somebody else took its exit status (is SIGCHLD ignored?)";
  }
  WEIR_ASSERT(false, static_cast<int>(end.how));
}

ChildProcess::ChildProcess(const ProbeContext& context, Watcher& watcher) noexcept
    : context_(context), watcher_(watcher), timer_(on_timer) {}

ChildProcess::~ChildProcess() {
  WEIR_ASSERT(state_ == State::resting, static_cast<int>(state_));
}

void ChildProcess::become(State next) {
  const bool legal = next == State::running || next == State::unstarted ? state_ == State::resting
                     : next == State::killed                            ? state_ == State::running
                                                                        : state_ != State::resting;
  WEIR_ASSERT(legal, static_cast<int>(state_) * 10 + static_cast<int>(next));
  state_ = next;
}

void ChildProcess::begin(const Order& order) {
  WEIR_ASSERT(state_ == State::resting, static_cast<int>(state_));
  WEIR_ASSERT(!order.command.empty() && order.input.size() <= input_bytes_max);
  began_ = context_.clock.now();
  timeout_ = order.timeout;
  end_ = {};
  if (const int error = start(order); error != 0) {
    become(State::unstarted);
    end_ = {ChildEnd::How::not_started, error};
    // The wheel's next turn tells the watcher.
    context_.wheel.arm(timer_, began_);
    return;
  }
  become(State::running);
  context_.wheel.arm(timer_, began_ + timeout_);
  watch();
}

int ChildProcess::start(const Order& order) {
  Fd input;
  if (!order.input.empty()) {
    if (const int error = file_of(order.input, input); error != 0) return error;
  }
  const Beginnings beginnings{input.get()};
  const std::vector<char*> arguments = pointers_to(order.command);
  std::vector<char*> environment = pointers_to(order.environment);
  std::string path;
  const bool has_path = std::any_of(order.environment.begin(), order.environment.end(),
                                    [](const std::string& variable) { return variable.starts_with("PATH="); });
  if (const char* const ours = ::getenv("PATH"); ours != nullptr && !has_path) {
    path = std::string{"PATH="} + ours;
    environment.insert(environment.end() - 1, path.data());
  }

  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, arguments.front(), &beginnings.files(), &beginnings.attributes(),
                                   arguments.data(), environment.data());
  if (error != 0) return error;
  // Until it is waited for, nobody else can have its number.
  pidfd_.reset(open_pidfd(pid));
  if (!pidfd_.valid()) {
    const int why = errno;
    ::kill(-pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return why;
  }
  pid_ = pid;
  return 0;
}

void ChildProcess::give_up() {
  switch (state_) {
    case State::resting:
    case State::killed: return;
    case State::running: return kill({ChildEnd::How::given_up, 0});
    case State::unstarted: context_.wheel.cancel(timer_); return rest();
  }
}

void ChildProcess::kill(const ChildEnd& why) {
  become(State::killed);
  end_ = why;
  context_.wheel.cancel(timer_);
  // Its pidfd becomes readable, and that is when it is over.
  ::kill(-pid_, SIGKILL);
}

void ChildProcess::on_timer(Timer& timer) {
  ChildProcess& child = owner_of(timer, &ChildProcess::timer_);
  if (child.state_ == State::unstarted) return child.rest();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(child.timeout_).count();
  child.kill({ChildEnd::How::timed_out, static_cast<int>(ms)});
}

void ChildProcess::watch() {
  context_.ring.poll(op_, on_ended, pidfd_.get(), POLLIN);
}

void ChildProcess::on_ended(Op& op, const Completion& completion) {
  ChildProcess& child = owner_of(op, &ChildProcess::op_);
  if (completion.failed()) {
    switch (completion.error()) {
      case EINTR:
      case EAGAIN: return child.watch();
      // The kernel cannot tell us when it ends (no memory): then it ends now, and is waited for.
      default: ::kill(-child.pid_, SIGKILL);
    }
  }
  child.collect();
  child.rest();
}

// Its end has come, or is about to.
void ChildProcess::collect() {
  const auto wait = [&](siginfo_t& info, int options) {
    int result = 0;
    while ((result = ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | options)) < 0 &&
           errno == EINTR) {
    }
    return result == 0;
  };
  siginfo_t info{};
  // While it has not been waited for, its number is nobody else's, and what it left behind can be killed by it.
  if (wait(info, WNOWAIT)) {
    ::kill(-pid_, SIGKILL);
    wait(info, 0);
    if (state_ == State::running) {
      end_ = {info.si_code == CLD_EXITED ? ChildEnd::How::exited : ChildEnd::How::signaled, info.si_status};
    }
  } else if (state_ == State::running) {
    end_ = {ChildEnd::How::lost, 0};
  }
  context_.wheel.cancel(timer_);
}

void ChildProcess::rest() {
  took_ = context_.clock.now() - began_;
  pidfd_.reset();
  pid_ = -1;
  become(State::resting);
  watcher_.child_over();
}

}  // namespace weir
