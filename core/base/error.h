// Error: what the world did to us, as a value of four facts: what, to which side, the errno behind it, and whether
// trying again makes sense. A value: copy it, compare it, print it. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

enum class ErrorKind : uint8_t {
#define ERROR(name, text) name,
#include "core/base/errors.def"
#undef ERROR
};

enum class Side : uint8_t { ourselves, client, origin };

// `only_if_reused`: the connection may have been closed by the peer while it lay idle; a fresh one may do.
enum class Retry : uint8_t { no, yes, only_if_reused };

struct Error {
  ErrorKind kind = ErrorKind::unexpected;
  Side side = Side::ourselves;
  Retry retry = Retry::no;
  int number = 0;  // the errno, 0 when there was none

  bool operator==(const Error&) const = default;
};

// Sorts an errno (positive) of an operation towards `side`.
Error error_from_errno(int number, Side side) noexcept;

std::string_view name_of(ErrorKind kind) noexcept;
std::string_view name_of(Side side) noexcept;

// "origin: connection refused (ECONNREFUSED)".
std::string describe(const Error& error);

}  // namespace weir
