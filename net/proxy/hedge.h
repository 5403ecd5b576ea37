// Hedge: the second try of a request at another endpoint while the first still goes on. Whoever answers first has it;
// the other one is given up.
//
//     dialing --connected--> waiting --the first byte: the exchange takes the connection over--> over
//        `---- refused, reset, ended ----`---- the first try has answered, the client is gone ----^
//
// It sends the copy of the request that the exchange keeps for another try, and that it keeps as long as there is a
// Hedge. In a slab of its worker; touched by that worker's thread alone.
#pragma once

#include <optional>

#include "core/base/list.h"
#include "core/model/lease.h"
#include "core/model/upstream.h"
#include "net/proxy/choose.h"
#include "net/proxy/origin_user.h"

namespace weir {

class Exchange;
class HttpWorker;
class OriginConnection;

class Hedge final : public OriginUser {
 public:
  // Asks the endpoint of `choice`. Null when there is no slot or no descriptor for it.
  static Hedge* begin(HttpWorker& http, Exchange& exchange, const Upstream& upstream, Choice choice);

  Hedge(HttpWorker& http, Exchange& exchange, EndpointId endpoint, Lease lease) noexcept;
  ~Hedge();

  // What the exchange goes on with. After this the Hedge is over.
  struct Won {
    OriginConnection* origin;
    Lease lease;
    EndpointId endpoint;
    Instant asked;
  };
  // Only when it has sent().
  Won take_over();
  // Its connection is up, and the request was sent.
  bool sent() const noexcept { return sent_; }
  // Gives it up.
  void drop();

  ListNode node;  // of those that are over

 private:
  void origin_connected() override;
  void origin_unreachable(int error) override;
  void origin_received() override;
  void origin_sent() override {}
  void origin_failed(bool sending, int error) override;
  void origin_is_quiet() override {}

  void send_request();
  // `outcome`: what is to be said of the endpoint; nothing, if it has not been found out.
  void failed(std::optional<Outcome> outcome);

  HttpWorker& http_;
  Exchange& exchange_;
  OriginConnection* origin_ = nullptr;
  Lease lease_;
  const EndpointId endpoint_;
  const Instant begun_;
  bool sent_ = false;
};

}  // namespace weir
