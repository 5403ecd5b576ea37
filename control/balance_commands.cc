#include "control/balance_commands.h"

#include <array>

#include "control/endpoint_status.h"
#include "control/watches.h"
#include "core/balance/adaptive.h"
#include "core/config/values.h"
#include "core/model/shares.h"

namespace weir {
namespace {

constexpr uint32_t weight_max = 65'535;

// "12", or "50%" of the configured weight.
std::optional<uint32_t> read_weight(std::string_view text, uint32_t configured) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  const auto number = read_number<uint32_t>(text);
  if (!number || *number > weight_max) return std::nullopt;
  if (!percent) return number;
  if (*number > 100) return std::nullopt;
  const uint32_t weight = (configured * *number + 50) / 100;
  return weight == 0 && *number > 0 && configured > 0 ? 1 : weight;
}

constexpr std::string_view not_a_health =
    "'set server <srv> health' expects 'up', 'down', or a score from 0 to 1, and after a score how soon it is back at "
    "1, such as '60s'.\n";

StatsAnswer change_weight(Watches& watches, const Endpoint& endpoint, StatsArguments values) {
  if (values.size() != 1) return std::nullopt;
  const auto weight = read_weight(values[0], endpoint.configured_weight);
  if (!weight) return "Weight is a number from 0 to 65535, or 0% to 100% of the configured one.\n";
  watches.steering().set_weight(endpoint, *weight);
  return "";
}

StatsAnswer change_state(Watches& watches, const Endpoint& endpoint, StatsArguments values) {
  if (values.size() != 1) return std::nullopt;
  for (const Duty duty : all_duties) {
    if (name_of(duty) != values[0]) continue;
    watches.steering().set_duty(endpoint, duty);
    return "";
  }
  return "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n";
}

StatsAnswer change_health(Watches& watches, const Endpoint& endpoint, StatsArguments values) {
  if (values.size() > 2) return std::nullopt;
  if (values.size() == 1 && (values[0] == "up" || values[0] == "down")) {
    watches.set_up(endpoint, values[0] == "up");
    return "";
  }
  const auto score = read_number<double>(values[0]);
  if (!score || !(*score >= 0 && *score <= 1)) return std::string{not_a_health};
  if (values.size() == 1) {
    watches.set_health(endpoint, *score, std::nullopt);
    return "";
  }
  const auto length = config::read_duration(values[1]);
  if (!length || *length <= Duration::zero()) return std::string{not_a_health};
  watches.set_health(endpoint, *score, *length);
  return "";
}

StatsAnswer change_score(Watches& watches, const Endpoint& endpoint, StatsArguments values) {
  if (values.size() != 1) return std::nullopt;
  const auto score = read_number<double>(values[0]);
  if (!score || !(*score >= 0 && *score <= 1)) return "'set server <srv> score' expects a number from 0 to 1.\n";
  watches.steering().set_score(endpoint, *score);
  return "";
}

// name, state, weight, gets, health, tier, now, latency, score
constexpr std::array<size_t, 9> widths{28, 9, 7, 8, 9, 5, 8, 11, 0};

std::string latency_text(const Endpoint& endpoint, const Upstream& upstream, Instant now) {
  const double slowest = slowest_latency(*endpoint.state, upstream.picker_options.latency_decay, now);
  return slowest == 0 ? "-" : decimal(slowest / 1e6, 3) + " ms";
}

void append_adaptive(std::string& out, const Upstream& upstream, const StatsView& view) {
  const AdaptiveWatch* watch = view.watches != nullptr ? view.watches->adaptive().find(upstream.id) : nullptr;
  if (watch == nullptr) return;
  const AdaptiveJudge& judge = watch->judge();
  out.append("  adaptive: ").append(adaptive_algorithms[judge.choice()]).append(" decides, ");
  out.append(std::to_string(judge.switches())).append(" switches, ");
  out.append(std::to_string(judge.requests())).append(" arrivals in the last window\n");
  for (size_t i = 0; i < shadow_count; ++i) {
    const AdaptiveJudge::Prediction& guess = judge.predictions()[i];
    out.append("    ").append(adaptive_algorithms[i]).append(": predicted mean ").append(readable(guess.mean));
    out.append(", p50 ").append(readable(guess.p50)).append(", p99 ").append(readable(guess.p99));
    if (judge.better_for(i) > 0) {
      out.append(", better for ").append(std::to_string(judge.better_for(i))).append(" windows");
    }
    out.append("\n");
  }
  if (judge.last_switch() != nullptr) out.append("    last switch: ").append(judge.last_switch()->why).append("\n");
}

void append_upstream(std::string& out, const Upstream& upstream, const StatsView& view) {
  out.append(upstream.name).append(": ").append(upstream.algorithm);
  if (upstream.picker_options.bounded_load > 0) {
    out.append(", bounded load ").append(decimal(upstream.picker_options.bounded_load, 2));
  }
  out.append(", tiers in use ").append(std::to_string(upstream.shares.tiers_in_use));
  out.append(upstream.shares.panic ? ", PANIC\n" : "\n");
  append_adaptive(out, upstream, view);
  append_line(out, widths, {"endpoint", "state", "weight", "gets", "health", "tier", "now", "latency", "score"});
  for (size_t i = 0; i < upstream.endpoints.size(); ++i) {
    const Endpoint& endpoint = upstream.endpoints[i];
    const Standing& standing = endpoint.state->standing;
    const auto score = endpoint.state->reported.read(view.now, upstream.picker_options.score_expiry);
    const bool in_play = upstream.shares.levels[i] == 0;
    const double gets = static_cast<double>(upstream.shares.each[i]) / share_of_one;
    append_line(out, widths,
                {endpoint.name, status_of(endpoint, is_probed(view, endpoint)), std::to_string(endpoint.weight),
                 in_play ? decimal(gets, 2) : "(" + decimal(gets, 2) + ")",
                 decimal(standing.health * standing.measured * standing.capacity, 2), std::to_string(endpoint.tier),
                 // Relaxed: a figure.
                 std::to_string(endpoint.state->connections.load(std::memory_order_relaxed)),
                 latency_text(endpoint, upstream, view.now), score ? decimal(*score, 2) : "-"});
  }
}

}  // namespace

