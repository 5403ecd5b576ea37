// Bodies in chunks and their trailers: a fuzzer that has to invent the head first would seldom get there.
#include <string>

#include "tests/fuzz/http1_fuzz.h"

using namespace weir;

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it by this name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto input = http1::fuzz::take_apart(data, size);
  constexpr std::string_view head = "POST / HTTP/1.1\r\nTransfer-Encoding:chunked\r\nHost:a\r\n\r\n";
  static_assert(head.size() <= 64, "fits the small limits");
  const std::string bytes = std::string{head} + std::string{input.bytes};
  for (size_t& cut : input.cuts) cut += head.size();
  input.bytes = bytes;
  input.limits.line_bytes_max = 100;
  http1::fuzz::check_cut(input, {});
  return 0;
}
