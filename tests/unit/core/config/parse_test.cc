#include "core/config/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>

#include "core/base/fd.h"
#include "tests/unit/core/config/support.h"

namespace weir::config {
namespace {

using namespace test;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr std::string_view minimal =
    "listeners: [{address: \":8080\", upstream: app}]\n"
    "upstreams: [{name: app, endpoints: [10.0.0.1:80]}]\n";

TEST(ConfigParse, WhatIsLeftOutHasItsDefault) {
  const ParseResult result = parse(minimal);
  ASSERT_TRUE(result.ok()) << result.render();
  const Config& config = *result.config;
  EXPECT_EQ(config.workers, std::nullopt);
  EXPECT_TRUE(config.cpus.empty());
  ASSERT_EQ(config.listeners.size(), 1U);
  EXPECT_EQ(config.listeners[0].name, "[::]:8080");
  EXPECT_EQ(config.listeners[0].mode, Mode::tcp);
  EXPECT_EQ(config.listeners[0].backlog, 4096U);
  EXPECT_TRUE(config.listeners[0].accept_proxy.empty());
  ASSERT_EQ(config.upstreams.size(), 1U);
  EXPECT_EQ(config.upstreams[0].balance, "round_robin");
  EXPECT_EQ(config.upstreams[0].tries, 3U);
  EXPECT_EQ(config.upstreams[0].timeouts.connect, std::nullopt);
  ASSERT_EQ(config.upstreams[0].endpoints.size(), 1U);
  EXPECT_EQ(config.upstreams[0].endpoints[0].name, "10.0.0.1:80");
  EXPECT_EQ(config.upstreams[0].endpoints[0].weight, 1U);
  EXPECT_EQ(config.timeouts.idle, minutes{10});
  EXPECT_EQ(config.limits.pipe_size, 256 * KiB);
  EXPECT_EQ(config.admin.stats.path, "");
  EXPECT_EQ(config.log.level, LogLevel::info);
}

TEST(ConfigParse, EveryFieldReachesItsMember) {
  const ParseResult result = parse(R"(
workers: 2
cpus: "1-2,5"
listeners:
  - name: web
    address: 127.0.0.1:8080
    mode: tcp
    upstream: app
    max_connections: 11
    backlog: 12
    accept_proxy: [10.1.2.3/8, "::1/128"]
  - {name: local, address: "unix:/run/in.sock", upstream: app, accept_proxy: unix}
  - {name: open, address: "[::1]:81", upstream: app, accept_proxy: [all]}
upstreams:
  - name: app
    balance: maglev
    maglev_table_size: 251
    endpoints:
      - {address: "unix:/run/out.sock", weight: 7, name: a}
      - "[fd00::1]:9000"
    send_proxy: v2
    tries: 5
    timeouts: {connect: 250ms}
timeouts: {connect: 1s, idle: 2m, lifetime: 3h, drain: 4s, proxy_header: 6s}
limits:
  connections: 1000
  connections_per_worker: 500
  buffers_per_worker: 2MiB
  pipes_per_worker: 3
  pipe_size: 64KiB
admin: {stats: {path: /run/stats.sock, mode: "0660"}}
log: {level: warn, format: json}
)");
  ASSERT_TRUE(result.ok()) << result.render();
  const Config& config = *result.config;
  EXPECT_EQ(config.workers, 2U);
  EXPECT_EQ(config.cpus, (std::vector<uint32_t>{1, 2, 5}));

  ASSERT_EQ(config.listeners.size(), 3U);
  const ListenerConfig& web = config.listeners[0];
  EXPECT_EQ(web.name, "web");
  EXPECT_EQ(web.address.to_string(), "127.0.0.1:8080");
  EXPECT_EQ(web.upstream, "app");
  EXPECT_EQ(web.max_connections, 11U);
  EXPECT_EQ(web.backlog, 12U);
  EXPECT_EQ(web.accept_proxy.blocks, (std::vector<Cidr>{*Cidr::parse("10.0.0.0/8"), *Cidr::parse("::1/128")}));
  EXPECT_FALSE(web.accept_proxy.everybody);
  EXPECT_FALSE(web.accept_proxy.local);
  EXPECT_EQ(config.listeners[1].address.path(), "/run/in.sock");
  EXPECT_TRUE(config.listeners[1].accept_proxy.local);
  EXPECT_FALSE(config.listeners[1].accept_proxy.everybody);
  EXPECT_TRUE(config.listeners[2].accept_proxy.everybody);

  ASSERT_EQ(config.upstreams.size(), 1U);
  const UpstreamConfig& app = config.upstreams[0];
  EXPECT_EQ(app.name, "app");
  EXPECT_EQ(app.balance, "maglev");
  EXPECT_EQ(app.maglev_table_size, 251U);
  ASSERT_EQ(app.endpoints.size(), 2U);
  EXPECT_EQ(app.endpoints[0].name, "a");
  EXPECT_EQ(app.endpoints[0].address.path(), "/run/out.sock");
  EXPECT_EQ(app.endpoints[0].weight, 7U);
  EXPECT_EQ(app.endpoints[1].address.to_string(), "[fd00::1]:9000");
  EXPECT_EQ(app.send_proxy, SendProxy::v2);
  EXPECT_EQ(app.tries, 5U);
  EXPECT_EQ(app.timeouts.connect, std::chrono::milliseconds{250});

  EXPECT_EQ(config.timeouts.connect, seconds{1});
  EXPECT_EQ(config.timeouts.idle, minutes{2});
  EXPECT_EQ(config.timeouts.lifetime, std::chrono::hours{3});
  EXPECT_EQ(config.timeouts.drain, seconds{4});
  EXPECT_EQ(config.timeouts.proxy_header, seconds{6});
  EXPECT_EQ(config.limits.connections, 1000U);
  EXPECT_EQ(config.limits.connections_per_worker, 500U);
  EXPECT_EQ(config.limits.buffers_per_worker, 2 * MiB);
  EXPECT_EQ(config.limits.pipes_per_worker, 3U);
  EXPECT_EQ(config.limits.pipe_size, 64 * KiB);
  EXPECT_EQ(config.admin.stats.path, "/run/stats.sock");
  EXPECT_EQ(config.admin.stats.mode, 0660U);
  EXPECT_EQ(config.log.level, LogLevel::warn);
  EXPECT_EQ(config.log.format, LogFormat::json);
}

TEST(ConfigParse, WhatIsSaidHereWinsOverWhatIsMerged) {
  const ParseResult result = parse(
      "x-a: &a {balance: maglev, tries: 2, endpoints: [10.0.0.1:80]}\n"
      "x-b: &b {balance: least_connections, send_proxy: v1}\n"
      "listeners: [{address: \":1\", upstream: one}]\n"
      "upstreams:\n"
      "  - {<<: [*a, *b], name: one, tries: 7}\n");
  ASSERT_TRUE(result.ok()) << result.render();
  const UpstreamConfig& upstream = result.config->upstreams[0];
  EXPECT_EQ(upstream.tries, 7U);
  EXPECT_EQ(upstream.balance, "maglev");
  EXPECT_EQ(upstream.send_proxy, SendProxy::v1);
  EXPECT_EQ(upstream.endpoints.size(), 1U);
}

TEST(ConfigParse, AMistakeInAnAnchorIsReportedOnceWhereItStands) {
  const ParseResult result = parse(
      "x-a: &a {name: x, endpoints: [10.0.0.1:80], tries: 0}\n"
      "listeners: [{address: \":1\", upstream: one}]\n"
      "upstreams:\n"
      "  - {<<: *a, name: one}\n"
      "  - {<<: *a, name: two}\n");
  ASSERT_EQ(result.diagnostics.size(), 1U) << result.render();
  EXPECT_EQ(result.diagnostics[0].line, 1U);
}

TEST(ConfigParse, AHostileFileHasBoundedReports) {
  std::string text{minimal};
  for (int i = 0; i < 20'000; ++i) text += "k" + std::to_string(i) + ": 1\n";
  const ParseResult result = parse(text);
  EXPECT_EQ(result.diagnostics.size(), diagnostics_max);
  EXPECT_THAT(result.render(), HasSubstr("\n... and 400 more\n"));

  std::string one_line = "{";
  for (int i = 0; i < 20'000; ++i) one_line += "same: 1, ";
  EXPECT_LE(parse(one_line + "}").diagnostics.size(), diagnostics_max);
}

TEST(ConfigParse, ALargeFileIsRead) {
  std::string text = "listeners: [{address: \":8080\", upstream: app}]\nupstreams:\n  - name: app\n    endpoints:\n";
  constexpr int count = 20'000;
  for (int i = 0; i < count; ++i) {
    text += "      - 10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ":80\n";
  }
  const ParseResult result = parse(text);
  ASSERT_TRUE(result.ok()) << result.render();
  EXPECT_EQ(result.config->upstreams[0].endpoints.size(), static_cast<size_t>(count));
}

TEST(ConfigParse, ATextAboveTheBoundIsRefused) {
  const ParseResult result = parse(std::string(file_bytes_max + 1, '#'));
  EXPECT_THAT(result.render(), HasSubstr("is larger than 4 MiB"));
}

TEST(ConfigCheck, AConfigOfFlagsGoesThroughTheSameRules) {
  Config config;
  ListenerConfig& listener = config.listeners.emplace_back();
  listener.address = *SocketAddress::parse(":80");
  listener.upstream = "flags";
  config.upstreams.emplace_back().name = "flags";
  const ParseResult refused = check_config(config, "command line");
  EXPECT_EQ(refused.render(),
            "command line: error: upstreams[0].endpoints: the upstream `flags` has no endpoints\n"
            "  help: name at least one: `- 10.0.0.1:80`\n");

  config.upstreams[0].endpoints.push_back({.name = "", .address = *SocketAddress::parse("10.0.0.1:80")});
  const ParseResult taken = check_config(config, "command line");
  ASSERT_TRUE(taken.ok()) << taken.render();
  EXPECT_EQ(taken.config->listeners[0].name, "[::]:80");
}

class ConfigFile : public testing::Test {
 protected:
  ConfigFile() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weir-config-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~ConfigFile() override { std::filesystem::remove_all(folder_); }

  std::string path(std::string_view name) const { return (folder_ / name).string(); }
  ParseResult parse_named(std::string_view name, const Environment& environment = environment_of({})) const {
    return parse_file(path(name), environment, algorithms);
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(ConfigFile, IsRead) {
  write(path("weir.yaml"), minimal);
  const ParseResult result = parse_named("weir.yaml");
  EXPECT_TRUE(result.ok()) << result.render();
}

TEST_F(ConfigFile, ThatIsNotThereIsRefused) {
  EXPECT_EQ(parse_named("weir.yaml").render(), path("weir.yaml") + ": error: cannot open: No such file or directory\n");
}

TEST_F(ConfigFile, ThatIsADirectoryIsRefused) {
  std::filesystem::create_directory(path("weir.yaml"));
  EXPECT_EQ(parse_named("weir.yaml").render(),
            path("weir.yaml") + ": error: is a directory, not a file\n  help: name the file in it\n");
}

TEST_F(ConfigFile, ThatCannotBeOpenedIsRefused) {
  // A socket, because root may read any file.
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path("weir.yaml").copy(address.sun_path, sizeof address.sun_path - 1);
  const Fd fd{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  ASSERT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_THAT(parse_named("weir.yaml").render(), HasSubstr(": error: cannot open: No such device or address\n"));
}

TEST_F(ConfigFile, ThatIsHugeIsRefusedWithoutReadingItAll) {
  write(path("weir.yaml"), minimal);
  std::filesystem::resize_file(path("weir.yaml"), uint64_t{1} << 40);  // a terabyte of nothing
  EXPECT_THAT(parse_named("weir.yaml").render(), HasSubstr("is larger than 4 MiB"));
}

TEST_F(ConfigFile, HasDotenvBesideItAndTheRealEnvironmentWins) {
  write(path("weir.yaml"), std::string{minimal} + "log: {level: \"${LEVEL}\", format: \"${FORMAT}\"}\n");
  write(path(".env"), "LEVEL=debug\nFORMAT=json\n");
  const ParseResult result = parse_named("weir.yaml", environment_of({{"LEVEL", "error"}}));
  ASSERT_TRUE(result.ok()) << result.render();
  EXPECT_EQ(result.config->log.level, LogLevel::error);
  EXPECT_EQ(result.config->log.format, LogFormat::json);
}

TEST_F(ConfigFile, IsRefusedForAMistakeInDotenvToo) {
  write(path("weir.yaml"), std::string{minimal} + "lgo: {}\n");
  write(path(".env"), "LEVEL=debug\noops\n");
  EXPECT_EQ(parse_named("weir.yaml").render(), path(".env") +
                                                   ":2:1: error: this line sets nothing\n"
                                                   "  2 | oops\n"
                                                   "    | ^\n"
                                                   "  help: write NAME=value\n\n" +
                                                   path("weir.yaml") +
                                                   ":3:1: error: unknown key `lgo`\n"
                                                   "  3 | lgo: {}\n"
                                                   "    | ^\n"
                                                   "  help: did you mean `log`?\n");
}

}  // namespace
}  // namespace weir::config
