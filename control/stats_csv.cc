#include <array>
#include <chrono>
#include <unordered_set>

#include "control/endpoint_status.h"
#include "control/stats_report.h"
#include "control/stats_totals.h"
#include "core/config/choices.h"

namespace weir {
namespace {

enum class Column : uint8_t {
#define STAT_COLUMN(name) name,
#include "control/stats_columns.def"
#undef STAT_COLUMN
};

constexpr std::array column_names{
#define STAT_COLUMN(name) std::string_view{#name},
#include "control/stats_columns.def"
#undef STAT_COLUMN
};

constexpr std::string_view module_columns_begin = "-";

// HAProxy's numbers for what a row is about.
enum class RowType : uint8_t { frontend, backend, server };

// A field with a comma, quote or line end in it is quoted (RFC 4180, section 2).
void append_field(std::string& out, std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

class Row {
 public:
  Row(std::string_view proxy, uint32_t proxy_id, std::string_view name, uint32_t id, RowType type, config::Mode mode) {
    set(Column::pxname, proxy);
    set(Column::iid, proxy_id);
    set(Column::svname, name);
    set(Column::sid, id);
    set(Column::type, static_cast<uint64_t>(type));
    set(Column::pid, 1);
    set(Column::mode, config::name_of(mode));
  }

  void set(Column column, std::string_view text) { fields_[static_cast<size_t>(column)] = text; }
  void set(Column column, uint64_t value) { fields_[static_cast<size_t>(column)] = std::to_string(value); }

  void append_to(std::string& out) const {
    for (const std::string& field : fields_) {
      append_field(out, field);
      out += ',';
    }
    out.append(module_columns_begin).append(",\n");
  }

 private:
  std::array<std::string, column_names.size()> fields_;
};

// Unique among listeners and upstreams together, as HAProxy's proxy ids are; and, like the ids behind them, they stay
// what they are when a reload adds or removes others.
uint32_t proxy_id(ListenerId id) {
  return 2 * index_of(id) + 1;
}
uint32_t proxy_id(UpstreamId id) {
  return 2 * index_of(id) + 2;
}

void append_header(std::string& out) {
  out += "# ";
  for (const std::string_view name : column_names) out.append(name).append(",");
  out.append(module_columns_begin).append(",\n");
}

// Which upstreams listeners in HTTP mode send requests to. The mode is the listener's here, but HAProxy's backends have
// one too.
class HttpUpstreams {
 public:
  explicit HttpUpstreams(const Snapshot& snapshot) : snapshot_(snapshot) {
    for (const ListenerSpec& listener : snapshot.listeners) {
      if (listener.http == nullptr) continue;
      for (const auto& route : listener.http->routes) add(*route);
      if (listener.http->otherwise != nullptr) add(*listener.http->otherwise);
    }
  }

  config::Mode mode_of(const Upstream& upstream) const {
    return named_.contains(upstream.name) ? config::Mode::http : config::Mode::tcp;
  }

 private:
  void add(const Route& route) {
    for (const SplitTarget& target : route.split) add(target.upstream);
    if (route.has_mirror) add(route.mirror);
  }
  // By name: a subset is a part of the upstream that it has the name of.
  void add(UpstreamId id) {
    if (const Upstream* upstream = snapshot_.find(id)) named_.insert(upstream->name);
  }

  const Snapshot& snapshot_;
  std::unordered_set<std::string_view> named_;
};

// What the counters of listeners and of endpoints say of answers.
template <class Totals>
void set_answers(Row& row, const Totals& totals) {
  row.set(Column::req_tot, totals.requests);
  row.set(Column::hrsp_1xx, totals.answers_1xx);
  row.set(Column::hrsp_2xx, totals.answers_2xx);
  row.set(Column::hrsp_3xx, totals.answers_3xx);
  row.set(Column::hrsp_4xx, totals.answers_4xx);
  row.set(Column::hrsp_5xx, totals.answers_5xx);
  row.set(Column::hrsp_other, uint64_t{0});
}

void append_frontend(std::string& out, const StatsView& view, const ListenerSpec& listener) {
  const ListenerTotals totals = totals_of(*listener.state);
  const config::Mode mode = listener.http != nullptr ? config::Mode::http : config::Mode::tcp;
  Row row{listener.name, proxy_id(listener.id), "FRONTEND", 0, RowType::frontend, mode};
  // Relaxed: a figure, with the sessions' counting.
  row.set(Column::scur, listener.state->connections.load(std::memory_order_relaxed));
  row.set(Column::slim, listener.connections_max > 0 ? listener.connections_max : view.snapshot.connections_max);
  row.set(Column::stot, totals.connections_total);
  row.set(Column::bin, totals.bytes_in);
  row.set(Column::bout, totals.bytes_out);
  row.set(Column::ereq, totals.proxy_headers_bad + totals.requests_refused);
  row.set(Column::status, view.figures.draining ? "STOP" : "OPEN");
  row.set(Column::conn_tot, totals.connections_total);
  if (mode == config::Mode::http) {
    set_answers(row, totals);
    row.set(Column::cli_abrt, totals.client_aborts);
  }
  row.append_to(out);
}

// HAProxy's code for a check that went well.
std::string_view passed_code(const config::HealthConfig& config) {
  switch (config.probe) {
    case config::ProbeKind::tcp: return config.tcp.expect.empty() ? "L4OK" : "L7OK";
    case config::ProbeKind::http: return "L7OK";
    case config::ProbeKind::exec: return "PROCOK";
  }
  return "";
}

// What rows of endpoints and of the upstream as their sum have in common.
void set_counters(Row& row, config::Mode mode, uint64_t connections, const EndpointTotals& totals) {
  row.set(Column::scur, connections);
  row.set(Column::stot, totals.connections_total);
  row.set(Column::bin, totals.bytes_up);
  row.set(Column::bout, totals.bytes_down);
  row.set(Column::econ, totals.connect_errors + totals.connect_timeouts);
  row.set(Column::eresp, totals.resets + totals.answers_malformed + totals.answers_cut);
  // A request whose answer never began is no transfer that was aborted: only eresp has it, as in HAProxy.
  row.set(Column::srv_abrt, mode == config::Mode::http ? totals.answers_cut : totals.resets);
  row.set(Column::wretr, uint64_t{0});
  row.set(Column::wredis, totals.retries);
  row.set(Column::lbtot, totals.picked);
  row.set(Column::connect, totals.connections_total + totals.connect_errors + totals.connect_timeouts);
  row.set(Column::reuse, totals.reused);
  if (mode == config::Mode::http) set_answers(row, totals);
}

// What its probes say. Which of HAProxy's codes a failure would have, nobody knows here; people read the reason.
void set_probes(Row& row, const Probed& probed, Instant now) {
  const auto seconds_of = [](Duration duration) {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
  };
  row.set(Column::chkfail, probed.rounds_failed);
  row.set(Column::chkdown, probed.times_down);
  row.set(Column::lastchg, seconds_of(now - probed.changed));
  row.set(Column::downtime, seconds_of(probed.down_for(now)));
  row.set(Column::check_rise, probed.config.rise);
  row.set(Column::check_fall, probed.config.fall);
  // HAProxy's one number for it: below `rise` it is down, and rises with each success.
  const uint32_t streak = probed.judge.streak();
  row.set(Column::check_health,
          uint64_t{probed.judge.up() ? probed.config.rise + probed.config.fall - 1 - streak : streak});
  if (!probed.last) return row.set(Column::check_status, "INI");
  row.set(Column::check_duration,
          static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(probed.last->took).count()));
  row.set(Column::last_chk, probed.last->passed ? "passed" : probed.last->reason);
  if (probed.last->passed) row.set(Column::check_status, passed_code(probed.config));
}

// HAProxy's tools read whole numbers; whoever gets anything has at least 1.
uint64_t whole_weight(uint64_t share) {
  return (share + share_of_one - 1) / share_of_one;
}

void append_upstream(std::string& out, const StatsView& view, const Upstream& upstream, config::Mode mode) {
  EndpointTotals sum;
  uint64_t weight = 0;
  uint64_t share = 0;
  uint64_t active = 0;
  uint64_t backup = 0;
  for (size_t i = 0; i < upstream.endpoints.size(); ++i) {
    const Endpoint& endpoint = upstream.endpoints[i];
    const EndpointTotals totals = totals_of(*endpoint.state);
    sum += totals;
    weight += endpoint.weight;
    share += upstream.shares.each[i];
    if (upstream.shares.each[i] > 0) ++(endpoint.tier == 0 ? active : backup);
    Row row{upstream.name, proxy_id(upstream.id), endpoint.name, index_of(endpoint.id) + 1, RowType::server, mode};
    // Relaxed: a figure, with the Leases' counting.
    const uint32_t connections = endpoint.state->connections.load(std::memory_order_relaxed);
    set_counters(row, mode, connections, totals);
    // Who waits does so for the upstream, and for no endpoint of it.
    row.set(Column::qcur, uint64_t{0});
    row.set(Column::qmax, uint64_t{0});
    row.set(Column::used_conn_cur, connections);
    if (endpoint.connections_max > 0) row.set(Column::slim, endpoint.connections_max);
    const Probed* probed = probed_of(view, endpoint);
    row.set(Column::status, status_of(endpoint, probed != nullptr));
    if (probed != nullptr) set_probes(row, *probed, view.now);
    row.set(Column::weight, whole_weight(upstream.shares.each[i]));
    row.set(Column::uweight, endpoint.configured_weight);
    row.set(Column::act, uint64_t{endpoint.tier == 0});
    row.set(Column::bck, uint64_t{endpoint.tier > 0});
    row.set(Column::addr, endpoint.address.to_string());
    row.append_to(out);
  }
  Row row{upstream.name, proxy_id(upstream.id), "BACKEND", 0, RowType::backend, mode};
  set_counters(row, mode, connections_of(upstream), sum);
  row.set(Column::qcur, totals_of(view.snapshot, upstream).waiting);
  // Nobody notes how many there have been at most; where nobody may wait, it is known all the same.
  if (upstream.resilience.queue.size == 0) row.set(Column::qmax, uint64_t{0});
  row.set(Column::status, active + backup > 0 ? "UP" : "DOWN");
  row.set(Column::weight, whole_weight(share));
  row.set(Column::uweight, weight);
  row.set(Column::act, active);
  row.set(Column::bck, backup);
  row.set(Column::algo, upstream.algorithm);
  row.append_to(out);
}

}  // namespace

std::string stat_csv(const StatsView& view) {
  std::string out;
  append_header(out);
  for (const ListenerSpec& listener : view.snapshot.listeners) append_frontend(out, view, listener);
  const HttpUpstreams http{view.snapshot};
  for (const auto& upstream : view.snapshot.upstreams) {
    if (!upstream->is_subset) append_upstream(out, view, *upstream, http.mode_of(*upstream));
  }
  return out;
}

}  // namespace weir
