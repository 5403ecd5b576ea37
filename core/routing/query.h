// Parameters of a query, `name=value` between ampersands, decoded as forms encode them: %41 is an A and + a blank. A
// percent sign without two hexadecimal digits stands for itself; a parameter without = has an empty value. Pure
// functions without allocation, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace weir::routing {

// Of a decoded name or value. More is cut off, so that what a client sends costs no more than this on the stack.
inline constexpr size_t parameter_bytes_max = 1024;

struct DecodedText {
  std::string_view text;  // in `room`, or of `raw` where nothing was encoded
  bool whole = true;      // nothing was cut off
};

DecodedText decode_parameter(std::string_view raw, std::span<char> room) noexcept;

// Takes the first parameter off `query`.
struct RawParameter {
  std::string_view name;
  std::string_view value;
};
RawParameter take_parameter(std::string_view& query) noexcept;

// Calls visit(value) with the decoded value of each parameter of that name, until it returns true. Whether it did.
template <class Visit>
bool any_parameter(std::string_view query, std::string_view name, Visit&& visit) noexcept {
  std::array<char, parameter_bytes_max> room;  // one after the other for both: a name is done with before its value
  while (!query.empty()) {
    const RawParameter raw = take_parameter(query);
    const DecodedText decoded_name = decode_parameter(raw.name, room);
    if (!decoded_name.whole || decoded_name.text != name) continue;
    if (visit(decode_parameter(raw.value, room))) return true;
  }
  return false;
}

}  // namespace weir::routing
