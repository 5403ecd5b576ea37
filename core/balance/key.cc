#include "core/balance/key.h"

#include <span>

#include "hashing/hash64.h"

namespace weir {

uint64_t key_of(const PeerAddress& client) noexcept {
  return hashing::hash64(std::as_bytes(std::span{client.bytes}));
}

uint64_t key_of_address(const PeerAddress& client) noexcept {
  return hashing::mix64(key_of(client), client.port);
}

uint64_t key_of(std::string_view name) noexcept {
  return hashing::hash64(name);
}

}  // namespace weir
