#include "net/http1/connection_facts.h"

#include "net/http/characters.h"

namespace weir::http1 {
namespace {

using http::equals_ignoring_case;
using http::FieldId;
using http::Refusal;

Refusal note_length(ConnectionFacts& facts, std::string_view value) noexcept {
  if (facts.has_length) return Refusal::length_repeated;
  if (facts.is_chunked) return Refusal::length_with_chunks;
  if (value.empty()) return Refusal::length_malformed;
  uint64_t length = 0;
  bool too_large = false;
  for (const char c : value) {
    if (!http::is_digit(c)) return c == ',' ? Refusal::length_repeated : Refusal::length_malformed;
    const auto digit = static_cast<uint64_t>(c - '0');
    // What is too large goes on being looked at: that it is no number at all would be the better reason.
    too_large = too_large || length > (INT64_MAX - digit) / 10;
    if (!too_large) length = length * 10 + digit;
  }
  if (too_large) return Refusal::length_too_large;
  facts.has_length = true;
  facts.length = length;
  return Refusal::none;
}

// Not just `chunked`: which mistake is it? Whether other codings could be taken off is beside the point; where the body
// ends is known only if `chunked` was put on last, and once (RFC 9112 section 6.3).
Refusal judge_codings(std::string_view value) noexcept {
  uint32_t chunked_count = 0;
  bool chunked_is_last = false;
  bool goes_on = true;
  while (goes_on) {
    goes_on = value.find(',') != std::string_view::npos;
    const std::string_view coding = http::take_element(value);
    if (!http::is_all(coding, http::token_character)) return Refusal::transfer_encoding_malformed;
    chunked_is_last = equals_ignoring_case(coding, "chunked");
    if (chunked_is_last) ++chunked_count;
  }
  return chunked_is_last && chunked_count == 1 ? Refusal::transfer_encoding_unknown
                                               : Refusal::transfer_encoding_malformed;
}

Refusal note_transfer_encoding(ConnectionFacts& facts, std::string_view value) noexcept {
  if (facts.minor_version == 0) return Refusal::transfer_encoding_in_1_0;
  if (facts.has_length) return Refusal::length_with_chunks;
  if (facts.is_chunked) return Refusal::transfer_encoding_malformed;
  if (!equals_ignoring_case(value, "chunked")) return judge_codings(value);
  facts.is_chunked = true;
  return Refusal::none;
}

Refusal note_connection(ConnectionFacts& facts, std::string_view value) noexcept {
  while (!value.empty()) {
    const std::string_view option = http::take_element(value);
    if (option.empty()) continue;  // a recipient must allow that (RFC 9110 section 5.6.1)
    if (!http::is_all(option, http::token_character)) return Refusal::field_value_malformed;
    if (equals_ignoring_case(option, "close")) {
      facts.close = true;
    } else if (equals_ignoring_case(option, "keep-alive")) {
      facts.keep_alive = true;
    } else if (equals_ignoring_case(option, "upgrade")) {
      facts.upgrade_named = true;
    } else if (++facts.nominations > ConnectionFacts::nominations_max) {
      return Refusal::field_value_malformed;
    }
  }
  return Refusal::none;
}

bool names_trailers(std::string_view te) noexcept {
  while (!te.empty()) {
    if (equals_ignoring_case(http::take_element(te), "trailers")) return true;
  }
  return false;
}

// fields.def says why none of the known ones may be. The rest of the x-forwarded family is known by its beginning.
bool may_be_nominated(const http::Field& field) noexcept {
  constexpr std::string_view family = "x-forwarded-";
  return field.id == FieldId::other && !equals_ignoring_case(field.name.substr(0, family.size()), family);
}

}  // namespace

Refusal ConnectionFacts::note(const http::Field& field) noexcept {
  switch (field.id) {
    case FieldId::content_length: return note_length(*this, field.value);
    case FieldId::transfer_encoding: return note_transfer_encoding(*this, field.value);
    case FieldId::connection: return note_connection(*this, field.value);
    case FieldId::upgrade: has_upgrade = has_upgrade || !field.value.empty(); break;
    case FieldId::te: accepts_trailers = accepts_trailers || names_trailers(field.value); break;
    default: break;
  }
  return Refusal::none;
}

void mark_nominated(http::Fields& fields) noexcept {
  for (const http::Field& connection : fields) {
    if (connection.id != FieldId::connection) continue;
    std::string_view options = connection.value;
    while (!options.empty()) {
      const std::string_view option = http::take_element(options);
      if (option.empty()) continue;
      for (http::Field& field : fields) {
        if (may_be_nominated(field) && equals_ignoring_case(field.name, option)) field.hop = true;
      }
    }
  }
}

}  // namespace weir::http1
