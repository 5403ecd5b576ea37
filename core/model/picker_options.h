// PickerOptions: what the algorithms can be told, each of them its own part. Defaults beside the fields. A value.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/model/upstream_state.h"

namespace weir {

class PluginLibrary;

// What two_choices compares.
enum class LoadMeasure : uint8_t { connections, latency };

struct PickerOptions {
  // hashing
  uint32_t maglev_table_size = 65'537;  // prime; a hundred slots per endpoint or more keep shares even
  uint32_t ring_points = 160;           // of an endpoint of average weight
  double bounded_load = 0;              // 1.25: nobody above 1.25 times its fair part; 0: no bound
  // two_choices
  uint32_t choices = 2;
  LoadMeasure load = LoadMeasure::connections;
  // least_time, two_choices, adaptive: the time in which what was measured counts half
  Duration latency_decay = std::chrono::seconds{10};
  // resource_aware: what an origin said counts so long
  Duration score_expiry = std::chrono::seconds{10};
  // zone_aware
  std::string zone_inside = "round_robin";  // the algorithm among those of one zone
  uint32_t overprovision = 140;             // percent of its clients that a healthy zone could serve
  // adaptive: the algorithm that decides now, and where the others' guesses are kept (null: nowhere)
  std::string adaptive_choice = "round_robin";
  UpstreamState* state = nullptr;
  // plugin
  std::shared_ptr<const PluginLibrary> plugin{};
  std::string plugin_options{};
};

}  // namespace weir
