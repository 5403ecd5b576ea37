#include "net/http/request_id.h"

#include <algorithm>

#include "net/http/text.h"

namespace weir::http {

std::string_view make_request_id(Random& random, std::span<char, request_id_size> out) noexcept {
  constexpr std::string_view digits = "0123456789abcdef";
  constexpr uint32_t digits_of_word = 16;
  uint64_t word = 0;
  for (uint32_t i = 0; i < request_id_size; ++i) {
    if (i % digits_of_word == 0) word = random.next();
    out[i] = digits[word >> 60];
    word <<= 4;
  }
  return {out.data(), out.size()};
}

bool is_acceptable_request_id(std::string_view text) noexcept {
  const auto acceptable = [](char c) {
    return is_alphanumeric(c) || std::string_view{"._:/+=@-"}.find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= request_id_bytes_max && std::all_of(text.begin(), text.end(), acceptable);
}

}  // namespace weir::http
