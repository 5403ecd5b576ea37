// OriginPool: the connections to origins of one worker, those in use and those that wait for the next exchange.
//
// Idle ones are kept per endpoint, the most recently used one goes out first, so that what is not needed ages and is
// closed. When descriptors run out, the oldest idle ones are given up before anybody is refused. Owned by a worker.
#pragma once

#include <cstdint>

#include "core/base/list.h"
#include "core/base/slab.h"
#include "core/model/http_upstream.h"
#include "net/proxy/origin_connection.h"

namespace weir {

class Worker;

class OriginPool {
 public:
  OriginPool(Worker& worker, uint32_t connections_max);

  // An idle connection to the endpoint for `user`, or null.
  OriginConnection* take(const Endpoint& endpoint, OriginUser& user);
  // A new one, connecting for `user`; null when there is no descriptor for it.
  OriginConnection* dial(const Endpoint& endpoint, OriginUser& user);
  // Its user is done with it, and it may serve another one.
  void keep(OriginConnection& connection, const PoolPolicy& policy);
  // Closes it. Its user hears of it no more.
  void drop(OriginConnection& connection, bool reset = false);

  // Closes idle connections to that endpoint.
  void close_idle(EndpointState& endpoint);
  // Closes idle connections to endpoints that the current Snapshot does not name.
  void follow_snapshot();
  // Closes all idle connections; from now on none are kept.
  void drain();
  // Gives up some of the least recently used ones. Whether there were any.
  bool shed();

  // At the end of the turn: frees what has joined.
  void free_joined();
  // None is left.
  bool empty() const noexcept { return connections_.size() == 0; }
  uint32_t size() const noexcept { return connections_.size(); }
  uint32_t idle_count() const noexcept { return idle_count_; }

 private:
  friend class OriginConnection;

  void make_idle(OriginConnection& connection, Duration timeout);
  void leave_idle(OriginConnection& connection);
  void joined(OriginConnection& connection);
  void timer_fired(OriginConnection& connection);
  Ring& ring() noexcept;

  Worker& worker_;
  Slab<OriginConnection> connections_;
  List<OriginConnection, &OriginConnection::idle_node> idle_;
  List<OriginConnection, &OriginConnection::node> joined_;
  uint32_t idle_count_ = 0;
  bool draining_ = false;
};

}  // namespace weir
