// Reads the PROXY protocol header, v1 and v2, from the front of a connection (proxy-protocol.txt of HAProxy, 2.1
// and 2.2).
//
// Pure. It shares no code with weir's own reader and writer, so that a test in which weir writes and this origin reads
// cannot pass because both make the same mistake.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::origin {

struct ProxyHeader {
  enum class State { incomplete, complete, bad };

  State state = State::incomplete;
  std::size_t size = 0;     // bytes of the header, when complete
  std::string description;  // `v2 TCP4 1.2.3.4:555 -> 5.6.7.8:80`, `v1 TCP6 [::1]:555 -> [::2]:80`, `v2 UNIX /a -> /b`,
                            // `v2 LOCAL`, `v1 UNKNOWN`, when complete
};

ProxyHeader read_proxy_header(std::string_view in);

}  // namespace weir::origin
