// Keys for pickers that want one: a 64-bit hash of what a request is balanced by. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/model/address.h"

namespace weir {

// The client's address without its port. The same on every worker and every host, so that several weirs agree.
uint64_t key_of(const PeerAddress& client) noexcept;
// With its port.
uint64_t key_of_address(const PeerAddress& client) noexcept;
// A name of a session: a cookie, a header, a parameter.
uint64_t key_of(std::string_view name) noexcept;

}  // namespace weir
