#include <nlohmann/json.hpp>

#include "control/stats_report.h"
#include "control/stats_totals.h"
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
uint32_t read(const std::atomic<uint32_t>& figure) {
  return figure.load(std::memory_order_relaxed);
}

template <class Closed>
Json close_reasons_json(const Closed& count_of) {
  Json json = Json::object();
  for (size_t i = 0; i < close_reason_count; ++i) json[std::string{close_reason_names[i].name}] = count_of(i);
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
  json["connections"] = read(worker.connections);
  json["connections_peak"] = read(worker.connections_peak);
  json["connections_parked"] = read(worker.connections_parked);
  json["connections_cut"] = read(worker.connections_cut);
  json["buffers_in_use"] = read(worker.buffers_in_use);
  json["buffers_total"] = read(worker.buffers_total);
  json["pipes_in_use"] = read(worker.pipes_in_use);
  worker.counters.for_each(
      [&](const CounterName& name, const Counter& counter) { json[std::string{name.name}] = counter.read(); });
  json["close_reasons"] = close_reasons_json([&](size_t i) { return worker.counters.closed[i].read(); });
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
  json["mode"] = config::name_of(config::Mode::tcp);
  json["upstream"] = upstream != nullptr ? Json(upstream->name) : Json(nullptr);
  json["connections"] = read(listener.state->connections);
  json["max_connections"] = listener.connections_max;
  add_counters(json, totals_of(*listener.state));
  return json;
}

Json endpoint_json(const Endpoint& endpoint) {
  Json json;
  json["name"] = endpoint.name;
  json["address"] = endpoint.address.to_string();
  json["weight"] = endpoint.weight;
  json["connections"] = read(endpoint.state->connections);
  add_counters(json, totals_of(*endpoint.state));
  return json;
}

Json upstream_json(const Upstream& upstream) {
  Json json;
  json["name"] = upstream.name;
  json["balance"] = upstream.algorithm;
  json["connections"] = connections_of(upstream);
  json["endpoints"] = Json::array();
  for (const Endpoint& endpoint : upstream.endpoints) json["endpoints"].push_back(endpoint_json(endpoint));
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
  json["max_connections"] = view.snapshot.connections_max;
  json["max_connections_per_worker"] = view.snapshot.connections_per_worker_max;
  json["listeners"] = view.snapshot.listeners.size();
  json["upstreams"] = view.snapshot.upstreams.size();
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
  for (const Upstream& upstream : view.snapshot.upstreams) json["upstreams"].push_back(upstream_json(upstream));
  json["close_reasons"] = close_reasons_json([&](size_t i) { return totals.closed[i]; });
  return text_of(json);
}

std::string version_json() {
  Json json;
  json["name"] = "weir";
  json["version"] = version;
  return text_of(json);
}

}  // namespace weir
