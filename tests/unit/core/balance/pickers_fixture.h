// Endpoints with states, and the loops that count what a picker does with them. For the tests of core/balance.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/balance/pickers.h"
#include "core/base/random.h"
#include "core/model/lease.h"

namespace weir {

// An upstream's endpoints: "e0", "e1", ... with ids from 100 up. The states stay where they are, as in the program.
class SomeEndpoints {
 public:
  static constexpr unsigned workers = 2;

  explicit SomeEndpoints(const std::vector<uint32_t>& weights) {
    for (const uint32_t weight : weights) add("e" + std::to_string(all_.size()), weight);
  }
  SomeEndpoints(std::initializer_list<uint32_t> weights) : SomeEndpoints(std::vector<uint32_t>(weights)) {}
  SomeEndpoints(uint32_t count, uint32_t weight) : SomeEndpoints(std::vector<uint32_t>(count, weight)) {}

  SomeEndpoints(const SomeEndpoints&) = delete;
  SomeEndpoints& operator=(const SomeEndpoints&) = delete;

  void add(std::string name, uint32_t weight) {
    Endpoint endpoint;
    endpoint.id = EndpointId{100 + static_cast<uint32_t>(all_.size())};
    endpoint.name = std::move(name);
    endpoint.weight = weight;
    endpoint.state = &states_.emplace_back(workers);
    all_.push_back(endpoint);
    shares_.push_back(weight * share_of_one);
    candidates_.push_back({endpoint.state, endpoint.id, shares_.back(), 0});
  }
  // What health and the like make of its weight; 0: not a member.
  void set_share(uint32_t index, uint32_t share) {
    shares_[index] = share;
    candidates_[index].share = share;
  }
  void set_connections_max(uint32_t index, uint32_t connections_max) {
    all_[index].connections_max = connections_max;
    candidates_[index].connections_max = connections_max;
  }
  void set_connections_max(uint32_t connections_max) {
    for (uint32_t i = 0; i < size(); ++i) set_connections_max(i, connections_max);
  }
  void set_zone(uint32_t index, ZoneId zone) { all_[index].zone = zone; }
  void set_tier(uint32_t index, uint8_t tier) { all_[index].tier = tier; }

  PickerMembers members() const { return {all_, shares_}; }
  const std::vector<Endpoint>& all() const { return all_; }
  const std::vector<Candidate>& candidates() const { return candidates_; }
  std::vector<Candidate>& candidates() { return candidates_; }
  const Endpoint& operator[](uint32_t index) const { return all_[index]; }
  EndpointState& state(uint32_t index) { return states_[index]; }
  LatencyEstimate& latency(uint32_t index, unsigned worker = 0) { return states_[index].at(worker).latency; }
  uint32_t size() const { return static_cast<uint32_t>(all_.size()); }

  TriedEndpoints tried(std::initializer_list<uint32_t> indexes) const {
    TriedEndpoints result;
    for (const uint32_t index : indexes) result.add(all_[index].id);
    return result;
  }

 private:
  std::vector<Endpoint> all_;
  std::vector<uint32_t> shares_;
  std::vector<Candidate> candidates_;
  std::deque<EndpointState> states_;
};

// One worker with a picker: what it holds, and a way to ask. What else a request says of the moment is public.
class Picking {
 public:
  unsigned worker = 0;
  Instant now{};
  ZoneId zone = no_zone;

  Picking(std::string_view algorithm, const SomeEndpoints& endpoints, uint64_t seed = 1, PickerOptions options = {})
      : endpoints_(endpoints),
        picker_(make_picker(algorithm, endpoints.members(), options)),
        state_(picker_->make_state(seed, nullptr)) {}
  // For an upstream with tiers.
  Picking(std::string_view algorithm, const SomeEndpoints& endpoints, const Shares& shares, uint64_t seed = 1,
          const PickerOptions& options = {})
      : endpoints_(endpoints),
        picker_(make_picker(algorithm, endpoints.all(), shares, options)),
        state_(picker_->make_state(seed, nullptr)) {}

  uint32_t pick(uint64_t key = 0) { return pick(TriedEndpoints{}, key); }
  uint32_t pick(const TriedEndpoints& tried, uint64_t key = 0) {
    return picker_->pick(*state_, PickRequest{.candidates = endpoints_.candidates(),
                                              .tried = tried,
                                              .key = key,
                                              .zone = zone,
                                              .worker = worker,
                                              .now = now});
  }
  std::vector<uint32_t> picks(size_t count) {
    std::vector<uint32_t> result(count);
    for (uint32_t& each : result) each = pick();
    return result;
  }
  const Picker& picker() const { return *picker_; }
  const PickerState& state() const { return *state_; }
  // As the worker does when a new Snapshot names the same upstream.
  void take_over(const Picking& before, uint64_t seed = 1) { state_ = picker_->make_state(seed, &before.state()); }

 private:
  const SomeEndpoints& endpoints_;
  std::unique_ptr<const Picker> picker_;
  std::unique_ptr<PickerState> state_;
};

// Connections that are made and stay.
class Held {
 public:
  Held(SomeEndpoints& endpoints, Picking& picking) : endpoints_(endpoints), picking_(picking) {}

  // Each has a key of its own.
  void add(uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t index = picking_.pick(keys_.next());
      ASSERT_LT(index, endpoints_.size());
      leases_.emplace_back(endpoints_.state(index));
    }
  }
  // One of them, at random, ends.
  void end_one() {
    std::swap(leases_[keys_.below(leases_.size())], leases_.back());
    leases_.pop_back();
  }
  std::vector<uint32_t> of_each() {
    std::vector<uint32_t> counts;
    for (uint32_t i = 0; i < endpoints_.size(); ++i) counts.push_back(endpoints_.state(i).connections.load());
    return counts;
  }

 private:
  SomeEndpoints& endpoints_;
  Picking& picking_;
  Random keys_{42};
  std::vector<Lease> leases_;
};

inline std::vector<uint32_t> count_of_each(const std::vector<uint32_t>& picks, size_t endpoints) {
  std::vector<uint32_t> counts(endpoints, 0);
  for (const uint32_t index : picks) ++counts.at(index);
  return counts;
}

}  // namespace weir
