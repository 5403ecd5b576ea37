// What the command line said, checked and in the types the loops work with. Made once at start, immutable, shared by
// all threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "tools/origin/listen_address.h"
#include "tools/origin/origin.h"
#include "tools/origin/target.h"

namespace weir::origin {

enum class RawMode : std::uint8_t { none, echo, discard, endless, banner, name, silent, reset };

struct Settings {
  std::vector<ListenAddress> listen;
  std::string name;
  unsigned threads = 1;
  std::optional<Answer> fallback;  // for `/` and unlisted paths
  Duration delay{};
  FailMode fail = FailMode::none;
  double fail_rate = 1;
  std::uint64_t seed = 1;
  int health_status = 200;
  RawMode raw = RawMode::none;
  bool proxy_protocol = false;
  bool stats_on_exit = false;
};

inline constexpr unsigned threads_max = 256;
inline constexpr std::size_t name_bytes_max = 64;

// Nothing if an option makes no sense; then `complaint` names it, what was given and what would be right.
std::optional<Settings> check(const OriginOptions& options, std::string& complaint);

}  // namespace weir::origin
