#include "control/access_log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <system_error>

#include "core/base/assert.h"
#include "core/model/access_format.h"
#include "core/model/access_record.h"

namespace weir {
namespace {

// So old may a line become before it is written, if no ring is half full before.
constexpr int look_interval_ms = 100;
constexpr size_t batch_bytes = size_t{64} * 1024;
// Records taken from one ring before it is the next one's turn.
constexpr int records_per_turn = 64;
// For a sink whose receiver is slow: of one batch, and of all that is left at the end.
constexpr Duration patience_of_batch = std::chrono::milliseconds{100};
constexpr Duration patience_at_end = std::chrono::milliseconds{400};
constexpr Duration tell_interval = std::chrono::seconds{10};

// For the operator. Whatever it is, it is tried again with the next batch.
std::string reason_of_loss(int error) {
  switch (error) {
    case EAGAIN: return "its reader is too slow";
    case ENOSPC: return "no space is left on its disk; make room there";
    case EDQUOT: return "the disk quota is used up; make room there";
    case EPIPE:
    case ENXIO: return "nobody reads it; start its reader";
    case ECONNREFUSED: return "nobody receives there; start the receiver";
    case ENOENT: return "there is nothing of that name; make its directory, or start the receiver";
    case EACCES:
    case EPERM: return "no permission; make it writable for this user";
    case EMSGSIZE: return "a line is longer than a datagram may be";
    default: return std::generic_category().message(error);
  }
}

}  // namespace

Result<std::unique_ptr<AccessLog>, std::string> AccessLog::open(const AccessLogSettings& settings,
                                                                std::vector<ByteRing*> rings, const Clock& clock,
                                                                const Log& log) {
  auto sink = open_access_sink(settings.to, settings.mode);
  if (!sink) return sink.error();
  // make_unique cannot reach the constructor.
  std::unique_ptr<AccessLog> made{new AccessLog{settings, std::move(*sink), std::move(rings), clock, log}};
  try {
    made->thread_ = std::thread{[&access_log = *made] { access_log.run(); }};
  } catch (const std::system_error& error) {
    return std::string{"access log: no thread for it: "} + error.what() + "; raise RLIMIT_NPROC (ulimit -u)";
  }
  return made;
}

AccessLog::AccessLog(const AccessLogSettings& settings, std::unique_ptr<AccessSink> sink, std::vector<ByteRing*> rings,
                     const Clock& clock, const Log& log)
    : settings_(settings),
      rings_(std::move(rings)),
      clock_(clock),
      log_(log),
      bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      sink_(std::move(sink)) {
  WEIR_ASSERT(bell_.valid());
  awaited_.push_back({bell_.get(), POLLIN, 0});
  for (const ByteRing* ring : rings_) awaited_.push_back({ring->event_fd(), POLLIN, 0});
}

void AccessLog::ring_bell() const noexcept {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(bell_.get(), &one, sizeof one);
}

void AccessLog::reopen() noexcept {
  // Pairs with the exchange in run(): what was renamed before this call is seen as renamed there.
  reopen_asked_.store(true, std::memory_order_release);
  ring_bell();
}

void AccessLog::stop() {
  if (!thread_.joinable()) return;
  // Pairs with the acquire in run(): what workers pushed before this call is seen by the last drain.
  stop_asked_.store(true, std::memory_order_release);
  ring_bell();
  thread_.join();
}

void AccessLog::run() {
  pthread_setname_np(pthread_self(), "weir-log");
  // Signals are the control thread's; and SIGPIPE, of a pipe without a reader, we read as an error instead.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);

  // Pairs with the release in stop().
  while (!stop_asked_.load(std::memory_order_acquire)) {
    wait();
    // Pairs with the release in reopen().
    if (reopen_asked_.exchange(false, std::memory_order_acquire)) reopen_now();
    drain();
    report();
  }
  finishing_ = true;
  finish_at_ = clock_.now() + patience_at_end;
  drain();
  give_up_the_rest();
  tell_next_ = {};  // the last word is not held back
  report();
}

void AccessLog::wait() {
  if (::poll(awaited_.data(), awaited_.size(), look_interval_ms) <= 0) return;
  for (const pollfd& bell : awaited_) {
    uint64_t count = 0;
    if ((bell.revents & POLLIN) == 0) continue;
    // How often it was rung does not matter: everything is looked at now.
    [[maybe_unused]] const ssize_t taken = ::read(bell.fd, &count, sizeof count);
  }
}

void AccessLog::reopen_now() {
  if (const std::string problem = sink_->reopen(); !problem.empty()) {
    log_.error("access_log", "not reopened, the old one is written on", {{"problem", problem}});
    return;
  }
  // Relaxed, as all figures: control reads them for the stats.
  figures_.reopened.fetch_add(1, std::memory_order_relaxed);
  log_.info("access_log", "reopened", {{"to", settings_.to}});
}

void AccessLog::drain() {
  // Workers may be as fast as this is: who wants something else of the thread does not wait for the rings to be empty.
  const auto time_is_up = [this] { return finishing_ ? clock_.now() >= finish_at_ : is_asked(); };
  for (bool more = true; more;) {
    more = false;
    for (ByteRing* ring : rings_) {
      if (time_is_up()) return flush();
      more = drain_some(*ring) || more;
    }
  }
  flush();
}

bool AccessLog::is_asked() const noexcept {
  // Relaxed: a hint. run() looks again, with the orders that matter.
  return stop_asked_.load(std::memory_order_relaxed) || reopen_asked_.load(std::memory_order_relaxed);
}

// True when there may be more.
bool AccessLog::drain_some(ByteRing& ring) {
  for (int i = 0; i < records_per_turn; ++i) {
    const auto bytes = ring.front();
    if (bytes.empty()) return false;
    const AccessRecord record = read_access_record(bytes);
    if (settings_.json) {
      append_access_json(lines_.begin_line(), record);
    } else {
      append_access_combined(lines_.begin_line(), record);
    }
    lines_.end_line();
    ring.pop();
    if (lines_.text().size() >= batch_bytes) flush();
  }
  return true;
}

void AccessLog::flush() {
  if (lines_.empty()) return;
  const Instant deadline = finishing_ ? finish_at_ : clock_.now() + patience_of_batch;
  const Delivery delivery = sink_->deliver(lines_, {clock_, deadline});
  const size_t lost = lines_.count() - delivery.lines;
  lines_.clear();
  figures_.lines.fetch_add(delivery.lines, std::memory_order_relaxed);
  figures_.bytes.fetch_add(delivery.bytes, std::memory_order_relaxed);
  figures_.lost.fetch_add(lost, std::memory_order_relaxed);
  if (delivery.reopened && delivery.lines != 0) figures_.reopened.fetch_add(1, std::memory_order_relaxed);
  lost_untold_ += lost;
  failing_ = delivery.error != 0;
  if (failing_) last_failure_ = delivery.error;
}

// Time is up. What is left in the rings counts as lost, too.
void AccessLog::give_up_the_rest() {
  uint64_t lost = 0;
  for (ByteRing* ring : rings_) {
    // A ring holds fewer records than bytes: it ends even if a worker still pushes.
    for (uint32_t i = 0; i < ring->capacity() && !ring->front().empty(); ++i) {
      ring->pop();
      ++lost;
    }
  }
  if (lost == 0) return;
  figures_.lost.fetch_add(lost, std::memory_order_relaxed);
  lost_untold_ += lost;
  last_failure_ = EAGAIN;
}

void AccessLog::report() {
  const Instant now = clock_.now();
  if (lost_untold_ != 0 && now >= tell_next_) {
    const std::string reason = reason_of_loss(last_failure_);
    log_.error("access_log", "lines are lost", {{"to", settings_.to}, {"lines", lost_untold_}, {"reason", reason}});
    lost_untold_ = 0;
    tell_next_ = now + tell_interval;
    told_ = true;
  } else if (told_ && !failing_) {
    log_.info("access_log", "lines are written again", {{"to", settings_.to}});
    told_ = false;
  }
}

}  // namespace weir
