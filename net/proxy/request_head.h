// The head of a request as its origin gets it: the client's fields without what is for weir alone, what origins are
// told of the client, and what the rules of the route change.
#pragma once

#include <cstdint>
#include <span>

#include "core/model/http_upstream.h"
#include "core/model/route.h"
#include "net/proxy/request_context.h"

namespace weir {

class HttpWorker;

// Writes it to `out` and returns its size; 0 when it has no room for it. `framing` is that of the body on its way up.
uint32_t write_request_head(HttpWorker& http, RequestContext& context, const Route& route, const StickyPolicy& sticky,
                            std::span<std::byte> out);

}  // namespace weir
