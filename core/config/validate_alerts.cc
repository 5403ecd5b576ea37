// What is shed, and who is told: the part of validate_resilience.h that speaks of the whole process.
#include <algorithm>
#include <string_view>

#include "core/config/diagnostic.h"
#include "core/config/validate_resilience.h"
#include "core/config/values.h"

namespace weir::config {
namespace {

// Less is gone before the first client comes.
constexpr uint64_t shedding_memory_min = 32 * MiB;

// Does any upstream that the alert is about say when it is degraded?
bool can_degrade(const Config& config, const AlertConfig& alert) {
  return std::any_of(config.upstreams.begin(), config.upstreams.end(), [&](const UpstreamConfig& upstream) {
    const bool meant = alert.upstreams.empty() || std::find(alert.upstreams.begin(), alert.upstreams.end(),
                                                            upstream.name) != alert.upstreams.end();
    return meant && upstream.degraded.has_value();
  });
}

void validate_alert(Complaints& complaints, const Config& config, const AlertConfig& alert, const std::string& path) {
  const auto is_sound = [&](std::string_view key) { return complaints.is_sound(path + "." + std::string{key}); };
  const auto is_written = [&](std::string_view key) { return complaints.is_written(path + "." + std::string{key}); };
  const bool sinks_are_sound = is_sound("webhook") && is_sound("exec") && is_sound("log");
  const bool is_sent = !alert.webhook.host.empty() || !alert.exec.empty();
  if (sinks_are_sound && !is_sent && !alert.log) {
    complaints.add(path, "nobody gets this alert",
                   "write `webhook: https://...`, `exec: [/path/of/program]` or `log: true`");
  } else if (sinks_are_sound && !is_sent) {
    for (const std::string_view key : {"timeout", "retries", "backoff"}) {
      complaints.says_nothing_without(path + "." + std::string{key}, "`webhook` or `exec`",
                                      "remove it: to write to the log neither fails nor takes long");
    }
  } else if (alert.retries == 0 && is_sound("retries")) {
    complaints.says_nothing(path + ".backoff", "retries: 0", "remove it, or allow some");
  }
  if (alert.on.empty() && is_sound("on")) {
    complaints.add(path + ".on", "this alert tells of nothing",
                   "name `endpoint`, `upstream` or `degraded`, or remove the key for all three");
  }
  if (alert.upstreams.empty() && is_written("upstreams") && is_sound("upstreams")) {
    complaints.add(path + ".upstreams", "this list names no upstream", "name some, or remove the key for all of them");
  }
  for (size_t i = 0; i < alert.upstreams.size(); ++i) {
    complaints.upstream_exists(indexed(path + ".upstreams", i), alert.upstreams[i]);
  }
  if (alert.on == std::vector{AlertOn::degraded} && is_sound("upstreams") && complaints.is_sound("upstreams") &&
      !can_degrade(config, alert)) {
    complaints.says_nothing_without(path + ".on", "an upstream that says when it is degraded",
                                    "write `degraded: {error_rate: 5}` there, or name other events");
  }
}

}  // namespace

void validate_shedding(Complaints& complaints, const SheddingConfig& shedding) {
  if (shedding.memory == 0 || shedding.memory >= shedding_memory_min) return;
  complaints.add("shedding.memory", "with " + quoted(size_to_text(shedding.memory)) + " nobody would ever be served",
                 "weir itself needs some: write at least " + size_to_text(shedding_memory_min) + ", or 0");
}

void validate_alerts(Complaints& complaints, const Config& config) {
  Seen names;
  for (size_t i = 0; i < config.alerts.size() && !complaints.full(); ++i) {
    const AlertConfig& alert = config.alerts[i];
    const std::string path = indexed("alerts", i);
    if (!alert.name.empty() && !names.emplace(alert.name, i).second) {
      complaints.add(path + ".name", "a second alert is called " + quoted(alert.name), "give each its own `name`");
    }
    validate_alert(complaints, config, alert, path);
  }
}

}  // namespace weir::config
