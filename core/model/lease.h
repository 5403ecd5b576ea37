// Lease: the right to use an endpoint, held by whoever has or wants a connection to it. As long as it lives the
// endpoint's connection count includes it, and the EndpointState cannot be freed. Moved, not copied; owned by one
// worker's session.
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

  // A Lease unless there are `connections_max` already (0: any number). Pickers look at the limit, too; but only here
  // it is certain, because other workers do not wait between a look and a Lease.
  static Lease within(EndpointState& state, uint32_t connections_max) noexcept {
    Lease lease;
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
  EndpointState& state() const noexcept { return *reinterpret_cast<EndpointState*>(word_ & ~counted_in_total); }

  void end() noexcept {
    if (word_ == 0) return;
    EndpointState& ended = state();
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

  uintptr_t word_ = 0;  // the address of the state, and in its lowest bit whether the total counts us
};

}  // namespace weir
