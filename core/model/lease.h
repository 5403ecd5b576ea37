// Lease: the right to use an endpoint, held by whoever has or wants a connection to it. As long as it lives the
// endpoint's connection count includes it, and the EndpointState cannot be freed. Moved, not copied; owned by one
// worker's session.
//
// It has passed the endpoint's Gate, and tells it what came of that. If it was one of the trials of a breaker that is
// half open and nobody says how it went, the end of the Lease gives the trial back.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "core/model/endpoint.h"

namespace weir {

class Lease {
 public:
  Lease() = default;
  explicit Lease(EndpointState& state) noexcept { begin(state); }
  Lease(Lease&& other) noexcept : word_(std::exchange(other.word_, 0)) {}
  Lease& operator=(Lease&& other) noexcept {
    if (this != &other) {
      end();
      word_ = std::exchange(other.word_, 0);
    }
    return *this;
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() { end(); }

  // A Lease unless there are `connections_max` already (0: any number), or as many as its Gate has learned to allow.
  // Pickers look at the limit, too; but only here it is certain, because other workers do not wait between a look and a
  // Lease.
  static Lease within(EndpointState& state, uint32_t connections_max) noexcept {
    Lease lease;
    if (const uint32_t learned = state.gate.limit();
        learned > 0 && (connections_max == 0 || learned < connections_max)) {
      connections_max = learned;
    }
    if (connections_max == 0) {
      lease.begin(state);
      return lease;
    }
    uint32_t connections = state.connections.load(std::memory_order_relaxed);
    do {
      if (connections >= connections_max) return lease;
    } while (!state.connections.compare_exchange_weak(connections, connections + 1, std::memory_order_relaxed));
    lease.count_in_total(state);
    return lease;
  }

  explicit operator bool() const noexcept { return word_ != 0; }
  EndpointState& state() const noexcept { return *reinterpret_cast<EndpointState*>(word_ & ~flags); }

  // Whether the Gate lets it through. If not, it has ended.
  bool pass_gate(Instant now, bool urgent) noexcept {
    switch (state().gate.enter(now, urgent)) {
      case Gate::Pass::usual: return true;
      case Gate::Pass::trial: word_ |= is_trial; return true;
      case Gate::Pass::refused: break;
    }
    end();
    return false;
  }
  // Is it one of the trials of a breaker that is half open, of which nobody has said yet how it went?
  bool on_trial() const noexcept { return (word_ & is_trial) != 0; }
  // The endpoint has done what was asked of it.
  void succeeded() noexcept { state().gate.succeeded(take_trial()); }
  // It has not. `failures_max` and what is returned: see Gate.
  uint32_t failed(uint32_t failures_max) noexcept { return state().gate.failed(take_trial(), failures_max); }

  void end() noexcept {
    if (word_ == 0) return;
    EndpointState& ended = state();
    if ((word_ & is_trial) != 0) ended.gate.gave_up_trial();
    // Before the endpoint's own count: as long as that is not 0, what `total` points to is there.
    if ((word_ & counted_in_total) != 0) {
      ended.total.load(std::memory_order_relaxed)->fetch_sub(1, std::memory_order_relaxed);
    }
    word_ = 0;
    // Release, with the acquire load of the control thread's sweep: what we wrote to the state comes before its end.
    ended.connections.fetch_sub(1, std::memory_order_release);
  }

 private:
  static constexpr uintptr_t counted_in_total = 1;
  static constexpr uintptr_t is_trial = 2;
  static constexpr uintptr_t flags = counted_in_total | is_trial;

  bool take_trial() noexcept {
    const bool trial = (word_ & is_trial) != 0;
    word_ &= ~is_trial;
    return trial;
  }

  void begin(EndpointState& state) noexcept {
    // Relaxed: the count is a load figure; only its way down to 0 is ordered (above).
    state.connections.fetch_add(1, std::memory_order_relaxed);
    count_in_total(state);
  }
  void count_in_total(EndpointState& state) noexcept {
    word_ = reinterpret_cast<uintptr_t>(&state);
    // Acquire, with the release of the control thread that made the total.
    if (std::atomic<uint32_t>* total = state.total.load(std::memory_order_acquire); total != nullptr) {
      total->fetch_add(1, std::memory_order_relaxed);
      word_ |= counted_in_total;
    }
  }

  uintptr_t word_ = 0;  // the address of the state, and in its lowest bits the flags
};

}  // namespace weir
