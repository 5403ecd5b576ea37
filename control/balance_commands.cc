#include "control/balance_commands.h"

#include <array>
#include <charconv>
#include <cstdio>

#include "control/endpoint_status.h"
#include "control/steering.h"
#include "core/balance/adaptive.h"
#include "core/model/shares.h"

namespace weir {
namespace {

constexpr uint32_t weight_max = 65'535;

// HAProxy's words, which its tools look for.
constexpr std::string_view not_two_names = "Require 'backend/server'.\n";
constexpr std::string_view no_such_backend = "No such backend.\n";
constexpr std::string_view no_such_server = "No such server.\n";
constexpr std::string_view read_only = "Nothing can be changed here.\n";

// Calls act(steering, endpoint) for "upstream/endpoint", or says why there is none.
template <class Act>
StatsAnswer with_server(const StatsView& view, const std::string& name, Act&& act) {
  if (view.steering == nullptr) return std::string{read_only};
  // Neither name has a slash in it, but for addresses of UNIX sockets, which are the latter one.
  const size_t slash = name.find('/');
  if (slash == std::string::npos) return std::string{not_two_names};
  const std::string_view upstream = std::string_view{name}.substr(0, slash);
  if (!view.steering->has_upstream(upstream)) return std::string{no_such_backend};
  const Endpoint* endpoint = view.steering->find({upstream, std::string_view{name}.substr(slash + 1)});
  if (endpoint == nullptr) return std::string{no_such_server};
  StatsAnswer answer = act(*view.steering, *endpoint);
  // What was said is written down, but somebody (a plug-in) does not take it.
  if (answer && answer->empty() && !view.steering->problem().empty()) answer = view.steering->problem() + "\n";
  return answer;
}

template <class T>
std::optional<T> read_number(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

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

StatsAnswer change_weight(Steering& steering, const Endpoint& endpoint, const std::string& text) {
  const auto weight = read_weight(text, endpoint.configured_weight);
  if (!weight) return "Weight is a number from 0 to 65535, or 0% to 100% of the configured one.\n";
  steering.set_weight(endpoint, *weight);
  return "";
}

StatsAnswer change_state(Steering& steering, const Endpoint& endpoint, const std::string& text) {
  for (const Duty duty : all_duties) {
    if (name_of(duty) != text) continue;
    steering.set_duty(endpoint, duty);
    return "";
  }
  return "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n";
}

StatsAnswer change_health(Steering& steering, const Endpoint& endpoint, const std::string& text) {
  if (text == "up" || text == "down") {
    steering.set_up(endpoint, text == "up");
    return "";
  }
  const auto score = read_number<double>(text);
  if (!score || !(*score >= 0 && *score <= 1)) {
    return "'set server <srv> health' expects 'up', 'down', or a score from 0 to 1.\n";
  }
  steering.set_health(endpoint, *score);
  return "";
}

StatsAnswer change_score(Steering& steering, const Endpoint& endpoint, const std::string& text) {
  const auto score = read_number<double>(text);
  if (!score || !(*score >= 0 && *score <= 1)) return "'set server <srv> score' expects a number from 0 to 1.\n";
  steering.set_score(endpoint, *score);
  return "";
}

void append_line(std::string& out, std::initializer_list<std::string_view> cells) {
  constexpr std::array<size_t, 9> widths{28, 9, 7, 8, 9, 5, 8, 11, 0};
  size_t i = 0;
  std::string line = " ";
  for (const std::string_view cell : cells) {
    std::string padded{cell};
    if (i + 1 < cells.size() && padded.size() < widths[i]) padded.resize(widths[i], ' ');
    line.append(" ").append(padded);
    ++i;
  }
  out.append(line.substr(0, line.find_last_not_of(' ') + 1)).append("\n");
}

std::string decimal(double value, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string latency_text(const Endpoint& endpoint, const Upstream& upstream, Instant now) {
  const double slowest = slowest_latency(*endpoint.state, upstream.picker_options.latency_decay, now);
  return slowest == 0 ? "-" : decimal(slowest / 1e6, 3) + " ms";
}

void append_adaptive(std::string& out, const Upstream& upstream, const StatsView& view) {
  const AdaptiveWatch* watch = view.steering != nullptr ? view.steering->adaptive(upstream.id) : nullptr;
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
  append_line(out, {"endpoint", "state", "weight", "gets", "health", "tier", "now", "latency", "score"});
  for (size_t i = 0; i < upstream.endpoints.size(); ++i) {
    const Endpoint& endpoint = upstream.endpoints[i];
    const Standing& standing = endpoint.state->standing;
    const auto score = endpoint.state->reported.read(view.now, upstream.picker_options.score_expiry);
    const bool in_play = upstream.shares.levels[i] == 0;
    const double gets = static_cast<double>(upstream.shares.each[i]) / share_of_one;
    append_line(out, {endpoint.name, status_of(endpoint), std::to_string(endpoint.weight),
                      in_play ? decimal(gets, 2) : "(" + decimal(gets, 2) + ")",
                      decimal(standing.health * standing.capacity, 2), std::to_string(endpoint.tier),
                      // Relaxed: a figure.
                      std::to_string(endpoint.state->connections.load(std::memory_order_relaxed)),
                      latency_text(endpoint, upstream, view.now), score ? decimal(*score, 2) : "-"});
  }
}

}  // namespace

StatsAnswer show_balance(const StatsView& view, StatsArguments arguments) {
  if (arguments.size() > 1) return std::nullopt;
  std::string out;
  for (const auto& upstream : view.snapshot.upstreams) {
    if (upstream->is_subset || (!arguments.empty() && upstream->name != arguments[0])) continue;
    append_upstream(out, *upstream, view);
  }
  return out.empty() && !arguments.empty() ? std::string{no_such_backend} : out;
}

StatsAnswer get_weight(const StatsView& view, StatsArguments arguments) {
  if (arguments.size() != 1) return std::nullopt;
  return with_server(view, arguments[0], [](Steering&, const Endpoint& endpoint) {
    return std::to_string(endpoint.weight) + " (initial " + std::to_string(endpoint.configured_weight) + ")\n";
  });
}

StatsAnswer set_weight(const StatsView& view, StatsArguments arguments) {
  if (arguments.size() != 2) return std::nullopt;
  return with_server(view, arguments[0], [&](Steering& steering, const Endpoint& endpoint) {
    return change_weight(steering, endpoint, arguments[1]);
  });
}

StatsAnswer set_server(const StatsView& view, StatsArguments arguments) {
  if (arguments.size() != 3) return std::nullopt;
  struct What {
    std::string_view word;
    StatsAnswer (*change)(Steering&, const Endpoint&, const std::string&);
  };
  constexpr std::array whats{What{"weight", change_weight}, What{"state", change_state}, What{"health", change_health},
                             What{"score", change_score}};
  for (const What& what : whats) {
    if (arguments[1] != what.word) continue;
    return with_server(view, arguments[0], [&](Steering& steering, const Endpoint& endpoint) {
      return what.change(steering, endpoint, arguments[2]);
    });
  }
  return std::nullopt;
}

StatsAnswer enable_server(const StatsView& view, StatsArguments arguments) {
  if (arguments.size() != 1) return std::nullopt;
  return with_server(view, arguments[0], [](Steering& steering, const Endpoint& endpoint) {
    return change_state(steering, endpoint, "ready");
  });
}

StatsAnswer disable_server(const StatsView& view, StatsArguments arguments) {
  if (arguments.size() != 1) return std::nullopt;
  return with_server(view, arguments[0], [](Steering& steering, const Endpoint& endpoint) {
    return change_state(steering, endpoint, "maint");
  });
}

}  // namespace weir
