#include "core/balance/shares.h"

#include <algorithm>
#include <cmath>

#include "core/base/assert.h"

namespace weir {
namespace {

bool on_duty(const Endpoint& endpoint, const Standing& standing) noexcept {
  return weight_of(endpoint, standing) > 0 && standing.worse_duty() == Duty::ready;
}

// From the part it begins with to 1.
double ramp(const Standing& standing, const ShareRules& rules, Instant now) noexcept {
  if (rules.slow_start <= Duration::zero() || standing.since == Instant::min()) return 1;
  const Duration age = now - standing.since;
  if (age >= rules.slow_start) return 1;
  const double passed = static_cast<double>(age.count()) / static_cast<double>(rules.slow_start.count());
  const double from = rules.slow_start_from / 100.0;
  return from + (1 - from) * std::max(passed, 0.0);
}

// An agent may say that its endpoint is good for more than its weight; this much is believed, and fits in 32 bits.
constexpr double part_max = 256;

uint32_t share_at(uint32_t weight, double part) noexcept {
  const double share = std::round(static_cast<double>(weight) * share_of_one * std::clamp(part, 0.0, part_max));
  return std::max(static_cast<uint32_t>(share), 1U);
}

// What is there and what of it is healthy, in weight.
struct Tally {
  double all = 0;
  double healthy = 0;

  bool below(uint32_t percent) const noexcept { return healthy * 100 < all * percent; }
};

}  // namespace

uint32_t weight_of(const Endpoint& endpoint, const Standing& standing) noexcept {
  return standing.weight.value_or(endpoint.configured_weight);
}

bool takes_work(const Endpoint& endpoint, const Standing& standing) noexcept {
  return on_duty(endpoint, standing) && standing.healthy();
}

uint32_t healthy_count(const Upstream& upstream) noexcept {
  return static_cast<uint32_t>(
      std::count_if(upstream.endpoints.begin(), upstream.endpoints.end(),
                    [](const Endpoint& endpoint) { return takes_work(endpoint, endpoint.state->standing); }));
}

Shares share_out(std::span<const Endpoint> endpoints, std::span<const Standing> standings, const ShareRules& rules,
                 Instant now) {
  WEIR_ASSERT(endpoints.size() == standings.size());
  Shares shares;
  shares.each.assign(endpoints.size(), 0);
  shares.levels.assign(endpoints.size(), 0);

  uint8_t last_tier = 0;
  Tally whole;
  for (size_t i = 0; i < endpoints.size(); ++i) {
    last_tier = std::max(last_tier, endpoints[i].tier);
    if (!on_duty(endpoints[i], standings[i])) continue;
    const uint32_t weight = weight_of(endpoints[i], standings[i]);
    whole.all += weight;
    if (standings[i].healthy()) whole.healthy += weight;
  }
  shares.panic = whole.all > 0 && whole.below(rules.panic_threshold);

  std::vector<Tally> tiers(last_tier + size_t{1});
  for (size_t i = 0; i < endpoints.size(); ++i) {
    const Endpoint& endpoint = endpoints[i];
    const Standing& standing = standings[i];
    const uint32_t weight = weight_of(endpoint, standing);
    tiers[endpoint.tier].all += weight;
    if (!on_duty(endpoint, standing) || (!standing.healthy() && !shares.panic)) continue;
    const double rising = shares.panic ? 1 : ramp(standing, rules, now);
    const double part = shares.panic ? 1 : standing.health * standing.measured * standing.capacity * rising;
    shares.each[i] = share_at(weight, part);
    shares.ramping = shares.ramping || rising < 1;
    tiers[endpoint.tier].healthy += weight;
  }

  // Tiers that nobody is in have nothing that could be healthy, and are passed over.
  uint32_t in_use = 1;
  while (in_use <= last_tier && (tiers[in_use - 1].healthy == 0 || tiers[in_use - 1].below(rules.backup_threshold))) {
    ++in_use;
  }
  shares.tiers_in_use = in_use;
  for (size_t i = 0; i < endpoints.size(); ++i) {
    const uint8_t tier = endpoints[i].tier;
    shares.levels[i] = tier < in_use ? uint8_t{0} : static_cast<uint8_t>(tier - in_use + 1);
  }
  return shares;
}

}  // namespace weir
