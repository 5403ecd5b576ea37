// One worker with a picker for whatever endpoints and shares a test thinks up, and what the tests of algorithms that go
// by a key want to know: where keys are, and which of them moved.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/balance/pickers.h"
#include "core/base/random.h"
#include "tests/unit/core/balance/pickers_fixture.h"

namespace weir {

// Of the algorithms that go by a key alone.
inline std::vector<std::string_view> hashing_names() {
  std::vector<std::string_view> names;
  for (const std::string_view name : picker_names()) {
    if (picker_hashes(name)) names.push_back(name);
  }
  return names;
}

inline std::vector<uint64_t> some_keys(size_t count, uint64_t seed = 1) {
  Random random(seed);
  std::vector<uint64_t> keys(count);
  for (uint64_t& key : keys) key = random.next();
  return keys;
}

// What is not said here is as in the endpoints it was made of, which have to live longer.
class Asking {
 public:
  Asking(std::string_view algorithm, const SomeEndpoints& endpoints, std::vector<uint32_t> shares = {},
         const PickerOptions& options = {}, uint64_t seed = 1)
      : Asking(algorithm, {endpoints.members().endpoints.begin(), endpoints.members().endpoints.end()},
               shares.empty()
                   ? std::vector<uint32_t>{endpoints.members().shares.begin(), endpoints.members().shares.end()}
                   : std::move(shares),
               options, seed) {}
  Asking(std::string_view algorithm, const std::vector<Endpoint>& endpoints, const std::vector<uint32_t>& shares,
         const PickerOptions& options = {}, uint64_t seed = 1)
      : picker_(make_picker(algorithm, PickerMembers{endpoints, shares}, options)),
        state_(picker_->make_state(seed, nullptr)) {
    for (size_t i = 0; i < endpoints.size(); ++i) {
      candidates_.push_back({endpoints[i].state, endpoints[i].id, shares.at(i), endpoints[i].connections_max});
    }
  }

  uint32_t pick(uint64_t key, const TriedEndpoints& tried = {}, ZoneId zone = no_zone) {
    return picker_->pick(*state_, {.candidates = candidates_, .tried = tried, .key = key, .zone = zone});
  }
  std::vector<uint32_t> homes(const std::vector<uint64_t>& keys, const TriedEndpoints& tried = {}) {
    std::vector<uint32_t> result;
    for (const uint64_t key : keys) result.push_back(pick(key, tried));
    return result;
  }
  // As the worker does when a new Snapshot names the same upstream.
  void take_over(const Asking& before, uint64_t seed) { state_ = picker_->make_state(seed, before.state_.get()); }

  const Picker& picker() const { return *picker_; }
  std::vector<Candidate>& candidates() { return candidates_; }

 private:
  std::unique_ptr<const Picker> picker_;
  std::unique_ptr<PickerState> state_;
  std::vector<Candidate> candidates_;
};

// Of keys whose home is another one now.
struct Moves {
  size_t from = 0;      // from the endpoint asked about
  size_t to = 0;        // to it
  size_t needless = 0;  // neither
};

inline Moves moves(const std::vector<uint32_t>& before, const std::vector<uint32_t>& after, uint32_t endpoint) {
  Moves result;
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i] == after[i]) continue;
    if (before[i] == endpoint) {
      ++result.from;
    } else if (after[i] == endpoint) {
      ++result.to;
    } else {
      ++result.needless;
    }
  }
  return result;
}

}  // namespace weir
