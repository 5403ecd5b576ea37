// The inner loop of a splice: from one socket through a pipe to another one, until either will not or it has been
// enough for one turn. Flow and BodySplice differ only in what they make of the outcome.
#pragma once

#include <cstdint>

#include "net/io/pipe.h"

namespace weir {

struct Spliced {
  enum class Why : uint8_t {
    source_empty,   // poll it; nothing is in the pipe
    sink_full,      // poll it; something is in the pipe
    enough,         // for this turn; nothing is in the pipe
    all,            // `bytes_max` were taken and given
    source_ended,   // nothing is in the pipe
    source_failed,  // with `error`; nothing is in the pipe
    sink_failed,    // with `error`; what is in the pipe is lost
  };
  Why why = Why::source_empty;
  int error = 0;       // an errno
  uint64_t taken = 0;  // from the source
  uint64_t given = 0;  // to the sink
};

// `piped` is what the pipe holds, before and after. At most `bytes_max` are taken.
Spliced splice_some(Pipes& pipes, PipeId pipe, uint32_t& piped, int source, int sink, uint64_t bytes_max) noexcept;

}  // namespace weir
