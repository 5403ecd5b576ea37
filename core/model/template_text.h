// TemplateText: text with places for facts of a request, compiled once and filled in by workers:
// "https://{host}{path}" or just "nosniff". An immutable value inside a Snapshot.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// What may stand between braces, a row each in choices of the configuration.
enum class TemplateFact : uint8_t {
  none,        // literal text
  scheme,      // http
  method,      // GET
  host,        // of the request, without the port
  authority,   // with the port, as the client wrote it
  path,        // without the query
  query,       // with the question mark, if there is one
  client_ip,   // as trusted proxies tell it
  request_id,  //
  route,       // its name
  upstream,    // its name; "" where there is none
  endpoint,    // its name; "" before one was chosen
};

struct TemplatePiece {
  TemplateFact fact = TemplateFact::none;
  std::string text;  // with none
};

struct TemplateText {
  std::vector<TemplatePiece> pieces;

  // Nothing in it depends on the request.
  bool literal() const noexcept {
    return pieces.empty() || (pieces.size() == 1 && pieces[0].fact == TemplateFact::none);
  }
  std::string_view literal_text() const noexcept { return pieces.empty() ? std::string_view{} : pieces[0].text; }
};

}  // namespace weir
