#include <array>
#include <cstdio>
#include <functional>

#include "control/stats_report.h"
#include "control/stats_totals.h"
#include "core/base/version.h"

namespace weir {
namespace {

class Lines {
 public:
  void add(std::string_view key, std::string_view value) { text_.append(key).append(": ").append(value).append("\n"); }
  void add(std::string_view key, uint64_t value) { add(key, std::to_string(value)); }

  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// "0d 1h02m03s"
std::string uptime_text(uint64_t seconds) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%llud %lluh%02llum%02llus", static_cast<unsigned long long>(seconds / 86400),
                static_cast<unsigned long long>(seconds / 3600 % 24),
                static_cast<unsigned long long>(seconds / 60 % 60), static_cast<unsigned long long>(seconds % 60));
  return text.data();
}

uint64_t sum_over(const Snapshot& snapshot, uint64_t ListenerTotals::*counter) {
  uint64_t sum = 0;
  for (const ListenerSpec& listener : snapshot.listeners) sum += totals_of(*listener.state).*counter;
  return sum;
}

}  // namespace

std::string info_text(const StatsView& view, const ProcessUsage& usage) {
  const WorkerTotals totals = totals_of(view.process);
  const auto uptime =
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(view.now - view.figures.started).count());
  Lines lines;
  // HAProxy's keys, where they mean something here, in its order.
  lines.add("Name", "weir");
  lines.add("Version", version);
  lines.add("Nbthread", view.process.workers.size());
  lines.add("Nbproc", 1);
  lines.add("Process_num", 1);
  lines.add("Pid", static_cast<uint64_t>(usage.pid));
  lines.add("Uptime", uptime_text(uptime));
  lines.add("Uptime_sec", uptime);
  lines.add("Memmax_MB", uint64_t{0});  // none is set
  lines.add("Ulimit-n", view.figures.descriptors_max);
  lines.add("Maxconn", view.snapshot.connections_max);
  lines.add("Hard_maxconn", view.snapshot.connections_max);
  // Relaxed: a figure, with the workers' counting.
  lines.add("CurrConns", view.process.connections.load(std::memory_order_relaxed));
  lines.add("CumConns", totals.accepted);
  lines.add("CumReq", sum_over(view.snapshot, &ListenerTotals::requests));
  lines.add("PipesUsed", totals.pipes_in_use);
  lines.add("node", usage.host);
  lines.add("Stopping", view.figures.draining ? 1 : 0);
  lines.add("Listeners", view.snapshot.listeners.size());
  lines.add("TotalBytesOut", sum_over(view.snapshot, &ListenerTotals::bytes_out));
  // Our own.
  lines.add("Config", view.figures.config_source);
  lines.add("Snapshot", view.snapshot.generation);
  lines.add("Reloads", view.figures.reloads);
  lines.add("Reloads_refused", view.figures.reloads_refused);
  lines.add("Descriptors", usage.descriptors);
  lines.add("Memory_rss_bytes", usage.memory_rss_bytes);
  lines.add("Buffers_used", totals.buffers_in_use);
  lines.add("Buffers_total", totals.buffers_total);
  lines.add("Origin_connections", totals.origin_connections);
  lines.add("Origin_connections_idle", totals.origin_connections_idle);
  lines.add("Exchanges_now", totals.exchanges_now);
  if (const AccessLogFigures* log = view.figures.access_log; log != nullptr) {
    // Relaxed: figures, with the additions of the log's thread.
    lines.add("Access_log_lines", log->lines.load(std::memory_order_relaxed));
    lines.add("Access_log_lost", log->lost.load(std::memory_order_relaxed));
    lines.add("Access_log_bytes", log->bytes.load(std::memory_order_relaxed));
    lines.add("Access_log_reopened", log->reopened.load(std::memory_order_relaxed));
  }
  return lines.take();
}

std::string activity_text(const StatsView& view) {
  const auto& workers = view.process.workers;
  Lines lines;
  const auto add = [&](std::string_view name, const std::function<uint64_t(const WorkerState&)>& figure_of) {
    uint64_t sum = 0;
    std::string each;
    for (const auto& worker : workers) {
      const uint64_t figure = figure_of(*worker);
      sum += figure;
      each += std::to_string(figure) + " ";
    }
    lines.add(name, std::to_string(sum) + " [ " + each + "]");
  };

  std::string cpus;
  for (const auto& worker : workers) cpus += std::to_string(worker->cpu) + " ";
  lines.add("workers", std::to_string(workers.size()));
  lines.add("cpu", "[ " + cpus + "]");
  // Relaxed, all of them: figures, with the worker's own stores.
#define WORKER_GAUGE(name, member, text) \
  add(#name, [](const WorkerState& worker) { return worker.member.load(std::memory_order_relaxed); });
#include "control/stats_gauges.def"
#undef WORKER_GAUGE
#define WORKER_COUNTER(name, text) add(#name, [](const WorkerState& worker) { return worker.counters.name.read(); });
#include "core/model/counters.def"
  for (size_t i = 0; i < close_reason_count; ++i) {
    add("closed_" + std::string{close_reason_names[i].name},
        [i](const WorkerState& worker) { return worker.counters.closed[i].read(); });
  }
  for (size_t i = 0; i < exchange_end_count; ++i) {
    add("ended_" + std::string{exchange_end_names[i].name},
        [i](const WorkerState& worker) { return worker.counters.exchanges_ended[i].read(); });
  }
  return lines.take();
}

std::string version_text() {
  return std::string{version} + "\n";
}

}  // namespace weir
