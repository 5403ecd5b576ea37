#include "control/control_loop.h"

#include <signal.h>

#include <algorithm>
#include <functional>

#include "control/stats_usage.h"

namespace weir {
namespace {

constexpr uint32_t completions_per_turn = 256;
constexpr uint32_t timers_per_turn = 256;
// How often a retired Snapshot is looked at again. Workers pass it within a turn; only long drains last.
constexpr Duration reclaim_interval = std::chrono::milliseconds{50};
constexpr uint64_t control_buffer_bytes = 1U << 20;

}  // namespace

ControlLoop::ControlLoop(config::Config config, const Machine& machine, const Layout& layout, std::string source,
                         Reread reread, ProcessState& process, Published<Snapshot>& published,
                         std::vector<std::unique_ptr<Letters>>& letters, const Clock& clock, AccessLog* access_log)
    : config_(std::move(config)),
      machine_(machine),
      layout_(layout),
      reread_(std::move(reread)),
      process_(process),
      letters_(letters),
      clock_(clock),
      access_log_(access_log),
      log_(config_.log.level, config_.log.format),
      publisher_(static_cast<unsigned>(process.workers.size()), published),
      now_(clock.now()),
      wheel_(now_),
      reclaim_timer_(on_reclaim) {
  figures_.started = now_;
  figures_.descriptors_max = machine_.descriptors_max;
  figures_.config_source = std::move(source);
  if (access_log_ != nullptr) figures_.access_log = &access_log_->figures();
}

// After run() this is no news to them; where start() was refused, they have nothing in flight yet.
ControlLoop::~ControlLoop() {
  if (watches_) watches_->stop();
  if (alerts_) alerts_->stop();
}

std::string ControlLoop::start() {
  auto made = Ring::make({.submissions = 128, .completions = 1024});
  if (!made) return "the control thread's ring: " + describe(made.error());
  ring_ = std::move(*made);
  buffers_ = std::make_unique<Buffers>(*ring_, control_buffer_bytes);
  if (auto started = buffers_->start(); !started) return "the control thread's buffers: " + describe(started.error());
  auto stats = open_stats(config_.admin.stats);
  if (!stats) return stats.error();
  stats_ = std::move(*stats);
  begin_watching();
  if (std::string problem = watches_->prepare(config_); !problem.empty()) return problem;
  if (std::string problem = publisher_.publish(config_, {layout_.connections_max}, now_); !problem.empty())
    return problem;
  alerts_->follow(config_.alerts);
  watches_->follow(config_);
  watch_signals();
  ring_->read(left_op_, on_worker_left, process_.left.get(), &left_count_, sizeof left_count_);
  return {};
}

void ControlLoop::begin_watching() {
  const ProbeContext context{*ring_, *buffers_, wheel_, clock_};
  const std::string host = read_process_usage().host;
  // Machines that begin to tell the same receiver at the same time are to come back at different ones.
  const uint64_t seed = std::hash<std::string>{}(host) ^ static_cast<uint64_t>(clock_.unix_ms());
  alerts_ = std::make_unique<Alerts>(context, log_, host, seed);
  watches_ = std::make_unique<Watches>(
      publisher_, process_, machine_.descriptors_max, context, log_,
      [this](Alert alert) { alerts_->raise(std::move(alert)); }, [this] { published(); });
}

void ControlLoop::turn() {
  buffers_->replenish();
  ring_->wait(now_, wheel_.next());
  now_ = clock_.now();
  ring_->dispatch(completions_per_turn);
  wheel_.advance(now_, timers_per_turn);
  std::erase_if(old_stats_, [](const auto& stats) { return stats->stopped(); });
}

void ControlLoop::run() {
  announce_listeners();
  while (process_.running.load(std::memory_order_acquire) > 0) turn();
  // Nobody reads Snapshots any more; what is in flight here comes home, then the last figures are said. It may come
  // home with an answer instead of canceled: a second worker that left, a late signal.
  state_ = State::leaving;
  retire_stats(std::move(stats_));
  wheel_.cancel(reclaim_timer_);
  ring_->cancel(signal_op_);
  ring_->cancel(left_op_);
  watches_->stop();
  alerts_->stop();
  while (!old_stats_.empty() || !watches_->stopped() || !alerts_->stopped() || signal_op_.in_flight() ||
         left_op_.in_flight()) {
    turn();
  }
  publisher_.reclaim();
  uint32_t cut = 0;
  for (const auto& worker : process_.workers) cut += worker->connections_cut.load(std::memory_order_relaxed);
  log_.info("control", cut == 0 ? "stopped, every connection had ended" : "stopped, connections were closed by force",
            {{"closed", cut}});
}

void ControlLoop::announce_listeners() const {
  for (const ListenerSpec& listener : publisher_.current().listeners) {
    const Upstream* upstream = publisher_.current().find(listener.upstream);
    const std::string address = listener.sockets->bound.to_string();
    const size_t routes = listener.http != nullptr ? listener.http->routes.size() : 0;
    // One without an upstream of its own has routes.
    if (upstream == nullptr) {
      log_.info("listener", "listening",
                {{"name", listener.name},
                 {"address", address},
                 {"mode", "http"},
                 {"routes", routes},
                 {"workers", process_.workers.size()}});
      continue;
    }
    log_.info("listener", "listening",
              {{"name", listener.name},
               {"address", address},
               {"mode", listener.http != nullptr ? "http" : "tcp"},
               {"routes", routes},
               {"upstream", upstream->name},
               {"balance", upstream->algorithm},
               {"endpoints", upstream->endpoints.size()},
               {"workers", process_.workers.size()}});
  }
}

uint32_t ControlLoop::connections() const noexcept {
  return process_.connections.load(std::memory_order_relaxed);
}

StatsView ControlLoop::stats_view() const {
  return {publisher_.current(), process_, figures_, now_, watches_.get(), alerts_.get()};
}

// --- signals --------------------------------------------------------------------------------------------------------

void ControlLoop::watch_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, signal);
  // Main has blocked them in every thread, so that they arrive here alone.
  signal_fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC));
  WEIR_ASSERT(signal_fd_.valid());
  ring_->read(signal_op_, on_signal, signal_fd_.get(), &signal_, sizeof signal_);
}

