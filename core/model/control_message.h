// What the control thread tells a worker besides publishing Snapshots. Values, carried by a Mailbox.
#pragma once

#include <cstdint>

#include "core/base/clock.h"

namespace weir {

struct ControlMessage {
  enum class Kind : uint8_t {
    look,   // a new Snapshot is there
    drain,  // accept no more; leave when the last connection is gone, or at `deadline` cutting what is left
    stop,   // cut everything and leave
  };
  Kind kind = Kind::look;
  Instant deadline{};
};

}  // namespace weir
