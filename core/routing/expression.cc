#include "core/routing/expression.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/routing/router.h"

namespace weir::routing {
namespace {

re2::RE2::Options options() {
  re2::RE2::Options result;
  result.set_encoding(re2::RE2::Options::EncodingLatin1);
  result.set_log_errors(false);
  result.set_max_mem(expression_bytes_max);
  return result;
}

}  // namespace

Expression::Expression(const std::string& pattern) : compiled_(pattern, options()) {
  WEIR_ASSERT(compiled_.ok(), compiled_.error_code());
}

bool Expression::found_in(std::string_view text) const noexcept {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled_);
}

std::string check_regex(const std::string& pattern) {
  if (std::any_of(pattern.begin(), pattern.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    return "expressions see bytes and are written in ASCII: write other bytes as \\xHH";
  }
  const re2::RE2 compiled(pattern, options());
  return compiled.ok() ? std::string{} : compiled.error();
}

}  // namespace weir::routing
