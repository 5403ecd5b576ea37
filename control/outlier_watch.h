// OutlierWatch: feeds the Outliers of one upstream, and does what they say: who is ejected (Standing::ejected) gets
// nothing new until its time is over.
//
// One for each upstream with `outliers`; part of the ResilienceWatch, on the control thread.
#pragma once

#include <vector>

#include "control/watch_context.h"
#include "core/config/resilience_config.h"
#include "core/model/upstream.h"
#include "health/outliers.h"

namespace weir {

class OutlierWatch {
 public:
  static constexpr Duration interval = std::chrono::milliseconds{100};

  OutlierWatch(const WatchContext& context, const config::OutliersConfig& config);

  void follow(const config::OutliersConfig& config);
  // How it stands now. True if a standing has changed.
  bool look(const Upstream& upstream);
  // What is to hold where there is no such watch. True if a standing has changed.
  static bool clear(const WatchContext& context, const Endpoint& endpoint);

  const Outliers& outliers() const noexcept { return outliers_; }

 private:
  void say(const Endpoint& endpoint, const Outliers::Event& event) const;

  const WatchContext context_;
  Outliers outliers_;
  std::vector<Outliers::Seen> seen_;  // of a look; kept for its memory
};

}  // namespace weir
