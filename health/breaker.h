// BreakerJudge: the slow half of an endpoint's circuit breaker. The Gate is the quick one: workers open it by
// themselves after so many failures in a row, or when a trial fails. Everything else is said here: opening because of a
// rate, letting trials through after a while, closing when they went well.
//
//             worker: failures in a row | judge: too many failed, or were slow, in the window
//     closed ---------------------------------------------------------------------------------> open
//       ^                                                                                      |    ^
//       | judge: all trials were good; the window begins anew          judge: `recovery` later |    | worker: a trial
//       |                                                                                      v    |         failed
//       '------------------------------------------------------------------------------------ half-open <-.
//                                                                                               '---------'
//                                            judge: `recovery` later, and not all have come back: as many again
//
// A look makes one step of the picture at most, and so tells of one. Because the judge alone leads out of `open`, its
// looks see every state in turn.
//
// Pure: no clock, no I/O; it is told how the Gate stands and says what to do to it. One for each endpoint of an
// upstream with a breaker; it survives reloads that keep the breaker. Control thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/model/gate.h"
#include "health/traffic.h"

namespace weir {

class BreakerJudge {
 public:
  using State = Gate::State;

  struct Rules {
    uint32_t failures = 5;                    // in a row, as workers count them: for the log only
    uint32_t error_rate_percent = 0;          // 0: it does not matter
    uint32_t slow_rate_percent = 0;           // 0: it does not matter
    Duration slow = std::chrono::seconds{1};  // as workers count them: for the log only
    Duration window = std::chrono::seconds{10};
    uint32_t requests = 20;  // fewer in the window prove nothing
    Duration recovery = std::chrono::seconds{10};
    uint32_t trials = 3;  // 1 to Gate::trials_max

    bool operator==(const Rules&) const = default;
  };
  // How the Gate and the endpoint stand now.
  struct Seen {
    State state = State::closed;
    uint32_t trials_good = 0;
    Traffic so_far{};  // traffic_of
  };
  // What is to be done to the Gate: open(), half_open(trials), close().
  struct Action {
    enum class Kind : uint8_t { none, open, half_open, close };
    Kind kind = Kind::none;
    uint32_t trials = 0;
  };
  // The breaker is now in this state, by a worker's doing or by the Action.
  struct Event {
    State state{};
    std::string why;  // a sentence without its full stop, for the log
  };
  struct Step {
    Action action{};
    std::optional<Event> event{};
  };

  // A Gate that is not closed is taken over as it is.
  BreakerJudge(const Rules& rules, const Seen& seen, Instant now);

  // The Action is done before the next look.
  Step look(const Seen& seen, Instant now);

  // Other rules from here on; the window begins anew if it is to have another length.
  void follow(const Rules& rules, const Traffic& so_far, Instant now);
  // There is no breaker any more: what it has shut is to be opened. The last call.
  Step release();

  // As of the last look, its Action done. Open means: the endpoint is broken (Standing).
  State state() const noexcept { return state_; }
  Instant since() const noexcept { return since_; }
  const Rules& rules() const noexcept { return rules_; }

 private:
  Step while_closed(const Seen& seen, Instant now);
  Step while_open(const Seen& seen, Instant now);
  Step while_half_open(const Seen& seen, Instant now);
  Step become(State next, const Traffic& so_far, Action action, std::string why, Instant now);
  std::string why_it_tripped() const;
  std::optional<std::string> too_bad(const Traffic& lately) const;

  Rules rules_;
  State state_;
  Instant since_;
  WindowedTraffic window_;
  // While half-open: how many trials were good, of those given last and before; when there was one more, or new ones
  // were given.
  uint32_t trials_good_ = 0;
  uint32_t trials_good_before_ = 0;
  Instant trials_since_;
};

}  // namespace weir
