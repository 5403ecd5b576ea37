// For tests of the probes that report up or down: a Prober, and everything that its probes reported.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "health/check_report.h"
#include "health/prober.h"
#include "tests/unit/health/probing.h"

namespace weir {

class CheckingTest : public ProbingTest {
 protected:
  static constexpr Duration interval = std::chrono::milliseconds{100};
  static constexpr Duration timeout = std::chrono::milliseconds{50};

  void SetUp() override {
    ProbingTest::SetUp();
    prober = std::make_unique<Prober>(context(), 5);
  }
  void TearDown() override {
    prober->stop();
    EXPECT_TRUE(turn_until([&] { return prober->stopped(); }));
    prober.reset();
    ProbingTest::TearDown();
  }

  template <class AnyProbe, class Target>
  ProbeId add(Target target) {
    auto probe = std::make_unique<AnyProbe>(
        context(), std::move(target), [this](ProbeId id, const CheckReport& report) { reports[id].push_back(report); });
    return prober->add(std::move(probe), interval);
  }
  // Until the next round of somebody begins.
  bool pass_until_asking() {
    return pass_until(interval * 12 / 10, [&] { return prober->asking() > 0; });
  }
  bool turn_until_reported(ProbeId id, size_t times = 1) {
    return turn_until([&] { return reports[id].size() >= times; });
  }
  // Of a round that must come to its end while the clock stands, counted from 1.
  std::string reason_of(ProbeId id, size_t round = 1) {
    if (!turn_until_reported(id, round)) return "no report";
    const CheckReport& report = reports[id][round - 1];
    EXPECT_EQ(report.passed, report.reason.empty());
    return report.reason;
  }
  // The next connection that the agent gets.
  bool calls(PlayedAgent& agent) {
    return pass_until_asking() && turn_until([&] { return agent.called(); });
  }

  std::map<ProbeId, std::vector<CheckReport>> reports;
  std::unique_ptr<Prober> prober;
};

}  // namespace weir
