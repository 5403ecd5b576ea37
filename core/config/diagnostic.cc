#include "core/config/diagnostic.h"

#include <algorithm>
#include <tuple>

#include "core/config/unicode.h"

namespace weir::config {
namespace {

constexpr size_t diagnostics_rendered_max = 100;
constexpr size_t quoted_bytes_max = 80;
constexpr size_t tab_stop = 8;

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

// The excerpt as a terminal can show it, and in which of its cells the caret stands. Tabs become spaces; what would
// move or colour the terminal becomes U+FFFD.
struct Drawing {
  std::string text;
  size_t caret = 0;
};

Drawing draw(std::string_view excerpt, uint32_t caret) {
  Drawing drawing;
  size_t cells = 0;
  uint32_t character = 1;
  for (size_t at = 0; at < excerpt.size(); ++character) {
    if (character == caret) drawing.caret = cells;
    const auto point = decode_utf8(excerpt, at);
    const size_t bytes = point ? point->bytes : 1;
    if (point && point->value == '\t') {
      const size_t gap = tab_stop - cells % tab_stop;
      drawing.text.append(gap, ' ');
      cells += gap;
    } else if (point && !is_control(point->value)) {
      drawing.text += excerpt.substr(at, bytes);
      cells += static_cast<size_t>(display_width(point->value));
    } else {
      drawing.text += replacement;
      cells += 1;
    }
    at += bytes;
  }
  if (caret >= character) drawing.caret = cells;
  return drawing;
}

}  // namespace

std::string quoted(std::string_view text) {
  if (text.empty()) return "an empty value";
  std::string result = "`";
  size_t at = 0;
  while (at < text.size() && at < quoted_bytes_max) {
    const auto point = decode_utf8(text, at);
    const size_t bytes = point ? point->bytes : 1;
    if (point && !is_control(point->value)) {
      result += text.substr(at, bytes);
    } else {
      result += point && (point->value == '\n' || point->value == '\t') ? " " : replacement;
    }
    at += bytes;
  }
  if (at < text.size()) result += "...";
  return result += "`";
}

std::string render(const Diagnostic& diagnostic) {
  std::string out = diagnostic.file;
  if (diagnostic.line > 0) out += ":" + std::to_string(diagnostic.line) + ":" + std::to_string(diagnostic.column);
  out += ": error: " + diagnostic.message + "\n";
  if (diagnostic.line > 0) {
    const std::string number = std::to_string(diagnostic.line);
    const Drawing drawing = draw(diagnostic.excerpt, diagnostic.caret);
    out += "  " + number + " |" + (drawing.text.empty() ? "" : " ") + drawing.text + "\n";
    out += "  " + std::string(number.size(), ' ') + " | " + std::string(drawing.caret, ' ') + "^\n";
  }
  if (!diagnostic.fix.empty()) out += "  help: " + diagnostic.fix + "\n";
  return out;
}

std::string render(std::span<const Diagnostic> diagnostics) {
  std::string out;
  const size_t shown = std::min(diagnostics.size(), diagnostics_rendered_max);
  for (size_t i = 0; i < shown; ++i) {
    if (i > 0) out += "\n";
    out += render(diagnostics[i]);
  }
  if (shown < diagnostics.size()) out += "\n... and " + std::to_string(diagnostics.size() - shown) + " more\n";
  return out;
}

void sort_by_place(std::vector<Diagnostic>& diagnostics) {
  std::stable_sort(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.file, a.line, a.column) < std::tie(b.file, b.line, b.column);
  });
  diagnostics.erase(std::unique(diagnostics.begin(), diagnostics.end()), diagnostics.end());
}

}  // namespace weir::config
