// Tunnel: what a connection becomes after `101 Switching Protocols` or an accepted CONNECT: two Flows that relay bytes
// as they are, like an L4Session, until both sides have ended, one fails, or nothing moves for the idle timeout.
//
// It takes over the bytes that both sides had sent already. The sockets stay with their owners; the exchange that made
// it is told when nothing is in flight any more. In a slab of its worker; touched by that worker's thread alone.
#pragma once

#include <cstdint>

#include "core/base/timer_wheel.h"
#include "core/model/listener.h"
#include "net/proxy/connection.h"
#include "net/proxy/flow.h"

namespace weir {

class Exchange;
class HttpWorker;

class Tunnel final : public FlowHost {
 public:
  // Both connections are suspended, and drained.
  Tunnel(HttpWorker& http, Exchange& exchange, Connection& client, Connection& origin, const ListenerSpec* listener);
  ~Tunnel() = default;

  void begin();
  // Ends it; Exchange::tunnel_ended() follows, perhaps at once.
  void stop();

  // It was ended by a reset, which the other side is to see too.
  bool was_reset() const noexcept { return reset_; }
  bool was_idle() const noexcept { return idle_; }
  bool holds_buffers() const noexcept { return up_.holds_buffers() || down_.holds_buffers(); }

  ListNode node;  // of those that are over

 private:
  void flow_received(Flow& flow, uint64_t bytes) override;
  void flow_sent(Flow& flow, uint64_t bytes) override;
  void flow_unwatched(Flow& flow) override;
  void flow_waiting(Flow& flow) override;
  void flow_ended(Flow& flow) override;
  void flow_failed(Flow& flow, bool at_source, int error) override;
  void flow_stopped(Flow& flow) override;
  static void on_timer(Timer& timer);
  void arm_timer();

  HttpWorker& http_;
  Exchange& exchange_;
  Connection& client_;
  Connection& origin_;
  Flow up_;
  Flow down_;
  Timer timer_;
  Duration idle_max_{};
  Instant active_;
  bool stopping_ = false;
  bool reset_ = false;
  bool idle_ = false;
};

}  // namespace weir
