// HttpListener: what a listener in HTTP mode knows besides its address. Immutable inside a Snapshot.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/model/address.h"
#include "core/model/route.h"
#include "core/model/router.h"

namespace weir {

// What origins are told of the client. Whatever is off is not written; what an untrusted client sent under these names
// is removed in any case.
struct ForwardPolicy {
  CidrSet trusted;  // peers whose own X-Forwarded-*, Forwarded, X-Real-IP and X-Request-Id are believed and continued
  bool x_forwarded_for = true;
  bool x_forwarded_proto = true;
  bool x_forwarded_host = true;
  bool x_real_ip = true;
  bool forwarded = false;
  bool request_id = true;
  std::string via = "weir";  // the name in Via, both ways; "": no Via
};

struct HttpLimits {
  uint32_t line_bytes_max = 8192;
  uint32_t head_bytes_max = 15360;
  uint32_t fields_max = 128;
  uint32_t trailer_bytes_max = 4096;
};

struct HttpListener {
  std::vector<std::shared_ptr<const Route>> routes;
  std::unique_ptr<const Router> router;  // null with no routes; indices are of `routes`
  // Where requests go that no route takes: a route without a name, or null (404).
  std::shared_ptr<const Route> otherwise;
  ForwardPolicy forward;
  HttpLimits limits;
  bool allow_connect = false;
  std::string priority_header;  // in lower case; of requests: their priority, 0 to 9; "": none says
  bool access_log = false;      // there is an access log, and this listener writes to it

  Duration header_timeout{};      // for a whole request head, from its first byte (the first: from the connection)
  Duration body_timeout{};        // without a byte of a request's body
  Duration keep_alive_timeout{};  // between requests
  Duration half_close_timeout{};  // how long an exchange goes on whose client has ended its side
  uint32_t requests_max = 0;      // of one connection; 0: any number
};

}  // namespace weir
