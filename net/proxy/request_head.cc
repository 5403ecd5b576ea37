#include "net/proxy/request_head.h"

#include <charconv>

#include "net/http/cookie.h"
#include "net/http/forwarded.h"
#include "net/http/text.h"
#include "net/http1/head_writer.h"
#include "net/proxy/field_edit.h"
#include "net/proxy/http_worker.h"

namespace weir {
namespace {

using http::Field;
using http::FieldId;

// The values of all fields of that name, and `last`, as one list.
std::string_view joined(const http::Fields& fields, FieldId id, std::string_view last, Scratch& scratch) {
  http::TextWriter list{scratch.room()};
  for (const Field& field : fields) {
    if (field.id != id || field.value.empty()) continue;
    list.text(field.value);
    list.text(", ");
  }
  list.text(last);
  return scratch.keep(list.size());
}

class Builder {
 public:
  Builder(HttpWorker& http, RequestContext& context, const Route& route, const StickyPolicy& sticky)
      : http_(http), context_(context), route_(route), sticky_(sticky), out_(http.fields) {}

  void build() {
    out_.clear();
    add_host();
    pass_on_fields();
    tell_of_client();
    if (!context_.policy.forward.via.empty()) {
      add_via(out_, context_.head.minor_version, context_.policy.forward.via, http_.scratch);
    }
    apply_rules(out_, route_.request_rules, context_.facts, http_.scratch);
  }

 private:
  void add_host() {
    if (route_.host_rewrite != nullptr) {
      return add_field(out_, "Host", expand(*route_.host_rewrite, context_.facts, http_.scratch), FieldId::host);
    }
    if (!context_.head.authority.empty()) return add_field(out_, "Host", context_.head.authority, FieldId::host);
    // Only HTTP/1.0 may leave it out, and we speak 1.1 to origins: the client has asked for whoever it connected to.
    const SocketAddress& own = context_.listener.sockets->bound;
    const std::string name = own.is_unix() ? "localhost" : own.to_string();
    add_field(out_, "Host", http_.scratch.copy(name), FieldId::host);
  }

  void pass_on_fields() {
    const ForwardPolicy& forward = context_.policy.forward;
    for (const Field& field : context_.head.fields) {
      if (field.hop) continue;
      switch (field.id) {
        case FieldId::host:
        case FieldId::content_length: continue;  // written anew
        case FieldId::expect:
          if (context_.head.expects_continue) out_.add(field);
          continue;
        case FieldId::cookie: pass_on_cookie(field); continue;
        case FieldId::max_forwards: pass_on_max_forwards(field); continue;
        case FieldId::x_forwarded_for:
          if (context_.trusted && (!forward.x_forwarded_for || context_.peer_ip.empty())) out_.add(field);
          continue;
        case FieldId::x_forwarded_proto:
          if (context_.trusted) out_.add(field);
          continue;
        case FieldId::x_forwarded_host:
          if (context_.trusted) out_.add(field);
          continue;
        case FieldId::forwarded:
          if (context_.trusted && !forward.forwarded) out_.add(field);
          continue;
        case FieldId::x_request_id:
        case FieldId::x_real_ip:
          if (context_.trusted && !(field.id == FieldId::x_real_ip ? forward.x_real_ip : forward.request_id)) {
            out_.add(field);
          }
          continue;
        default: break;
      }
      // Under any spelling that an origin could take for one of the names above.
      if (!context_.trusted && http::is_forwarding_name(field.name)) continue;
      out_.add(field);
    }
  }

  void pass_on_cookie(Field field) {
    if (sticky_.kind == StickyPolicy::Kind::cookie && sticky_.indirect) {
      const std::span<char> room = http_.scratch.room();
      field.value = http_.scratch.keep(http::remove_cookie(field.value, sticky_.cookie_name, room));
      if (field.value.empty()) return;
    }
    out_.add(field);
  }

  // RFC 9110 section 7.6.2; a malformed one is passed on as it is.
  void pass_on_max_forwards(Field field) {
    uint32_t left = 0;
    const auto [end, error] = std::from_chars(field.value.data(), field.value.data() + field.value.size(), left);
    const bool counts = context_.head.method == http::Method::options || context_.head.method == http::Method::trace;
    if (counts && error == std::errc{} && end == field.value.data() + field.value.size() && left > 0) {
      const std::span<char> room = http_.scratch.room();
      const auto written = std::to_chars(room.data(), room.data() + room.size(), left - 1);
      field.value = http_.scratch.keep(static_cast<size_t>(written.ptr - room.data()));
    }
    out_.add(field);
  }

