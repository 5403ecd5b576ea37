#include "control/health_commands.h"

#include <array>

#include "control/alerts/alerts.h"
#include "control/endpoint_health.h"
#include "control/stats_totals.h"
#include "core/balance/adaptive_judge.h"
#include "core/config/choices.h"
#include "core/config/values.h"

namespace weir {
namespace {

constexpr std::string_view nothing = "-";

std::string or_nothing(const std::string& text) {
  return text.empty() ? std::string{nothing} : text;
}

// --- show health ----------------------------------------------------------------------------------------------------

// endpoint, state, by, breaker, in row, ejected, score, limit, resting, probes
constexpr std::array<size_t, 10> health_widths{28, 9, 10, 11, 8, 9, 7, 7, 9, 0};

std::string breaker_text(const EndpointHealth& health) {
  if (!health.breaker) return std::string{nothing};
  return std::string{name_of(health.breaker->state())};
}

// "passed 1.2 s ago in 310 us, 14 in a row", "failed 300 ms ago, 2 in a row: status 500, expected 200-399".
std::string probes_text(const Probed& probed, Instant now) {
  std::string text;
  if (!probed.last) {
    text = "none yet";
  } else {
    const Probed::Round& last = *probed.last;
    text = (last.passed ? "passed " : "failed ") + readable(now - last.at) + " ago";
    if (last.passed) text += " in " + readable(last.took);
    text += ", " + std::to_string(probed.rounds_in_row) + " in a row";
    if (!last.passed) text += ": " + last.reason;
  }
  return probed.probe ? text : text + " (paused)";
}

void append_endpoint(std::string& out, const StatsView& view, const Upstream& upstream, const Endpoint& endpoint) {
  const EndpointHealth health = health_of(view, upstream, endpoint);
  append_line(out, health_widths,
              {endpoint.name, health.condition.state, or_nothing(std::string{health.condition.by}),
               breaker_text(health), std::to_string(health.failures_in_row), std::to_string(health.ejections),
               decimal(health.score, 2), health.limit == 0 ? std::string{nothing} : std::to_string(health.limit),
               health.resting ? "yes" : std::string{nothing},
               health.probed != nullptr ? probes_text(*health.probed, view.now) : std::string{nothing}});
}

// "fall 3, rise 2", and what else there is.
std::string features_text(const StatsView& view, const Upstream& upstream) {
  std::string text;
  const auto add = [&](const std::string& feature) { text.append(text.empty() ? "" : ", ").append(feature); };
  if (!upstream.endpoints.empty()) {
    if (const Probed* probed = probed_of(view, upstream.endpoints[0])) {
      add(std::string{config::name_of(probed->config.probe)} + " probes every " +
          config::to_text(probed->config.interval) + ", fall " + std::to_string(probed->config.fall) + ", rise " +
          std::to_string(probed->config.rise));
    }
  }
  const UpstreamWatches* watches = watches_of(view, upstream);
  if (watches != nullptr && watches->outliers) add("outliers");
  if (watches != nullptr && watches->breakers) add("breaker");
  if (watches != nullptr && watches->scores) add("health score");
  if (watches != nullptr && watches->limits) add("concurrency");
  if (watches != nullptr && watches->degradation) {
    add(watches->degradation->degradation().is_degraded() ? "DEGRADED" : "not degraded");
  }
  return text.empty() ? "nothing is watched" : text;
}

void append_health(std::string& out, const StatsView& view, const Upstream& upstream) {
  out.append(upstream.name).append(": ").append(features_text(view, upstream)).append("\n");
  append_line(out, health_widths,
              {"endpoint", "state", "by", "breaker", "in row", "ejected", "score", "limit", "resting", "probes"});
  for (const Endpoint& endpoint : upstream.endpoints) append_endpoint(out, view, upstream, endpoint);
}

// --- show queue -----------------------------------------------------------------------------------------------------

void append_queue(std::string& out, const StatsView& view, const Upstream& upstream) {
  const UpstreamTotals totals = totals_of(view.snapshot, upstream);
  out.append(upstream.name).append(": waiting ").append(std::to_string(totals.waiting));
  if (upstream.resilience.queue.size > 0) {
    out.append(" of ").append(std::to_string(upstream.resilience.queue.size));
  }
  // Counted only where there is a limit: it would cost each request something.
  const auto add = [&](std::string_view name, uint64_t now, uint64_t max) {
    if (max > 0)
      out.append(", ").append(name).append(" ").append(std::to_string(now)).append(" of ").append(std::to_string(max));
  };
  add("pending", totals.pending, upstream.resilience.pending_max);
  add("retrying", totals.retrying, upstream.resilience.retries_max);
  out.append("\n");
  totals.for_each([&](const CounterName& counter, uint64_t value) {
    out.append("  ").append(counter.name).append(": ").append(std::to_string(value)).append("\n");
  });
}

// --- show alerts ----------------------------------------------------------------------------------------------------

// rule, target, state, raised, sent, suppressed, failed, dropped, retries, queued
constexpr std::array<size_t, 10> alert_widths{20, 10, 9, 10, 10, 12, 10, 10, 10, 0};

// --- probes by hand -------------------------------------------------------------------------------------------------

StatsAnswer pause_probes(const StatsView& view, StatsArguments arguments, bool paused) {
  if (arguments.size() != 1) return std::nullopt;
  return with_server(view, arguments[0], [&](Watches& watches, const Endpoint& endpoint) -> StatsAnswer {
    // As in HAProxy, what is not there cannot begin, and may as well be ended.
    if (watches.pause_probes(endpoint, paused) || paused) return "";
    return "Health checks are not configured on this server, cannot enable.\n";
  });
}

}  // namespace

StatsAnswer show_health(const StatsView& view, StatsArguments arguments) {
  return for_each_upstream(view, arguments,
                           [&](std::string& out, const Upstream& upstream) { append_health(out, view, upstream); });
}

StatsAnswer show_queue(const StatsView& view, StatsArguments arguments) {
  return for_each_upstream(view, arguments,
                           [&](std::string& out, const Upstream& upstream) { append_queue(out, view, upstream); });
}

StatsAnswer show_alerts(const StatsView& view, StatsArguments arguments) {
  if (!arguments.empty()) return std::nullopt;
  const std::vector<AlertFigures> all = view.alerts != nullptr ? view.alerts->figures() : std::vector<AlertFigures>{};
  if (all.empty()) return "Nobody is told: there are no `alerts` in the configuration.\n";
  std::string out;
  append_line(out, alert_widths,
              {"rule", "target", "state", "raised", "sent", "suppressed", "failed", "dropped", "retries", "queued"});
  for (const AlertFigures& each : all) {
    append_line(out, alert_widths,
                {each.rule, each.target, each.failing ? "failing" : "ok", std::to_string(each.raised),
                 std::to_string(each.sent), std::to_string(each.suppressed), std::to_string(each.failed),
                 std::to_string(each.dropped), std::to_string(each.retries), std::to_string(each.queued)});
  }
  return out;
}

StatsAnswer enable_health(const StatsView& view, StatsArguments arguments) {
  return pause_probes(view, arguments, false);
}

StatsAnswer disable_health(const StatsView& view, StatsArguments arguments) {
  return pause_probes(view, arguments, true);
}

}  // namespace weir
