// What OpenSSL says of a failure, in words. Internal to net/tls. Pure.
#pragma once

#include <string>

namespace weir::tls {

// The reason in an error code of OpenSSL's queue, "wrong version number"; never empty.
std::string reason_of(unsigned long code);

// Why a handshake or a connection failed: `code` is the first error that was queued, `verified` the result of
// verifying the server's certificate, `server_name` the name that it should have been for.
std::string problem_of(unsigned long code, long verified, const std::string& server_name);

}  // namespace weir::tls