StatsAnswer show_balance(const StatsView& view, StatsArguments arguments) {
  return for_each_upstream(view, arguments,
                           [&](std::string& out, const Upstream& upstream) { append_upstream(out, upstream, view); });
}

StatsAnswer get_weight(const StatsView& view, StatsArguments arguments) {
  if (arguments.size() != 1) return std::nullopt;
  return with_server(view, arguments[0], [](Watches&, const Endpoint& endpoint) {
    return std::to_string(endpoint.weight) + " (initial " + std::to_string(endpoint.configured_weight) + ")\n";
  });
}

StatsAnswer set_weight(const StatsView& view, StatsArguments arguments) {
  if (arguments.size() != 2) return std::nullopt;
  return with_server(view, arguments[0], [&](Watches& watches, const Endpoint& endpoint) {
    return change_weight(watches, endpoint, arguments.subspan(1));
  });
}

StatsAnswer set_server(const StatsView& view, StatsArguments arguments) {
  if (arguments.size() < 3) return std::nullopt;
  struct What {
    std::string_view word;
    StatsAnswer (*change)(Watches&, const Endpoint&, StatsArguments);
  };
  constexpr std::array whats{What{"weight", change_weight}, What{"state", change_state}, What{"health", change_health},
                             What{"score", change_score}};
  for (const What& what : whats) {
    if (arguments[1] != what.word) continue;
    return with_server(view, arguments[0], [&](Watches& watches, const Endpoint& endpoint) {
      return what.change(watches, endpoint, arguments.subspan(2));
    });
  }
  return std::nullopt;
}

StatsAnswer enable_server(const StatsView& view, StatsArguments arguments) {
  if (arguments.size() != 1) return std::nullopt;
  return with_server(view, arguments[0], [](Watches& watches, const Endpoint& endpoint) -> StatsAnswer {
    watches.steering().set_duty(endpoint, Duty::ready);
    return "";
  });
}

StatsAnswer disable_server(const StatsView& view, StatsArguments arguments) {
  if (arguments.size() != 1) return std::nullopt;
  return with_server(view, arguments[0], [](Watches& watches, const Endpoint& endpoint) -> StatsAnswer {
    watches.steering().set_duty(endpoint, Duty::maint);
    return "";
  });
}

}  // namespace weir
