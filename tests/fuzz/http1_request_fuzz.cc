// What clients may send: heads, bodies, trailers, and the next request.
#include "tests/fuzz/http1_fuzz.h"

using namespace weir;

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it by this name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto input = http1::fuzz::take_apart(data, size);
  http1::fuzz::check_cut(input, {});
  static http::RequestHead head;
  static http::RequestHead again;
  // Twice the room, because writing puts a space behind each colon.
  http1::fuzz::check_writing(input.bytes, head, again, [](std::string_view bytes, http::RequestHead& out) {
    return http1::parse_request(bytes, {.head_bytes_max = 30'000}, out);
  });
  return 0;
}
