// A message from one thread to another: within one thread (the instructions), and between two (the cache lines).
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <thread>

#include "core/base/spsc_queue.h"

namespace weir {
namespace {

void spsc_queue_push_pop(benchmark::State& state) {
  SpscQueue<uint64_t, 1024> queue;
  uint64_t value = 0;
  for (auto _ : state) {
    queue.try_push(uint64_t{value});
    queue.try_pop(value);
    benchmark::DoNotOptimize(value);
  }
}
BENCHMARK(spsc_queue_push_pop);

// The price of a turn that finds no message.
void spsc_queue_empty(benchmark::State& state) {
  SpscQueue<uint64_t, 1024> queue;
  for (auto _ : state) benchmark::DoNotOptimize(queue.empty());
}
BENCHMARK(spsc_queue_empty);

// Throughput while another core drains. Yields, so that it also ends where there is only one.
void spsc_queue_two_threads(benchmark::State& state) {
  SpscQueue<uint64_t, 1024> queue;
  std::atomic<bool> done{false};
  std::thread consumer([&] {
    uint64_t value = 0;
    // Relaxed: nothing is handed over by `done`.
    while (!done.load(std::memory_order_relaxed)) {
      if (!queue.try_pop(value)) std::this_thread::yield();
      benchmark::DoNotOptimize(value);
    }
  });
  uint64_t value = 0;
  for (auto _ : state) {
    while (!queue.try_push(uint64_t{value})) std::this_thread::yield();
    ++value;
  }
  done.store(true, std::memory_order_relaxed);
  consumer.join();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(spsc_queue_two_threads)->UseRealTime();

}  // namespace
}  // namespace weir
