// The stats reports: a StatsView, and what the kernel says of the process, as text. Pure functions; control thread,
// because of what a StatsView holds. Each report ends in a newline and has no empty line in it.
//
//     stats_text.cc   "Key: value" lines, as HAProxy's `show info`
//     stats_csv.cc    HAProxy's table of `show stat`
//     stats_json.cc   our own JSON, one object on one line
//
// Counters are sums over all workers since start; connections are those of now.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/stats_usage.h"
#include "control/stats_view.h"

namespace weir {

std::string info_text(const StatsView& view, const ProcessUsage& usage);
std::string info_json(const StatsView& view, const ProcessUsage& usage);

// A FRONTEND row per listener; per upstream a row for each endpoint and a BACKEND row that sums them.
std::string stat_csv(const StatsView& view);
std::string stat_json(const StatsView& view);

// Worker by worker: "name: sum [ of worker 0, of worker 1, ... ]".
std::string activity_text(const StatsView& view);

std::string version_text();
std::string version_json();

}  // namespace weir
