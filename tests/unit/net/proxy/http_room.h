// What one worker shares with its HTTP exchanges, without turns: room to parse and build in; and requests as text.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "net/http/request_id.h"
#include "net/http1/head_parser.h"
#include "net/proxy/http_worker.h"
#include "net/proxy/request_context.h"
#include "net/proxy/worker.h"

namespace weir {

inline PeerAddress peer(std::string_view address) {
  const auto block = Cidr::parse(address);
  PeerAddress peer;
  peer.bytes = block->bytes;
  peer.family = address.find(':') == std::string_view::npos ? PeerAddress::Family::ipv4 : PeerAddress::Family::ipv6;
  return peer;
}

inline TemplateText literal(std::string text) {
  return {{{TemplateFact::none, std::move(text)}}};
}

// A worker that never runs, and a listener in HTTP mode.
struct HttpRoom {
  HttpRoom() {
    listener.name = "web";
    listener.http = policy;
    auto sockets = std::make_shared<ListenSockets>();
    sockets->bound = *SocketAddress::parse("192.0.2.80:8080");
    listener.sockets = std::move(sockets);
  }

  // The head of `text`, in worker.request. What is not a request is a mistake of the test.
  void parse(std::string_view text) {
    request_text = text;
    const auto parsed = http1::parse_request(request_text, http1::HeadLimits{}, http.request);
    ASSERT_EQ(parsed.status, http1::HeadParse::Status::done)
        << http::name_of(parsed.refusal) << " in a request of the test:\n"
        << text;
  }
  void trust(std::initializer_list<std::string_view> blocks) {
    for (const std::string_view block : blocks) policy->forward.trusted.blocks.push_back(*Cidr::parse(block));
  }

  SystemClock clock;
  ProcessState process{1};
  Published<Snapshot> published{1};
  Worker::Letters letters;
  Worker worker{WorkerOptions{.sessions_max = 4}, process, published, letters, clock};
  HttpWorker http{worker, 4, 42};
  std::shared_ptr<HttpListener> policy = std::make_shared<HttpListener>();
  ListenerSpec listener;
  std::string request_text;
};

}  // namespace weir
