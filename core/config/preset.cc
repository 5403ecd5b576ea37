#include "core/config/preset.h"

#include <chrono>
#include <string>

namespace weir::config {
namespace {

// For origins that are slow to come back, and better left alone for a while.
namespace patient {
constexpr Duration health_interval = std::chrono::seconds{30};
constexpr uint32_t breaker_failures = 5;
constexpr Duration breaker_recovery = std::chrono::seconds{60};
constexpr uint32_t endpoint_connections_max = 100;
}  // namespace patient

class PatientPreset {
 public:
  PatientPreset(UpstreamConfig& upstream, std::string path, const WhatIsSaid& what_is_said)
      : upstream_(upstream), path_(std::move(path)), what_is_said_(what_is_said) {}

  void apply() {
    if (!upstream_.health) upstream_.health.emplace();
    fill(upstream_.health->interval, ".health.interval", patient::health_interval);
    if (!upstream_.breaker) upstream_.breaker.emplace();
    fill(upstream_.breaker->failures, ".breaker.failures", patient::breaker_failures);
    fill(upstream_.breaker->recovery, ".breaker.recovery", patient::breaker_recovery);
    for (size_t i = 0; i < upstream_.endpoints.size(); ++i) {
      fill(upstream_.endpoints[i].max_connections, indexed(".endpoints", i) + ".max_connections",
           patient::endpoint_connections_max);
    }
  }

 private:
  template <class T>
  void fill(T& field, const std::string& key, T value) {
    if (what_is_said_(path_ + key) == Said::nothing) field = value;
  }

  UpstreamConfig& upstream_;
  const std::string path_;
  const WhatIsSaid& what_is_said_;
};

}  // namespace

void apply_presets(Config& config, const WhatIsSaid& what_is_said) {
  for (size_t i = 0; i < config.upstreams.size(); ++i) {
    UpstreamConfig& upstream = config.upstreams[i];
    switch (upstream.preset) {
      case Preset::standard: break;  // the defaults of the structs
      case Preset::patient: PatientPreset{upstream, indexed("upstreams", i), what_is_said}.apply(); break;
    }
  }
}

}  // namespace weir::config
