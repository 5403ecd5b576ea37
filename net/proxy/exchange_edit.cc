// Exchange: what is changed in the head of an answer on its way to the client.
#include <array>
#include <string>

#include "core/balance/key.h"
#include "net/http/cookie.h"
#include "net/http/text.h"
#include "net/proxy/exchange.h"
#include "net/proxy/field_edit.h"
#include "net/proxy/http_worker.h"
#include "net/proxy/request_context.h"
#include "net/proxy/worker.h"

namespace weir {
namespace {

std::string_view same_site_text(StickyPolicy::SameSite same_site) noexcept {
  switch (same_site) {
    case StickyPolicy::SameSite::unset: return {};
    case StickyPolicy::SameSite::lax: return "; SameSite=Lax";
    case StickyPolicy::SameSite::strict: return "; SameSite=Strict";
    case StickyPolicy::SameSite::none: return "; SameSite=None";
  }
  return {};
}

}  // namespace

void Exchange::edit_answer(http::AnswerHead& head, const Upstream* upstream) {
  if (is_mirror_) return;
  if (upstream != nullptr) stick(head, *upstream);
  const std::string_view id = notes_.text(ExchangeNotes::request_id);
  if (!id.empty() && head.fields.find(http::FieldId::x_request_id) == nullptr) {
    add_field(head.fields, "X-Request-Id", id, http::FieldId::x_request_id);
  }
  const ListenerSpec* listener = http_.worker.snapshot().find(listener_);
  if (listener != nullptr && listener->http != nullptr && !listener->http->forward.via.empty()) {
    add_via(head.fields, head.minor_version, listener->http->forward.via, http_.scratch);
  }
  add_rate_fields(head.fields);
  apply_route_rules(head.fields, upstream);
}

void Exchange::apply_route_rules(http::Fields& fields, const Upstream* upstream) {
  if (rules_ == nullptr) return;
  TemplateFacts facts;
  std::array<char, 64> client;
  facts.scheme = notes_.secure ? "https" : "http";
  facts.method = notes_.text(ExchangeNotes::method);
  facts.authority = notes_.text(ExchangeNotes::authority);
  facts.host = notes_.text(ExchangeNotes::host);
  facts.path = notes_.text(ExchangeNotes::path);
  facts.query = notes_.text(ExchangeNotes::query);
  facts.has_query = notes_.has_query;
  facts.client_ip = write_address(notes_.client, client);
  facts.request_id = notes_.text(ExchangeNotes::request_id);
  facts.route = rules_->name;
  facts.upstream = notes_.text(ExchangeNotes::upstream);
  if (upstream != nullptr) {
    for (const Endpoint& endpoint : upstream->endpoints) {
      if (endpoint.id == endpoint_ && lease_) facts.endpoint = endpoint.name;
    }
  }
  apply_rules(fields, rules_->answer_rules, facts, http_.scratch);
}

// Tells the client, or the table, where this session belongs.
void Exchange::stick(http::AnswerHead& head, const Upstream& upstream) {
  const StickyPolicy& sticky = upstream.http.sticky;
  const Instant now = http_.worker.now();
  switch (sticky.kind) {
    case StickyPolicy::Kind::off: return;
    case StickyPolicy::Kind::client_ip: sticky.table->put(sticky_key_, endpoint_, now, sticky.ttl); return;
    case StickyPolicy::Kind::learned: {
      std::string_view name;
      for (const http::Field& field : head.fields) {
        if (sticky.learn_from.kind == KeySource::Kind::header) {
          if (http::equals_ignoring_case(field.name, sticky.learn_from.name)) name = field.value;
        } else if (field.id == http::FieldId::set_cookie) {
          const auto cookie = http::read_set_cookie(field.value);
          if (cookie && cookie->name == sticky.learn_from.name) name = cookie->value;
        }
      }
      if (!name.empty()) sticky.table->put(key_of(name), endpoint_, now, sticky.ttl);
      if (sticky_key_ != 0) sticky.table->put(sticky_key_, endpoint_, now, sticky.ttl);
      return;
    }
    case StickyPolicy::Kind::cookie: break;
  }
  if (!set_cookie_) return;
  uint32_t index = 0;
  while (index < upstream.endpoints.size() && upstream.endpoints[index].id != endpoint_) ++index;
  if (index >= sticky.tokens.size()) return;  // a reload has removed it
  http::TextWriter cookie{http_.scratch.room()};
  cookie.text(sticky.cookie_name);
  cookie.text("=");
  cookie.text(sticky.tokens[index]);
  cookie.text("; Path=");
  cookie.text(sticky.path);
  if (!sticky.domain.empty()) {
    cookie.text("; Domain=");
    cookie.text(sticky.domain);
  }
  if (sticky.max_age > Duration::zero()) {
    cookie.text("; Max-Age=");
    cookie.text(std::to_string(std::chrono::duration_cast<std::chrono::seconds>(sticky.max_age).count()));
  }
  if (sticky.secure) cookie.text("; Secure");
  if (sticky.http_only) cookie.text("; HttpOnly");
  cookie.text(same_site_text(sticky.same_site));
  add_field(head.fields, "Set-Cookie", http_.scratch.keep(cookie.size()), http::FieldId::set_cookie);
  if (sticky.no_cache) add_field(head.fields, "Cache-Control", "private");
}

}  // namespace weir
