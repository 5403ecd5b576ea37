// StatsView: what the stats reports read: the world as decided, what is happening in it, and what the control thread
// knows of itself. Made anew for each command on the control thread and good for that one call, because a Snapshot may
// be freed after it.
#pragma once

#include "control/figures.h"
#include "core/base/clock.h"
#include "core/model/process_state.h"
#include "core/model/snapshot.h"

namespace weir {

class Alerts;
class Watches;

struct StatsView {
  const Snapshot& snapshot;
  const ProcessState& process;
  const ControlFigures& figures;
  Instant now{};
  Watches* watches = nullptr;      // what is known of health, and who changes something; null: nothing can be changed
  const Alerts* alerts = nullptr;  // null: nobody is told
};

}  // namespace weir
