// AdaptiveWatch: looks after one upstream with `balance: adaptive`: at the end of each window it lets the AdaptiveJudge
// compare what the workers have guessed, and writes down which algorithm decides from now on. Control thread.
#pragma once

#include <optional>
#include <string>

#include "core/balance/adaptive_judge.h"
#include "core/base/clock.h"
#include "core/config/config.h"
#include "core/model/upstream.h"

namespace weir {

class AdaptiveWatch {
 public:
  AdaptiveWatch(const Upstream& upstream, const config::AdaptiveConfig& config, unsigned workers, Instant now);

  UpstreamId upstream() const noexcept { return upstream_; }
  const std::string& name() const noexcept { return name_; }
  bool has_rules(const config::AdaptiveConfig& config) const { return judge_.rules() == rules_of(config); }
  Instant window_end() const noexcept { return window_end_; }

  // The end of a window. What the judge says has been written into the upstream's state: its shares are to be reckoned
  // anew.
  std::optional<AdaptiveJudge::Switch> window_over(Instant now);

  const AdaptiveJudge& judge() const noexcept { return judge_; }

 private:
  static AdaptiveJudge::Rules rules_of(const config::AdaptiveConfig& config);

  const UpstreamId upstream_;
  const std::string name_;
  UpstreamState& state_;
  const unsigned workers_;
  AdaptiveJudge judge_;
  Instant window_end_;
};

}  // namespace weir
