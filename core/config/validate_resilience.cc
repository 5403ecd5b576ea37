#include "core/config/validate_resilience.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/config/http_kinds.h"
#include "core/config/values.h"

namespace weir::config {
namespace {

class ResilienceRules {
 public:
  ResilienceRules(Complaints& complaints, const Config& config, const UpstreamConfig& upstream, const std::string& path)
      : complaints_(complaints), config_(config), upstream_(upstream), path_(path) {}

  void check() {
    if (upstream_.health) check_health(*upstream_.health);
    if (upstream_.outliers) check_outliers(*upstream_.outliers);
    if (upstream_.breaker) check_breaker(*upstream_.breaker);
    if (upstream_.queue) check_queue();
    if (upstream_.concurrency) check_concurrency(*upstream_.concurrency);
    if (upstream_.degraded) check_degraded(*upstream_.degraded);
  }

 private:
  std::string at(std::string_view key) const { return path_ + "." + std::string{key}; }
  bool are_sound(std::initializer_list<std::string_view> keys) const {
    return std::all_of(keys.begin(), keys.end(), [&](std::string_view key) { return complaints_.is_sound(at(key)); });
  }
  void complain(std::string_view key, std::string message, std::string fix) {
    complaints_.add(at(key), std::move(message), std::move(fix));
  }
  // Of two keys that contradict each other the one that was written, and not only left as it is.
  std::string_view written_of(std::string_view key, std::string_view other) const {
    return complaints_.is_written(at(key)) ? key : other;
  }

  void check_health(const HealthConfig& health) {
    check_intervals(health);
    if (complaints_.is_broken(at("health.probe"))) return;
    for (const Choice<ProbeKind>& kind : probe_kind_choices) {
      if (kind.value == health.probe) continue;
      complaints_.says_nothing(at("health." + std::string{kind.name}), "probe: " + std::string{name_of(health.probe)},
                               "remove it, or write `probe: " + std::string{kind.name} + "`");
    }
    if (health.probe == ProbeKind::http) check_http_probe(health.http);
    if (health.probe == ProbeKind::exec && health.exec.command.empty() && complaints_.is_sound(at("health.exec"))) {
      const bool is_empty = complaints_.is_written(at("health.exec.command"));
      complain(is_empty ? "health.exec.command" : "health.probe", "the probe `exec` is not told what to run",
               "write `exec: {command: [/usr/local/bin/check]}`");
    }
    if (health.port == 0) return;
    for (const EndpointConfig& endpoint : upstream_.endpoints) {
      if (!endpoint.address.is_unix()) continue;
      return complain("health.port", "the endpoint " + quoted(endpoint.name) + " is a UNIX socket and has no ports",
                      "remove `port`, or put such endpoints into an upstream of their own");
    }
  }

  void check_intervals(const HealthConfig& health) {
    if (!are_sound({"health.interval"})) return;
    const std::string usual = "`interval`, " + to_text(health.interval);
    if (are_sound({"health.timeout"}) && health.timeout > health.interval) {
      complain(
          written_of("health.timeout", "health.interval"),
          "a probe may take " + to_text(health.timeout) + ", and the next one begins after " + to_text(health.interval),
          "write a `timeout` of at most `interval`");
    }
    if (health.interval_in_doubt && *health.interval_in_doubt > health.interval) {
      complain("health.interval_in_doubt", "in doubt there would be fewer probes than usual: this is above " + usual,
               "lower it, or raise `interval`");
    }
    if (health.interval_proven && *health.interval_proven < health.interval) {
      complain("health.interval_proven",
               "without any doubt there would be more probes than usual: this is below " + usual,
               "raise it, or lower `interval`");
    }
  }

  void check_http_probe(const HttpProbeConfig& http) {
    if (http.method == "HEAD" && complaints_.is_sound(at("health.http.method"))) {
      complaints_.says_nothing_without(at("health.http.body"), "a body, which no answer to HEAD has",
                                       "remove it, or write `method: GET`");
    }
    if (http.statuses.empty() && complaints_.is_sound(at("health.http.statuses"))) {
      complain("health.http.statuses", "no answer would be a good one", "name some, as `200-399`, or remove the key");
    }
    if (!complaints_.is_broken(at("health.http.tls"))) {
      for (const std::string_view key : {"verify", "server_name", "ca"}) {
        if (http.tls) break;
        complaints_.says_nothing(at("health.http." + std::string{key}), "tls: off", "remove it, or write `tls: on`");
      }
    }
    if (http.tls && !http.verify) {
      complaints_.says_nothing(at("health.http.ca"), "verify: false", "remove it, or write `verify: true`");
    }
    check_headers(http.headers);
  }

  void check_headers(const Metadata& headers) {
    Seen seen;
    for (size_t i = 0; i < headers.size(); ++i) {
      const std::string& name = headers[i].first;
      const std::string key = "health.http.headers." + name;
      std::string ignored;
      if (lower_case(name) == "host") {
        complain(key, "the Host has a key of its own", "write `host: ...` beside `headers`");
      } else if (const auto mistake = RuledHeader{HeadOf::request}.read(name, ignored)) {
        complain(key, mistake->message, mistake->fix);
      } else if (!seen.emplace(lower_case(name), i).second) {
        complain(key, "this header is here already, in other letters", "name it once");
      }
    }
  }

