// BreakerWatch: the circuit breakers of one upstream's endpoints, as far as they are the control thread's business: a
// BreakerJudge for each, which looks at its Gate and says what to do to it. Every state is seen in turn, said in the
// log and in alerts; who has an open one gets no share (Standing::broken).
//
// One for each upstream with `breaker`; part of the ResilienceWatch, on the control thread.
#pragma once

#include <unordered_map>

#include "control/watch_context.h"
#include "core/base/ids.h"
#include "core/config/resilience_config.h"
#include "core/model/upstream.h"
#include "health/breaker.h"

namespace weir {

class BreakerWatch {
 public:
  static constexpr Duration interval = std::chrono::milliseconds{50};

  explicit BreakerWatch(const WatchContext& context) : context_(context) {}

  // The endpoints of the upstream have these breakers from now on, and no others have. True if a standing has changed.
  bool follow(const config::BreakerConfig& config, const Upstream& upstream);
  // How they stand now. True if a standing has changed.
  bool look(const Upstream& upstream);
  // What is to hold where there is no such watch. True if a standing has changed.
  static bool clear(const WatchContext& context, const Endpoint& endpoint);

  // Null if there is none.
  const BreakerJudge* find(EndpointId id) const noexcept;

 private:
  bool look(const Endpoint& endpoint, BreakerJudge& judge);

  const WatchContext context_;
  std::unordered_map<EndpointId, BreakerJudge> judges_;
};

}  // namespace weir
