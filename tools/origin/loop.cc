#include "tools/origin/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>

#include "core/base/assert.h"
#include "core/base/owner_of.h"

namespace weir::origin {
namespace {

constexpr int events_per_turn_max = 512;
constexpr int accepts_per_event_max = 64;
constexpr std::uint32_t timers_per_turn_max = 1024;

constexpr Duration timer_tick = std::chrono::microseconds{100};
constexpr Duration accept_pause = std::chrono::milliseconds{50};
constexpr Duration drain_max = std::chrono::seconds{1};

// Each loop rolls its own dice; the factor keeps the sequences of neighbouring seeds apart.
std::uint64_t loop_seed(std::uint64_t seed, std::size_t index) {
  return seed + index * 0x9e3779b97f4a7c15;
}

timespec timespec_of(Duration duration) {
  const auto count = std::max<Duration::rep>(duration.count(), 0);
  return {.tv_sec = count / 1'000'000'000, .tv_nsec = count % 1'000'000'000};
}

}  // namespace

// A connection and what the loop has to know of it. Immovable: its timer is linked into the wheel.
struct Loop::Slot {
  Slot(Loop& its_loop, Fd fd)
      : loop(its_loop), descriptor(fd.get()), connection(std::move(fd), its_loop.site_, its_loop.scratch_.get()) {}

