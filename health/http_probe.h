// HttpProbe: sends a request, over a connection of its own, and reads as much of the answer as it takes to know whether
// it is the expected one (see HttpCheck); over TLS if the target has a context for it.
//
// The request is written once. What it is made of is clean (the configuration sees to that): a method that is a token,
// a path without blanks, names and values without line ends.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/model/address.h"
#include "health/check_report.h"
#include "health/http_check.h"
#include "health/probe.h"
#include "health/probe_context.h"
#include "health/tcp_conversation.h"
#include "net/tls/client_context.h"

namespace weir {

struct HttpTarget {
  SocketAddress address{};
  std::string method = "HEAD";
  std::string path = "/health";  // with a query, if any
  std::string host{};            // what Host says; may be empty
  // In this order, behind Host. One of them may be User-Agent, in place of ours; Host, Connection and what frames a
  // body must not be among them.
  std::vector<std::pair<std::string, std::string>> headers{};
  HttpExpectation expected{};
  std::shared_ptr<const tls::ClientContext> tls{};  // null: in the clear
  std::string server_name{};  // with TLS: a host name or an IP address; empty only if not verified
  Duration timeout{};         // for a whole round
};

// The request that is sent, all of it.
std::string request_of(const HttpTarget& target);

class HttpProbe final : public Probe, private TcpConversation::Partner {
 public:
  HttpProbe(const ProbeContext& context, HttpTarget target, OnCheck on_check);

 private:
  void ask() override;
  void give_up() override;
  void report() override;
  bool is_enough(std::string_view heard, bool ended) override;
  void conversation_over() override;

  std::string reason() const;

  const HttpTarget target_;
  const std::string request_;
  const OnCheck on_check_;
  HttpCheck check_;
  TcpConversation conversation_;
};

}  // namespace weir
