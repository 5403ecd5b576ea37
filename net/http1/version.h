// The version at the start of a status line and at the end of a request line: `HTTP/` DIGIT `.` DIGIT, in capitals.
//
// Internal to net/http1.
#pragma once

#include <cstddef>

#include "net/http/characters.h"
#include "net/http1/reader.h"

namespace weir::http1 {

struct Version {
  char major = '1';
  char minor = '1';

  bool supported() const noexcept { return major == '1' && (minor == '0' || minor == '1'); }
};

// Stops with version_malformed at the first byte that no version has there.
inline bool read_version(Reader& reader, Version& out) noexcept {
  constexpr std::string_view pattern = "HTTP/0.0";
  for (const char expected : pattern) {
    if (reader.at == reader.end) return reader.out_of_bytes();
    const char c = *reader.at;
    if (expected == '0' ? !http::is_digit(c) : c != expected) {
      return reader.refuse_here(http::Refusal::version_malformed, http::Refusal::version_malformed);
    }
    ++reader.at;
  }
  out = {.major = reader.at[-3], .minor = reader.at[-1]};
  return true;
}

}  // namespace weir::http1
