// parse_trailers(): field lines again, of which only some may stand there.
#include "net/http/trailer.h"
#include "net/http1/field_line.h"
#include "net/http1/head_parser.h"

namespace weir::http1 {

using http::Refusal;

HeadParse parse_trailers(std::string_view bytes, const HeadLimits& limits, http::Fields& out) noexcept {
  WEIR_ASSERT(limits.fields_max <= http::Fields::parsed_max, limits.fields_max);
  Reader reader(bytes, limits.head_bytes_max, Refusal::trailer_too_large);
  out.clear();
  for (uint32_t count = 0;; ++count) {
    http::Field field;
    const FieldLine line = read_field_line(reader, field);
    if (line == FieldLine::end) return reader.done();
    if (line == FieldLine::field && count == limits.fields_max) reader.refuse(Refusal::trailer_too_large);
    HeadParse parse = reader.outcome();
    if (parse.status == HeadParse::Status::refused && parse.refusal != Refusal::trailer_too_large) {
      parse.refusal = Refusal::trailer_malformed;
    }
    if (line == FieldLine::stopped || parse.status == HeadParse::Status::refused) return parse;
    if (http::may_be_trailer(field.name, field.id)) out.add(field);
  }
}

}  // namespace weir::http1
