#include "net/proxy/field_edit.h"

#include "net/proxy/http_worker.h"

namespace weir {

void remove_field(http::Fields& fields, std::string_view name) noexcept {
  for (http::Field& field : fields) {
    if (http::equals_ignoring_case(field.name, name)) field.hop = true;
  }
}

void add_field(http::Fields& fields, std::string_view name, std::string_view value, http::FieldId id) noexcept {
  if (!fields.full()) fields.add({name, value, id, false});
}

void add_via(http::Fields& fields, uint8_t minor_version, std::string_view name, Scratch& scratch) noexcept {
  add_field(fields, "Via", scratch.join(minor_version == 0 ? "1.0 " : "1.1 ", name), http::FieldId::via);
}

void apply_rules(http::Fields& fields, const std::vector<FieldRule>& rules, const TemplateFacts& facts,
                 Scratch& scratch) noexcept {
  using Kind = FieldRule::Kind;
  for (const FieldRule& rule : rules) {
    if (rule.kind == Kind::remove || rule.kind == Kind::set) remove_field(fields, rule.name);
  }
  for (const Kind kind : {Kind::set, Kind::add}) {
    for (const FieldRule& rule : rules) {
      if (rule.kind == kind) add_field(fields, rule.name, expand(rule.value, facts, scratch));
    }
  }
}

}  // namespace weir
