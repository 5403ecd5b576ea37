#include "net/proxy/splice_some.h"

#include <errno.h>

namespace weir {
namespace {

// One readiness moves this much at most before other sessions have their turn.
constexpr uint64_t bytes_per_turn = 1 << 20;

}  // namespace

Spliced splice_some(Pipes& pipes, PipeId pipe, uint32_t& piped, int source, int sink, uint64_t bytes_max) noexcept {
  using Why = Spliced::Why;
  Spliced moved;
  const auto ended = [&](Why why, int error = 0) {
    moved.why = why;
    moved.error = error;
    return moved;
  };
  for (;;) {
    while (piped > 0) {
      const int64_t drained = pipes.drain(pipe, sink, piped);
      if (drained == -EAGAIN || drained == -EINTR) return ended(Why::sink_full);
      if (drained <= 0) return ended(Why::sink_failed, drained == 0 ? EPIPE : static_cast<int>(-drained));
      piped -= static_cast<uint32_t>(drained);
      moved.given += static_cast<uint64_t>(drained);
    }
    if (moved.taken == bytes_max) return ended(Why::all);
    if (moved.given >= bytes_per_turn) return ended(Why::enough);
    const int64_t filled = pipes.fill(source, pipe, bytes_max - moved.taken);
    if (filled == 0) return ended(Why::source_ended);
    if (filled == -EAGAIN || filled == -EINTR) return ended(Why::source_empty);
    if (filled < 0) return ended(Why::source_failed, static_cast<int>(-filled));
    piped = static_cast<uint32_t>(filled);
    moved.taken += static_cast<uint64_t>(filled);
  }
}

}  // namespace weir
