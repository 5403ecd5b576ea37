// The structs of config.h that speak of health and resilience: how endpoints are probed and judged, what keeps failures
// small, who is let in and how often, and who is told. As there, defaults stand beside the fields, and what a field
// means is said in describe_resilience.h. Values; see config.h for who owns them.
//
// A section that is absent is off. What the control thread acts on compares with ==, so that a reload can tell whether
// it has changed.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/config/choices.h"
#include "core/model/endpoint.h"
#include "core/model/key_source.h"

namespace weir::config {

struct StatusRange {
  uint16_t first = 0;
  uint16_t last = 0;

  bool operator==(const StatusRange&) const = default;
};

struct TcpProbeConfig {
  std::string send;    // "": nothing
  std::string expect;  // somewhere in the answer; "": connecting is enough

  bool operator==(const TcpProbeConfig&) const = default;
};

struct HttpProbeConfig {
  std::string method = "HEAD";
  std::string path = "/";  // with its query
  std::string host;        // "": the endpoint's address
  Metadata headers;
  std::vector<StatusRange> statuses{{200, 399}};
  std::string body;  // somewhere in it; "": any
  bool tls = false;
  // With TLS.
  bool verify = true;
  std::string server_name;  // "": as `host`
  std::string ca;           // path; "": what the system trusts

  bool operator==(const HttpProbeConfig&) const = default;
};

struct ExecProbeConfig {
  std::vector<std::string> command;  // the program's absolute path, and its arguments

  bool operator==(const ExecProbeConfig&) const = default;
};

struct HealthConfig {
  ProbeKind probe = ProbeKind::tcp;
  Duration interval = std::chrono::seconds{5};
  Duration timeout = std::chrono::seconds{1};
  uint32_t fall = 3;
  uint32_t rise = 2;
  std::optional<Duration> interval_in_doubt;  // none: see in_doubt()
  std::optional<Duration> interval_proven;    // none: see proven()
  uint16_t port = 0;                          // 0: the endpoint's own
  TcpProbeConfig tcp;
  HttpProbeConfig http;
  ExecProbeConfig exec;

  Duration in_doubt() const noexcept {
    const Duration usual = std::max<Duration>(interval / 5, std::chrono::milliseconds{100});
    return interval_in_doubt.value_or(std::min(usual, interval));
  }
  Duration proven() const noexcept { return interval_proven.value_or(4 * interval); }

  bool operator==(const HealthConfig&) const = default;
};

struct OutliersConfig {
  uint32_t failures = 5;     // in a row; 0: off
  uint32_t error_rate = 50;  // percent; 0: off
  double latency = 0;        // times the median of its peers; 0: off
  Duration window = std::chrono::seconds{10};
  uint32_t requests = 20;
  Duration ejection = std::chrono::seconds{10};
  Duration ejection_max = std::chrono::minutes{5};
  uint32_t max_ejected = 50;  // percent

  bool operator==(const OutliersConfig&) const = default;
};

struct BreakerConfig {
  uint32_t failures = 5;    // in a row; 0: off
  uint32_t error_rate = 0;  // percent; 0: off
  uint32_t slow_rate = 0;   // percent; 0: off
  Duration slow = std::chrono::seconds{1};
  Duration window = std::chrono::seconds{10};
  uint32_t requests = 20;
  Duration recovery = std::chrono::seconds{10};
  uint32_t trials = 3;

  bool operator==(const BreakerConfig&) const = default;
};

struct QueueConfig {
  uint32_t size = 1000;
  Duration timeout = std::chrono::seconds{5};
  Duration retry_after = std::chrono::seconds{1};

  bool operator==(const QueueConfig&) const = default;
};

struct ConcurrencyConfig {
  uint32_t min = 4;
  uint32_t max = 1000;
  uint32_t start = 20;

  bool operator==(const ConcurrencyConfig&) const = default;
};

struct HedgeConfig {
  uint32_t percentile = 95;
  Duration min_wait = std::chrono::milliseconds{5};
  uint32_t budget = 5;  // percent of requests

  bool operator==(const HedgeConfig&) const = default;
};

struct HealthScoreConfig {
  Duration half_life = std::chrono::seconds{10};
  uint32_t floor = 10;  // percent

  bool operator==(const HealthScoreConfig&) const = default;
};

struct DegradedConfig {
  uint32_t error_rate = 0;  // percent and above; 0: off
  Duration p99{};           // and above; 0: off
  uint32_t healthy = 0;     // percent, below it; 0: off
  Duration window = std::chrono::seconds{10};

  bool operator==(const DegradedConfig&) const = default;
};

struct RateLimitConfig {
  std::string name;                                               // "": its number (see name_the_unnamed)
  std::optional<KeySource> by{{KeySource::Kind::client_ip, ""}};  // none: all together
  uint8_t prefix = 32;
  uint8_t prefix6 = 64;
  RateAlgorithm algorithm = RateAlgorithm::token_bucket;
  uint32_t requests = 0;
  Duration per = std::chrono::seconds{1};
  std::optional<uint32_t> burst;  // none: as `requests`
  uint32_t entries = 65536;
  RateAction action = RateAction::refuse;
  RateHeaders headers = RateHeaders::refused;
};

// 0: not for that reason.
struct SheddingConfig {
  Duration turn{};
  uint32_t buffers = 0;      // percent
  uint32_t descriptors = 0;  // percent
  uint64_t memory = 0;       // bytes

  bool operator==(const SheddingConfig&) const = default;
};

// http://host:port/target, taken apart.
struct WebhookUrl {
  bool tls = false;
  std::string host;       // a name, or an address without brackets; "": no webhook
  uint16_t port = 0;      // never 0 with a host
  std::string target;     // path and query, begins with `/`
  std::string authority;  // as Host says it: with brackets, and the port where it is not the usual one

  bool operator==(const WebhookUrl&) const = default;
};

struct AlertConfig {
  std::string name;
  std::vector<AlertOn> on{AlertOn::endpoint, AlertOn::upstream, AlertOn::degraded};
  std::vector<std::string> upstreams;  // empty: all
  // At least one of the three.
  WebhookUrl webhook;
  std::vector<std::string> exec;  // the program's absolute path, and its arguments
  bool log = false;
  Duration timeout = std::chrono::seconds{5};
  uint32_t retries = 3;
  Duration backoff = std::chrono::seconds{1};
  uint32_t limit = 30;
  Duration per = std::chrono::minutes{1};

  bool operator==(const AlertConfig&) const = default;
};

}  // namespace weir::config
