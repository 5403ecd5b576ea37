#include "net/http/accept.h"

#include <cstdint>
#include <optional>

#include "net/http/characters.h"
#include "net/http/field.h"

namespace weir::http {
namespace {

// How well a type is liked: of the ranges that match it the most precise one counts (RFC 9110 section 12.5.1).
struct Liking {
  enum class Precision : uint8_t { unnamed, any, any_subtype, exact };
  Precision precision = Precision::unnamed;
  uint32_t quality = 0;  // in thousandths

  void learn(Precision seen, uint32_t seen_quality) noexcept {
    if (seen < precision || (seen == precision && seen_quality <= quality)) return;
    precision = seen;
    quality = seen_quality;
  }
};

// Takes from `rest` what stands before the next `delimiter` that is not in a quoted string, and the delimiter.
std::string_view take_until(std::string_view& rest, char delimiter) noexcept {
  bool quoted = false;
  size_t at = 0;
  for (; at < rest.size() && (quoted || rest[at] != delimiter); ++at) {
    if (rest[at] == '"') quoted = !quoted;
    if (rest[at] == '\\' && quoted) ++at;
  }
  at = at < rest.size() ? at : rest.size();
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(at == rest.size() ? at : at + 1);
  return part;
}

// "0.8" as 800: one digit, 0 or 1, and up to three more behind a point (RFC 9110 section 12.4.2).
std::optional<uint32_t> read_quality(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  uint32_t quality = text[0] == '1' ? 1000 : 0;
  uint32_t step = 100;
  for (const char c : text.substr(text.size() > 1 ? 2 : 1)) {
    if (!is_digit(c)) return std::nullopt;
    quality += step * static_cast<uint32_t>(c - '0');
    step /= 10;
  }
  return quality <= 1000 ? std::optional{quality} : std::nullopt;
}

// The `q` among the parameters; 1000 without one. Other parameters say which HTML: weir has one.
std::optional<uint32_t> quality_of(std::string_view parameters) noexcept {
  while (!parameters.empty()) {
    const std::string_view parameter = without_blanks_around(take_until(parameters, ';'));
    if (parameter.starts_with("q=") || parameter.starts_with("Q=")) return read_quality(parameter.substr(2));
  }
  return 1000;
}

void learn(Liking& liking, std::string_view type, std::string_view type_and_subtypes, std::string_view range,
           uint32_t quality) noexcept {
  using Precision = Liking::Precision;
  if (range == "*/*") {
    liking.learn(Precision::any, quality);
  } else if (equals_ignoring_case(range, type_and_subtypes)) {
    liking.learn(Precision::any_subtype, quality);
  } else if (equals_ignoring_case(range, type)) {
    liking.learn(Precision::exact, quality);
  }
}

}  // namespace

bool prefers_html(std::string_view accept) noexcept {
  Liking html;
  Liking json;
  while (!accept.empty()) {
    std::string_view element = take_until(accept, ',');
    const std::string_view range = without_blanks_around(take_until(element, ';'));
    const auto quality = quality_of(element);
    if (!quality) continue;
    learn(html, "text/html", "text/*", range, *quality);
    learn(json, "application/json", "application/*", range, *quality);
  }
  if (html.quality != json.quality) return html.quality > json.quality;
  if (html.quality == 0 || html.precision == Liking::Precision::any) return false;
  return html.precision >= json.precision;
}

}  // namespace weir::http
