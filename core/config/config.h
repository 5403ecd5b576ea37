// Config: everything an operator can say, as plain structs with the defaults beside the fields. What each field means,
// its range and how it is written is said once, in describe.h.
//
// Values: made by parse.h from a file, or by hand from command-line flags, checked by validate.h, then compiled into a
// Snapshot and forgotten. Owned by the control thread; workers never see one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/config/balance_config.h"
#include "core/config/choices.h"
#include "core/config/http_config.h"
#include "core/config/resilience_config.h"
#include "core/model/address.h"
#include "core/model/endpoint.h"
#include "core/model/key_source.h"
#include "core/model/resilience.h"

namespace weir::config {

inline constexpr uint64_t KiB = 1024;
inline constexpr uint64_t MiB = 1024 * KiB;
inline constexpr uint64_t GiB = 1024 * MiB;

struct ListenerConfig {
  std::string name;  // "": the address (see name_the_unnamed)
  SocketAddress address;
  Mode mode = Mode::tcp;
  std::string upstream;  // "": none, which only Mode::http allows
  Metadata subset;       // of that upstream; empty: all of it
  SubsetFallback subset_fallback = SubsetFallback::none;
  uint32_t max_connections = 0;  // 0: only the global limit
  uint32_t backlog = 4096;
  CidrSet accept_proxy;  // peers that must send a PROXY header
  CidrSet allow;         // clients; the smallest block of all four lists decides
  CidrSet deny;
  std::string allow_file;                   // path; "": none
  std::string deny_file;                    // path; "": none
  uint32_t max_connections_per_client = 0;  // 0: any number
  Priority priority = priority_usual;
  std::vector<RateLimitConfig> rate_limits;
  // Mode::http only.
  std::vector<RouteConfig> routes;
  CidrSet trusted_proxies;  // peers that are believed about the client
  ForwardConfig forward;
  bool allow_connect = false;
  std::string priority_header;  // "": none
  uint32_t max_requests = 0;    // of one connection; 0: any number
  bool access_log = true;       // when there is an access log
};

struct EndpointConfig {
  std::string name;  // "": the address (see name_the_unnamed)
  SocketAddress address;
  uint32_t weight = 1;           // 0: gets no new connections
  uint32_t max_connections = 0;  // 0: any number
  uint8_t tier = 0;
  std::string zone{};  // "": none
  Metadata metadata{};
};

// What an upstream says about time; what it leaves out is as in the global TimeoutsConfig.
struct UpstreamTimeoutsConfig {
  std::optional<Duration> connect;
  std::optional<Duration> first_byte;
  std::optional<Duration> body;
  std::optional<Duration> request;
};

struct UpstreamConfig {
  std::string name;
  Preset preset = Preset::standard;  // has been applied when a Config has been parsed (preset.h)
  std::string balance = "round_robin";
  KeySource hash_by{KeySource::Kind::client_ip, ""};
  double bounded_load = 0;             // 0: no bound
  uint32_t maglev_table_size = 65537;  // prime
  uint32_t ring_points = 160;
  Duration latency_decay = std::chrono::seconds{10};
  TwoChoicesConfig two_choices;
  ResourceAwareConfig resource_aware;
  ZoneAwareConfig zone_aware;
  AdaptiveConfig adaptive;
  std::optional<PluginConfig> plugin;
  Duration slow_start{};          // 0: at once
  uint32_t slow_start_from = 10;  // percent
  uint32_t backup_threshold = 0;  // percent
  uint32_t panic_threshold = 0;   // percent
  std::optional<AgentConfig> agent;
  std::optional<HealthConfig> health;
  std::optional<OutliersConfig> outliers;
  std::optional<BreakerConfig> breaker;
  uint32_t max_pending = 0;  // 0: any number
  uint32_t max_retries = 0;  // 0: any number
  std::optional<QueueConfig> queue;
  std::optional<ConcurrencyConfig> concurrency;
  std::optional<HedgeConfig> hedge;
  std::optional<HealthScoreConfig> health_score;
  std::optional<DegradedConfig> degraded;
  std::vector<EndpointConfig> endpoints;
  SendProxy send_proxy = SendProxy::off;
  uint32_t tries = 3;
  PoolConfig pool;
  RetryConfig retry;
  StickyConfig sticky;
  UpstreamTimeoutsConfig timeouts;
};

struct TimeoutsConfig {
  Duration connect = std::chrono::seconds{5};
  Duration idle = std::chrono::minutes{10};
  Duration lifetime{};  // 0: none
  Duration drain = std::chrono::seconds{30};
  Duration proxy_header = std::chrono::seconds{5};
  Duration header = std::chrono::seconds{5};
  Duration client_body = std::chrono::seconds{30};
  Duration keep_alive = std::chrono::seconds{60};
  Duration half_close = std::chrono::seconds{1};
  Duration first_byte = std::chrono::seconds{60};
  Duration body = std::chrono::seconds{60};
  Duration request{};  // 0: none
};

struct LimitsConfig {
  std::optional<uint32_t> connections;             // none: from RLIMIT_NOFILE
  std::optional<uint32_t> connections_per_worker;  // none: from `connections`
  uint64_t buffers_per_worker = 64 * MiB;          // bytes
  std::optional<uint32_t> pipes_per_worker;        // none: automatic_pipes_per_worker
  uint64_t pipe_size = 256 * KiB;                  // bytes, a power of two
  uint64_t http_line = 8 * KiB;                    // bytes, at most http_head
  uint64_t http_head = 15 * KiB;                   // bytes
  uint32_t http_fields = 128;
  uint64_t http_trailers = 4 * KiB;  // bytes
};

inline constexpr uint32_t automatic_pipes_per_worker = 256;

struct StatsConfig {
  std::string path;      // "": no stats socket
  uint32_t mode = 0600;  // of the socket file
};

struct AdminConfig {
  StatsConfig stats;
};

struct LogConfig {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
};

struct Config {
  std::optional<uint32_t> workers;  // none: one per usable CPU
  std::vector<uint32_t> cpus;       // ascending, no repeats; empty: all that the process may use
  std::vector<ListenerConfig> listeners;
  std::vector<UpstreamConfig> upstreams;
  ZonesConfig zones;
  TimeoutsConfig timeouts;
  LimitsConfig limits;
  SheddingConfig shedding;
  std::vector<AlertConfig> alerts;
  AdminConfig admin;
  LogConfig log;
  std::optional<AccessLogConfig> access_log;
};

// Gives listeners and endpoints that have no name their address as one, and routes and rate limits their number.
void name_the_unnamed(Config& config);

}  // namespace weir::config
