#include "control/machine.h"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "health/prober.h"

namespace weir {
namespace {

// Besides connections and pipes: standard streams, rings, event descriptors, listeners, the stats socket and its
// clients, a configuration being read.
constexpr uint64_t descriptors_of_process = 64;
constexpr uint64_t descriptors_per_worker = 8;
constexpr uint64_t descriptors_per_connection = 2;
constexpr uint64_t descriptors_per_pipe = 2;
constexpr uint64_t agents_asked_max = Prober::asking_max_default;  // at a time, each over a connection
// Pipes may take this share of the descriptors by default.
constexpr uint64_t pipe_share = 8;

uint64_t agents_asked(const config::Config& config) {
  uint64_t agents = 0;
  for (const config::UpstreamConfig& upstream : config.upstreams) {
    if (upstream.agent) agents += upstream.endpoints.size();
  }
  return std::min(agents, agents_asked_max);
}

std::vector<unsigned> allowed_cpus() {
  std::vector<unsigned> cpus;
  // The kernel's mask may be wider than cpu_set_t: grow until it fits.
  for (size_t count = 1024; count <= 65536; count *= 2) {
    cpu_set_t* set = CPU_ALLOC(count);
    const size_t size = CPU_ALLOC_SIZE(count);
    const bool fits = ::sched_getaffinity(0, size, set) == 0;
    for (unsigned cpu = 0; fits && cpu < count; ++cpu) {
      if (CPU_ISSET_S(cpu, size, set)) cpus.push_back(cpu);
    }
    CPU_FREE(set);
    if (fits) break;
  }
  return cpus;
}

std::string read_line(const std::string& path) {
  std::ifstream file{path};
  std::string line;
  std::getline(file, line);
  return line;
}

// The tightest quota of this process's cgroup and the ones it lies in (cgroup v2).
double cgroup_quota() {
  std::ifstream file{"/proc/self/cgroup"};
  std::string line;
  double tightest = 0;
  while (std::getline(file, line)) {
    if (!line.starts_with("0::")) continue;
    std::string path = line.substr(3);
    for (;;) {
      const double quota = parse_cpu_max(read_line("/sys/fs/cgroup" + path + "/cpu.max"));
      if (quota > 0 && (tightest == 0 || quota < tightest)) tightest = quota;
      const size_t slash = path.rfind('/');
      if (slash == std::string::npos || path == "/") break;
      path = slash == 0 ? "/" : path.substr(0, slash);
    }
  }
  return tightest;
}

uint64_t raise_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur;
}

std::string list_of(const std::vector<unsigned>& cpus) {
  std::string text;
  for (const unsigned cpu : cpus) text += (text.empty() ? "" : ",") + std::to_string(cpu);
  return text;
}

std::string too_few_descriptors(const config::Config& config, const Layout& layout, uint64_t needed, uint64_t allowed) {
  const auto& connections = config.limits.connections;
  return "limits: " +
         (connections ? std::to_string(*connections) + " connections" : std::string{"a single connection"}) +
         ", with " + std::to_string(layout.worker_cpus.size()) + " workers and " +
         std::to_string(layout.pipes_per_worker) + " pipes for each, would need " + std::to_string(needed) +
         " file descriptors, but RLIMIT_NOFILE is " + std::to_string(allowed) + "; lower " +
         (connections ? "`limits.connections`" : "`limits.pipes_per_worker` or `workers`") +
         ", or raise the limit (`ulimit -Hn`, LimitNOFILE= in a systemd unit)";
}

}  // namespace

double parse_cpu_max(const std::string& text) noexcept {
  std::istringstream words{text};
  double quota = 0;
  double period = 0;
  if (!(words >> quota >> period) || quota <= 0 || period <= 0) return 0;
  return quota / period;
}

Machine look_at_machine() {
  return {allowed_cpus(), cgroup_quota(), raise_descriptors()};
}

Layout lay_out(const config::Config& config, const Machine& machine) {
  Layout layout;
  std::vector<unsigned> cpus = machine.cpus;
  if (!config.cpus.empty()) {
    cpus.clear();
    for (const unsigned cpu : config.cpus) {
      if (std::find(machine.cpus.begin(), machine.cpus.end(), cpu) == machine.cpus.end()) {
        layout.problem = "cpus: CPU " + std::to_string(cpu) + " is not among those this process may use (" +
                         list_of(machine.cpus) + "); change `cpus`, or the affinity mask weir is started with";
        return layout;
      }
      cpus.push_back(cpu);
    }
  }
  uint32_t workers = static_cast<uint32_t>(std::max<size_t>(1, cpus.size()));
  if (machine.cpu_quota > 0) {
    workers = std::min(workers, static_cast<uint32_t>(std::max(1.0, std::ceil(machine.cpu_quota))));
  }
  if (config.workers) workers = *config.workers;
  for (uint32_t i = 0; i < workers; ++i) {
    // More workers than CPUs share them in turn.
    layout.worker_cpus.push_back(cpus.empty() ? -1 : static_cast<int>(cpus[i % cpus.size()]));
  }

  const uint64_t base = descriptors_of_process + descriptors_per_worker * workers +
                        config.listeners.size() * (workers + 1) + agents_asked(config);
  const uint64_t total = machine.descriptors_max;
  const uint64_t automatic_pipes = std::max<uint64_t>(
      1, std::min<uint64_t>(config::automatic_pipes_per_worker, total / pipe_share / descriptors_per_pipe / workers));
  layout.pipes_per_worker = config.limits.pipes_per_worker.value_or(static_cast<uint32_t>(automatic_pipes));
  const uint64_t pipes = descriptors_per_pipe * layout.pipes_per_worker * workers;
  const uint64_t wanted = config.limits.connections.value_or(1) * descriptors_per_connection;
  if (base + pipes + wanted > total) {
    layout.problem = too_few_descriptors(config, layout, base + pipes + wanted, total);
    return layout;
  }
  const uint64_t fitting = (total - base - pipes) / descriptors_per_connection;
  layout.connections_max = static_cast<uint32_t>(std::min<uint64_t>(fitting, 1U << 24));
  return layout;
}

}  // namespace weir
