#include "net/proxy/request_context.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

#include "net/http/cookie.h"
#include "net/http/forwarded.h"
#include "net/http/request_id.h"
#include "net/http/target.h"
#include "net/proxy/http_worker.h"

namespace weir {
namespace {

// As if it were connected: a proxy that listens in both families writes an IPv4 client in its mapped form.
PeerAddress address_of(std::string_view text) {
  const auto block = Cidr::parse(text);
  if (!block) return {};
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  std::memcpy(&address.sin6_addr, block->bytes.data(), block->bytes.size());
  return PeerAddress::from(reinterpret_cast<const sockaddr*>(&address));
}

}  // namespace

std::string_view write_address(const PeerAddress& address, std::span<char, 64> out) noexcept {
  if (address.family == PeerAddress::Family::ipv4) {
    char* at = out.data();
    for (size_t i = 12; i < 16; ++i) {
      if (i > 12) *at++ = '.';
      at = std::to_chars(at, out.data() + out.size(), static_cast<unsigned>(address.bytes[i])).ptr;
    }
    return {out.data(), static_cast<size_t>(at - out.data())};
  }
  if (address.family != PeerAddress::Family::ipv6) return {};
  if (::inet_ntop(AF_INET6, address.bytes.data(), out.data(), static_cast<socklen_t>(out.size())) == nullptr) return {};
  return {out.data(), std::strlen(out.data())};
}

RequestContext::RequestContext(HttpWorker& http, const ListenerSpec& listener_spec, http::RequestHead& request_head,
                               const PeerAddress& connected_peer) noexcept
    : head(request_head), listener(listener_spec), policy(*listener_spec.http), peer(connected_peer) {
  peer_ip = write_address(peer, peer_text_);
  find_client();
  method = head.method_text;
  host = http.scratch.keep(http::lower_host(head.host, http.scratch.room()).size());
  path = head.path;
  query = head.query;
  client = &from;
  facts.scheme = "http";
  if (trusted) {
    const http::Field* scheme = head.fields.find(http::FieldId::x_forwarded_proto);
    if (scheme != nullptr && http::equals_ignoring_case(scheme->value, "https")) facts.scheme = "https";
  }
  facts.method = head.method_text;
  facts.host = host;
  facts.authority = head.authority;
  facts.path = head.path;
  facts.query = head.query;
  facts.has_query = head.has_query;
  if (policy.forward.request_id) {
    const http::Field* given = trusted ? head.fields.find(http::FieldId::x_request_id) : nullptr;
    if (given != nullptr && http::is_acceptable_request_id(given->value)) {
      facts.request_id = given->value;
    } else {
      const std::span<char> room = http.scratch.room();
      http::make_request_id(http.random, std::span<char, http::request_id_size>{room.data(), http::request_id_size});
      facts.request_id = http.scratch.keep(http::request_id_size);
    }
  }
}

void RequestContext::find_client() noexcept {
  from = peer;
  facts.client_ip = peer_ip;
  trusted = !policy.forward.trusted.empty() && policy.forward.trusted.contains(peer);
  if (!trusted) return;
  const std::string_view found = http::first_untrusted(
      head.fields, [&](std::string_view hop) { return policy.forward.trusted.contains(address_of(hop)); });
  if (found.empty()) return;
  from = address_of(found);
  facts.client_ip = write_address(from, client_text_);
}

bool RequestContext::any_header(std::string_view name, Visitor& visit) const {
  for (const http::Field& field : head.fields) {
    if (http::equals_ignoring_case(field.name, name) && visit(field.value)) return true;
  }
  return false;
}

bool RequestContext::cookie(std::string_view name, std::string_view& value) const {
  for (const http::Field& field : head.fields) {
    if (field.id != http::FieldId::cookie) continue;
    if (const auto found = http::find_cookie(field.value, name)) {
      value = *found;
      return true;
    }
  }
  return false;
}

bool RequestContext::value_of(const KeySource& source, std::string_view& value) const {
  switch (source.kind) {
    case KeySource::Kind::random:
    case KeySource::Kind::client_ip:
    case KeySource::Kind::client_address: return false;
    case KeySource::Kind::path: value = head.path; return true;
    case KeySource::Kind::cookie: return cookie(source.name, value);
    case KeySource::Kind::header: {
      const http::Field* field = head.fields.find(source.name);
      if (field != nullptr) value = field->value;
      return field != nullptr;
    }
    case KeySource::Kind::query: break;
  }
  std::string_view rest = head.query;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view parameter = rest.substr(0, end);
    const size_t equals = std::min(parameter.find('='), parameter.size());
    if (parameter.substr(0, equals) == source.name) {
      value = parameter.substr(std::min(equals + 1, parameter.size()));
      return true;
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

}  // namespace weir
