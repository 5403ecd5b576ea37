// The structs of config.h that speak of balancing: what each algorithm can be told, zones, and agents. As there,
// defaults stand beside the fields, and what a field means is said in describe_balance.h. Values; see config.h for who
// owns them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/config/choices.h"
#include "core/model/address.h"

namespace weir::config {

struct TwoChoicesConfig {
  uint32_t choices = 2;
  LoadMeasure load = LoadMeasure::connections;
};

struct ResourceAwareConfig {
  std::string header = "X-Weir-Score";
  Duration expiry = std::chrono::seconds{10};
};

struct ZoneAwareConfig {
  std::string inside = "round_robin";
  uint32_t overprovision = 140;  // percent
};

struct AdaptiveConfig {
  Duration window = std::chrono::seconds{5};
  uint32_t windows = 3;
  uint32_t margin = 10;  // percent
  uint32_t requests = 100;
};

struct PluginConfig {
  std::string path;
  std::string options;
};

// An agent beside each origin that is asked how the origin is.
struct AgentConfig {
  uint16_t port = 0;  // of the endpoint's address
  std::string send;
  Duration interval = std::chrono::seconds{5};
  Duration timeout = std::chrono::seconds{1};

  bool operator==(const AgentConfig&) const = default;
};

struct ZoneNetworksConfig {
  std::string zone;
  CidrSet networks;
};

struct ZonesConfig {
  std::vector<ZoneNetworksConfig> networks;
  std::string maxmind;  // path; "": none
  std::string field = "country.iso_code";
  std::string otherwise;  // "": no zone
};

}  // namespace weir::config
