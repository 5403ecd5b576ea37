// parse_answer(): the line, the fields, and whether there is a body (RFC 9112 section 6.3).
#include "net/http/characters.h"
#include "net/http1/connection_facts.h"
#include "net/http1/field_line.h"
#include "net/http1/head_parser.h"
#include "net/http1/scan.h"
#include "net/http1/version.h"

namespace weir::http1 {
namespace {

using http::Framing;
using http::Method;
using http::Refusal;

// SP 3DIGIT.
bool read_status(Reader& line, uint16_t& status) noexcept {
  constexpr std::string_view pattern = " 000";
  uint32_t number = 0;
  for (const char expected : pattern) {
    if (line.at == line.end) return line.out_of_bytes();
    const char c = *line.at;
    if (expected == '0' ? !http::is_digit(c) : c != ' ') {
      return line.refuse_here(Refusal::status_line_malformed, Refusal::status_line_malformed);
    }
    if (expected == '0') number = number * 10 + static_cast<uint32_t>(c - '0');
    ++line.at;
  }
  status = static_cast<uint16_t>(number);
  return true;
}

// SP reason. Some leave the space away when there is no reason.
bool read_reason(Reader& line, std::string_view& reason) noexcept {
  reason = {};
  if (line.at == line.end) return line.out_of_bytes();
  if (*line.at == '\r' || *line.at == '\n') return true;
  if (*line.at != ' ') return line.refuse(Refusal::status_line_malformed);
  const char* const begin = ++line.at;
  line.at = end_of_value(begin, line.end);
  reason = {begin, static_cast<size_t>(line.at - begin)};
  return line.at != line.end || line.out_of_bytes();
}

bool read_status_line(Reader& reader, uint32_t line_bytes_max, http::AnswerHead& out) noexcept {
  Reader line = reader.for_line(line_bytes_max, Refusal::head_too_large);
  Version version;
  if (line.at != line.end && *line.at == '\r') {
    return reader.refuse_here(Refusal::status_line_malformed, Refusal::status_line_malformed);
  }
  if (!read_version(line, version) || !read_status(line, out.status) || !read_reason(line, out.reason)) {
    return reader.refuse(line.outcome().refusal);
  }
  reader.at = line.at;
  if (!reader.take_line_end(Refusal::status_line_malformed)) return false;
  if (!version.supported()) return reader.refuse(Refusal::version_unsupported);
  out.minor_version = static_cast<uint8_t>(version.minor - '0');
  return (out.status >= 100 && out.status < 600) || reader.refuse(Refusal::status_line_malformed);
}

bool read_fields(Reader& reader, uint32_t fields_max, http::Fields& fields, ConnectionFacts& facts) noexcept {
  for (;;) {
    http::Field field;
    const FieldLine line = read_field_line(reader, field);
    if (line != FieldLine::field) return line == FieldLine::end;
    if (fields.count() == fields_max) return reader.refuse(Refusal::too_many_fields);
    const Refusal refusal = facts.note(field);
    if (refusal != Refusal::none) return reader.refuse(refusal);
    fields.add(field);
  }
}

// Answers of which no Content-Length may be passed on, because they never have content nor say how long it would be
// (RFC 9110 section 8.6).
bool has_no_length(const http::AnswerHead& head, Method request) noexcept {
  return head.interim() || head.status == 204 ||
         (request == Method::connect && head.status >= 200 && head.status < 300);
}

}  // namespace

HeadParse parse_answer(std::string_view bytes, const HeadLimits& limits, Method request,
                       http::AnswerHead& out) noexcept {
  WEIR_ASSERT(limits.fields_max <= http::Fields::parsed_max, limits.fields_max);
  Reader reader(bytes, limits.head_bytes_max, Refusal::head_too_large);
  if (!read_status_line(reader, limits.line_bytes_max, out)) return reader.outcome();
  ConnectionFacts facts{.minor_version = out.minor_version};
  out.fields.clear();
  if (!read_fields(reader, limits.fields_max, out.fields, facts)) return reader.outcome();

  if (facts.nominations != 0) mark_nominated(out.fields);
  out.has_content_length = facts.has_length;
  out.content_length = facts.length;
  if (has_no_length(out, request)) {
    out.framing = Framing::none;
    out.has_content_length = false;
    out.content_length = 0;
    for (http::Field& field : out.fields) field.hop = field.hop || field.id == http::FieldId::content_length;
  } else if (request == Method::head || out.status == 304) {
    out.framing = Framing::none;
  } else {
    out.framing = facts.is_chunked ? Framing::chunked : facts.has_length ? Framing::length : Framing::until_close;
  }
  out.keep_alive = facts.goes_on() && out.framing != Framing::until_close;
  out.upgrade = facts.upgrade();
  return reader.done();
}

}  // namespace weir::http1
