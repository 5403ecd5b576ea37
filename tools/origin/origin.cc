#include "tools/origin/origin.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <deque>
#include <optional>
#include <system_error>
#include <thread>

#include "tools/origin/loop.h"
#include "tools/weir/exit_codes.h"

namespace weir {
namespace origin {
namespace {

void say_error(const std::string& sentence) {
  std::fprintf(stderr, "weir origin: %s\n", sentence.c_str());
}

std::string errno_text() {
  return std::generic_category().message(errno);
}

// SIGINT and SIGTERM become readable instead of deadly, for this thread and those it starts.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
    fd_.reset(signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  int fd() const noexcept { return fd_.get(); }

  bool take() const {
    signalfd_siginfo info{};
    return read(fd_.get(), &info, sizeof(info)) == sizeof(info);
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
  Fd fd_;
};

// Thousands of connections are what an origin is for.
void allow_all_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The listeners of all loops. TCP: each loop has its own by SO_REUSEPORT; the first to bind finds the port. UNIX: there
// is no such thing, so the loops share one open file.
class Listeners {
 public:
  ~Listeners() {
    for (const ListenAddress& address : bound_) {
      if (address.family() == AF_UNIX) unlink(address.unix_path().c_str());
    }
  }

  // False, with errno set, if `address` cannot be listened on.
  bool open(ListenAddress address, unsigned loops) {
    per_loop_.resize(loops);
    for (auto& listeners : per_loop_) {
      const bool is_shared = address.family() == AF_UNIX && &listeners != &per_loop_.front();
      Fd fd =
          is_shared ? Fd{fcntl(per_loop_.front().back().get(), F_DUPFD_CLOEXEC, 0)} : open_listener(address, loops > 1);
      if (!fd) return false;
      if (&listeners == &per_loop_.front()) bound_.push_back(address);
      listeners.push_back(std::move(fd));
    }
    return true;
  }

  std::vector<Fd> take(std::size_t loop) { return std::move(per_loop_[loop]); }

  void announce() const {
    for (const ListenAddress& address : bound_) std::printf("listening on %s\n", address.text().c_str());
    std::fflush(stdout);
  }

 private:
  std::vector<std::vector<Fd>> per_loop_;
  std::vector<ListenAddress> bound_;
};

// The loops in their threads, and the main thread's part: waiting for signals.
class Crew {
 public:
  Crew(const Settings& settings, Scoreboard& board, Listeners& listeners, const Clock& clock)
      : working_(settings.threads), done_(eventfd(0, EFD_CLOEXEC)) {
    for (std::size_t i = 0; i < settings.threads; ++i)
      loops_.emplace_back(settings, board, i, listeners.take(i), clock);
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew() {
    ask(Loop::Order::quit);
    for (std::thread& thread : threads_) thread.join();
  }

  void start() {
    for (Loop& loop : loops_) threads_.emplace_back([this, &loop] { work(loop); });
  }

  // Until all loops have ended. False if one could not work.
  bool supervise(const StopSignals& signals) {
    pollfd waits[] = {{.fd = signals.fd(), .events = POLLIN, .revents = 0},
                      {.fd = done_.get(), .events = POLLIN, .revents = 0}};
    Loop::Order order = Loop::Order::stop;
    while ((waits[1].revents & POLLIN) == 0) {
      if (poll(waits, std::size(waits), -1) < 0 && errno != EINTR) return false;
      if (!signals.take()) continue;
      ask(order);
      order = Loop::Order::quit;
    }
    return !failed_.load(std::memory_order_acquire);  // partner: work()
  }

 private:
  void work(Loop& loop) {
    if (!loop.run()) {
      say_error("a loop cannot work: " + errno_text());
      failed_.store(true, std::memory_order_release);  // partner: supervise()
      ask(Loop::Order::quit);
    }
    // The last to leave wakes the main thread; the acquire half orders failed_ of the others before it.
    if (working_.fetch_sub(1, std::memory_order_acq_rel) == 1) eventfd_write(done_.get(), 1);
  }

  void ask(Loop::Order order) {
    for (Loop& loop : loops_) loop.ask(order);
  }

  std::atomic<unsigned> working_;
  std::atomic<bool> failed_{false};
  Fd done_;
  std::deque<Loop> loops_;
  std::vector<std::thread> threads_;
};

ExitCode serve(const Settings& settings) {
  allow_all_descriptors();
  const StopSignals signals;
  Listeners listeners;
  for (const ListenAddress& address : settings.listen) {
    if (!listeners.open(address, settings.threads)) {
      say_error("cannot listen on " + address.text() + ": " + errno_text());
      return ExitCode::cannot_listen;
    }
  }
  const SystemClock clock;
  Scoreboard board{settings.threads};
  bool is_well = false;
  {
    Crew crew{settings, board, listeners, clock};
    crew.start();
    listeners.announce();
    is_well = crew.supervise(signals);
  }
  if (settings.stats_on_exit) std::printf("%s\n", board.json(settings.name).c_str());
  std::fflush(stdout);
  return is_well ? ExitCode::ok : ExitCode::failure;
}

}  // namespace
}  // namespace origin

int run_origin(const OriginOptions& options) {
  std::string complaint;
  const auto settings = origin::check(options, complaint);
  if (!settings) {
    origin::say_error(complaint);
    return static_cast<int>(ExitCode::usage);
  }
  try {
    return static_cast<int>(origin::serve(*settings));
  } catch (const std::system_error& error) {  // of std::thread, when there can be no more
    origin::say_error(error.what());
    return static_cast<int>(ExitCode::failure);
  }
}

}  // namespace weir
