// TemplateFacts: what the places of a TemplateText are filled with. Views; good for the turn they were made in.
#pragma once

#include <string_view>

#include "core/model/template_text.h"

namespace weir {

class Scratch;

struct TemplateFacts {
  std::string_view scheme;
  std::string_view method;
  std::string_view host;
  std::string_view authority;
  std::string_view path;
  std::string_view query;  // without the question mark
  bool has_query = false;
  std::string_view client_ip;
  std::string_view request_id;
  std::string_view route;
  std::string_view upstream;
  std::string_view endpoint;
};

// The text with its places filled in, in `scratch` unless it has none. Cut where there is no more room.
std::string_view expand(const TemplateText& text, const TemplateFacts& facts, Scratch& scratch) noexcept;

}  // namespace weir
