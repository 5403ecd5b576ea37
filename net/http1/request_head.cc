// parse_request(): the line, the fields, and what the fields must be together.
#include "net/http/authority.h"
#include "net/http1/connection_facts.h"
#include "net/http1/field_line.h"
#include "net/http1/head_parser.h"
#include "net/http1/request_line.h"

namespace weir::http1 {
namespace {

using http::FieldId;
using http::Refusal;

Refusal note_host(http::RequestHead& head, const http::Field& field, bool& has_host) noexcept {
  if (has_host) return Refusal::host_repeated;
  has_host = true;
  http::Authority authority;
  if (!http::parse_authority(field.value, authority)) return Refusal::host_malformed;
  if (!head.authority.empty()) return host_agrees(head, field.value) ? Refusal::none : Refusal::host_disagrees;
  head.authority = field.value;
  head.host = authority.host;
  return Refusal::none;
}

Refusal note_expect(http::RequestHead& head, std::string_view value) noexcept {
  if (!http::equals_ignoring_case(value, "100-continue")) return Refusal::expectation_unknown;
  head.expects_continue = head.minor_version == 1;  // HTTP/1.0 cannot wait for it (RFC 9110 section 10.1.1)
  return Refusal::none;
}

bool read_fields(Reader& reader, uint32_t fields_max, http::RequestHead& head, ConnectionFacts& facts) noexcept {
  bool has_host = false;
  for (;;) {
    http::Field field;
    const FieldLine line = read_field_line(reader, field);
    if (line == FieldLine::stopped) return false;
    if (line == FieldLine::end) break;
    if (head.fields.count() == fields_max) return reader.refuse(Refusal::too_many_fields);
    const Refusal refusal = field.id == FieldId::host     ? note_host(head, field, has_host)
                            : field.id == FieldId::expect ? note_expect(head, field.value)
                                                          : facts.note(field);
    if (refusal != Refusal::none) return reader.refuse(refusal);
    head.fields.add(field);
  }
  return has_host || head.minor_version == 0 || reader.refuse(Refusal::host_missing);
}

}  // namespace

HeadParse parse_request(std::string_view bytes, const HeadLimits& limits, http::RequestHead& out) noexcept {
  WEIR_ASSERT(limits.fields_max <= http::Fields::parsed_max, limits.fields_max);
  Reader reader(bytes, limits.head_bytes_max, Refusal::head_too_large);
  if (!read_request_line(reader, limits.line_bytes_max, out)) return reader.outcome();
  if (!interpret_target(out)) {
    reader.refuse(Refusal::target_malformed);
    return reader.outcome();
  }
  ConnectionFacts facts{.minor_version = out.minor_version};
  out.fields.clear();
  out.expects_continue = false;
  if (!read_fields(reader, limits.fields_max, out, facts)) return reader.outcome();

  if (facts.nominations != 0) mark_nominated(out.fields);
  out.framing = facts.is_chunked   ? http::Framing::chunked
                : facts.has_length ? http::Framing::length
                                   : http::Framing::none;
  out.content_length = facts.length;
  out.keep_alive = facts.goes_on();
  out.upgrade = facts.upgrade() && out.minor_version == 1;
  out.accepts_trailers = facts.accepts_trailers;
  return reader.done();
}

bool may_be_complete(std::string_view bytes, size_t seen, const HeadLimits& limits) noexcept {
  WEIR_ASSERT(seen <= bytes.size());
  if (seen == 0 || bytes.size() >= limits.head_bytes_max) return true;
  if (bytes.find('\n', seen) != std::string_view::npos) return true;
  // The first line may begin behind an empty one.
  const auto was_passed = [&](size_t limit) { return seen <= limit && bytes.size() > limit; };
  return was_passed(limits.line_bytes_max) || was_passed(size_t{limits.line_bytes_max} + 2);
}

}  // namespace weir::http1