  void tell_of_client() {
    const ForwardPolicy& forward = context_.policy.forward;
    Scratch& scratch = http_.scratch;
    const http::Fields& given = context_.head.fields;
    if (forward.x_forwarded_for && !context_.peer_ip.empty()) {
      const bool continued = context_.trusted && given.find(FieldId::x_forwarded_for) != nullptr;
      add_field(out_, "X-Forwarded-For",
                continued ? joined(given, FieldId::x_forwarded_for, context_.peer_ip, scratch) : context_.peer_ip);
    }
    if (forward.x_forwarded_proto && !(context_.trusted && given.find(FieldId::x_forwarded_proto) != nullptr)) {
      add_field(out_, "X-Forwarded-Proto", context_.facts.scheme);
    }
    const bool has_host = !context_.head.authority.empty();
    if (forward.x_forwarded_host && has_host &&
        !(context_.trusted && given.find(FieldId::x_forwarded_host) != nullptr)) {
      add_field(out_, "X-Forwarded-Host", context_.head.authority);
    }
    if (forward.x_real_ip && !context_.facts.client_ip.empty()) {
      add_field(out_, "X-Real-IP", context_.facts.client_ip);
    }
    if (forward.forwarded) {
      const http::ForwardedElement element{context_.peer_ip, context_.facts.scheme, context_.head.authority};
      const std::string_view own = scratch.keep(http::write_forwarded(element, scratch.room()));
      const bool continued = context_.trusted && given.find(FieldId::forwarded) != nullptr;
      add_field(out_, "Forwarded", continued ? joined(given, FieldId::forwarded, own, scratch) : own);
    }
    if (forward.request_id) add_field(out_, "X-Request-Id", context_.facts.request_id);
  }

  HttpWorker& http_;
  RequestContext& context_;
  const Route& route_;
  const StickyPolicy& sticky_;
  http::Fields& out_;
};

// The target in origin-form (or what the method wants), rewritten if the route says so. "" when it became too long.
std::string_view target_of(HttpWorker& http, const RequestContext& context, const Route& route) {
  const http::RequestHead& head = context.head;
  if (head.form == http::TargetForm::authority || head.form == http::TargetForm::asterisk) return head.target;
  if (route.path_rewriter == nullptr && head.form == http::TargetForm::origin) return head.target;
  const std::span<char> room = http.scratch.room();
  size_t size = head.path.size();
  if (route.path_rewriter != nullptr) {
    size = route.path_rewriter->rewrite(head.path, room.data(), room.size());
  } else {
    std::memcpy(room.data(), head.path.data(), size);
  }
  if (size + 1 + head.query.size() > room.size()) return {};
  if (head.has_query) {
    room[size++] = '?';
    std::memcpy(room.data() + size, head.query.data(), head.query.size());
    size += head.query.size();
  }
  return http.scratch.keep(size);
}

// What of Upgrade goes on: everything but h2c, which would make the origin speak what weir does not.
std::string_view upgrade_of(HttpWorker& http, const http::RequestHead& head) {
  http::TextWriter list{http.scratch.room()};
  for (const Field& field : head.fields) {
    if (field.id != FieldId::upgrade) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const std::string_view name = http::take_element(rest);
      if (name.empty() || http::equals_ignoring_case(name, "h2c")) continue;
      if (list.size() > 0) list.text(", ");
      list.text(name);
    }
  }
  return http.scratch.keep(list.size());
}

}  // namespace

uint32_t write_request_head(HttpWorker& http, RequestContext& context, const Route& route, const StickyPolicy& sticky,
                            std::span<std::byte> out) {
  const std::string_view target = target_of(http, context, route);
  if (target.empty()) return 0;
  Builder{http, context, route, sticky}.build();
  http1::HeadWriter writer{out};
  writer.request_line(context.head.method_text, target);
  for (const Field& field : http.fields) {
    if (!field.hop) writer.field(field.name, field.value);
  }
  if (context.head.framing == http::Framing::length) {
    writer.field("Content-Length", context.head.content_length);
  } else if (context.head.framing == http::Framing::chunked) {
    writer.text("Transfer-Encoding: chunked\r\n");
  }
  const std::string_view upgrade = context.head.upgrade ? upgrade_of(http, context.head) : std::string_view{};
  context.head.upgrade = !upgrade.empty();
  if (context.head.upgrade) {
    writer.field("Upgrade", upgrade);
    writer.text(context.head.accepts_trailers ? "Connection: upgrade, te\r\n" : "Connection: upgrade\r\n");
  } else if (context.head.accepts_trailers) {
    writer.text("Connection: te\r\n");
  }
  if (context.head.accepts_trailers) writer.text("TE: trailers\r\n");
  writer.end_of_head();
  return writer.overflowed() ? 0 : writer.size();
}

}  // namespace weir
