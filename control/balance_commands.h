// The commands of the stats socket that speak of balancing: what each endpoint gets and why, and what operators change
// about it. Words and answers are HAProxy's where it has such a command. Control thread.
#pragma once

#include "control/stats_answers.h"
#include "control/stats_view.h"

namespace weir {

StatsAnswer show_balance(const StatsView& view, StatsArguments arguments);
StatsAnswer get_weight(const StatsView& view, StatsArguments arguments);
StatsAnswer set_weight(const StatsView& view, StatsArguments arguments);
StatsAnswer set_server(const StatsView& view, StatsArguments arguments);
StatsAnswer enable_server(const StatsView& view, StatsArguments arguments);
StatsAnswer disable_server(const StatsView& view, StatsArguments arguments);

}  // namespace weir
