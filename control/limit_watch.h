// LimitWatch: learns for each endpoint of one upstream how many requests at a time it can take, and tells its Gate.
//
// One for each upstream with `concurrency`; part of the ResilienceWatch, on the control thread.
#pragma once

#include <unordered_map>

#include "control/watch_context.h"
#include "core/base/ids.h"
#include "core/config/resilience_config.h"
#include "core/model/upstream.h"
#include "health/concurrency_limit.h"

namespace weir {

class LimitWatch {
 public:
  static constexpr Duration interval = std::chrono::milliseconds{100};

  explicit LimitWatch(const WatchContext& context) : context_(context) {}

  // The endpoints of the upstream have learned limits from now on, and no others have.
  void follow(const config::ConcurrencyConfig& config, const Upstream& upstream);
  void look(const Upstream& upstream);
  // What is to hold where there is no such watch.
  static void clear(const Endpoint& endpoint) { endpoint.state->gate.set_limit(0); }

  // Null if there is none.
  const ConcurrencyLimit* find(EndpointId id) const noexcept;

 private:
  const WatchContext context_;
  std::unordered_map<EndpointId, ConcurrencyLimit> limits_;
};

}  // namespace weir
