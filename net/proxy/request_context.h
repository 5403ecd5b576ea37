// RequestContext: one request as routes, rules and templates see it: its head, who sent it, and what is believed of
// what it says of itself.
//
// A peer that is not trusted is the client; what it says of others before it counts for nothing. A trusted one is a
// proxy, and its X-Forwarded-For is read from the right to the first address that is not trusted. Views into the head;
// made on the stack, good for the turn.
#pragma once

#include <array>
#include <string_view>

#include "core/model/http_listener.h"
#include "core/model/listener.h"
#include "net/http/message.h"
#include "net/proxy/template_facts.h"

namespace weir {

class HttpWorker;

// Writes "10.0.0.1" or "2001:db8::1"; "" for a peer without an IP address.
std::string_view write_address(const PeerAddress& address, std::span<char, 64> out) noexcept;

class RequestContext final : public RouteFacts {
 public:
  // `head` lives longer, and `http`'s scratch is not cleared before it has gone.
  RequestContext(HttpWorker& http, const ListenerSpec& listener, http::RequestHead& request_head,
                 const PeerAddress& connected_peer) noexcept;
  RequestContext(const RequestContext&) = delete;
  RequestContext& operator=(const RequestContext&) = delete;

  bool any_header(std::string_view name, Visitor& visit) const override;
  bool cookie(std::string_view name, std::string_view& value) const override;
  // What `source` names in this request; false if it is not there. Not for random and client_ip.
  bool value_of(const KeySource& source, std::string_view& value) const;

  http::RequestHead& head;
  const ListenerSpec& listener;
  const HttpListener& policy;
  const PeerAddress& peer;
  bool trusted = false;
  PeerAddress from;  // the client
  std::string_view peer_ip;
  TemplateFacts facts;

 private:
  void find_client() noexcept;

  std::array<char, 64> peer_text_;
  std::array<char, 64> client_text_;
};

}  // namespace weir
