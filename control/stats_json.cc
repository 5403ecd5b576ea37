#include <nlohmann/json.hpp>

#include <array>
#include <cmath>

#include "control/alerts/alerts.h"
#include "control/endpoint_health.h"
#include "control/stats_report.h"
#include "control/stats_totals.h"
#include "control/watches.h"
#include "core/balance/adaptive.h"
#include "core/balance/plugin_library.h"
#include "core/base/version.h"
#include "core/config/choices.h"

namespace weir {
namespace {

using Json = nlohmann::ordered_json;  // members in the order they were set, for people

// `replace`: a name that is not UTF-8 must not be what ends the control thread.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// Relaxed throughout this file: figures, not signals; partners are the workers' own stores.
template <class Number>
Number read(const std::atomic<Number>& figure) {
  return figure.load(std::memory_order_relaxed);
}

uint64_t value_of(uint64_t count) {
  return count;
}
uint64_t value_of(const Counter& counter) {
  return counter.read();
}

// {name: count}: of close reasons, of ends of exchanges.
template <class Count, size_t size>
Json counts_json(const std::array<CounterName, size>& names, const std::array<Count, size>& counts) {
  Json json = Json::object();
  for (size_t i = 0; i < size; ++i) json[std::string{names[i].name}] = value_of(counts[i]);
  return json;
}

template <class Totals>
void add_counters(Json& json, const Totals& totals) {
  totals.for_each([&](const CounterName& counter, uint64_t value) { json[std::string{counter.name}] = value; });
}

Json worker_json(size_t index, const WorkerState& worker) {
  Json json;
  json["index"] = index;
  json["cpu"] = worker.cpu;
#define WORKER_GAUGE(name, member, text) json[#name] = read(worker.member);
#include "control/stats_gauges.def"
#undef WORKER_GAUGE
  worker.counters.for_each(
      [&](const CounterName& name, const Counter& counter) { json[std::string{name.name}] = counter.read(); });
  json["close_reasons"] = counts_json(close_reason_names, worker.counters.closed);
  json["exchange_ends"] = counts_json(exchange_end_names, worker.counters.exchanges_ended);
  return json;
}

Json listener_json(const Snapshot& snapshot, const ListenerSpec& listener) {
  const Upstream* upstream = snapshot.find(listener.upstream);
  Json json;
  json["name"] = listener.name;
  // What port 0 became.
  SocketAddress address = listener.address;
  if (listener.sockets != nullptr) address = listener.sockets->bound;
  json["address"] = address.to_string();
  json["mode"] = config::name_of(listener.http != nullptr ? config::Mode::http : config::Mode::tcp);
  json["upstream"] = upstream != nullptr ? Json(upstream->name) : Json(nullptr);
  if (listener.http != nullptr) json["routes"] = listener.http->routes.size();
  json["connections"] = read(listener.state->connections);
  json["max_connections"] = listener.connections_max;
  add_counters(json, totals_of(*listener.state));
  return json;
}

double milliseconds(Duration duration) {
  return std::round(std::chrono::duration<double, std::milli>(duration).count() * 1000) / 1000;
}
double seconds(Duration duration) {
  return std::round(std::chrono::duration<double>(duration).count() * 1000) / 1000;
}

Json probes_json(const Probed& probed, Instant now) {
  Json json;
  json["kind"] = config::name_of(probed.config.probe);
  json["paused"] = !probed.probe.has_value();
  json["rounds"] = probed.rounds;
  json["rounds_failed"] = probed.rounds_failed;
  json["rounds_in_row"] = probed.rounds_in_row;
  json["times_down"] = probed.times_down;
  json["changed_s_ago"] = seconds(now - probed.changed);
  json["down_s"] = seconds(probed.down_for(now));
  json["last"] = nullptr;
  if (probed.last) {
    json["last"] = {{"passed", probed.last->passed},
                    {"reason", probed.last->reason},
                    {"took_ms", milliseconds(probed.last->took)},
                    {"s_ago", seconds(now - probed.last->at)}};
  }
  return json;
}

Json endpoint_health_json(const EndpointHealth& health, Instant now) {
  Json json;
  json["by"] = health.condition.by.empty() ? Json(nullptr) : Json(health.condition.by);
  json["breaker"] = nullptr;
  if (health.breaker != nullptr) {
    json["breaker"] = {{"state", name_of(health.breaker->state())}, {"s", seconds(now - health.breaker->since())}};
  }
  json["failures_in_row"] = health.failures_in_row;
  json["ejections"] = health.ejections;
  json["score"] = health.score;
  json["limit"] = health.limit == 0 ? Json(nullptr) : Json(health.limit);
  json["resting"] = health.resting;
  json["probes"] = health.probed != nullptr ? probes_json(*health.probed, now) : Json(nullptr);
  return json;
}

Json endpoint_json(const Upstream& upstream, size_t index, const StatsView& view) {
  const Instant now = view.now;
  const Endpoint& endpoint = upstream.endpoints[index];
  const EndpointHealth health = health_of(view, upstream, endpoint);
  const Standing& standing = endpoint.state->standing;
  Json json;
  json["name"] = endpoint.name;
  json["address"] = endpoint.address.to_string();
  json["state"] = health.condition.state;
  json["weight"] = endpoint.weight;
  json["configured_weight"] = endpoint.configured_weight;
  json["effective_weight"] = static_cast<double>(upstream.shares.each[index]) / share_of_one;
  json["health"] = standing.health;
  json["measured_health"] = standing.measured;
  json["capacity"] = standing.capacity;
  json["tier"] = endpoint.tier;
  json["in_play"] = upstream.shares.each[index] > 0 && upstream.shares.levels[index] == 0;
  json["max_connections"] = endpoint.connections_max;
  json["latency_us"] =
      std::round(slowest_latency(*endpoint.state, upstream.picker_options.latency_decay, now) / 100) / 10;
  const auto score = endpoint.state->reported.read(now, upstream.picker_options.score_expiry);
  json["score"] = score ? Json(*score) : Json(nullptr);
  json["resilience"] = endpoint_health_json(health, now);
  json["metadata"] = Json::object();
  for (const auto& [key, value] : endpoint.metadata) json["metadata"][key] = value;
  json["connections"] = read(endpoint.state->connections);
  add_counters(json, totals_of(*endpoint.state));
  return json;
}

// What the three algorithms would have made of the last window, and which of them decides.
Json adaptive_json(const AdaptiveJudge& judge) {
  Json json;
  json["decides"] = adaptive_algorithms[judge.choice()];
  json["switches"] = judge.switches();
  json["last_switch"] = judge.last_switch() != nullptr ? Json(judge.last_switch()->why) : Json(nullptr);
  json["requests"] = judge.requests();
  json["predicted"] = Json::object();
  for (size_t i = 0; i < shadow_count; ++i) {
    const AdaptiveJudge::Prediction& guess = judge.predictions()[i];
    json["predicted"][std::string{adaptive_algorithms[i]}] = {{"mean_ms", milliseconds(guess.mean)},
                                                              {"p50_ms", milliseconds(guess.p50)},
                                                              {"p99_ms", milliseconds(guess.p99)},
                                                              {"better_for_windows", judge.better_for(i)}};
  }
  return json;
}

Json degradation_json(const DegradationWatch& watch) {
  const Degradation::Figures& figures = watch.figures();
  const auto error_rate = figures.error_rate();
  Json json;
  json["degraded"] = watch.degradation().is_degraded();
  json["requests"] = figures.requests;
  json["error_rate"] = error_rate ? Json(*error_rate) : Json(nullptr);
  json["p99_ms"] = milliseconds(figures.p99);
  json["healthy"] = figures.healthy;
  return json;
}

Json upstream_resilience_json(const Upstream& upstream, const StatsView& view) {
  const UpstreamTotals totals = totals_of(view.snapshot, upstream);
  const UpstreamWatches* watches = watches_of(view, upstream);
  Json json;
  json["waiting"] = totals.waiting;
  // Not counted without a limit.
  json["pending"] = upstream.resilience.pending_max > 0 ? Json(totals.pending) : Json(nullptr);
  json["retrying"] = upstream.resilience.retries_max > 0 ? Json(totals.retrying) : Json(nullptr);
  add_counters(json, totals);
  if (watches != nullptr && watches->degradation) json["degradation"] = degradation_json(*watches->degradation);
  return json;
}

Json upstream_json(const Upstream& upstream, const StatsView& view) {
  Json json;
  json["name"] = upstream.name;
  json["balance"] = upstream.algorithm;
  json["connections"] = connections_of(upstream);
  json["panic"] = upstream.shares.panic;
  json["panics"] = upstream.state->panics;
  json["tiers_in_use"] = upstream.shares.tiers_in_use;
  if (upstream.picker_options.plugin != nullptr) {
    json["plugin"] = {{"name", upstream.picker_options.plugin->name()},
                      {"path", upstream.picker_options.plugin->path()},
                      {"misbehaved", upstream.picker_options.plugin->misbehaved()}};
  }
  const AdaptiveWatch* watch = view.watches != nullptr ? view.watches->adaptive().find(upstream.id) : nullptr;
  if (watch != nullptr) json["adaptive"] = adaptive_json(watch->judge());
  json["resilience"] = upstream_resilience_json(upstream, view);
  json["endpoints"] = Json::array();
  for (size_t i = 0; i < upstream.endpoints.size(); ++i) {
    json["endpoints"].push_back(endpoint_json(upstream, i, view));
  }
  return json;
}

Json alerts_json(const Alerts& alerts) {
  Json all = Json::array();
  for (const AlertFigures& each : alerts.figures()) {
    Json json;
    json["rule"] = each.rule;
    json["target"] = each.target;
    json["failing"] = each.failing;
    json["raised"] = each.raised;
    json["sent"] = each.sent;
    json["suppressed"] = each.suppressed;
    json["failed"] = each.failed;
    json["dropped"] = each.dropped;
    json["retries"] = each.retries;
    json["queued"] = each.queued;
    all.push_back(std::move(json));
  }
  return all;
}

Json access_log_json(const AccessLogFigures& log) {
  Json json;
  json["lines"] = read(log.lines);
  json["lost"] = read(log.lost);
  json["bytes"] = read(log.bytes);
  json["reopened"] = read(log.reopened);
  return json;
}

}  // namespace

std::string info_json(const StatsView& view, const ProcessUsage& usage) {
  const WorkerTotals totals = totals_of(view.process);
  Json json;
  json["name"] = "weir";
  json["version"] = version;
  json["pid"] = usage.pid;
  json["host"] = usage.host;
  json["uptime_s"] = std::chrono::duration_cast<std::chrono::seconds>(view.now - view.figures.started).count();
  json["config"] = view.figures.config_source;
  json["workers"] = view.process.workers.size();
  json["connections"] = read(view.process.connections);
  json["connections_total"] = totals.accepted;
  json["connections_parked"] = totals.connections_parked;
  json["connections_cut"] = totals.connections_cut;
  json["origin_connections"] = totals.origin_connections;
  json["origin_connections_idle"] = totals.origin_connections_idle;
  json["exchanges_now"] = totals.exchanges_now;
  json["max_connections"] = view.snapshot.connections_max;
  json["max_connections_per_worker"] = view.snapshot.connections_per_worker_max;
  json["listeners"] = view.snapshot.listeners.size();
  json["upstreams"] = upstream_count(view.snapshot);
  json["snapshot"] = view.snapshot.generation;
  json["reloads"] = view.figures.reloads;
  json["reloads_refused"] = view.figures.reloads_refused;
  json["draining"] = view.figures.draining;
  json["descriptors"] = usage.descriptors;
  json["max_descriptors"] = view.figures.descriptors_max;
  json["memory_rss_bytes"] = usage.memory_rss_bytes;
  json["buffers_in_use"] = totals.buffers_in_use;
  json["buffers_total"] = totals.buffers_total;
  json["pipes_in_use"] = totals.pipes_in_use;
  if (view.figures.access_log != nullptr) json["access_log"] = access_log_json(*view.figures.access_log);
  json["worker"] = Json::array();
  for (size_t i = 0; i < view.process.workers.size(); ++i) {
    json["worker"].push_back(worker_json(i, *view.process.workers[i]));
  }
  return text_of(json);
}

std::string stat_json(const StatsView& view) {
  const WorkerTotals totals = totals_of(view.process);
  Json json;
  json["listeners"] = Json::array();
  for (const ListenerSpec& listener : view.snapshot.listeners) {
    json["listeners"].push_back(listener_json(view.snapshot, listener));
  }
  json["upstreams"] = Json::array();
  for (const auto& upstream : view.snapshot.upstreams) {
    if (!upstream->is_subset) json["upstreams"].push_back(upstream_json(*upstream, view));
  }
  if (view.alerts != nullptr) json["alerts"] = alerts_json(*view.alerts);
  json["close_reasons"] = counts_json(close_reason_names, totals.closed);
  json["exchange_ends"] = counts_json(exchange_end_names, totals.exchanges_ended);
  return text_of(json);
}

std::string version_json() {
  Json json;
  json["name"] = "weir";
  json["version"] = version;
  return text_of(json);
}

}  // namespace weir
