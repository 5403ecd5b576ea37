#include "bench/balance_sim/simulation.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "bench/balance_sim/arrivals.h"
#include "bench/balance_sim/balancer.h"
#include "bench/balance_sim/origin.h"

namespace weir::balance_sim {
namespace {

struct Request {
  Arrival arrival;
  uint32_t origin = 0;
  Lease lease;
};

// An origin is done with a request.
struct Departure {
  Duration at;
  uint64_t number;  // of equal times the one that was begun first comes first
  uint32_t request;

  bool operator>(const Departure& other) const noexcept {
    return at != other.at ? at > other.at : number > other.number;
  }
};

// Requests in the system, by number; the numbers of those that have left are given out again.
class Requests {
 public:
  uint32_t add(Request request) {
    if (free_.empty()) {
      all_.push_back(std::move(request));
      return static_cast<uint32_t>(all_.size() - 1);
    }
    const uint32_t number = free_.back();
    free_.pop_back();
    all_[number] = std::move(request);
    return number;
  }
  void remove(uint32_t number) {
    all_[number].lease.end();
    free_.push_back(number);
  }
  Request& operator[](uint32_t number) { return all_[number]; }

 private:
  std::vector<Request> all_;
  std::vector<uint32_t> free_;
};

// The value that this part of all are not above. Reorders them.
double quantile(std::vector<double>& values, double part) {
  if (values.empty()) return 0;
  const auto last = static_cast<double>(values.size() - 1);
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(std::lround(part * last));
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

class Simulation {
 public:
  Simulation(const Scenario& scenario, const Contender& contender, uint64_t seed)
      : scenario_(scenario), seed_(seed), arrivals_(scenario, seed), balancer_(scenario, contender, seed) {
    origins_.assign(scenario.origins, Origin(scenario.slots, scenario.warm_up, scenario.end()));
  }

  Outcome run() {
    Duration next_tick = control_tick;
    for (Arrival arrival = arrivals_.next(); arrival.at < scenario_.end(); arrival = arrivals_.next()) {
      for (; next_tick <= arrival.at; next_tick += control_tick) {
        depart_until(next_tick);
        balancer_.tick(next_tick);
      }
      depart_until(arrival.at);
      arrive(arrival);
    }
    depart_until(scenario_.end());
    const double growth = static_cast<double>(present()) - static_cast<double>(present_before_);
    depart_until(Duration::max());
    return outcome(growth);
  }

 private:
  void arrive(const Arrival& arrival) {
    if (is_measured(arrival) && requests_ == 0) present_before_ = present();
    const uint32_t index = balancer_.pick(arrival);
    Request request{.arrival = arrival, .origin = index, .lease = {}};
    if (index != no_endpoint) request.lease = balancer_.lease(index);
    if (is_measured(arrival)) ++requests_;
    if (!request.lease) {
      if (is_measured(arrival)) ++refused_;
      return;
    }
    if (is_measured(arrival) && balancer_.zone_of(index) == arrival.zone) ++at_home_;
    const uint32_t number = in_system_.add(std::move(request));
    if (origins_[index].arrive(number, arrival.at)) begin(number, arrival.at);
  }

  void begin(uint32_t number, Duration now) {
    const Request& request = in_system_[number];
    const double slowness = scenario_.slowness(request.origin, seed_, now);
    const auto work = std::llround(static_cast<double>(request.arrival.work.count()) * slowness);
    departures_.push({.at = now + Duration{work}, .number = begun_++, .request = number});
  }

  void depart_until(Duration until) {
    while (!departures_.empty() && departures_.top().at <= until) {
      const Departure departure = departures_.top();
      departures_.pop();
      depart(departure.request, departure.at);
    }
  }

  void depart(uint32_t number, Duration now) {
    const Arrival arrival = in_system_[number].arrival;
    const uint32_t index = in_system_[number].origin;
    const Duration latency = now - arrival.at;
    if (is_measured(arrival)) latencies_.push_back(static_cast<double>(latency.count()) / 1e6);
    in_system_.remove(number);
    if (const std::optional<uint32_t> next = origins_[index].finish(now)) begin(*next, now);
    balancer_.answered(arrival.worker, index, latency, origins_[index].score(), now);
  }

  bool is_measured(const Arrival& arrival) const noexcept { return arrival.at >= scenario_.warm_up; }

  uint64_t present() const noexcept {
    uint64_t sum = 0;
    for (const Origin& origin : origins_) sum += origin.present();
    return sum;
  }

  Outcome outcome(double growth) {
    Outcome result;
    result.requests = static_cast<double>(requests_);
    const double answered = static_cast<double>(latencies_.size());
    for (const double each : latencies_) result.mean += each / answered;
    latencies_.insert(latencies_.end(), refused_, std::numeric_limits<double>::infinity());
    result.p50 = quantile(latencies_, 0.5);
    result.p99 = quantile(latencies_, 0.99);
    result.p999 = quantile(latencies_, 0.999);
    result.refused = static_cast<double>(refused_) / result.requests;
    result.at_home = static_cast<double>(at_home_) / result.requests;
    result.growth = growth / result.requests;

    double busiest = 0;
    double busy = 0;
    for (Origin& origin : origins_) {
      origin.settle(scenario_.end());
      busiest = std::max(busiest, origin.busy_time());
      busy += origin.busy_time();
      result.present += origin.present_time() / static_cast<double>(scenario_.measured.count());
    }
    result.imbalance = busiest * scenario_.origins / busy;
    return result;
  }

  const Scenario& scenario_;
  uint64_t seed_;
  Arrivals arrivals_;
  Balancer balancer_;
  std::vector<Origin> origins_;
  Requests in_system_;
  std::priority_queue<Departure, std::vector<Departure>, std::greater<>> departures_;
  uint64_t begun_ = 0;
  std::vector<double> latencies_;  // milliseconds
  uint64_t present_before_ = 0;    // when measuring began
  uint64_t requests_ = 0;
  uint64_t refused_ = 0;
  uint64_t at_home_ = 0;
};

}  // namespace

Outcome simulate(const Scenario& scenario, const Contender& contender, uint64_t seed) {
  return Simulation(scenario, contender, seed).run();
}

}  // namespace weir::balance_sim
