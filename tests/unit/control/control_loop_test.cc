// The control loop as main has it, with real time and a real ring, but for its workers: the test is the one that
// leaves.
#include "control/control_loop.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/unit/net/io/loopback.h"

namespace weir {
namespace {

class ControlLoopTest : public testing::Test {
 protected:
  // An upstream whose one origin is connected to and says nothing, with everything that can watch it.
  config::Config watching(const Fd& origin) const {
    config::UpstreamConfig upstream;
    upstream.name = "app";
    config::EndpointConfig endpoint;
    endpoint.name = "a";
    endpoint.address = bound_to(origin);
    upstream.endpoints.push_back(std::move(endpoint));
    upstream.health.emplace();
    upstream.health->interval = std::chrono::milliseconds{50};
    upstream.health->timeout = std::chrono::seconds{60};
    upstream.health->tcp.expect = "never said";
    upstream.outliers.emplace();
    upstream.breaker.emplace();
    upstream.concurrency.emplace();
    upstream.health_score.emplace();
    upstream.degraded = config::DegradedConfig{.error_rate = 5};
    config::Config config;
    config.upstreams.push_back(std::move(upstream));
    config::ListenerConfig listener;
    listener.name = "web";
    listener.address = address_of("unix:" + (folder_ / "web"));
    listener.upstream = "app";
    config.listeners.push_back(std::move(listener));
    config.shedding.memory = 1;
    config::AlertConfig alert;
    alert.name = "log";
    alert.log = true;
    config.alerts.push_back(std::move(alert));
    config.log.level = LogLevel::error;
    return config;
  }
  std::unique_ptr<ControlLoop> loop_of(config::Config config) {
    Machine machine;
    machine.descriptors_max = 1000;
    Layout layout;
    layout.worker_cpus = {-1};
    layout.connections_max = 100;
    return std::make_unique<ControlLoop>(std::move(config), machine, layout, "test", nullptr, process_, published_,
                                         letters_, clock_);
  }
  void SetUp() override {
    letters_.push_back(std::make_unique<ControlLoop::Letters>());
    auto opened = listen_on("127.0.0.1:0");
    ASSERT_TRUE(opened.ok());
    origin_ = std::move(*opened);
  }

  const Folder folder_;
  Fd origin_;  // listens
  ProcessState process_{1};
  Published<Snapshot> published_{1};
  std::vector<std::unique_ptr<ControlLoop::Letters>> letters_;
  const SystemClock clock_{};
};

TEST_F(ControlLoopTest, ProbesAndComesToRestInTheMiddleOfARound) {
  const auto loop = loop_of(watching(origin_));
  process_.running.store(1);
  ASSERT_EQ(loop->start(), "");
  EXPECT_GT(process_.memory_bytes.load(std::memory_order_relaxed), 0U);
  std::thread worker{[&] {
    EXPECT_TRUE(becomes(origin_.get(), POLLIN)) << "nobody asks";
    process_.running.store(0);
    const uint64_t one = 1;
    EXPECT_EQ(::write(process_.left.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  }};
  loop->run();
  worker.join();
}

TEST_F(ControlLoopTest, WhatWatchesNeedIsMissedBeforeAnythingIsPublished) {
  config::Config config = watching(origin_);
  config.upstreams[0].health->probe = config::ProbeKind::http;
  config.upstreams[0].health->http.tls = true;
  config.upstreams[0].health->http.ca = "/nowhere/ca.pem";
  const auto loop = loop_of(std::move(config));
  const std::string problem = loop->start();
  EXPECT_NE(problem.find("/nowhere/ca.pem"), std::string::npos) << problem;
  EXPECT_EQ(published_.current(), nullptr);
}

}  // namespace
}  // namespace weir
