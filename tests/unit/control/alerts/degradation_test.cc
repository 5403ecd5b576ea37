#include "control/alerts/degradation.h"

#include <gtest/gtest.h>

#include <vector>

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Change = Degradation::Change;

config::DegradedConfig thresholds(uint32_t error_rate, Duration p99, uint32_t healthy) {
  config::DegradedConfig config;
  config.error_rate = error_rate;
  config.p99 = p99;
  config.healthy = healthy;
  config.window = seconds{10};
  return config;
}

const config::DegradedConfig errors_5 = thresholds(5, {}, 0);
const config::DegradedConfig p99_500ms = thresholds(0, milliseconds{500}, 0);
const config::DegradedConfig healthy_50 = thresholds(0, {}, 50);

// Of a fresh Degradation: is it degraded, and what for?
TEST(Degradation, Thresholds) {
  struct Case {
    config::DegradedConfig config;
    Degradation::Figures figures;
    const char* reason;  // "": it is not
  };
  const std::vector<Case> cases{
      // requests, errors, p99, healthy, total
      {errors_5, {100, 4, {}, 3, 3}, ""},
      {errors_5, {100, 5, {}, 3, 3}, "5.0 % of answers are errors (threshold 5 %)"},
      {errors_5, {1'000'000, 49'999, {}, 3, 3}, ""},
      {errors_5, {20, 20, {}, 3, 3}, "100.0 % of answers are errors (threshold 5 %)"},
      {errors_5, {19, 19, {}, 3, 3}, ""},
      {errors_5, {0, 0, {}, 0, 0}, ""},
      {errors_5, {100, 0, seconds{60}, 0, 3}, ""},
      {thresholds(100, {}, 0), {50, 50, {}, 1, 1}, "100.0 % of answers are errors (threshold 100 %)"},
      {p99_500ms, {100, 100, milliseconds{499}, 0, 3}, ""},
      {p99_500ms, {100, 0, milliseconds{500}, 3, 3}, "the 99th percentile of latency is 500.0 ms (threshold 500.0 ms)"},
      {p99_500ms, {19, 0, seconds{5}, 3, 3}, ""},
      {healthy_50, {0, 0, {}, 1, 2}, ""},
      {healthy_50, {0, 0, {}, 1, 3}, "1 of 3 endpoints are healthy (threshold 50 %)"},
      {healthy_50, {0, 0, {}, 0, 1}, "0 of 1 endpoints are healthy (threshold 50 %)"},
      {healthy_50, {0, 0, {}, 0, 0}, ""},  // nobody is there to be healthy
      {thresholds(0, {}, 67), {0, 0, {}, 2, 3}, "2 of 3 endpoints are healthy (threshold 67 %)"},
      {thresholds(0, {}, 66), {0, 0, {}, 2, 3}, ""},
      {thresholds(0, {}, 100), {0, 0, {}, 999, 1000}, "999 of 1000 endpoints are healthy (threshold 100 %)"},
      {thresholds(0, {}, 100), {0, 0, {}, 4'000'000'000, 4'000'000'000}, ""},
      {thresholds(0, {}, 0), {100, 100, seconds{60}, 0, 3}, ""},
      {thresholds(5, milliseconds{500}, 50),
       {100, 50, milliseconds{750}, 1, 3},
       "50.0 % of answers are errors (threshold 5 %); the 99th percentile of latency is 750.0 ms (threshold 500.0 ms); "
       "1 of 3 endpoints are healthy (threshold 50 %)"},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    const Case& each = cases[i];
    Degradation degradation{each.config};
    const auto verdict = degradation.judge(each.figures, Instant{seconds{1}});
    EXPECT_EQ(verdict.reason, each.reason) << "case " << i;
    EXPECT_EQ(verdict.change, verdict.reason.empty() ? Change::none : Change::degraded) << "case " << i;
    EXPECT_EQ(degradation.is_degraded(), !verdict.reason.empty()) << "case " << i;
  }
}

// What happens after what, in seconds.
struct Step {
  int at;
  Degradation::Figures figures;
  Change change;
};

void play(const char* name, const config::DegradedConfig& config, const std::vector<Step>& steps) {
  Degradation degradation{config};
  for (const Step& step : steps) {
    const auto verdict = degradation.judge(step.figures, Instant{seconds{1000 + step.at}});
    EXPECT_EQ(verdict.change, step.change) << name << " at " << step.at;
  }
}

TEST(Degradation, OverTime) {
  const Degradation::Figures bad{100, 50, {}, 3, 3};
  const Degradation::Figures between{1000, 45, {}, 3, 3};  // 4.5 %: neither 5 nor 4
  const Degradation::Figures calm{100, 4, {}, 3, 3};
  const Degradation::Figures few{19, 0, {}, 3, 3};
  play("is said once", errors_5, {{0, bad, Change::degraded}, {1, bad, Change::none}, {100, bad, Change::none}});
  play("calm for a whole window", errors_5,
       {{0, bad, Change::degraded},
        {1, calm, Change::none},
        {10, calm, Change::none},
        {11, calm, Change::recovered},
        {12, calm, Change::none}});
  play("just below is not calm", errors_5,
       {{0, bad, Change::degraded}, {1, between, Change::none}, {100, between, Change::none}});
  play("calm begins anew", errors_5,
       {{0, bad, Change::degraded},
        {1, calm, Change::none},
        {10, between, Change::none},
        {11, calm, Change::none},
        {20, calm, Change::none},
        {21, calm, Change::recovered}});
  play("few requests prove nothing", errors_5,
       {{0, few, Change::none},
        {1, bad, Change::degraded},
        {2, few, Change::none},
        {100, few, Change::none},
        {101, calm, Change::none},
        {111, calm, Change::recovered}});
  play("again", errors_5,
       {{0, bad, Change::degraded},
        {1, calm, Change::none},
        {11, calm, Change::recovered},
        {12, bad, Change::degraded},
        {13, calm, Change::none},
        {22, calm, Change::none},
        {23, calm, Change::recovered}});
}

TEST(Degradation, HealthyEndpoints) {
  // 10 endpoints: degraded below 5; calm from 6 on.
  const auto healthy = [](uint32_t count) { return Degradation::Figures{0, 0, {}, count, 10}; };
  play("healthy", healthy_50,
       {{0, healthy(5), Change::none},
        {1, healthy(4), Change::degraded},
        {2, healthy(5), Change::none},
        {50, healthy(5), Change::none},
        {51, healthy(6), Change::none},
        {60, healthy(6), Change::none},
        {61, healthy(6), Change::recovered}});
  // All must be: then all is calm.
  play("all of them", thresholds(0, {}, 100),
       {{0, healthy(9), Change::degraded}, {1, healthy(10), Change::none}, {11, healthy(10), Change::recovered}});
}

// Only what was reached has to be calm again; but all of it.
TEST(Degradation, SeveralThresholds) {
  const config::DegradedConfig both = thresholds(5, milliseconds{500}, 0);
  const auto figures = [](uint64_t errors, int p99_ms) {
    return Degradation::Figures{100, errors, milliseconds{p99_ms}, 3, 3};
  };
  play("latency was never reached", both,
       {{0, figures(50, 450), Change::degraded},
        {1, figures(0, 450), Change::none},
        {11, figures(0, 450), Change::recovered}});
  play("latency came later", both,
       {{0, figures(50, 0), Change::degraded},
        {1, figures(0, 600), Change::none},
        {2, figures(0, 450), Change::none},
        {50, figures(0, 450), Change::none},
        {51, figures(0, 400), Change::none},
        {61, figures(0, 400), Change::recovered}});
}

TEST(Degradation, SaysHowLong) {
  Degradation degradation{errors_5};
  degradation.judge({100, 50, {}, 3, 3}, Instant{seconds{100}});
  degradation.judge({100, 0, {}, 3, 3}, Instant{seconds{130}});
  const auto verdict = degradation.judge({100, 0, {}, 3, 3}, Instant{seconds{142}});
  EXPECT_EQ(verdict.change, Change::recovered);
  EXPECT_EQ(verdict.reason, "it was degraded for 42 s");
}

}  // namespace
}  // namespace weir
