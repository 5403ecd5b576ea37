// ProbeFailure: why a round of a probe brought nothing that could be judged. A value. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/error.h"

namespace weir {

struct ProbeFailure {
  enum class Kind : uint8_t {
    not_connected,  // `error` says why: refused, timed out, no descriptors left, ...
    not_secured,    // connected, but not over TLS; `detail` says why
    silent,         // connected, but it did not say enough in time
    closed,         // it ended the connection before it had said enough
    too_long,       // it said more than anybody wants to hear
    broken,         // the connection failed in the middle; `error` says how, or `detail` does
  };
  Kind kind = Kind::broken;
  Error error{};
  std::string detail{};

  bool operator==(const ProbeFailure&) const = default;
};

// "no connection: origin: connection refused (ECONNREFUSED)", "no answer in time".
std::string describe(const ProbeFailure& failure);

}  // namespace weir
