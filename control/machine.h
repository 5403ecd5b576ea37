// Machine: what this process may use of the machine it runs on, and how many of everything follow from it.
// Read once at start; pure but for the reading. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/config.h"

namespace weir {

struct Machine {
  std::vector<unsigned> cpus;    // that the affinity mask allows, ascending
  double cpu_quota = 0;          // CPUs' worth of time that the cgroup allows; 0: no quota
  uint64_t descriptors_max = 0;  // RLIMIT_NOFILE, after raising the soft limit to the hard one
};

Machine look_at_machine();

// The quota in a cgroup's cpu.max ("150000 100000" is 1.5), 0 for "max".
double parse_cpu_max(const std::string& text) noexcept;

// How the process will be laid out.
struct Layout {
  std::vector<int> worker_cpus;  // one per worker, in order; -1: not pinned
  uint32_t connections_max = 0;  // what the descriptors allow over all workers
  uint32_t pipes_per_worker = 0;
  std::string problem;  // why the configuration cannot run here, with what to change; empty if it can
};

Layout lay_out(const config::Config& config, const Machine& machine);

}  // namespace weir