void ControlLoop::on_signal(Op& op, const Completion& completion) {
  ControlLoop& loop = owner_of(op, &ControlLoop::signal_op_);
  if (loop.state_ == State::leaving) return;
  if (!completion.failed()) loop.handle_signal(loop.signal_.ssi_signo);
  loop.ring_->read(op, on_signal, loop.signal_fd_.get(), &loop.signal_, sizeof loop.signal_);
}

void ControlLoop::handle_signal(uint32_t signal) {
  if (signal == SIGHUP) return reload();
  if (signal == SIGUSR1) {
    // Without an access log it means nothing, and ends nothing either: log rotation may send it to every server.
    if (access_log_ != nullptr) access_log_->reopen();
    return;
  }
  if (state_ == State::running) return drain();
  stop();
}

void ControlLoop::drain() {
  state_ = State::draining;
  figures_.draining = true;
  log_.info(
      "control", "draining; a second signal ends at once",
      {{"connections", connections()}, {"timeout_s", std::chrono::duration<double>(config_.timeouts.drain).count()}});
  tell_workers({ControlMessage::Kind::drain, clock_.now() + config_.timeouts.drain});
}

void ControlLoop::stop() {
  if (state_ == State::stopping) return;
  state_ = State::stopping;
  log_.warn("control", "stopping at once", {{"connections", connections()}});
  tell_workers({ControlMessage::Kind::stop, {}});
}

void ControlLoop::tell_workers(const ControlMessage& message) {
  for (const auto& letters : letters_) {
    // A full box means a worker that does not turn. A `look` it does not need, as looking is part of every turn.
    if (!letters->send(message) && message.kind != ControlMessage::Kind::look) {
      log_.error("control", "a worker does not read its letters");
    }
  }
}

