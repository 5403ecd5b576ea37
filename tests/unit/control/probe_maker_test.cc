// What a probe asks is asked in the tests of probes, and that it does so for an endpoint in health_watch_test.cc. Here:
// where it goes, and whom it trusts.
#include "control/probe_maker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/unit/net/tls/certificates.h"

namespace weir {
namespace {

using ::testing::HasSubstr;

config::HealthConfig probing_tls(std::string ca, bool verify = true) {
  config::HealthConfig health;
  health.probe = config::ProbeKind::http;
  health.http.tls = true;
  health.http.ca = std::move(ca);
  health.http.verify = verify;
  return health;
}

config::Config config_of(std::initializer_list<config::HealthConfig> sections) {
  config::Config config;
  for (const config::HealthConfig& section : sections) {
    config.upstreams.emplace_back();
    config.upstreams.back().name = "app" + std::to_string(config.upstreams.size());
    config.upstreams.back().health = section;
  }
  return config;
}

TEST(ProbeMaker, ProbesGoToTheEndpointOrToAnotherPortThere) {
  struct Row {
    const char* endpoint;
    uint16_t port;
    const char* expected;
  };
  for (const Row& row : {Row{"10.0.0.1:80", 0, "10.0.0.1:80"}, Row{"10.0.0.1:80", 81, "10.0.0.1:81"},
                         Row{"[::1]:80", 81, "[::1]:81"}, Row{"unix:/run/a.sock", 81, "unix:/run/a.sock"}}) {
    Endpoint endpoint;
    endpoint.address = *SocketAddress::parse(row.endpoint);
    config::HealthConfig health;
    health.port = row.port;
    EXPECT_EQ(ProbeMaker::address_of(health, endpoint).to_string(), row.expected);
  }
}

TEST(ProbeMaker, OnlyTlsNeedsTrust) {
  ProbeMaker maker;
  config::HealthConfig plain = probing_tls("/nowhere.pem");
  plain.http.tls = false;
  config::HealthConfig tcp = probing_tls("/nowhere.pem");
  tcp.probe = config::ProbeKind::tcp;
  ASSERT_EQ(maker.prepare(config_of({plain, tcp})), "");
  maker.follow();
  EXPECT_EQ(maker.trust_of(plain), nullptr);
  EXPECT_EQ(maker.trust_of(tcp), nullptr);
}

TEST(ProbeMaker, TrustIsSharedAndStaysAsLongAsTheFileDoes) {
  ProbeMaker maker;
  const Folder folder;
  const auto copy = [&](const std::string& from) {
    std::ifstream in{from};
    std::ofstream{folder / "ca.pem"} << in.rdbuf();
  };
  copy(Certificates::get().authority());
  const config::HealthConfig own = probing_tls(folder / "ca.pem");
  const config::HealthConfig careless = probing_tls(folder / "ca.pem", false);
  const config::HealthConfig system = probing_tls("");
  const config::Config config = config_of({own, own, careless, system});
  ASSERT_EQ(maker.prepare(config), "");
  maker.follow();
  const ProbeMaker::Trust before = maker.trust_of(own);
  const ProbeMaker::Trust system_before = maker.trust_of(system);
  ASSERT_NE(before, nullptr);
  EXPECT_TRUE(before->verifies());
  EXPECT_FALSE(maker.trust_of(careless)->verifies());
  EXPECT_NE(system_before, before);

  ASSERT_EQ(maker.prepare(config), "");
  maker.follow();
  EXPECT_EQ(maker.trust_of(own), before) << "a reload that changes nothing changes no probe";
  EXPECT_EQ(maker.trust_of(system), system_before);

  copy(Certificates::get().stranger());
  ASSERT_EQ(maker.prepare(config), "");
  EXPECT_EQ(maker.trust_of(own), before) << "prepared is not yet in force";
  maker.follow();
  EXPECT_NE(maker.trust_of(own), before) << "the same path, other contents";
  EXPECT_EQ(maker.trust_of(system), system_before);
}

TEST(ProbeMaker, WhatCannotBeReadIsSaidAndChangesNothing) {
  ProbeMaker maker;
  const config::HealthConfig good = probing_tls("");
  ASSERT_EQ(maker.prepare(config_of({good})), "");
  maker.follow();
  const ProbeMaker::Trust before = maker.trust_of(good);
  const std::string problem = maker.prepare(config_of({good, probing_tls("/nowhere/ca.pem")}));
  EXPECT_THAT(problem, HasSubstr("`app2`"));
  EXPECT_THAT(problem, HasSubstr("/nowhere/ca.pem"));
  EXPECT_EQ(maker.trust_of(good), before);
}

}  // namespace
}  // namespace weir
