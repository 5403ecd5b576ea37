// What it costs a worker to look at the Snapshot: once per turn (refresh), and around each wait (offline, online).
#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>

#include "core/rcu/published.h"

namespace weir {
namespace {

struct World {
  uint64_t generation;
};

void published_refresh_and_read(benchmark::State& state) {
  Published<World> published{2};
  published.publish(std::make_unique<const World>(World{1}));
  auto& reader = published.reader(0);
  reader.online();
  for (auto _ : state) {
    uint64_t generation = reader.refresh()->generation;
    benchmark::DoNotOptimize(generation);
  }
  reader.offline();
}
BENCHMARK(published_refresh_and_read);

// The seq_cst store of online() is a locked instruction or its like; it is paid once per system call.
void published_offline_online(benchmark::State& state) {
  Published<World> published{2};
  published.publish(std::make_unique<const World>(World{1}));
  auto& reader = published.reader(0);
  reader.online();
  for (auto _ : state) {
    reader.offline();
    uint64_t generation = reader.online()->generation;
    benchmark::DoNotOptimize(generation);
  }
  reader.offline();
}
BENCHMARK(published_offline_online);

// With a writer that publishes a thousand times a second, which no operator does: the reads must not feel it.
void published_refresh_while_publishing(benchmark::State& state) {
  Published<World> published{2};
  published.publish(std::make_unique<const World>(World{1}));
  std::atomic<bool> done{false};
  std::thread writer([&] {
    uint64_t generation = 1;
    auto next = std::chrono::steady_clock::now();
    // Relaxed: nothing is handed over by `done`.
    while (!done.load(std::memory_order_relaxed)) {
      if (std::chrono::steady_clock::now() < next) {
        std::this_thread::yield();
        continue;
      }
      next += std::chrono::milliseconds{1};
      published.publish(std::make_unique<const World>(World{++generation}));
      published.reclaim();
    }
  });
  auto& reader = published.reader(0);
  reader.online();
  for (auto _ : state) {
    uint64_t generation = reader.refresh()->generation;
    benchmark::DoNotOptimize(generation);
  }
  reader.offline();
  done.store(true, std::memory_order_relaxed);
  writer.join();
}
BENCHMARK(published_refresh_while_publishing);

}  // namespace
}  // namespace weir
