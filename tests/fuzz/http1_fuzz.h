// What the fuzzers of HTTP/1 have in common: the input says where it is cut, and whatever the codec makes of the pieces
// it must make of the whole. A fuzzer that finds something aborts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/assert.h"
#include "tests/unit/net/http1/replay.h"

namespace weir::http1::fuzz {

struct Input {
  std::vector<size_t> cuts;
  bool eager = false;
  HeadLimits limits;
  std::string_view bytes;
};

// The first three bytes choose two cuts, whether the parser is asked after every piece, and limits near which small
// inputs get; the rest comes in.
inline Input take_apart(const uint8_t* data, size_t size) {
  Input input;
  if (size < 3) return input;
  input.bytes = {reinterpret_cast<const char*>(data) + 3, size - 3};
  const size_t first = input.bytes.size() * data[0] / 256;
  const size_t second = first + (input.bytes.size() - first) * data[1] / 256;
  input.cuts = {first, second};
  input.eager = (data[2] & 1) != 0;
  if ((data[2] & 2) != 0) input.limits = {.line_bytes_max = 24, .head_bytes_max = 64, .fields_max = 2};
  return input;
}

inline void check_cut(const Input& input, test::ReplayOptions options) {
  options.limits = input.limits;
  const auto whole = test::replay(input.bytes, options);
  options.eager = input.eager;
  WEIR_ASSERT(test::replay(input.bytes, input.cuts, options) == whole);
}

// A head that is accepted is written as one that says the same.
template <class Head, class Parse>
void check_writing(std::string_view bytes, Head& head, Head& again, Parse parse) {
  if (parse(bytes, head).status != HeadParse::Status::done) return;
  const std::string written = test::rewrite(head);
  const HeadParse second = parse(written, again);
  WEIR_ASSERT(second.status == HeadParse::Status::done && second.size == written.size());
  WEIR_ASSERT(test::describe(head) == test::describe(again));
}

}  // namespace weir::http1::fuzz
