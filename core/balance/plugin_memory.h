// PluginMemory: the state of a plug-in for one worker, as weir_balancer.h promises it: zeroed, aligned, and in cache
// lines that nobody else writes to. A value; pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir {

class PluginMemory {
 public:
  explicit PluginMemory(uint32_t size) : lines_((size + Line::size - 1) / Line::size) {}

  // Null if it has no size.
  void* data() noexcept { return lines_.empty() ? nullptr : lines_.data(); }
  const void* data() const noexcept { return lines_.empty() ? nullptr : lines_.data(); }

 private:
  struct alignas(64) Line {
    static constexpr uint32_t size = 64;
    std::array<std::byte, size> bytes{};
  };
  std::vector<Line> lines_;
};

}  // namespace weir
