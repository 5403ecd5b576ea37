#include "tools/weir/quick_config.h"

#include <gtest/gtest.h>

#include <memory>

#include "core/config/compile.h"

namespace weir {
namespace {

QuickOptions options(std::string mode) {
  QuickOptions result;
  result.listen = {"127.0.0.1:8080"};
  result.to = {"127.0.0.1:9001", "127.0.0.1:9002,weight=2,name=b"};
  result.mode = std::move(mode);
  return result;
}

TEST(QuickConfig, RelaysTcpUnlessToldOtherwise) {
  const auto config = quick_config(options(""));
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->listeners[0].mode, config::Mode::tcp);
  ASSERT_EQ(config->upstreams[0].endpoints.size(), 2U);
  EXPECT_EQ(config->upstreams[0].endpoints[1].name, "b");
  EXPECT_EQ(config->upstreams[0].endpoints[1].weight, 2U);
}

TEST(QuickConfig, InHttpModeEveryRequestGoesToTheOrigins) {
  const auto config = quick_config(options("http"));
  ASSERT_TRUE(config) << config.error();
  Registry registry{1};
  const auto compiled = config::compile(*config, {100}, 1, Instant{}, registry);
  ASSERT_TRUE(compiled) << compiled.error();
  const auto& snapshot = *compiled;
  ASSERT_NE(snapshot->listeners[0].http, nullptr);
  ASSERT_NE(snapshot->listeners[0].http->otherwise, nullptr);
  EXPECT_EQ(snapshot->find(snapshot->listeners[0].http->otherwise->split[0].upstream), snapshot->upstreams[0].get());
  EXPECT_FALSE(snapshot->listeners[0].http->access_log);
}

TEST(QuickConfig, RefusesAModeItDoesNotKnow) {
  const auto config = quick_config(options("htpp"));
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error(), "weir run: --mode: unknown mode `htpp`\n  help: did you mean `http`?\n");
}

TEST(QuickConfig, RefusesAnOriginThatIsTheListener) {
  QuickOptions same = options("http");
  same.to = same.listen;
  const auto config = quick_config(same);
  ASSERT_FALSE(config);
  EXPECT_NE(config.error().find("this is the address of the listener"), std::string::npos) << config.error();
}

}  // namespace
}  // namespace weir