  void check_outliers(const OutliersConfig& outliers) {
    if (!are_sound({"outliers.failures", "outliers.error_rate", "outliers.latency"})) return;
    if (outliers.failures == 0 && outliers.error_rate == 0 && outliers.latency == 0) {
      return complain("outliers", "nothing makes an endpoint an outlier here",
                      "give `failures`, `error_rate` or `latency` a value, or remove `outliers`");
    }
    if (outliers.error_rate == 0 && outliers.latency == 0) {
      for (const std::string_view key : {"outliers.window", "outliers.requests"}) {
        complaints_.says_nothing_without(at(key), "`error_rate` or `latency`",
                                         "remove it, or give one of them a value");
      }
    }
    if (are_sound({"outliers.ejection", "outliers.ejection_max"}) && outliers.ejection > outliers.ejection_max) {
      complain(written_of("outliers.ejection", "outliers.ejection_max"),
               "the first ejection, " + to_text(outliers.ejection) + ", is longer than the longest, " +
                   to_text(outliers.ejection_max),
               "lower `ejection`, or raise `ejection_max`");
    }
  }

  void check_breaker(const BreakerConfig& breaker) {
    if (!are_sound({"breaker.failures", "breaker.error_rate", "breaker.slow_rate"})) return;
    if (breaker.failures == 0 && breaker.error_rate == 0 && breaker.slow_rate == 0) {
      return complain("breaker", "nothing opens this breaker",
                      "give `failures`, `error_rate` or `slow_rate` a value, or remove `breaker`");
    }
    if (breaker.slow_rate == 0) {
      complaints_.says_nothing_without(at("breaker.slow"), "`slow_rate`", "remove it, or write `slow_rate` in percent");
    }
    if (breaker.error_rate > 0 || breaker.slow_rate > 0) return;
    for (const std::string_view key : {"breaker.window", "breaker.requests"}) {
      complaints_.says_nothing_without(at(key), "`error_rate` or `slow_rate`",
                                       "remove it, or give one of them a value");
    }
  }

  // Who finds an endpoint with room never waits.
  void check_queue() {
    if (upstream_.concurrency || !are_sound({"endpoints", "concurrency"})) return;
    const auto& endpoints = upstream_.endpoints;
    if (endpoints.empty() || std::any_of(endpoints.begin(), endpoints.end(),
                                         [](const EndpointConfig& endpoint) { return endpoint.max_connections > 0; })) {
      return;
    }
    complaints_.says_nothing_without(at("queue"), "a limit that endpoints could reach",
                                     "remove it, or give them `max_connections`, or the upstream `concurrency`");
  }

  void check_concurrency(const ConcurrencyConfig& limit) {
    if (!complaints_.is_sound(at("concurrency"))) return;
    if (limit.min > limit.max) {
      return complain(written_of("concurrency.min", "concurrency.max"),
                      "the smallest limit, " + std::to_string(limit.min) + ", is more than the largest, " +
                          std::to_string(limit.max),
                      "lower `min`, or raise `max`");
    }
    if (limit.start >= limit.min && limit.start <= limit.max) return;
    const bool below = limit.start < limit.min;
    complain(written_of("concurrency.start", below ? "concurrency.min" : "concurrency.max"),
             "the limit would start at " + std::to_string(limit.start) + ", which is not between " +
                 std::to_string(limit.min) + " and " + std::to_string(limit.max),
             "write a `start` from `min` to `max`");
  }

  void check_degraded(const DegradedConfig& degraded) {
    if (!complaints_.is_sound(at("degraded"))) return;
    if (degraded.error_rate == 0 && degraded.p99 == Duration::zero() && degraded.healthy == 0) {
      return complain("degraded", "nothing makes this upstream a degraded one",
                      "give `error_rate`, `p99` or `healthy` a value, or remove `degraded`");
    }
    if (!complaints_.is_sound("alerts")) return;
    const bool is_told = std::any_of(config_.alerts.begin(), config_.alerts.end(), [&](const AlertConfig& alert) {
      const bool of_this = alert.upstreams.empty() || std::find(alert.upstreams.begin(), alert.upstreams.end(),
                                                                upstream_.name) != alert.upstreams.end();
      return of_this && std::find(alert.on.begin(), alert.on.end(), AlertOn::degraded) != alert.on.end();
    });
    if (is_told) return;
    complaints_.says_nothing_without(
        at("degraded"), "an alert that tells of it",
        "remove it, or add one at the top of the file: `alerts: [{name: ops, log: true}]`");
  }

  Complaints& complaints_;
  const Config& config_;
  const UpstreamConfig& upstream_;
  const std::string& path_;
};

}  // namespace

void validate_resilience(Complaints& complaints, const Config& config, const UpstreamConfig& upstream,
                         const std::string& path) {
  ResilienceRules{complaints, config, upstream, path}.check();
}

}  // namespace weir::config
