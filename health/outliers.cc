#include "health/outliers.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/balance/adaptive_judge.h"
#include "core/base/assert.h"

namespace weir {

Outliers::Outliers(const Rules& rules) {
  follow(rules);
}

void Outliers::follow(const Rules& rules) {
  WEIR_ASSERT(rules.ejection > Duration::zero(), rules.ejection.count());
  WEIR_ASSERT(rules.ejection_max >= rules.ejection, rules.ejection_max.count());
  WEIR_ASSERT(rules.latency_factor == 0 || rules.latency_factor >= 1);
  rules_ = rules;
}

std::vector<Outliers::Event> Outliers::look(std::span<const Seen> endpoints, Instant now) {
  ++looks_;
  std::vector<Event> events;
  std::vector<Entry*> entries(endpoints.size());
  uint32_t usable = 0;
  uint32_t out = 0;  // of those that are usable
  for (size_t i = 0; i < endpoints.size(); ++i) {
    const Seen& seen = endpoints[i];
    Entry& entry = *(entries[i] = &entry_of(seen, now));
    entry.runs = entry.window.advance(seen.so_far, now).runs;
    if (entry.ejected && now >= entry.until) {
      events.push_back(returned(entry, seen, i, "its time is over", now));
    }
    usable += seen.usable ? 1 : 0;
    out += seen.usable && entry.ejected ? 1 : 0;
  }
  std::erase_if(entries_, [this](const auto& item) { return item.second.look != looks_; });

  const uint32_t out_max = ejected_max(usable);
  while (out > out_max) {
    size_t first = endpoints.size();
    for (size_t i = 0; i < endpoints.size(); ++i) {
      if (!endpoints[i].usable || !entries[i]->ejected) continue;
      if (first == endpoints.size() || entries[i]->until < entries[first]->until) first = i;
    }
    // What it was spared does not make its next ejection longer.
    --entries[first]->ejections;
    events.push_back(returned(*entries[first], endpoints[first], first, "too few others are left", now));
    --out;
  }

  const PeerLatency peers = peers_among(endpoints, entries);
  std::vector<Suspect> suspects;
  for (size_t i = 0; i < endpoints.size(); ++i) {
    Entry& entry = *entries[i];
    if (entry.ejected) continue;
    std::optional<Suspect> found = endpoints[i].usable ? suspect(i, entry, peers) : std::nullopt;
    if (found) suspects.push_back(std::move(*found));
    // To be down is not to be well.
    if (found || !endpoints[i].usable) {
      entry.well_since = now;
    } else {
      forget(entry, now);
    }
  }
  std::stable_sort(suspects.begin(), suspects.end(),
                   [](const Suspect& one, const Suspect& other) { return one.badness > other.badness; });
  for (Suspect& each : suspects) {
    Entry& entry = *entries[each.index];
    if (out < out_max) {
      events.push_back(ejected(entry, std::move(each), now));
      ++out;
    } else if (!entry.spared) {
      entry.spared = true;
      events.push_back({.kind = Event::Kind::spared,
                        .index = each.index,
                        .why = each.why + "; but no more than " + std::to_string(out_max) + " of " +
                               std::to_string(usable) + " may be ejected"});
    }
  }
  return events;
}

Outliers::Entry& Outliers::entry_of(const Seen& seen, Instant now) {
  Entry& entry = entries_.try_emplace(seen.id, rules_, seen.so_far, now).first->second;
  WEIR_ASSERT(entry.look != looks_, index_of(seen.id));
  entry.look = looks_;
  if (entry.window.window() != rules_.window) entry.window = WindowedTraffic{rules_.window, seen.so_far, now};
  return entry;
}

PeerLatency Outliers::peers_among(std::span<const Seen> endpoints, std::span<Entry* const> entries) const {
  std::vector<Duration> means;
  if (rules_.latency_factor == 0) return PeerLatency{std::move(means)};
  for (size_t i = 0; i < endpoints.size(); ++i) {
    if (!endpoints[i].usable || entries[i]->ejected) continue;
    const Traffic lately = entries[i]->window.sum();
    if (lately.answers > 0 && lately.answers >= rules_.requests) means.push_back(lately.mean_answer());
  }
  return PeerLatency{std::move(means)};
}

std::optional<Outliers::Suspect> Outliers::suspect(size_t index, const Entry& entry, const PeerLatency& peers) const {
  const Traffic lately = entry.window.sum();
  // By kind first: 2 to 3, 1 to 2, 0 to 1.
  if (rules_.failures > 0 && entry.runs > 0) {
    return Suspect{.index = index,
                   .badness = 2 + lately.error_share(),
                   .why = std::to_string(rules_.failures) + (rules_.failures == 1 ? " failure" : " failures in a row")};
  }
  if (rules_.error_rate_percent > 0 && lately.bad > 0 && lately.outcomes() >= rules_.requests &&
      lately.bad * 100 >= lately.outcomes() * rules_.error_rate_percent) {
    return Suspect{.index = index, .badness = 1 + lately.error_share(), .why = told_failures(lately, rules_.window)};
  }
  if (rules_.latency_factor == 0 || lately.answers == 0 || lately.answers < rules_.requests) return std::nullopt;
  const Duration mean = lately.mean_answer();
  const std::optional<Duration> usual = peers.median_without(mean);
  if (!usual || *usual == Duration::zero()) return std::nullopt;
  const double times = static_cast<double>(mean.count()) / static_cast<double>(usual->count());
  if (times <= rules_.latency_factor) return std::nullopt;
  char slower[32];
  std::snprintf(slower, sizeof slower, "%.1f", times);
  return Suspect{.index = index,
                 .badness = 1 - 1 / times,
                 .why = "it took " + readable(mean) + " to answer in the last " + readable(rules_.window) + ", " +
                        slower + " times as long as its peers (" + readable(*usual) + ")"};
}

Outliers::Event Outliers::ejected(Entry& entry, Suspect suspect, Instant now) const {
  // More than lead to the longest ejection are not remembered, or they would be remembered forever.
  const auto remembered = static_cast<uint32_t>((rules_.ejection_max - Duration{1}) / rules_.ejection + 1);
  entry.ejections = std::min(entry.ejections + 1, remembered);
  entry.ejected = true;
  entry.spared = false;
  const Duration length = length_of(entry.ejections);
  entry.until = now + length;
  return {.kind = Event::Kind::ejected, .index = suspect.index, .why = std::move(suspect.why), .length = length};
}

Outliers::Event Outliers::returned(Entry& entry, const Seen& seen, size_t index, std::string why, Instant now) const {
  entry.ejected = false;
  entry.well_since = now;
  // What it was ejected for must not eject it again.
  entry.window.restart(seen.so_far, now);
  entry.runs = 0;
  return {.kind = Event::Kind::returned, .index = index, .why = std::move(why)};
}

void Outliers::forget(Entry& entry, Instant now) const noexcept {
  if (now - entry.well_since < rules_.ejection) return;
  entry.spared = false;
  const auto times = (now - entry.well_since) / rules_.ejection;
  entry.ejections -= static_cast<uint32_t>(std::min<Duration::rep>(entry.ejections, times));
  entry.well_since += times * rules_.ejection;
}

Duration Outliers::length_of(uint32_t ejections) const noexcept {
  return std::min<Duration>(rules_.ejection * ejections, rules_.ejection_max);
}

bool Outliers::ejected(EndpointId id) const noexcept {
  const auto found = entries_.find(id);
  return found != entries_.end() && found->second.ejected;
}

uint32_t Outliers::ejections(EndpointId id) const noexcept {
  const auto found = entries_.find(id);
  return found == entries_.end() ? 0 : found->second.ejections;
}

uint32_t Outliers::ejected_max(uint32_t usable) const noexcept {
  if (usable < 2 || rules_.ejected_max_percent == 0) return 0;
  const auto share = static_cast<uint32_t>(uint64_t{usable} * std::min(rules_.ejected_max_percent, 100U) / 100);
  return std::clamp(share, 1U, usable - 1);
}

}  // namespace weir
