#include "core/config/templates.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "core/config/characters.h"
#include "core/config/choices.h"
#include "core/config/suggest.h"

namespace weir::config {
namespace {

constexpr size_t template_bytes_max = 4096;

void append_literal(TemplateText& out, char c) {
  if (out.pieces.empty() || out.pieces.back().fact != TemplateFact::none) out.pieces.emplace_back();
  out.pieces.back().text += c;
}

bool fits(char c, TemplatePlace place) {
  switch (place) {
    case TemplatePlace::header: return !is_control_byte(c) || c == '\t';
    case TemplatePlace::location: return is_visible_ascii(c);
    case TemplatePlace::host: return is_alphanumeric(c) || std::string_view{".-_:[]"}.find(c) != std::string_view::npos;
  }
  return false;
}

Mistake why_not_fitting(std::string_view text, char c, TemplatePlace place) {
  const std::string what = is_control_byte(c) ? "a control character" : quoted({&c, 1});
  switch (place) {
    case TemplatePlace::header: return {what + " cannot stand in a header", "remove it"};
    case TemplatePlace::location:
      return {quoted(text) + " cannot be a location",
              "a URL has neither spaces nor letters beyond ASCII; write them as %20 and the like"};
    case TemplatePlace::host: return {quoted(text) + " cannot be a host", "write a name, with or without a port"};
  }
  return {};
}

// The fact called `name`, in the template `{name}`.
Reading<TemplateFact> read_fact(std::string_view name, TemplatePlace place) {
  const std::string where = "{" + std::string{name} + "}";
  for (const Choice<TemplateFact>& choice : template_fact_choices) {
    if (choice.name != name) continue;
    const bool of_an_origin = choice.value == TemplateFact::upstream || choice.value == TemplateFact::endpoint;
    if (place == TemplatePlace::location && of_an_origin) {
      return Mistake{quoted(where) + " is always empty in a redirect", "no origin is asked before one; remove it",
                     where};
    }
    return choice.value;
  }
  std::vector<std::string_view> known;
  known.reserve(template_fact_choices.size());
  for (const Choice<TemplateFact>& choice : template_fact_choices) known.push_back(choice.name);
  if (name.empty()) return Mistake{"there is nothing between these braces", did_you_mean(name, known), where};
  return Mistake{"nothing is called " + quoted(where) + " in a template",
                 did_you_mean(name, known) + (suggest(name, known) ? "" : "; a plain brace is written twice"), where};
}

}  // namespace

Reading<TemplateText> read_template(std::string_view text, TemplatePlace place) {
  if (text.size() > template_bytes_max) {
    return Mistake{"this text is longer than " + std::to_string(template_bytes_max) + " bytes", "write a shorter one"};
  }
  TemplateText result;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    const std::string_view rest = text.substr(at);
    if (!fits(c, place) && c != '{' && c != '}') return why_not_fitting(text, c, place);
    if (rest.starts_with("{{") || rest.starts_with("}}")) {
      if (!fits(c, place)) return why_not_fitting(text, c, place);
      append_literal(result, c);
      at += 2;
    } else if (c == '{') {
      const size_t end = rest.find('}');
      if (end == std::string_view::npos) {
        return Mistake{"this `{` has no `}`", "write `{{` for a plain brace", std::string{rest}};
      }
      const auto fact = read_fact(rest.substr(1, end - 1), place);
      if (!fact) return fact.error();
      result.pieces.push_back({*fact, ""});
      at += end + 1;
    } else if (c == '}') {
      return Mistake{"this `}` has no `{`", "write `}}` for a plain brace", std::string{rest}};
    } else {
      append_literal(result, c);
      ++at;
    }
  }
  return result;
}

std::string template_to_text(const TemplateText& value) {
  std::string text;
  for (const TemplatePiece& piece : value.pieces) {
    if (piece.fact != TemplateFact::none) {
      text.append("{").append(name_of(piece.fact)).append("}");
      continue;
    }
    for (const char c : piece.text) text.append(c == '{' || c == '}' ? 2 : 1, c);
  }
  return text;
}

}  // namespace weir::config
