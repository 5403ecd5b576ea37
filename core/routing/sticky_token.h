// The value of a stickiness cookie: which endpoint a client belongs to, in a form that only weir can write and nobody
// else can read. A pure function; the control thread calls it once per endpoint.
//
// Always true: it is 22 characters of base64url (128 bits), so no token is the beginning of another and none needs
// quotes; it depends on the secret and the two names alone, so every instance that knows the secret writes and accepts
// the same one; and without the secret it tells nothing about the names, nor how to make the token of another endpoint.
// That is as strong as the secret is: one that can be guessed can be searched for, because the function is fast.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::routing {

inline constexpr size_t sticky_token_size = 22;

std::string sticky_token(std::string_view secret, std::string_view upstream, std::string_view endpoint);

}  // namespace weir::routing
