// What the description (describe.h) says about a field besides its kind, and the ranges that several fields share.
// Values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "core/base/clock.h"
#include "core/config/values.h"
#include "core/model/picker.h"

namespace weir::config {

inline constexpr uint32_t pair_bytes_max = 128;  // of the names and values of a mapping

struct Note {
  std::string_view sentence;
  bool required = false;
  std::string_view otherwise = {};   // what holds when the key is left out, where the default value does not say it
  std::string_view short_form = {};  // list: the key that an item means which is a scalar instead of a mapping
  uint32_t value_bytes_max = pair_bytes_max;  // pairs: of a value
};

namespace range {
using std::chrono::hours;
using std::chrono::milliseconds;

inline constexpr Duration short_wait_min = milliseconds{1};
inline constexpr Duration short_wait_max = hours{1};
inline constexpr Duration long_wait_max = hours{24 * 365};
inline constexpr uint32_t connections_max = 10'000'000;
inline constexpr uint32_t workers_max = cpu_max + 1;
inline constexpr uint32_t weight_max = 65535;
inline constexpr uint32_t tries_max = weir::tries_max;
inline constexpr uint32_t backlog_max = 1'000'000;
inline constexpr uint32_t pipes_max = 65536;
inline constexpr uint32_t maglev_table_size_max = 16'777'213;  // the largest prime below 2^24
}  // namespace range

}  // namespace weir::config
