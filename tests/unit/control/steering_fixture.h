// Steering and the watches as the control loop has them, over the ring of ProbingTest, with a clock that the test
// moves: for the tests of what changes shares between reloads. Alerts are collected.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control/publisher.h"
#include "control/watches.h"
#include "tests/unit/health/probing.h"

namespace weir {

class SteeringTest : public ProbingTest {
 protected:
  void SetUp() override {
    ProbingTest::SetUp();
    log_file_ = Fd{::memfd_create("log", MFD_CLOEXEC)};
    log_ = std::make_unique<Log>(LogLevel::debug, LogFormat::text, log_file_.get());
    watches = std::make_unique<Watches>(
        publisher, process, 1000, context(), *log_, [this](Alert alert) { alerts.push_back(std::move(alert)); },
        [this] { ++published_count; });
    steering = &watches->steering();
  }
  void TearDown() override {
    watches->stop();
    EXPECT_TRUE(turn_until([&] { return watches->stopped(); }));
    watches.reset();
    log_file_.reset();
    ProbingTest::TearDown();
  }

  // An upstream `app` with endpoints "a", "b" and so on, of weight 10, at 127.0.0.1 and up.
  static config::UpstreamConfig upstream_of(size_t endpoints, std::string name = "app") {
    config::UpstreamConfig upstream;
    upstream.name = std::move(name);
    for (size_t i = 0; i < endpoints; ++i) {
      config::EndpointConfig endpoint;
      endpoint.name = std::string(1, static_cast<char>('a' + i));
      endpoint.address = address_of("127.0.0." + std::to_string(i + 1) + ":80");
      endpoint.weight = 10;
      upstream.endpoints.push_back(std::move(endpoint));
    }
    return upstream;
  }
  static config::Config config_of(config::UpstreamConfig upstream) {
    config::Config config;
    config.upstreams.push_back(std::move(upstream));
    return config;
  }
  // As a start and a reload do.
  void publish(const config::Config& config) {
    ASSERT_EQ(watches->prepare(config), "");
    ASSERT_EQ(publisher.publish(config, {100}, clock.time), "");
    watches->follow(config);
    publisher.reclaim();
  }

  const Upstream& upstream(size_t index = 0) const { return *publisher.current().upstreams[index]; }
  const Endpoint& endpoint(const char* name) const {
    const Endpoint* found = steering->find({"app", name});
    EXPECT_NE(found, nullptr) << name;
    return *found;
  }
  const Standing& standing(const char* name) const { return endpoint(name).state->standing; }
  uint32_t share(size_t index) const { return upstream().shares.each[index]; }
  uint64_t generation() const { return publisher.current().generation; }

  // The lines since it was asked last, without time and level: "balance: weight set endpoint=a".
  std::vector<std::string> log_lines() {
    std::string text;
    std::array<char, 4096> piece{};
    for (ssize_t size = 0; (size = ::pread(log_file_.get(), piece.data(), piece.size(), log_read_)) > 0;) {
      text.append(piece.data(), static_cast<size_t>(size));
      log_read_ += size;
    }
    std::vector<std::string> lines;
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find('\n', at);
      const std::string line = text.substr(at, end - at);
      const size_t area = std::min({line.find("balance"), line.find("agent"), line.find("health")});
      lines.push_back(area == std::string::npos ? line : line.substr(area));
      at = end + 1;
    }
    return lines;
  }

  // What alerts there were since it was asked last: "endpoint_down app/a: by an operator".
  std::vector<std::string> alerts_told() {
    std::vector<std::string> told;
    for (const Alert& alert : std::exchange(alerts, {})) {
      std::string text{traits_of(alert.kind).name};
      text.append(" ").append(alert.upstream);
      if (!alert.endpoint.empty()) text.append("/").append(alert.endpoint);
      if (!alert.reason.empty()) text.append(": ").append(alert.reason);
      told.push_back(std::move(text));
    }
    return told;
  }
  // What watches have changed is published by now.
  void pass_refresh() { pass(Steering::refresh_gap + step); }

  Published<Snapshot> published{1};
  Publisher publisher{1, published};
  ProcessState process{1};
  std::unique_ptr<Watches> watches;
  Steering* steering = nullptr;
  std::vector<Alert> alerts;
  int published_count = 0;

 private:
  Fd log_file_;
  off_t log_read_ = 0;
  std::unique_ptr<Log> log_;
};

}  // namespace weir
