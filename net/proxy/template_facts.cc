#include "net/proxy/template_facts.h"

#include <algorithm>
#include <cstring>

#include "net/proxy/http_worker.h"

namespace weir {
namespace {

std::string_view fact_of(TemplateFact fact, const TemplateFacts& facts) noexcept {
  switch (fact) {
    case TemplateFact::none:
    case TemplateFact::query: return {};  // not one view: see below
    case TemplateFact::scheme: return facts.scheme;
    case TemplateFact::method: return facts.method;
    case TemplateFact::host: return facts.host;
    case TemplateFact::authority: return facts.authority;
    case TemplateFact::path: return facts.path;
    case TemplateFact::client_ip: return facts.client_ip;
    case TemplateFact::request_id: return facts.request_id;
    case TemplateFact::route: return facts.route;
    case TemplateFact::upstream: return facts.upstream;
    case TemplateFact::endpoint: return facts.endpoint;
  }
  return {};
}

}  // namespace

std::string_view expand(const TemplateText& text, const TemplateFacts& facts, Scratch& scratch) noexcept {
  if (text.literal()) return text.literal_text();
  const std::span<char> room = scratch.room();
  size_t size = 0;
  const auto append = [&](std::string_view piece) {
    const size_t taken = std::min(piece.size(), room.size() - size);
    if (taken > 0) std::memcpy(room.data() + size, piece.data(), taken);  // a null pointer is no source
    size += taken;
  };
  for (const TemplatePiece& piece : text.pieces) {
    if (piece.fact == TemplateFact::none) {
      append(piece.text);
    } else if (piece.fact == TemplateFact::query) {
      if (facts.has_query) append("?");
      append(facts.query);
    } else {
      append(fact_of(piece.fact, facts));
    }
  }
  return scratch.keep(size);
}

}  // namespace weir
