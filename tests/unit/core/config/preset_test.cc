// Presets fill in what was not written, and nothing else.
#include "core/config/preset.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/unit/core/config/support.h"

namespace weir::config {
namespace {

using namespace test;
using std::chrono::seconds;

UpstreamConfig taken(const std::string& upstream) {
  const std::string text =
      "listeners: [{address: \":8080\", upstream: app}]\nupstreams:\n  - {name: app, " + upstream + "}\n";
  const ParseResult result = parse(text);
  EXPECT_TRUE(result.ok()) << result.render();
  return result.ok() ? result.config->upstreams[0] : UpstreamConfig{};
}

TEST(Preset, StandardIsWhatTheStructsSay) {
  const UpstreamConfig unsaid = taken("endpoints: [10.0.0.1:80]");
  const UpstreamConfig standard = taken("preset: standard, endpoints: [10.0.0.1:80], health: {}, breaker: {}");
  EXPECT_EQ(unsaid.preset, Preset::standard);
  EXPECT_FALSE(unsaid.health);
  EXPECT_FALSE(unsaid.breaker);
  EXPECT_EQ(unsaid.endpoints[0].max_connections, 0U);
  EXPECT_EQ(standard.health, HealthConfig{});
  EXPECT_EQ(standard.breaker, BreakerConfig{});
  EXPECT_EQ(standard.endpoints[0].max_connections, 0U);
}

TEST(Preset, PatientBringsItsSectionsAndLimits) {
  const UpstreamConfig app = taken("preset: patient, endpoints: [10.0.0.1:80, {address: 10.0.0.2:80, weight: 2}]");
  ASSERT_TRUE(app.health);
  EXPECT_EQ(app.health->probe, ProbeKind::tcp);
  EXPECT_EQ(app.health->interval, seconds{30});
  EXPECT_EQ(app.health->timeout, seconds{1});
  EXPECT_EQ(app.health->fall, 3U);
  EXPECT_EQ(app.health->in_doubt(), seconds{6});
  EXPECT_EQ(app.health->proven(), seconds{120});
  ASSERT_TRUE(app.breaker);
  EXPECT_EQ(app.breaker->failures, 5U);
  EXPECT_EQ(app.breaker->recovery, seconds{60});
  EXPECT_EQ(app.breaker->trials, 3U);
  EXPECT_EQ(app.endpoints[0].max_connections, 100U);
  EXPECT_EQ(app.endpoints[1].max_connections, 100U);
  EXPECT_FALSE(app.outliers);
  EXPECT_FALSE(app.queue);
}

TEST(Preset, WhatIsWrittenWins) {
  const UpstreamConfig app = taken(
      "preset: patient, endpoints: [10.0.0.1:80, {address: 10.0.0.2:80, max_connections: 7}, {address: 10.0.0.3:80, "
      "max_connections: 0}], health: {interval: 3s, fall: 9}, breaker: {failures: 0, error_rate: 10, recovery: 10s}");
  EXPECT_EQ(app.health->interval, seconds{3});
  EXPECT_EQ(app.health->fall, 9U);
  EXPECT_EQ(app.breaker->failures, 0U);
  EXPECT_EQ(app.breaker->recovery, seconds{10});
  EXPECT_EQ(app.endpoints[0].max_connections, 100U);
  EXPECT_EQ(app.endpoints[1].max_connections, 7U);
  EXPECT_EQ(app.endpoints[2].max_connections, 0U);
}

TEST(Preset, FillsTheRestOfASectionThatIsHalfWritten) {
  const UpstreamConfig app =
      taken("preset: patient, endpoints: [10.0.0.1:80], health: {probe: http}, breaker: {failures: 2}");
  EXPECT_EQ(app.health->probe, ProbeKind::http);
  EXPECT_EQ(app.health->interval, seconds{30});
  EXPECT_EQ(app.breaker->failures, 2U);
  EXPECT_EQ(app.breaker->recovery, seconds{60});
}

// A queue needs a limit that endpoints can reach, and the preset has one.
TEST(Preset, IsThereBeforeTheRulesAreChecked) {
  EXPECT_TRUE(taken("preset: patient, endpoints: [10.0.0.1:80], queue: {}").queue);
  EXPECT_FALSE(parse("listeners: [{address: \":8080\", upstream: app}]\n"
                     "upstreams: [{name: app, endpoints: [10.0.0.1:80], queue: {}}]\n")
                   .ok());
  // And its interval counts, where another key is compared with it.
  EXPECT_EQ(taken("preset: patient, endpoints: [10.0.0.1:80], health: {timeout: 20s}").health->timeout, seconds{20});
}

TEST(Preset, OneUpstreamsPresetIsNotAnothers) {
  const ParseResult result = parse(
      "listeners: [{address: \":8080\", upstream: a}]\n"
      "upstreams:\n"
      "  - {name: a, endpoints: [10.0.0.1:80]}\n"
      "  - {name: b, endpoints: [10.0.0.1:80], preset: patient}\n"
      "  - {name: c, endpoints: [10.0.0.1:80], health: {}}\n");
  ASSERT_TRUE(result.ok()) << result.render();
  EXPECT_FALSE(result.config->upstreams[0].health);
  EXPECT_EQ(result.config->upstreams[1].health->interval, seconds{30});
  EXPECT_EQ(result.config->upstreams[2].health->interval, seconds{5});
}

}  // namespace
}  // namespace weir::config
