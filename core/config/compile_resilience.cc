#include "core/config/compile_resilience.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/config/compile_http.h"
#include "core/config/diagnostic.h"
#include "core/zones/client_filter.h"

namespace weir::config {
namespace {

// With twice as many entries as there may be connections a newcomer hardly ever finds its set full.
constexpr uint64_t entries_per_connection = 2;
constexpr uint64_t client_entries_max = uint64_t{1} << 24;  // 128 MiB

uint32_t client_entries(uint32_t connections_max) {
  const uint64_t wanted = entries_per_connection * connections_max;
  return static_cast<uint32_t>(std::min(wanted, client_entries_max));
}

}  // namespace

Resilience compile_resilience(const UpstreamConfig& config) {
  Resilience resilience;
  if (config.breaker) {
    resilience.breaker.failures = config.breaker->failures;
    if (config.breaker->slow_rate > 0) resilience.breaker.slow = config.breaker->slow;
  }
  if (config.outliers) resilience.outlier_failures = config.outliers->failures;
  resilience.learns_limits = config.concurrency.has_value();
  if (config.queue) {
    resilience.queue = {.size = config.queue->size, .timeout = config.queue->timeout};
    resilience.retry_after_s =
        static_cast<uint32_t>(std::chrono::ceil<std::chrono::seconds>(config.queue->retry_after).count());
  }
  if (config.hedge) {
    resilience.hedge = {.percentile = config.hedge->percentile,
                        .wait_min = config.hedge->min_wait,
                        .budget_percent = config.hedge->budget};
  }
  resilience.pending_max = config.max_pending;
  resilience.retries_max = config.max_retries;
  return resilience;
}

SheddingPolicy compile_shedding(const SheddingConfig& config) {
  return {.turn = config.turn,
          .buffers_percent = config.buffers,
          .descriptors_percent = config.descriptors,
          .memory_bytes = config.memory};
}

std::vector<RateLimit> compile_rate_limits(const std::vector<RateLimitConfig>& configs, std::string_view owner,
                                           Registry& registry) {
  std::vector<RateLimit> limits;
  for (const RateLimitConfig& config : configs) {
    RateLimit& limit = limits.emplace_back();
    limit.name = config.name;
    if (config.by) limit.by = compiled_key(*config.by);
    limit.prefix = config.prefix;
    limit.prefix6 = config.prefix6;
    limit.enforced = config.action == RateAction::refuse;
    limit.tell = config.headers;
    RateRule rule{.algorithm = config.algorithm, .requests = config.requests, .per = config.per};
    if (config.algorithm == RateAlgorithm::token_bucket) rule.burst = config.burst.value_or(config.requests);
    // No name has a line end in it.
    std::string place{owner};
    place.append("\n").append(config.name);
    limit.table = registry.rate_table(place, rule, config.by ? config.entries : 1);
  }
  return limits;
}

Result<std::shared_ptr<const ClientFilter>, std::string> client_filter_of(const ListenerConfig& config) {
  if (config.allow.blocks.empty() && config.deny.blocks.empty() && config.allow_file.empty() &&
      config.deny_file.empty()) {
    return std::shared_ptr<const ClientFilter>{};
  }
  zones::ClientFilterSource source;
  source.allow = config.allow.blocks;
  source.deny = config.deny.blocks;
  source.allow_file = config.allow_file;
  source.deny_file = config.deny_file;
  return zones::make_client_filter(source);
}

std::string compile_admission(ListenerSpec& listener, const ListenerConfig& config, uint32_t connections_max,
                              Registry& registry) {
  auto filter = client_filter_of(config);
  if (!filter) return "listener " + quoted(config.name) + ": " + filter.error();
  listener.filter = std::move(*filter);
  listener.connections_per_client_max = config.max_connections_per_client;
  if (config.max_connections_per_client > 0) {
    const uint32_t most =
        config.max_connections > 0 ? std::min(config.max_connections, connections_max) : connections_max;
    registry.count_clients(listener.id, client_entries(most));
  }
  listener.rate_limits = compile_rate_limits(config.rate_limits, config.name, registry);
  listener.priority = config.priority;
  return {};
}

}  // namespace weir::config
