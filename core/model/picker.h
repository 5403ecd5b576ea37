// Picker: proposes an endpoint for a key. It knows nothing of sockets, time or threads.
//
// A Picker is immutable and lives in a Snapshot, so all workers read the same one. What changes with each pick (a
// cursor, a random state) is a PickerState that each worker owns and hands in; the next Snapshot's Picker may carry it
// over.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/base/assert.h"
#include "core/model/endpoint.h"

namespace weir {

// What one worker remembers between picks. Each algorithm derives its own.
class PickerState {
 public:
  virtual ~PickerState() = default;
};

// Endpoints that this connection has already asked in vain.
class TriedEndpoints {
 public:
  static constexpr uint32_t capacity = 7;

  void add(EndpointId id) noexcept {
    WEIR_ASSERT(count_ < capacity, count_);
    ids_[count_++] = id;
  }
  bool contains(EndpointId id) const noexcept {
    for (uint32_t i = 0; i < count_; ++i) {
      if (ids_[i] == id) return true;
    }
    return false;
  }
  uint32_t count() const noexcept { return count_; }

 private:
  std::array<EndpointId, capacity> ids_{};
  uint32_t count_ = 0;
};

// Endpoints asked for one connection at the most: the last one needs no memory of having failed.
inline constexpr uint32_t tries_max = TriedEndpoints::capacity + 1;

struct PickRequest {
  std::span<const Endpoint> endpoints;
  const TriedEndpoints& tried;
  uint64_t key = 0;  // the hash of what the picker asked for by wants_key()

  // May this endpoint be proposed?
  bool usable(uint32_t index) const noexcept {
    const Endpoint& endpoint = endpoints[index];
    return endpoint.weight > 0 && !tried.contains(endpoint.id);
  }
};

inline constexpr uint32_t no_endpoint = ~uint32_t{0};

class Picker {
 public:
  virtual ~Picker() = default;

  // Does pick() read the request's key?
  virtual bool wants_key() const noexcept { return false; }

  // The memory of one worker. `seed` differs between workers, so that they do not walk in step. `previous` is that
  // worker's state for the same upstream in the Snapshot before, made by the same algorithm, or null.
  virtual std::unique_ptr<PickerState> make_state(uint64_t seed, const PickerState* previous) const = 0;

  // The index of a usable endpoint, or no_endpoint if there is none. Bounded, never allocates.
  virtual uint32_t pick(PickerState& state, const PickRequest& request) const noexcept = 0;
};

}  // namespace weir
