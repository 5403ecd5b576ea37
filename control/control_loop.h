// ControlLoop: the control thread. It publishes Snapshots, hears signals, answers the stats socket, and brings the
// workers home.
//
//     running --SIGTERM, SIGINT--> draining --the same again--> stopping --all workers gone--> leaving (run returns)
//        |  ^                          `--------- all workers gone, drained -----------------------^
//        `--' SIGHUP: reload; SIGUSR1, in any state: the access log is opened anew
//
// One thread, one ring, never on the hot path: a worker does not notice whether it runs. Made by main after the
// process's state and the mailboxes, before the workers' threads; it outlives them.
#pragma once

#include <sys/signalfd.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/access_log.h"
#include "control/alerts/alerts.h"
#include "control/figures.h"
#include "control/machine.h"
#include "control/publisher.h"
#include "control/stats_socket.h"
#include "control/watches.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/timer_wheel.h"
#include "core/config/config.h"
#include "core/model/control_message.h"
#include "core/model/process_state.h"
#include "core/rcu/mailbox.h"
#include "core/rcu/published.h"
#include "net/io/buffers.h"
#include "net/io/ring.h"

namespace weir {

class ControlLoop {
 public:
  using Letters = Mailbox<ControlMessage>;
  // Reads the configuration anew: a Config, or the report of what is wrong with it.
  using Reread = std::function<Result<config::Config, std::string>()>;

  // `access_log` may be null; it outlives the loop.
  ControlLoop(config::Config config, const Machine& machine, const Layout& layout, std::string source, Reread reread,
              ProcessState& process, Published<Snapshot>& published, std::vector<std::unique_ptr<Letters>>& letters,
              const Clock& clock, AccessLog* access_log = nullptr);
  ~ControlLoop();
  ControlLoop(const ControlLoop&) = delete;
  ControlLoop& operator=(const ControlLoop&) = delete;

  // Opens everything that can be refused: ring, listening sockets, stats socket. Publishes the first Snapshot.
  // Empty, or the sentence that says why not.
  std::string start();
  // Turns until the workers are gone.
  void run();

  const Log& log() const noexcept { return log_; }
  const Snapshot& snapshot() const noexcept { return publisher_.current(); }

 private:
  enum class State : uint8_t { running, draining, stopping, leaving };

  static void on_signal(Op& op, const Completion& completion);
  static void on_worker_left(Op& op, const Completion& completion);
  static void on_reclaim(Timer& timer);

  void turn();
  void begin_watching();
  void watch_signals();
  void handle_signal(uint32_t signal);
  void reload();
  std::string take_over(const config::Config& next);
  using OpenedStats = Result<std::unique_ptr<StatsSocket>, std::string>;  // null when none is configured
  OpenedStats open_stats(const config::StatsConfig& stats);
  void retire_stats(std::unique_ptr<StatsSocket> stats);
  void drain();
  void stop();
  void tell_workers(const ControlMessage& message);
  void announce_listeners() const;
  uint32_t connections() const noexcept;
  // A Snapshot has been published: workers that sleep are to look, and what it replaces goes some day.
  void published();
  StatsView stats_view() const;

  config::Config config_;
  const Machine machine_;
  const Layout layout_;
  const Reread reread_;
  ProcessState& process_;
  std::vector<std::unique_ptr<Letters>>& letters_;
  const Clock& clock_;
  AccessLog* const access_log_;
  Log log_;
  ControlFigures figures_;
  Publisher publisher_;
  State state_ = State::running;
  Instant now_;
  TimerWheel wheel_;
  std::unique_ptr<Ring> ring_;
  std::unique_ptr<Buffers> buffers_;
  std::unique_ptr<Alerts> alerts_;
  std::unique_ptr<Watches> watches_;
  std::unique_ptr<StatsSocket> stats_;
  std::vector<std::unique_ptr<StatsSocket>> old_stats_;  // stopping
  Fd signal_fd_;
  Op signal_op_;
  signalfd_siginfo signal_{};
  Op left_op_;
  uint64_t left_count_ = 0;
  Timer reclaim_timer_;
};

}  // namespace weir
