// A whole worker that runs on a thread of its own, with one listener in HTTP mode and one upstream, as a Snapshot made
// by hand; and origins and clients of it, played by the test over loopback.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/balance/reshare.h"
#include "core/model/registry.h"
#include "net/proxy/worker.h"
#include "tests/unit/net/io/loopback.h"

namespace weir {

// Reads what comes until `end` is in it, the peer ends, or ten seconds have passed.
inline std::string receive_until(const Fd& fd, std::string_view end) {
  std::string text;
  while (text.find(end) == std::string::npos && becomes(fd.get(), POLLIN)) {
    const std::string more = receive_now(fd);
    if (more.empty()) break;
    text += more;
  }
  return text;
}

inline bool has_ended(const Fd& fd) {
  return becomes(fd.get(), POLLIN) && receive_now(fd).empty();
}

class HttpWorld {
 public:
  explicit HttpWorld(size_t origin_count = 1) {
    for (size_t i = 0; i < origin_count; ++i) {
      auto origin = listen_on("127.0.0.1:0");
      origins.push_back(std::move(*origin));
    }
    auto listening = listen_on("127.0.0.1:0");
    auto made = std::make_shared<ListenSockets>();
    made->bound = bound_to(*listening);
    made->fds.push_back(std::move(*listening));
    sockets_ = std::move(made);
    http.idle_timeout = std::chrono::seconds{60};
  }
  HttpWorld(const HttpWorld&) = delete;
  HttpWorld& operator=(const HttpWorld&) = delete;
  ~HttpWorld() {
    if (thread_.joinable()) leave();
  }

  // Makes what is said below true from now on.
  void publish() {
    published_.publish(snapshot());
    letters_.send({ControlMessage::Kind::look, {}});
  }
  void run() {
    published_.publish(snapshot());
    thread_ = std::thread{[this] {
      ASSERT_TRUE(worker_.start().ok());
      worker_.run();
    }};
  }
  void drain() { letters_.send({ControlMessage::Kind::drain, now_on_loopback() + std::chrono::seconds{5}}); }
  // Waits until it has left by itself.
  void join() { thread_.join(); }
  void leave() {
    letters_.send({ControlMessage::Kind::stop, {}});
    join();
  }

  Fd client() {
    Fd fd = stream_for(sockets_->bound);
    EXPECT_EQ(connect_to(fd, sockets_->bound), 0);
    return fd;
  }
  // A connection of weir's to the origin.
  Fd accept(size_t origin = 0) {
    EXPECT_TRUE(becomes(origins[origin].get(), POLLIN)) << "nobody connects";
    return Fd{accept_now(origins[origin].get())};
  }
  bool is_asked(size_t origin = 0) { return becomes(origins[origin].get(), POLLIN, 100); }

  const WorkerState& figures() const { return *process_.workers[0]; }
  uint32_t open_to_origins() const { return figures().origin_connections.load(std::memory_order_relaxed); }
  uint32_t idle_to_origins() const { return figures().origin_connections_idle.load(std::memory_order_relaxed); }
  uint64_t reused() const { return figures().counters.origin_reused.read(); }
  uint64_t idle_closed() const { return figures().counters.origin_idle_closed.read(); }

  // Figures are written once per turn: waits until `question` is true of them.
  template <class Question>
  testing::AssertionResult eventually(Question&& question) {
    const Instant end = now_on_loopback() + std::chrono::seconds{10};
    while (!question()) {
      if (now_on_loopback() >= end) return testing::AssertionFailure() << "still not so after ten seconds";
      letters_.send({ControlMessage::Kind::look, {}});  // so that there is a turn
      std::this_thread::yield();
    }
    return testing::AssertionSuccess();
  }

  std::vector<Fd> origins;
  PoolPolicy http;            // of the upstream
  bool names_origins = true;  // the Snapshot does

 private:
  std::unique_ptr<const Snapshot> snapshot() {
    auto made = std::make_unique<Snapshot>();
    made->generation = made->configured = ++generation_;
    made->connections_max = made->connections_per_worker_max = 64;

    auto shared = std::make_shared<Upstream>();
    Upstream& upstream = *shared;
    upstream.id = registry_.upstream_id("app");
    upstream.name = "app";
    upstream.algorithm = "round_robin";
    upstream.connect_timeout = std::chrono::seconds{5};
    upstream.http.pool = http;
    upstream.http.first_byte_timeout = upstream.http.body_timeout = std::chrono::seconds{5};
    for (size_t i = 0; names_origins && i < origins.size(); ++i) {
      const SocketAddress address = bound_to(origins[i]);
      const std::string name = "o" + std::to_string(i);
      const auto place = registry_.endpoint("app", name, address.to_string());
      upstream.endpoints.push_back({.id = place.id, .name = name, .address = address, .state = &place.state});
    }
    upstream.version = generation_;
    upstream.state = &registry_.upstream_state(upstream.id);
    reshare(upstream, clock_.now());
    made->upstream_by_id.assign(registry_.upstream_count(), 0);
    made->upstreams.push_back(std::move(shared));

    auto route = std::make_shared<Route>();
    route->split.push_back({made->upstreams[0]->id, 1});
    auto policy = std::make_shared<HttpListener>();
    policy->otherwise = std::move(route);
    policy->header_timeout = policy->body_timeout = policy->keep_alive_timeout = policy->half_close_timeout =
        std::chrono::seconds{10};
    ListenerSpec listener;
    listener.id = registry_.listener_id("web");
    listener.name = "web";
    listener.address = sockets_->bound;
    listener.upstream = made->upstreams[0]->id;
    listener.http = std::move(policy);
    listener.sockets = sockets_;
    listener.state = &registry_.listener_state(listener.id);
    made->listeners.push_back(std::move(listener));
    return made;
  }

  SystemClock clock_;
  Registry registry_{1, "secret"};
  ProcessState process_{1};
  Published<Snapshot> published_{1};
  Worker::Letters letters_;
  std::shared_ptr<const ListenSockets> sockets_;
  Worker worker_{WorkerOptions{.sessions_max = 64}, process_, published_, letters_, clock_};
  std::thread thread_;
  uint64_t generation_ = 0;
};

}  // namespace weir
