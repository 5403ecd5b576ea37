#include "health/breaker.h"

#include <cmath>
#include <utility>

#include "core/balance/adaptive_judge.h"
#include "core/base/assert.h"

namespace weir {
namespace {

std::string trials_in_words(uint32_t count) {
  return std::to_string(count) + (count == 1 ? " trial" : " trials");
}

}  // namespace

BreakerJudge::BreakerJudge(const Rules& rules, const Seen& seen, Instant now)
    : state_(seen.state), since_(now), window_(rules.window, seen.so_far, now), trials_since_(now) {
  follow(rules, seen.so_far, now);
}

void BreakerJudge::follow(const Rules& rules, const Traffic& so_far, Instant now) {
  WEIR_ASSERT(rules.trials > 0 && rules.trials <= Gate::trials_max, rules.trials);
  WEIR_ASSERT(rules.recovery > Duration::zero(), rules.recovery.count());
  rules_ = rules;
  if (window_.window() != rules.window) window_ = WindowedTraffic{rules.window, so_far, now};
}

BreakerJudge::Step BreakerJudge::look(const Seen& seen, Instant now) {
  window_.advance(seen.so_far, now);
  // Workers only ever open it, and what the judge said was done.
  if (seen.state != state_ && seen.state != State::open) {
    return become(seen.state, seen.so_far, {}, "somebody else has set it so", now);
  }
  switch (state_) {
    case State::closed: return while_closed(seen, now);
    case State::open: return while_open(seen, now);
    case State::half_open: return while_half_open(seen, now);
  }
  return {};
}

BreakerJudge::Step BreakerJudge::while_closed(const Seen& seen, Instant now) {
  if (seen.state == State::open) return become(State::open, seen.so_far, {}, why_it_tripped(), now);
  std::optional<std::string> why = too_bad(window_.sum());
  if (!why) return {};
  return become(State::open, seen.so_far, {.kind = Action::Kind::open}, std::move(*why), now);
}

BreakerJudge::Step BreakerJudge::while_open(const Seen& seen, Instant now) {
  if (now - since_ < rules_.recovery) return {};
  return become(State::half_open, seen.so_far, {.kind = Action::Kind::half_open, .trials = rules_.trials},
                "it has rested for " + readable(now - since_) + "; now " + trials_in_words(rules_.trials), now);
}

BreakerJudge::Step BreakerJudge::while_half_open(const Seen& seen, Instant now) {
  if (seen.state == State::open) return become(State::open, seen.so_far, {}, "a trial failed", now);
  const uint32_t good = trials_good_before_ + seen.trials_good;
  if (good >= rules_.trials) {
    return become(State::closed, seen.so_far, {.kind = Action::Kind::close},
                  rules_.trials == 1 ? "the trial was good" : "all " + trials_in_words(rules_.trials) + " were good",
                  now);
  }
  if (good > trials_good_) {
    trials_good_ = good;
    trials_since_ = now;
  }
  // Some may never come back, because their clients gave up; and at one request now and then it takes long.
  if (now - trials_since_ < rules_.recovery) return {};
  trials_good_before_ = good;
  trials_since_ = now;
  return {.action = {.kind = Action::Kind::half_open, .trials = rules_.trials - good}};
}

BreakerJudge::Step BreakerJudge::become(State next, const Traffic& so_far, Action action, std::string why,
                                        Instant now) {
  state_ = next;
  since_ = now;
  trials_good_ = 0;
  trials_good_before_ = 0;
  trials_since_ = now;
  // What opened it must not open it again.
  if (next == State::closed) window_.restart(so_far, now);
  return {.action = action, .event = Event{.state = next, .why = std::move(why)}};
}

BreakerJudge::Step BreakerJudge::release() {
  Step step{.action = {.kind = Action::Kind::close}};
  if (state_ != State::closed) step.event = Event{.state = State::closed, .why = "there is no breaker any more"};
  state_ = State::closed;
  return step;
}

std::string BreakerJudge::why_it_tripped() const {
  // With rules that have just changed.
  if (rules_.failures == 0) return "a worker opened it";
  return std::to_string(rules_.failures) + (rules_.failures == 1 ? " failure" : " failures in a row");
}

std::optional<std::string> BreakerJudge::too_bad(const Traffic& lately) const {
  if (rules_.error_rate_percent > 0 && lately.bad > 0 && lately.outcomes() >= rules_.requests &&
      lately.bad * 100 >= lately.outcomes() * rules_.error_rate_percent) {
    return told_failures(lately, rules_.window);
  }
  const uint64_t answers = lately.could_be_slow();
  if (rules_.slow_rate_percent > 0 && lately.slow > 0 && answers >= rules_.requests &&
      lately.slow * 100 >= answers * rules_.slow_rate_percent) {
    return std::to_string(lately.slow) + " of " + std::to_string(answers) + " took longer than " +
           readable(rules_.slow) + " in the last " + readable(rules_.window) + " (" +
           std::to_string(std::lround(100 * lately.slow_share())) + " %)";
  }
  return std::nullopt;
}

}  // namespace weir
