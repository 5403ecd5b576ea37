// Judge: makes of rounds of active probes whether an endpoint is up or down, and how soon to ask again. One lost packet
// takes nobody out and one lucky answer brings nobody back: it takes `fall` failures in a row, or `rise` successes.
//
//                     failed                          failed, the `fall`-th in a row
//        .--> up ----------------> up, in doubt ----------------------------------.
//        |    ^                      |                                            |
//        |    '------- passed -------'                                            v
//        |                                                                      down
//        |                                                                      |  ^
//        |                                                        passed        |  | failed
//        '-------------------------- down, in doubt <---------------------------'  |
//           passed, the `rise`-th         |                                        |
//                                         '----------------------------------------'
//
// In doubt it asks at shorter intervals, so that the doubt does not last. An endpoint that is up and whose live traffic
// goes well is asked at longer ones: real requests say more than a probe.
//
// Pure: no clock, no I/O. One for each endpoint that is probed; control thread.
#pragma once

#include <chrono>
#include <cstdint>

#include "core/base/clock.h"

namespace weir {

class Judge {
 public:
  struct Rules {
    uint32_t fall = 3;  // 1 or more
    uint32_t rise = 2;  // 1 or more
    Duration interval = std::chrono::seconds{5};
    Duration interval_in_doubt = std::chrono::seconds{1};
    Duration interval_proven = std::chrono::seconds{20};

    bool operator==(const Rules&) const = default;
  };
  enum class Verdict : uint8_t { same, went_down, came_up };

  explicit Judge(const Rules& rules, bool up = true);

  // A round is over.
  Verdict passed();
  Verdict failed();

  // Other rules from here on. What is known stays, but no verdict comes of it before the next round.
  void follow(const Rules& rules);
  // Somebody who knows better has said so. What probes have said against it is forgotten.
  void settle(bool up) noexcept;

  bool up() const noexcept { return up_; }
  // Rounds in a row that spoke against what it says now.
  uint32_t streak() const noexcept { return streak_; }
  bool in_doubt() const noexcept { return streak_ > 0; }
  // How long after the last round the next one is to begin. `proven_by_traffic`: since the last one there was a good
  // answer and no failure (Traffic::proves_health).
  Duration next_interval(bool proven_by_traffic) const noexcept;

  const Rules& rules() const noexcept { return rules_; }

 private:
  Verdict against(uint32_t streak_max, Verdict verdict) noexcept;

  Rules rules_;
  bool up_;
  uint32_t streak_ = 0;
};

}  // namespace weir
