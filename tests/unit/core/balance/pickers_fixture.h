// Endpoints with states, and the loops that count what a picker does with them. For the tests of core/balance.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "core/balance/pickers.h"
#include "core/model/lease.h"

namespace weir {

// An upstream's endpoints: "e0", "e1", ... with ids from 100 up. The states stay where they are, as in the program.
class SomeEndpoints {
 public:
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
    endpoint.state = &states_.emplace_back(1);
    all_.push_back(endpoint);
  }
  const std::vector<Endpoint>& all() const { return all_; }
  const Endpoint& operator[](uint32_t index) const { return all_[index]; }
  EndpointState& state(uint32_t index) { return states_[index]; }
  uint32_t size() const { return static_cast<uint32_t>(all_.size()); }

  TriedEndpoints tried(std::initializer_list<uint32_t> indexes) const {
    TriedEndpoints result;
    for (const uint32_t index : indexes) result.add(all_[index].id);
    return result;
  }

 private:
  std::vector<Endpoint> all_;
  std::deque<EndpointState> states_;
};

// One worker with a picker: what it holds, and a way to ask.
class Picking {
 public:
  Picking(std::string_view algorithm, const SomeEndpoints& endpoints, uint64_t seed = 1, PickerOptions options = {})
      : endpoints_(endpoints),
        picker_(make_picker(algorithm, endpoints.all(), options)),
        state_(picker_->make_state(seed, nullptr)) {}

  uint32_t pick(uint64_t key = 0) { return pick(TriedEndpoints{}, key); }
  uint32_t pick(const TriedEndpoints& tried, uint64_t key = 0) {
    return picker_->pick(*state_, PickRequest{endpoints_.all(), tried, key});
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

inline std::vector<uint32_t> count_of_each(const std::vector<uint32_t>& picks, size_t endpoints) {
  std::vector<uint32_t> counts(endpoints, 0);
  for (const uint32_t index : picks) ++counts.at(index);
  return counts;
}

}  // namespace weir
