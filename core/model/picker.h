// Picker: proposes an endpoint for a key. It knows nothing of sockets, health or threads.
//
// A Picker is immutable and lives in a Snapshot, so all workers read the same one. It was made for endpoints with
// shares: what each of them is worth at the moment, when its weight, its health, its slow start and the like are
// reckoned together (core/balance/shares.h). When that changes, the control thread makes another Picker. What changes
// with each pick (a cursor, a random state) is a PickerState that each worker owns and hands in; the next Snapshot's
// Picker may carry it over.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/model/endpoint.h"
#include "core/model/zone_map.h"

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

// What a pick reads of an endpoint, and nothing more: they lie side by side, in the order of the upstream's endpoints.
struct Candidate {
  EndpointState* state = nullptr;
  EndpointId id{};
  uint32_t share = 0;            // 0: gets nothing new
  uint32_t connections_max = 0;  // 0: any number

  // Over all workers. Relaxed: a load figure, counted by Leases, that orders nothing.
  uint32_t connections() const noexcept { return state->connections.load(std::memory_order_relaxed); }
};

// The most connections per share that bounded load allows at the moment of a pick. Anybody may have one.
struct LoadBound {
  double connections_per_share = 0;

  bool admits(const Candidate& candidate) const noexcept {
    return candidate.connections() < connections_per_share * candidate.share;
  }
};

struct PickRequest {
  std::span<const Candidate> candidates;
  const TriedEndpoints& tried;
  uint64_t key = 0;       // the hash of what the upstream is balanced by, if the picker wants_key()
  ZoneId zone = no_zone;  // the client's, if the picker wants_zone()
  unsigned worker = 0;    // who asks: latencies are each worker's own
  Instant now{};
  const LoadBound* bound = nullptr;
  // Gates are looked at only where the first proposal has run into one: a Lease looks in any case.
  bool gated = false;
  bool urgent = false;  // nobody else is left: who rests is asked nevertheless

  // May this endpoint be proposed? Whether it has a share is the picker's own knowledge.
  bool usable(uint32_t index) const noexcept {
    const Candidate& candidate = candidates[index];
    if (tried.count() > 0 && tried.contains(candidate.id)) return false;
    if (candidate.connections_max > 0 && candidate.connections() >= candidate.connections_max) return false;
    if (gated && !through_gate(candidate)) return false;
    return bound == nullptr || bound->admits(candidate);
  }

 private:
  bool through_gate(const Candidate& candidate) const noexcept {
    const Gate& gate = candidate.state->gate;
    const uint32_t limit = gate.limit();
    return (limit == 0 || candidate.connections() < limit) && gate.admits(now, urgent);
  }
};

inline constexpr uint32_t no_endpoint = ~uint32_t{0};

class Picker {
 public:
  virtual ~Picker() = default;

  // Does pick() read the request's key, or its zone?
  virtual bool wants_key() const noexcept { return false; }
  virtual bool wants_zone() const noexcept { return false; }

  // The memory of one worker. `seed` differs between workers, so that they do not walk in step. `previous` is that
  // worker's state for the same upstream in the Snapshot before, made by the same algorithm, or null.
  virtual std::unique_ptr<PickerState> make_state(uint64_t seed, const PickerState* previous) const = 0;

  // The index of a usable endpoint, or no_endpoint if there is none. Bounded, never locks, never allocates.
  virtual uint32_t pick(PickerState& state, const PickRequest& request) const noexcept = 0;
};

}  // namespace weir
