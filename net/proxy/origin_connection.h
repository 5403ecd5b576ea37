// OriginConnection: one HTTP/1 connection to an endpoint. It serves one exchange at a time, and lies in the pool
// between them.
//
//     connecting --connected--> busy --answer complete, may go on--> idle (in the pool)
//         |                       ^ |                                  |  |
//         |                       | `--------- dropped ------.         |  `-- ended, reset, said something, aged --.
//         |                       `---------- taken ----------|--------'                                           |
//         `--- refused, dropped ------------------------------`--> joining --nothing in flight--> (slot freed) <----'
//
// It goes on receiving while it is idle: whatever comes then (an end, a reset, bytes that nobody asked for) ends it, so
// what the pool gives out is alive as far as can be known. Owned by the OriginPool of a worker.
#pragma once

#include <cstdint>

#include "core/base/ids.h"
#include "core/base/timer_wheel.h"
#include "core/model/endpoint.h"
#include "net/proxy/connection.h"
#include "net/proxy/origin_user.h"

namespace weir {

class OriginPool;

class OriginConnection final : public ConnectionHost {
 public:
  OriginConnection(OriginPool& pool, Relay& relay, const Endpoint& endpoint, int fd) noexcept;
  ~OriginConnection();

  // Begins to connect on behalf of `user`.
  void connect(const SocketAddress& address, OriginUser& user);
  // An idle one begins to serve `user`.
  void take(OriginUser& user);

  Connection& io() noexcept { return io_; }
  EndpointState& endpoint() const noexcept { return endpoint_; }
  EndpointId endpoint_id() const noexcept { return endpoint_id_; }
  // Another one takes its place.
  void hand_over(OriginUser& user) noexcept { user_ = &user; }
  // Exchanges it has served, this one included.
  uint32_t requests() const noexcept { return requests_; }
  bool reused() const noexcept { return requests_ > 1; }

  ListNode node;       // joined (of the pool), or idle (of the endpoint at this worker)
  ListNode idle_node;  // of all idle ones of this worker, the least recently used one first

 private:
  friend class OriginPool;
  enum class State : uint8_t { connecting, busy, idle, joining };

  void connection_received(Connection& connection) override;
  void connection_sent(Connection& connection) override;
  void connection_failed(Connection& connection, bool sending, int error) override;
  void connection_idle(Connection& connection) override;
  static void on_connected(Op& op, const Completion& completion);
  static void on_timer(Timer& timer);

  bool joined() const noexcept { return io_.idle() && !connect_op_.in_flight(); }

  OriginPool& pool_;
  EndpointState& endpoint_;
  const EndpointId endpoint_id_;
  State state_ = State::connecting;
  bool reset_ = false;
  bool local_ = false;  // over a UNIX socket
  uint32_t requests_ = 0;
  const int fd_;
  OriginUser* user_ = nullptr;
  Connection io_;
  Op connect_op_;
  Timer timer_;  // for idle_until_, or earlier
  Instant idle_until_{};
};

}  // namespace weir
