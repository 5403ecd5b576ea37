#include "control/breaker_watch.h"

#include <string>
#include <string_view>
#include <utility>

#include "control/steering.h"

namespace weir {
namespace {

BreakerJudge::Rules rules_of(const config::BreakerConfig& config) {
  return {.failures = config.failures,
          .error_rate_percent = config.error_rate,
          .slow_rate_percent = config.slow_rate,
          .slow = config.slow,
          .window = config.window,
          .requests = config.requests,
          .recovery = config.recovery,
          .trials = config.trials};
}

BreakerJudge::Seen seen_of(const EndpointState& state) {
  return {state.gate.state(), state.gate.trials_good(), traffic_of(state)};
}

void act(Gate& gate, const BreakerJudge::Action& action) {
  switch (action.kind) {
    case BreakerJudge::Action::Kind::none: return;
    case BreakerJudge::Action::Kind::open: return gate.open();
    case BreakerJudge::Action::Kind::half_open: return gate.half_open(action.trials);
    case BreakerJudge::Action::Kind::close: return gate.close();
  }
}

void say(const WatchContext& context, const Endpoint& endpoint, Gate::State state, const std::string& why) {
  struct Words {
    LogLevel level;
    std::string_view message;
    AlertKind alert;
  };
  const auto words_of = [](Gate::State its) -> Words {
    switch (its) {
      case Gate::State::open: return {LogLevel::warn, "circuit breaker opened", AlertKind::breaker_opened};
      case Gate::State::half_open: return {LogLevel::info, "circuit breaker half-open", AlertKind::breaker_half_opened};
      case Gate::State::closed: break;
    }
    return {LogLevel::info, "circuit breaker closed", AlertKind::breaker_closed};
  };
  const Words words = words_of(state);
  context.log.write(words.level, "health", words.message,
                    {{"endpoint", context.steering.full_name(endpoint)}, {"reason", why}});
  context.steering.tell(words.alert, endpoint, why);
}

// True if it was otherwise.
bool set_broken(const WatchContext& context, const Endpoint& endpoint, bool broken) {
  if (endpoint.state->standing.broken == broken) return false;
  context.steering.change(endpoint, [&](Standing& standing) { standing.broken = broken; });
  return true;
}

}  // namespace

bool BreakerWatch::follow(const config::BreakerConfig& config, const Upstream& upstream) {
  const Instant now = context_.now();
  const BreakerJudge::Rules rules = rules_of(config);
  auto before = std::exchange(judges_, {});
  bool changed = false;
  for (const Endpoint& endpoint : upstream.endpoints) {
    const BreakerJudge::Seen seen = seen_of(*endpoint.state);
    auto known = before.extract(endpoint.id);
    if (known.empty()) {
      const auto& judge = judges_.try_emplace(endpoint.id, rules, seen, now).first->second;
      changed = set_broken(context_, endpoint, judge.state() == Gate::State::open) || changed;
      continue;
    }
    if (known.mapped().rules() != rules) known.mapped().follow(rules, seen.so_far, now);
    judges_.insert(std::move(known));
  }
  return changed;
}

bool BreakerWatch::look(const Upstream& upstream) {
  bool changed = false;
  for (const Endpoint& endpoint : upstream.endpoints) {
    if (look(endpoint, judges_.at(endpoint.id))) changed = true;
  }
  return changed;
}

bool BreakerWatch::look(const Endpoint& endpoint, BreakerJudge& judge) {
  const BreakerJudge::Step step = judge.look(seen_of(*endpoint.state), context_.now());
  act(endpoint.state->gate, step.action);
  if (step.event) say(context_, endpoint, step.event->state, step.event->why);
  return set_broken(context_, endpoint, judge.state() == Gate::State::open);
}

bool BreakerWatch::clear(const WatchContext& context, const Endpoint& endpoint) {
  Gate& gate = endpoint.state->gate;
  if (gate.state() != Gate::State::closed) {
    gate.close();
    say(context, endpoint, Gate::State::closed, "there is no breaker any more");
  }
  return set_broken(context, endpoint, false);
}

const BreakerJudge* BreakerWatch::find(EndpointId id) const noexcept {
  const auto found = judges_.find(id);
  return found == judges_.end() ? nullptr : &found->second;
}

}  // namespace weir
