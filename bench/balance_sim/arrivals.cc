#include "bench/balance_sim/arrivals.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "hashing/hash64.h"

namespace weir::balance_sim {
namespace {

// Standard deviation of the logarithm of lognormal work. The mean is exp(sigma^2 / 2) times the median.
constexpr double lognormal_sigma = 1.5;

std::vector<uint32_t> client_weights(const Scenario& scenario) {
  std::vector<uint32_t> weights(scenario.clients);
  for (uint32_t i = 0; i < scenario.clients; ++i) {
    weights[i] = static_cast<uint32_t>(std::lround(1e9 / std::pow(i + 1.0, scenario.zipf)));
  }
  return weights;
}

}  // namespace

Arrivals::Arrivals(const Scenario& scenario, uint64_t seed)
    : scenario_(scenario),
      seed_(seed),
      random_(seed),
      clients_(client_weights(scenario)),
      base_rate_(scenario.load * scenario.capacity() / 1e9),
      burst_rate_(scenario.burst_load * scenario.capacity() / 1e9),
      phase_end_(std::numeric_limits<double>::infinity()) {
  if (scenario.burst_load > 0) phase_end_ = exponential() * static_cast<double>(scenario.phase_mean.count());
}

// With mean 1. 1 - unit() is never 0.
double Arrivals::exponential() noexcept {
  return -std::log(1 - random_.unit());
}

// With mean 1.
double Arrivals::work() noexcept {
  if (scenario_.work == WorkShape::exponential) return exponential();
  // A normally distributed number (Box and Muller, 1958).
  const double radius = std::sqrt(2 * exponential());
  const double normal = radius * std::cos(2 * std::numbers::pi * random_.unit());
  return std::exp(lognormal_sigma * normal - lognormal_sigma * lognormal_sigma / 2);
}

Arrival Arrivals::next() noexcept {
  // Memoryless: what is left of the waiting time when a phase ends is drawn anew at the next phase's rate.
  double next_at = at_ + exponential() / rate();
  while (next_at > phase_end_) {
    at_ = phase_end_;
    bursting_ = !bursting_;
    phase_end_ += exponential() * static_cast<double>(scenario_.phase_mean.count());
    next_at = at_ + exponential() / rate();
  }
  at_ = next_at;

  const uint32_t client = clients_.draw(random_.next());
  Arrival arrival;
  arrival.at = Duration{std::llround(at_)};
  arrival.work = Duration{std::llround(work() * static_cast<double>(scenario_.work_mean.count()))};
  arrival.key = hashing::mix64(client, seed_);
  arrival.zone = ZoneId{static_cast<uint16_t>(hashing::reduce(hashing::mix64(arrival.key), zones))};
  arrival.worker = static_cast<unsigned>(random_.below(workers));
  return arrival;
}

}  // namespace weir::balance_sim
