// StatsSocket: the UNIX socket that answers `weir ctl` and the tools made for HAProxy's.
//
// Who may open its file may ask; what can be asked is in stats_commands.def. It takes part in the control loop's turn:
// its operations are on the loop's Ring, its time-outs in the loop's wheel, and nothing in it waits. A few clients are
// served at a time, further ones wait in the kernel.
//
// Owned by the control loop, on its thread. After stop() it comes to rest by itself; it may be destroyed once
// stopped().
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "control/stats_client.h"
#include "control/stats_view.h"
#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/base/slab.h"
#include "core/base/timer_wheel.h"
#include "net/io/buffers.h"
#include "net/io/ring.h"
#include "net/io/socket_file.h"

namespace weir {

class StatsSocket {
 public:
  using View = std::function<StatsView()>;

  static constexpr uint32_t clients_max = 32;

  // Listens at `path`, whose file gets the permissions `mode`, or says in a sentence why not and what to do. A file
  // that a dead process left behind is taken over. `view` is called on the control thread, for each command and for the
  // time.
  static Result<std::unique_ptr<StatsSocket>, std::string> open(Ring& ring, Buffers& buffers, TimerWheel& wheel,
                                                                const std::string& path, uint32_t mode, View view);
  StatsSocket(const StatsSocket&) = delete;
  StatsSocket& operator=(const StatsSocket&) = delete;
  ~StatsSocket();

  // Removes the file, accepts nobody any more, and lets go of its clients: those who are being answered have a moment
  // to take the rest.
  void stop();
  // Nothing of it is in flight: it may go.
  bool stopped() const noexcept;

  const std::string& path() const noexcept { return path_; }
  uint32_t clients() const noexcept { return clients_.size(); }

  // For its clients.
  Ring& ring() noexcept { return ring_; }
  Buffers& buffers() noexcept { return buffers_; }
  TimerWheel& wheel() noexcept { return wheel_; }
  StatsView view() const { return view_(); }
  void arm(Timer& timer, Duration from_now) { wheel_.arm(timer, view_().now + from_now); }
  // Frees it.
  void client_joined(StatsClient& client, int fd);

 private:
  StatsSocket(Ring& ring, Buffers& buffers, TimerWheel& wheel, std::string path, Fd listener, View view);

  static void on_accepted(Op& op, const Completion& completion);
  static void on_accept_time(Timer& timer);

  void accept_more();
  void serve(int fd);
  void accept_with_spare();
  void keep_spares();

  Ring& ring_;
  Buffers& buffers_;
  TimerWheel& wheel_;
  const std::string path_;
  const View view_;
  SocketFile file_;
  Fd listener_;               // until stop() and the accept is back
  std::array<Fd, 4> spares_;  // stand for clients' descriptors when there are no others
  bool stopping_ = false;
  Op accept_op_;
  Timer accept_timer_;  // armed until the loop's first turn, and while the system has no descriptor for another client
  Slab<StatsClient> clients_{clients_max};
};

}  // namespace weir
