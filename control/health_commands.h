// The commands of the stats socket that speak of health and resilience: how each endpoint is and who says so, who waits
// in queues, who is told; and the pausing of probes, in HAProxy's words. Control thread.
#pragma once

#include "control/stats_answers.h"
#include "control/stats_view.h"

namespace weir {

StatsAnswer show_health(const StatsView& view, StatsArguments arguments);
StatsAnswer show_queue(const StatsView& view, StatsArguments arguments);
StatsAnswer show_alerts(const StatsView& view, StatsArguments arguments);
StatsAnswer enable_health(const StatsView& view, StatsArguments arguments);
StatsAnswer disable_health(const StatsView& view, StatsArguments arguments);

}  // namespace weir
