// RetryBudget: how much trying again an upstream may cause, so that an origin in trouble is not asked even more often.
//
// Each request adds a share of a retry (20 % of one, say), each retry takes a whole one; what is saved up is bounded,
// and a few retries per second are always allowed, so that a quiet upstream is not without. Connects that failed before
// anything was sent, and idle connections that turned out to be closed, are not counted: they ask no origin twice.
// What one worker knows of one upstream; owned by it.
#pragma once

#include <algorithm>

#include "core/base/clock.h"
#include "core/model/http_upstream.h"

namespace weir {

class RetryBudget {
 public:
  // So many seconds' worth of the allowance without requests can be saved up, and so many requests' worth of the share.
  static constexpr double seconds_saved_max = 1;
  static constexpr double requests_saved_max = 1000;

  void request(const RetryPolicy& policy) noexcept {
    shared_ = std::min(shared_ + policy.budget_percent / 100.0, requests_saved_max * policy.budget_percent / 100.0);
  }

  // Takes one retry, if it is there. `workers`: how many share the allowance per second.
  bool take(const RetryPolicy& policy, Instant now, unsigned workers) noexcept {
    const double per_second = static_cast<double>(policy.budget_min) / workers;
    const double elapsed = std::chrono::duration<double>(now - looked_at_).count();
    looked_at_ = now;
    // At least one whole retry can be saved, however many workers there are.
    allowed_ = std::min(allowed_ + elapsed * per_second, std::max(per_second * seconds_saved_max, 1.0));
    if (policy.budget_min == 0) allowed_ = 0;
    if (allowed_ >= 1) {
      allowed_ -= 1;
      return true;
    }
    if (shared_ < 1) return false;
    shared_ -= 1;
    return true;
  }

 private:
  double shared_ = 0;
  double allowed_ = 0;
  Instant looked_at_{};
};

}  // namespace weir
