#include "net/http/error_answer.h"

#include <array>

#include "core/base/assert.h"
#include "net/http/message.h"
#include "net/http/text.h"

namespace weir::http {
namespace {

// Shares of the room, in bytes as they are written.
constexpr uint32_t sentence_bytes_max = 256;
constexpr uint32_t word_bytes_max = 128;

// Colors are the system's own, so the page is light or dark as everything else is; nothing is fetched.
constexpr std::string_view page_before_title =
    "<!doctype html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<title>";
constexpr std::string_view page_before_heading =
    "</title>\n"
    "<style>\n"
    ":root{color-scheme:light dark}\n"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1.5rem}\n"
    "h1{font-size:1.5rem;font-weight:600}\n"
    "small{opacity:.75;overflow-wrap:anywhere}\n"
    "</style>\n"
    "</head>\n"
    "<body>\n"
    "<h1>";

// Titles and headings stand twice in a page, each text once more.
constexpr uint32_t markup_bytes_max = 256;  // what is not named above
static_assert(page_before_title.size() + page_before_heading.size() + markup_bytes_max + sentence_bytes_max +
                  size_t{4} * word_bytes_max <=
              error_body_bytes_max);

std::string_view escape_of(char c, bool html, std::array<char, 1>& plain) noexcept {
  if (html) {
    switch (c) {
      case '<': return "&lt;";
      case '>': return "&gt;";
      case '&': return "&amp;";
      case '"': return "&quot;";
      case '\'': return "&#39;";
      default: break;
    }
  } else if (c == '"' || c == '\\') {
    return c == '"' ? "\\\"" : "\\\\";
  }
  plain[0] = c >= ' ' && c <= '~' ? c : '?';
  return {plain.data(), plain.size()};
}

void write_escaped(TextWriter& out, bool html, std::string_view text, uint32_t bytes_max) noexcept {
  uint32_t bytes = 0;
  for (const char c : text) {
    std::array<char, 1> plain{};
    const std::string_view escaped = escape_of(c, html, plain);
    bytes += static_cast<uint32_t>(escaped.size());
    if (bytes > bytes_max) return;
    out.text(escaped);
  }
}

struct Texts {
  std::array<char, 3> status;
  std::string_view status_name;
  std::string_view reason_name;
  std::string_view sentence;
  std::string_view request_id;

  std::string_view number() const noexcept { return {status.data(), status.size()}; }
};

void write_json(TextWriter& out, const Texts& texts) noexcept {
  const auto member = [&](std::string_view name, std::string_view text, uint32_t bytes_max) {
    out.text(",\"");
    out.text(name);
    out.text("\":\"");
    write_escaped(out, false, text, bytes_max);
    out.text("\"");
  };
  out.text("{\"status\":");
  out.text(texts.number());
  member("error", texts.status_name, word_bytes_max);
  member("reason", texts.reason_name, word_bytes_max);
  member("message", texts.sentence, sentence_bytes_max);
  member("request_id", texts.request_id, word_bytes_max);
  out.text("}\n");
}

void write_page(TextWriter& out, const Texts& texts) noexcept {
  const auto title = [&] {
    out.text(texts.number());
    out.text(" ");
    write_escaped(out, true, texts.status_name, word_bytes_max);
  };
  out.text(page_before_title);
  title();
  out.text(page_before_heading);
  title();
  out.text("</h1>\n<p>");
  write_escaped(out, true, texts.sentence, sentence_bytes_max);
  out.text("</p>\n<p><small>");
  write_escaped(out, true, texts.reason_name, word_bytes_max);
  if (!texts.request_id.empty()) {
    out.text("<br>Request ");
    write_escaped(out, true, texts.request_id, word_bytes_max);
  }
  out.text("</small></p>\n</body>\n</html>\n");
}

}  // namespace

uint32_t write_error_body(bool html, uint16_t status, std::string_view reason_name, std::string_view sentence,
                          std::string_view request_id, std::span<char> out) noexcept {
  WEIR_ASSERT(out.size() >= error_body_bytes_max, static_cast<long long>(out.size()));
  WEIR_ASSERT(status >= 100 && status <= 999, status);
  const auto digit = [](unsigned value) { return static_cast<char>('0' + value % 10); };
  const std::string_view known = reason_of(status);
  const Texts texts{{digit(status / 100U), digit(status / 10U), digit(status)},
                    known.empty() ? "Error" : known,
                    reason_name,
                    sentence,
                    request_id};
  TextWriter writer{out.first(error_body_bytes_max)};
  if (html) {
    write_page(writer, texts);
  } else {
    write_json(writer, texts);
  }
  WEIR_ASSERT(!writer.overflowed());
  return writer.size();
}

}  // namespace weir::http
