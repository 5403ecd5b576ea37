// The id of a request (X-Request-Id), by which a line of the access log, an error that a user sees and a line of an
// origin's log are found to be about the same request.
//
// Pure; no allocation. A Random belongs to the worker that hands it in. Ids are unlike each other, not secret.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/random.h"

namespace weir::http {

inline constexpr uint32_t request_id_size = 32;
inline constexpr uint32_t request_id_bytes_max = 128;  // of one that a trusted peer has made

// 128 random bits, as lower-case hexadecimal characters.
std::string_view make_request_id(Random& random, std::span<char, request_id_size> out) noexcept;

// Is it one to go on with? 1 to 128 letters, digits and `._:/+=@-`: what ids of others are made of (UUIDs, base64,
// trace headers), and nothing that means something in a log, a header or a page.
bool is_acceptable_request_id(std::string_view text) noexcept;

}  // namespace weir::http