  Loop& loop;
  const int descriptor;
  std::uint32_t interest = 0;  // what epoll was told
  Connection connection;
  Timer timer{[](Timer& due) {
    Slot& slot = owner_of(due, &Slot::timer);
    slot.loop.on_timer(slot);
  }};
};

Loop::Loop(const Settings& settings, Scoreboard& board, std::size_t index, std::vector<Fd> listeners,
           const Clock& clock)
    : settings_(settings),
      clock_(clock),
      site_(settings, board, board.of_loop(index), loop_seed(settings.seed, index)),
      timers_(clock.now(), timer_tick),
      scratch_(std::make_unique<char[]>(Connection::scratch_bytes)),
      listeners_(std::move(listeners)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      orders_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Loop::~Loop() {
  for (auto& slot : slots_) {
    if (slot) destroy(*slot);
  }
}

void Loop::ask(Order order) noexcept {
  order_.store(order, std::memory_order_release);  // partner: obey()
  eventfd_write(orders_.get(), 1);
}

// --- the turn ---

bool Loop::run() {
  if (!open()) return false;
  while (!quits_) {
    wait();
    if (drain_until_ && (connections_ == 0 || site_.now() >= *drain_until_)) break;
  }
  return true;
}

bool Loop::open() {
  if (!epoll_ || !orders_) return false;
  if (!watch(EPOLL_CTL_ADD, orders_.get(), Kind::order, EPOLLIN)) return false;
  for (const Fd& listener : listeners_) {
    // Exclusive: one connection on a UNIX socket, which all loops share, wakes one of them.
    if (!watch(EPOLL_CTL_ADD, listener.get(), Kind::listener, EPOLLIN | EPOLLEXCLUSIVE)) return false;
  }
  return true;
}

void Loop::wait() {
  std::array<epoll_event, events_per_turn_max> events;
  timespec timeout{};
  const auto deadline = next_deadline();
  if (deadline) timeout = timespec_of(*deadline - clock_.now());
  const int count =
      epoll_pwait2(epoll_.get(), events.data(), events_per_turn_max, deadline ? &timeout : nullptr, nullptr);
  WEIR_ASSERT(count >= 0 || errno == EINTR, errno);
  site_.tick(clock_.now(), std::time(nullptr));
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    handle(event.data.u64, event.events);
  }
  timers_.advance(site_.now(), timers_per_turn_max);
  if (accept_again_ && site_.now() >= *accept_again_) resume_accepting();
}

void Loop::handle(std::uint64_t data, std::uint32_t events) {
  const int fd = static_cast<int>(data & 0xffffffff);
  switch (static_cast<Kind>(data >> 32)) {
    case Kind::connection: {
      // An order earlier in this turn may have ended it.
      Slot* slot = slots_[static_cast<std::size_t>(fd)].get();
      if (slot != nullptr) settle(*slot, slot->connection.on_events(events));
      return;
    }
    case Kind::listener: return accept_some(fd);
    case Kind::order: return obey();
  }
}

std::optional<Instant> Loop::next_deadline() const noexcept {
  std::optional<Instant> next = timers_.next();
  for (const auto& other : {accept_again_, drain_until_}) {
    if (other && (!next || *other < *next)) next = other;
  }
  return next;
}

bool Loop::watch(int operation, int fd, Kind kind, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = static_cast<std::uint64_t>(kind) << 32 | static_cast<std::uint32_t>(fd);
  return epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
}

// --- accepting ---

void Loop::accept_some(int listener) {
  if (accept_again_ || drain_until_) return;
  for (int i = 0; i < accepts_per_event_max; ++i) {
    Fd fd{accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (fd) {
      adopt(std::move(fd));
      continue;
    }
    if (errno == EAGAIN) return;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return pause_accepting();
    // The others are of the connection that was to be accepted and went away, accept(2).
  }
}

void Loop::adopt(Fd fd) {
  const auto index = static_cast<std::size_t>(fd.get());
  if (index >= slots_.size()) slots_.resize(index * 2);
  WEIR_ASSERT(!slots_[index]);
  slots_[index] = std::make_unique<Slot>(*this, std::move(fd));
  ++connections_;
  Slot& slot = *slots_[index];
  const auto verdict = slot.connection.start();
  slot.interest = slot.connection.interest();
  if (!watch(EPOLL_CTL_ADD, slot.descriptor, Kind::connection, slot.interest)) return destroy(slot);
  settle(slot, verdict);
}

// Out of descriptors: the waiting connection would make the listener ready at once again, without end.
void Loop::pause_accepting() {
  for (const Fd& listener : listeners_) watch(EPOLL_CTL_DEL, listener.get(), Kind::listener, 0);
  accept_again_ = site_.now() + accept_pause;
}

void Loop::resume_accepting() {
  accept_again_.reset();
  for (const Fd& listener : listeners_) {
    watch(EPOLL_CTL_ADD, listener.get(), Kind::listener, EPOLLIN | EPOLLEXCLUSIVE);
  }
}

// Unwatched before they are closed: a UNIX listener lives on in other loops, and epoll goes by the open file.
void Loop::stop_accepting() {
  if (!accept_again_) pause_accepting();
  accept_again_.reset();
  listeners_.clear();
}

// --- connections ---

// After each call into a connection: end it, or see to what it waits for next.
void Loop::settle(Slot& slot, Connection::Verdict verdict) {
  if (verdict == Connection::Verdict::over) return destroy(slot);
  const std::uint32_t interest = slot.connection.interest();
  if (interest != slot.interest) {
    slot.interest = interest;
    if (!watch(EPOLL_CTL_MOD, slot.descriptor, Kind::connection, interest)) return destroy(slot);
  }
  const auto wake = slot.connection.wake();
  if (!wake) {
    timers_.cancel(slot.timer);
  } else if (!slot.timer.armed() || slot.timer.deadline() != *wake) {
    timers_.arm(slot.timer, *wake);
  }
}

void Loop::on_timer(Slot& slot) {
  settle(slot, slot.connection.on_time());
}

void Loop::destroy(Slot& slot) {
  timers_.cancel(slot.timer);
  --connections_;
  slots_[static_cast<std::size_t>(slot.descriptor)].reset();
}

// --- stopping ---

void Loop::obey() {
  eventfd_t ignored = 0;
  eventfd_read(orders_.get(), &ignored);
  const Order order = order_.load(std::memory_order_acquire);  // partner: ask()
  if (order == Order::quit) quits_ = true;
  if (order == Order::none || drain_until_) return;
  drain_until_ = site_.now() + drain_max;
  stop_accepting();
  for (auto& slot : slots_) {
    if (slot) settle(*slot, slot->connection.drain());
  }
}

}  // namespace weir::origin
