// Names for things that outlive one Snapshot: small integers, given out by the control thread, never reused. Values.
#pragma once

#include <cstdint>

namespace weir {

enum class ListenerId : uint32_t {};
enum class UpstreamId : uint32_t {};
enum class EndpointId : uint32_t {};

constexpr uint32_t index_of(ListenerId id) noexcept {
  return static_cast<uint32_t>(id);
}
constexpr uint32_t index_of(UpstreamId id) noexcept {
  return static_cast<uint32_t>(id);
}
constexpr uint32_t index_of(EndpointId id) noexcept {
  return static_cast<uint32_t>(id);
}

}  // namespace weir
