// One thread of the origin: its listeners, its connections, their timers, and one epoll instance over all of them.
//
// run() is the thread's whole life. Only ask() may be called by another thread. Between loops nothing is shared but the
// Scoreboard. Each wait is followed by one reading of the clock, by which everything of that turn goes.
//
//     serving --stop--> draining: no listeners, idle connections closed --none left, or 1 s--> run() returns
//        '------------------------------- quit, in either ------------------------------------^
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/timer_wheel.h"
#include "tools/origin/connection.h"
#include "tools/origin/http_site.h"

namespace weir::origin {

class Loop {
 public:
  // The references outlive the loop. `index` picks its Stats and its dice.
  Loop(const Settings& settings, Scoreboard& board, std::size_t index, std::vector<Fd> listeners, const Clock& clock);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // False, with errno set, if the kernel refused what the loop cannot do without.
  bool run();

  enum class Order : std::uint8_t { none, stop, quit };
  // From any thread, at any time.
  void ask(Order order) noexcept;

 private:
  // What a descriptor in the epoll instance is; stands in the upper half of the event's data, the descriptor in the
  // lower.
  enum class Kind : std::uint32_t { connection, listener, order };
  struct Slot;

  bool watch(int operation, int fd, Kind kind, std::uint32_t events);
  bool open();
  void wait();
  void handle(std::uint64_t data, std::uint32_t events);
  std::optional<Instant> next_deadline() const noexcept;

  void accept_some(int listener);
  void adopt(Fd fd);
  void pause_accepting();
  void resume_accepting();
  void stop_accepting();

  void settle(Slot& slot, Connection::Verdict verdict);
  void on_timer(Slot& slot);
  void destroy(Slot& slot);
  void obey();

  const Settings& settings_;
  const Clock& clock_;
  HttpSite site_;
  TimerWheel timers_;
  const std::unique_ptr<char[]> scratch_;
  std::vector<Fd> listeners_;
  Fd epoll_;
  Fd orders_;                                 // an eventfd that says order_ has changed
  std::atomic<Order> order_{Order::none};     // released by ask(), acquired by obey()
  std::vector<std::unique_ptr<Slot>> slots_;  // by descriptor
  std::size_t connections_ = 0;               // slots in use
  std::optional<Instant> accept_again_;       // set exactly while listeners are not watched for want of descriptors
  std::optional<Instant> drain_until_;        // set exactly while draining
  bool quits_ = false;
};

}  // namespace weir::origin
