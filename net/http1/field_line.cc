#include "net/http1/field_line.h"

#include "net/http1/scan.h"

namespace weir::http1 {
namespace {

using http::Refusal;

// The line has no colon where its name ends, or no name.
FieldLine read_line_without_name(Reader& reader, const char* name_end) noexcept {
  const bool has_name = name_end != reader.at;
  reader.at = name_end;
  if (reader.at == reader.end) {
    reader.out_of_bytes();
  } else if (has_name) {
    reader.refuse_here(Refusal::field_without_colon, Refusal::field_name_malformed);
  } else if (http::is_blank(*reader.at)) {
    reader.refuse(Refusal::line_folded);
  } else if (reader.take_line_end(*reader.at == ':' ? Refusal::field_name_empty : Refusal::field_name_malformed)) {
    return FieldLine::end;
  }
  return FieldLine::stopped;
}

}  // namespace

FieldLine read_field_line(Reader& reader, http::Field& out) noexcept {
  const char* const name = reader.at;
  const char* const colon = end_of_token(name, reader.end);
  if (colon == reader.end || *colon != ':' || colon == name) return read_line_without_name(reader, colon);

  const char* value = colon + 1;
  while (value != reader.end && http::is_blank(*value)) ++value;
  reader.at = end_of_value(value, reader.end);
  const char* value_end = reader.at;
  if (!reader.take_line_end(Refusal::field_value_malformed)) return FieldLine::stopped;
  while (value_end != value && http::is_blank(value_end[-1])) --value_end;

  out.name = {name, static_cast<size_t>(colon - name)};
  out.value = {value, static_cast<size_t>(value_end - value)};
  out.id = http::field_id_of(out.name);
  out.hop = http::is_hop_by_hop(out.id);
  return FieldLine::field;
}

}  // namespace weir::http1