void ControlLoop::on_worker_left(Op& op, const Completion& /*completion*/) {
  ControlLoop& loop = owner_of(op, &ControlLoop::left_op_);
  if (loop.state_ == State::leaving) return;
  loop.ring_->read(op, on_worker_left, loop.process_.left.get(), &loop.left_count_, sizeof loop.left_count_);
}

// --- configuration --------------------------------------------------------------------------------------------------

void ControlLoop::reload() {
  if (state_ != State::running) {
    log_.warn("control", "not reloading while draining");
    return;
  }
  if (!reread_) {
    log_.warn("control", "nothing to reload: the configuration came from the command line");
    return;
  }
  auto next = reread_();
  const std::string problem = next ? take_over(*next) : next.error();
  if (!problem.empty()) {
    ++figures_.reloads_refused;
    log_.error("control", "reload refused; the running configuration stays", {{"source", figures_.config_source}});
    // The report is for eyes: many lines, as `weir check` prints them.
    log_.print(problem);
    return;
  }
  ++figures_.reloads;
  log_.info("control", "reloaded",
            {{"source", figures_.config_source},
             {"snapshot", publisher_.current().generation},
             {"listeners", publisher_.current().listeners.size()},
             {"upstreams", upstream_count(publisher_.current())}});
}

std::string ControlLoop::take_over(const config::Config& next) {
  const Layout layout = lay_out(next, machine_);
  if (!layout.problem.empty()) return layout.problem;
  // Whatever can be refused comes first; nothing has changed until the Snapshot is published.
  const bool stats_moved = next.admin.stats.path != config_.admin.stats.path;
  OpenedStats opened = stats_moved ? open_stats(next.admin.stats) : OpenedStats{std::unique_ptr<StatsSocket>{}};
  if (!opened) return opened.error();
  std::string problem = watches_->prepare(next);
  if (problem.empty()) problem = publisher_.publish(next, {layout_.connections_max}, clock_.now());
  if (!problem.empty()) {
    retire_stats(std::move(*opened));
    return problem;
  }
  if (stats_moved) {
    retire_stats(std::move(stats_));
    stats_ = std::move(*opened);
  }
  if (layout.worker_cpus != layout_.worker_cpus ||
      next.limits.buffers_per_worker != config_.limits.buffers_per_worker ||
      layout.pipes_per_worker != layout_.pipes_per_worker || next.limits.pipe_size != config_.limits.pipe_size ||
      (!stats_moved && next.admin.stats.mode != config_.admin.stats.mode) || next.access_log != config_.access_log) {
    log_.warn("control",
              "workers, cpus, buffers, pipes, the access log and the mode of the stats socket are set at start; their "
              "change waits for a restart");
  }
  config_ = next;
  log_ = Log{config_.log.level, config_.log.format};
  published();
  alerts_->follow(config_.alerts);
  watches_->follow(config_);
  // Reloads may come faster than the timer; each one also takes away what earlier ones left.
  publisher_.reclaim();
  return {};
}

void ControlLoop::published() {
  tell_workers({ControlMessage::Kind::look, {}});
  if (!reclaim_timer_.armed()) wheel_.arm(reclaim_timer_, now_ + reclaim_interval);
}

void ControlLoop::on_reclaim(Timer& timer) {
  ControlLoop& loop = owner_of(timer, &ControlLoop::reclaim_timer_);
  if (loop.publisher_.reclaim()) loop.wheel_.arm(timer, loop.now_ + reclaim_interval);
}

ControlLoop::OpenedStats ControlLoop::open_stats(const config::StatsConfig& stats) {
  if (stats.path.empty()) return OpenedStats{std::unique_ptr<StatsSocket>{}};
  return StatsSocket::open(*ring_, *buffers_, wheel_, stats.path, stats.mode, [this] { return stats_view(); });
}

// Lets its clients finish; the loop frees it when nothing of it is in flight.
void ControlLoop::retire_stats(std::unique_ptr<StatsSocket> stats) {
  if (!stats) return;
  stats->stop();
  old_stats_.push_back(std::move(stats));
}

}  // namespace weir
