// Lease: the right to use an endpoint, held by whoever has or wants a connection to it. As long as it lives the
// endpoint's connection count includes it, and the EndpointState cannot be freed. Moved, not copied; owned by one
// worker's session.
#pragma once

#include <atomic>
#include <utility>

#include "core/model/endpoint.h"

namespace weir {

class Lease {
 public:
  Lease() = default;
  explicit Lease(EndpointState& state) noexcept : state_(&state) {
    // Relaxed: the count is a load figure; only its way down to 0 is ordered (below).
    state.connections.fetch_add(1, std::memory_order_relaxed);
  }
  Lease(Lease&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Lease& operator=(Lease&& other) noexcept {
    if (this != &other) {
      end();
      state_ = std::exchange(other.state_, nullptr);
    }
    return *this;
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() { end(); }

  explicit operator bool() const noexcept { return state_ != nullptr; }
  EndpointState& state() const noexcept { return *state_; }

  void end() noexcept {
    // Release, with the acquire load of the control thread's sweep: what we wrote to the state comes before its end.
    if (state_ != nullptr) std::exchange(state_, nullptr)->connections.fetch_sub(1, std::memory_order_release);
  }

 private:
  EndpointState* state_ = nullptr;
};

}  // namespace weir
