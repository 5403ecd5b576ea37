#include "health/probe_failure.h"

#include "core/base/assert.h"

namespace weir {

std::string describe(const ProbeFailure& failure) {
  switch (failure.kind) {
    case ProbeFailure::Kind::not_connected: return "no connection: " + describe(failure.error);
    case ProbeFailure::Kind::not_secured: return "no TLS: " + failure.detail;
    case ProbeFailure::Kind::silent: return "connected, but no answer in time";
    case ProbeFailure::Kind::closed: return "closed before it had answered";
    case ProbeFailure::Kind::too_long: return "the answer is too long";
    case ProbeFailure::Kind::broken:
      return "the connection broke: " + (failure.detail.empty() ? describe(failure.error) : failure.detail);
  }
  WEIR_ASSERT(false, static_cast<int>(failure.kind));
}

}  // namespace weir
