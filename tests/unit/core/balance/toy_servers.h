// A toy of a load balancer with its origins: arrivals at random, servers with queues, one Picker or several workers'.
// It is what the guesses of shadows are held against, because in it an algorithm can be run for real.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "core/balance/pickers.h"
#include "core/base/random.h"
#include "tests/unit/core/balance/pickers_fixture.h"

namespace weir {

// First come, first served, by so many at a time.
struct ToyServer {
  double service_ms = 1;   // on average
  uint32_t at_a_time = 1;  // 0: any number
  bool constant = false;   // else exponentially distributed
};

struct ToyResult {
  double mean_ms = 0;
  double p99_ms = 0;
  std::vector<uint32_t> picked;  // by server
};

class Toy {
 public:
  Toy(std::vector<ToyServer> servers, double arrivals_per_ms, uint64_t seed = 1, unsigned workers = 1)
      : servers_(std::move(servers)),
        busy_until_(servers_.size()),
        arrivals_per_ms_(arrivals_per_ms),
        random_(seed),
        workers_(workers) {
    for (size_t i = 0; i < servers_.size(); ++i) {
      busy_until_[i].assign(servers_[i].at_a_time, 0.0);
      Endpoint endpoint;
      endpoint.id = EndpointId{static_cast<uint32_t>(i)};
      endpoint.name = "e" + std::to_string(i);
      endpoint.state = &states_.emplace_back(workers);
      endpoints_.push_back(endpoint);
      shares_.push_back(share_of_one);
    }
  }
  Toy(const Toy&) = delete;
  Toy& operator=(const Toy&) = delete;

  // Whoever picks from now on. Workers take arrivals at random.
  void use(std::string_view algorithm, const PickerOptions& options) {
    candidates_.clear();
    for (size_t i = 0; i < endpoints_.size(); ++i) {
      candidates_.push_back({endpoints_[i].state, endpoints_[i].id, shares_[i], 0});
    }
    picker_ = make_picker(algorithm, PickerMembers{endpoints_, shares_}, options);
    std::vector<std::unique_ptr<PickerState>> memories;
    for (unsigned w = 0; w < workers_; ++w) {
      memories.push_back(picker_->make_state(100 + w, memories_.empty() ? nullptr : memories_[w].get()));
    }
    memories_ = std::move(memories);
    decay_ = options.latency_decay;
  }

  // `when_due`, if it is there, is called each `period_ms`.
  ToyResult run(uint32_t requests, double period_ms = 0, const std::function<void()>& when_due = nullptr) {
    ToyResult result;
    result.picked.assign(servers_.size(), 0);
    std::vector<double> latencies;
    const TriedEndpoints none;
    double due = now_ms_ + period_ms;
    for (uint32_t i = 0; i < requests; ++i) {
      now_ms_ += exponential() / arrivals_per_ms_;
      while (when_due && now_ms_ >= due) {
        when_due();
        due += period_ms;
      }
      end_until(now_ms_);
      const auto worker = static_cast<unsigned>(random_.below(workers_));
      const uint32_t index =
          picker_->pick(*memories_[worker],
                        PickRequest{.candidates = candidates_, .tried = none, .worker = worker, .now = at(now_ms_)});
      // Servers stay where they are, whatever is removed before them.
      const auto server = static_cast<uint32_t>(endpoints_.at(index).id);
      ++result.picked[server];
      states_[server].connections.fetch_add(1);
      const double latency = serve(server);
      latencies.push_back(latency);
      open_.push({now_ms_ + latency, latency, server, worker});
    }
    std::sort(latencies.begin(), latencies.end());
    for (const double latency : latencies) result.mean_ms += latency / static_cast<double>(latencies.size());
    result.p99_ms = latencies[latencies.size() * 99 / 100];
    return result;
  }

  // A second try of a request that `failed` had: proposed, and not made.
  uint32_t pick_again(uint32_t failed) {
    TriedEndpoints tried;
    tried.add(endpoints_[failed].id);
    return picker_->pick(*memories_[0], PickRequest{.candidates = candidates_, .tried = tried, .now = at(now_ms_)});
  }

  // Both are seen by who is used next.
  std::vector<uint32_t>& shares() { return shares_; }
  void remove(uint32_t index) {
    endpoints_.erase(endpoints_.begin() + index);
    shares_.erase(shares_.begin() + index);
  }
  double now_ms() const { return now_ms_; }

 private:
  struct Open {
    double ends_ms;
    double latency_ms;
    uint32_t server;
    unsigned worker;
    bool operator>(const Open& other) const { return ends_ms > other.ends_ms; }
  };

  static Instant at(double ms) { return Instant{Duration{static_cast<int64_t>(ms * 1e6) + 1'000'000'000}}; }
  double exponential() { return -std::log1p(-random_.unit()); }

  // How long the request that comes now takes, with its waiting.
  double serve(uint32_t index) {
    const ToyServer& server = servers_[index];
    const double service = server.service_ms * (server.constant ? 1 : exponential());
    if (server.at_a_time == 0) return service;
    double& free = *std::min_element(busy_until_[index].begin(), busy_until_[index].end());
    free = std::max(free, now_ms_) + service;
    return free - now_ms_;
  }
  void end_until(double now) {
    for (; !open_.empty() && open_.top().ends_ms <= now; open_.pop()) {
      const Open& ended = open_.top();
      states_[ended.server].connections.fetch_sub(1);
      states_[ended.server]
          .at(ended.worker)
          .latency.add(Duration{static_cast<int64_t>(ended.latency_ms * 1e6)}, at(ended.ends_ms), decay_);
    }
  }

  std::vector<ToyServer> servers_;
  std::vector<std::vector<double>> busy_until_;
  double arrivals_per_ms_;
  Random random_;
  unsigned workers_;
  std::deque<EndpointState> states_;
  std::vector<Endpoint> endpoints_;
  std::vector<uint32_t> shares_;
  std::vector<Candidate> candidates_;
  std::unique_ptr<const Picker> picker_;
  std::vector<std::unique_ptr<PickerState>> memories_;
  Duration decay_{};
  std::priority_queue<Open, std::vector<Open>, std::greater<>> open_;
  double now_ms_ = 0;
};

}  // namespace weir
