// What origins may send, in answer to a HEAD, a GET, a CONNECT and then only GETs.
#include "tests/fuzz/http1_fuzz.h"

using namespace weir;

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it by this name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto input = http1::fuzz::take_apart(data, size);
  http1::test::ReplayOptions options;
  options.answers = true;
  options.methods = {http::Method::head, http::Method::get, http::Method::connect};
  http1::fuzz::check_cut(input, options);
  static http::AnswerHead head;
  static http::AnswerHead again;
  http1::fuzz::check_writing(input.bytes, head, again, [](std::string_view bytes, http::AnswerHead& out) {
    return http1::parse_answer(bytes, {.head_bytes_max = 30'000}, http::Method::get, out);
  });
  return 0;
}
