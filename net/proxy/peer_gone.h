// Which errors of a socket mean that its peer, or the way to it, is gone; anything else nobody has planned for. Pure.
#pragma once

#include <errno.h>

namespace weir {

constexpr bool peer_is_gone(int error) noexcept {
  return error == ECONNRESET || error == EPIPE || error == ETIMEDOUT || error == ECONNABORTED ||
         error == EHOSTUNREACH || error == ENETUNREACH || error == ENETDOWN || error == ENOTCONN;
}

}  // namespace weir
