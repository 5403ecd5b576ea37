#include <array>

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
  Row(std::string_view proxy, uint32_t proxy_id, std::string_view name, uint32_t id, RowType type) {
    set(Column::pxname, proxy);
    set(Column::iid, proxy_id);
    set(Column::svname, name);
    set(Column::sid, id);
    set(Column::type, static_cast<uint64_t>(type));
    set(Column::pid, 1);
    set(Column::mode, config::name_of(config::Mode::tcp));
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

void append_frontend(std::string& out, const StatsView& view, const ListenerSpec& listener) {
  const ListenerTotals totals = totals_of(*listener.state);
  Row row{listener.name, proxy_id(listener.id), "FRONTEND", 0, RowType::frontend};
  // Relaxed: a figure, with the sessions' counting.
  row.set(Column::scur, listener.state->connections.load(std::memory_order_relaxed));
  row.set(Column::slim, listener.connections_max > 0 ? listener.connections_max : view.snapshot.connections_max);
  row.set(Column::stot, totals.connections_total);
  row.set(Column::bin, totals.bytes_in);
  row.set(Column::bout, totals.bytes_out);
  row.set(Column::ereq, totals.proxy_headers_bad);
  row.set(Column::status, view.figures.draining ? "STOP" : "OPEN");
  row.set(Column::conn_tot, totals.connections_total);
  row.append_to(out);
}

// What rows of endpoints and of the upstream as their sum have in common.
void set_counters(Row& row, uint64_t connections, const EndpointTotals& totals) {
  row.set(Column::qcur, uint64_t{0});
  row.set(Column::qmax, uint64_t{0});
  row.set(Column::scur, connections);
  row.set(Column::stot, totals.connections_total);
  row.set(Column::bin, totals.bytes_up);
  row.set(Column::bout, totals.bytes_down);
  row.set(Column::econ, totals.connect_errors + totals.connect_timeouts);
  row.set(Column::eresp, totals.resets);
  row.set(Column::srv_abrt, totals.resets);
  row.set(Column::wretr, uint64_t{0});
  row.set(Column::wredis, totals.retries);
  row.set(Column::bck, uint64_t{0});
  row.set(Column::lbtot, totals.picked);
  row.set(Column::connect, totals.connections_total + totals.connect_errors + totals.connect_timeouts);
  row.set(Column::reuse, uint64_t{0});
}

void append_upstream(std::string& out, const Upstream& upstream) {
  EndpointTotals sum;
  uint64_t weight = 0;
  uint64_t active = 0;
  for (const Endpoint& endpoint : upstream.endpoints) {
    const EndpointTotals totals = totals_of(*endpoint.state);
    sum += totals;
    weight += endpoint.weight;
    active += endpoint.weight > 0 ? 1 : 0;
    Row row{upstream.name, proxy_id(upstream.id), endpoint.name, index_of(endpoint.id) + 1, RowType::server};
    // Relaxed: a figure, with the Leases' counting.
    set_counters(row, endpoint.state->connections.load(std::memory_order_relaxed), totals);
    row.set(Column::status, "no check");
    row.set(Column::weight, endpoint.weight);
    row.set(Column::uweight, endpoint.weight);
    row.set(Column::act, 1);
    row.set(Column::addr, endpoint.address.to_string());
    row.append_to(out);
  }
  Row row{upstream.name, proxy_id(upstream.id), "BACKEND", 0, RowType::backend};
  set_counters(row, connections_of(upstream), sum);
  row.set(Column::status, active > 0 ? "UP" : "DOWN");
  row.set(Column::weight, weight);
  row.set(Column::uweight, weight);
  row.set(Column::act, active);
  row.set(Column::algo, upstream.algorithm);
  row.append_to(out);
}

}  // namespace

std::string stat_csv(const StatsView& view) {
  std::string out;
  append_header(out);
  for (const ListenerSpec& listener : view.snapshot.listeners) append_frontend(out, view, listener);
  for (const Upstream& upstream : view.snapshot.upstreams) append_upstream(out, upstream);
  return out;
}

}  // namespace weir
