// Templates as an operator writes them, "https://{host}{path}", to the pieces workers fill in, and back. `{{` and `}}`
// are braces; what may stand between single ones is listed in choices.h. Pure functions. Any thread.
//
// What comes out is safe in its place whatever stands in the text: no line end reaches a header, no space a Location.
// What the facts of a request bring along is the business of whoever fills them in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/config/values.h"
#include "core/model/template_text.h"

namespace weir::config {

// Where a template is used: it decides which letters and which facts belong there.
enum class TemplatePlace : uint8_t {
  header,    // the value of a header
  location,  // of a redirect: a URL; no origin was asked, so none can be named
  host,      // a Host: a name or an address, with or without a port
};

Reading<TemplateText> read_template(std::string_view text, TemplatePlace place);
std::string template_to_text(const TemplateText& value);

}  // namespace weir::config
