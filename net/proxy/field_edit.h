// Changes to the header section of a message that is passed on: what is for the next hop only goes, what the rules of a
// route say comes and goes. Pure, on Fields; texts of rules are expanded into a Scratch. Any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/model/route.h"
#include "net/http/field.h"
#include "net/proxy/template_facts.h"

namespace weir {

// A field that is marked `hop` is not written.
void remove_field(http::Fields& fields, std::string_view name) noexcept;
// Nothing is added to a section that is full: parsers let none come near that.
void add_field(http::Fields& fields, std::string_view name, std::string_view value,
               http::FieldId id = http::FieldId::other) noexcept;
// Via, for a message that came in HTTP/1.`minor_version` (RFC 9110 section 7.6.3).
void add_via(http::Fields& fields, uint8_t minor_version, std::string_view name, Scratch& scratch) noexcept;
// In the order remove, set, add.
void apply_rules(http::Fields& fields, const std::vector<FieldRule>& rules, const TemplateFacts& facts,
                 Scratch& scratch) noexcept;

}  // namespace weir
