// One field line (RFC 9112 section 5): name ":" OWS value OWS CRLF, or the empty line that ends them.
//
// Internal to net/http1.
#pragma once

#include "net/http1/reader.h"

namespace weir::http1 {

enum class FieldLine : uint8_t {
  field,    // `out` has it; nobody has looked at what its value means
  end,      // it was the empty line
  stopped,  // reader.outcome() says why
};

FieldLine read_field_line(Reader& reader, http::Field& out) noexcept;

}  // namespace weir::http1
