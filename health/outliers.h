// Outliers: who, among the endpoints of one upstream, does so much worse than is bearable that it is better left out
// for a while ("ejected"). It looks at live traffic only, and needs no probe.
//
//                      failures in a row, or too many of them in the window, or much slower than its peers
//         in service ---------------------------------------------------------------------------------> ejected
//            ^    ^   (but who would be one too many is spared, and that is said once)                     |  |
//            |    '---- its time is over: `ejection` times how often that was, at most `ejection_max` -----'  |
//            '------- so few others are usable by now that it would be one too many: the earliest first ------'
//
// How often it was is forgotten as slowly as it was learned: by one for each `ejection` in service without being an
// outlier. Ejected at a time are at most `ejected_max_percent` of those that are usable otherwise, rounded down; but
// one of two or more always may be (not with 0 percent, which only says who it would have been), and never all of
// them. An endpoint that is down anyway neither counts nor is judged, but its time goes on.
//
// Pure: no clock, no I/O; readings are handed in. One for each upstream; what it knows goes by EndpointId, so that a
// reload keeps it. Control thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "health/peer_latency.h"
#include "health/traffic.h"

namespace weir {

class Outliers {
 public:
  struct Rules {
    uint32_t failures = 5;             // in a row, as workers count them; 0: they do not matter
    uint32_t error_rate_percent = 50;  // of what came in the window; 0: it does not matter
    double latency_factor = 0;         // above the median of its peers; 0: latency does not matter
    Duration window = std::chrono::seconds{10};
    uint32_t requests = 20;  // fewer in the window prove nothing
    Duration ejection = std::chrono::seconds{10};
    Duration ejection_max = std::chrono::minutes{5};
    uint32_t ejected_max_percent = 50;

    bool operator==(const Rules&) const = default;
  };
  struct Seen {
    EndpointId id{};
    Traffic so_far{};    // traffic_of
    bool usable = true;  // it would get new work, were it not ejected
  };
  struct Event {
    enum class Kind : uint8_t { ejected, returned, spared };
    Kind kind{};
    size_t index = 0;   // in what was handed in
    std::string why;    // a sentence without its full stop, for the log
    Duration length{};  // of an ejection
  };

  explicit Outliers(const Rules& rules);

  // How all endpoints of the upstream stand now; who is missing is forgotten. What changes because of that: returns
  // first, then ejections with the worst first.
  std::vector<Event> look(std::span<const Seen> endpoints, Instant now);

  // Other rules from here on. Those that are ejected stay so until their time is over; windows begin anew if they are
  // to have another length.
  void follow(const Rules& rules);

  bool ejected(EndpointId id) const noexcept;
  // How often it was ejected, as far as that is not forgotten.
  uint32_t ejections(EndpointId id) const noexcept;
  // How many may be ejected at a time, of so many.
  uint32_t ejected_max(uint32_t usable) const noexcept;

  const Rules& rules() const noexcept { return rules_; }

 private:
  struct Entry {
    Entry(const Rules& rules, const Traffic& so_far, Instant now) noexcept
        : window(rules.window, so_far, now), well_since(now) {}

    WindowedTraffic window;
    uint64_t runs = 0;  // since the last look but one
    bool ejected = false;
    bool spared = false;     // and that was said; until it has been well for as long as an ejection
    uint32_t ejections = 0;  // times; what is forgotten is taken off
    Instant until{};         // while ejected
    Instant well_since;      // when something was last found against it, or forgotten
    uint64_t look = 0;       // the last that named it
  };
  struct Suspect {
    size_t index = 0;
    double badness = 0;
    std::string why;
  };

  Entry& entry_of(const Seen& seen, Instant now);
  // What speaks against one that is in service.
  std::optional<Suspect> suspect(size_t index, const Entry& entry, const PeerLatency& peers) const;
  PeerLatency peers_among(std::span<const Seen> endpoints, std::span<Entry* const> entries) const;
  Event ejected(Entry& entry, Suspect suspect, Instant now) const;
  Event returned(Entry& entry, const Seen& seen, size_t index, std::string why, Instant now) const;
  void forget(Entry& entry, Instant now) const noexcept;
  Duration length_of(uint32_t ejections) const noexcept;

  Rules rules_;
  uint64_t looks_ = 0;
  std::unordered_map<EndpointId, Entry> entries_;
};

}  // namespace weir
