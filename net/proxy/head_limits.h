// What a listener allows a head, as the parser wants it. Pure.
#pragma once

#include "core/model/http_listener.h"
#include "net/http1/head_parser.h"

namespace weir {

constexpr http1::HeadLimits head_limits_of(const HttpLimits& limits) noexcept {
  return {limits.line_bytes_max, limits.head_bytes_max, limits.fields_max};
}

}  // namespace weir
