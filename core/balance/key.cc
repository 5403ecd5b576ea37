#include "core/balance/key.h"

#include <span>

#include "hashing/hash64.h"

namespace weir {

uint64_t key_of(const PeerAddress& client) noexcept {
  return hashing::hash64(std::as_bytes(std::span{client.bytes}));
}

}  // namespace weir
