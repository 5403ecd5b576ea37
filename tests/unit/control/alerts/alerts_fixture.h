// Alerts as the control loop has them, in true time, with receivers that the test plays.
#pragma once

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "control/alerts/alerts.h"
#include "tests/unit/control/alerts/real_loop.h"

namespace weir {

class AlertsTest : public RealLoopTest {
 protected:
  void SetUp() override {
    HttpClient::prepare_process();
    RealLoopTest::SetUp();
    alerts = std::make_unique<Alerts>(context(), log, "lb1", 1);
  }
  void TearDown() override {
    stop();
    alerts.reset();
    RealLoopTest::TearDown();
  }
  void stop() {
    alerts->stop();
    EXPECT_TRUE(turn_until([&] { return alerts->stopped(); }));
  }

  static config::AlertConfig rule(std::string name = "ops") {
    config::AlertConfig config;
    config.name = std::move(name);
    config.backoff = std::chrono::milliseconds{5};
    config.limit = 1'000'000;
    return config;
  }
  config::AlertConfig hook_rule(std::string name = "ops") const {
    config::AlertConfig config = rule(std::move(name));
    config.webhook = server->webhook();
    return config;
  }
  // A program of /bin/sh; what it is given to write to is $0.
  config::AlertConfig exec_rule(const std::string& script, std::string name = "ops") const {
    config::AlertConfig config = rule(std::move(name));
    config.exec = {"/bin/sh", "-c", script, folder / "out"};
    return config;
  }
  std::string written() const {
    std::ifstream file{folder / "out"};
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  static Alert alert(AlertKind kind = AlertKind::endpoint_down, std::string upstream = "app") {
    Alert alert;
    alert.kind = kind;
    alert.upstream = std::move(upstream);
    alert.endpoint = "10.0.0.1:80";
    alert.reason = "connection refused";
    return alert;
  }
  void raise(int count = 1) {
    for (int i = 0; i < count; ++i) alerts->raise(alert());
  }
  AlertFigures figures(size_t index = 0) const { return alerts->figures().at(index); }
  bool until_sent(uint64_t count, size_t index = 0) {
    return turn_until([&] { return figures(index).sent == count; });
  }
  bool until_failed(uint64_t count, size_t index = 0) {
    return turn_until([&] { return figures(index).failed == count; });
  }
  // Of what has come to the server.
  std::vector<uint64_t> numbers() const {
    std::vector<uint64_t> all;
    for (const auto& request : server->requests) all.push_back(nlohmann::json::parse(request.body).at("number"));
    return all;
  }

  Folder folder;
  std::unique_ptr<Alerts> alerts;
};

}  // namespace weir
