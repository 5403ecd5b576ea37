// A slot for each new connection, and back.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/random.h"
#include "core/base/slab.h"

namespace weir {
namespace {

using Session = std::array<uint64_t, 48>;  // 384 bytes, about what a session takes.

// The constructor touches one word: what is measured is the slot, not its content.
struct Slot {
  Slot() noexcept { session[0] = 1; }  // NOLINT: the rest stays as it is on purpose.
  Session session;
};

void slab_create_destroy(benchmark::State& state) {
  Slab<Slot> slab(1024);
  for (auto _ : state) {
    Slot* slot = slab.create();
    benchmark::DoNotOptimize(slot);
    slab.destroy(*slot);
  }
}
BENCHMARK(slab_create_destroy);

void heap_create_destroy(benchmark::State& state) {
  for (auto _ : state) {
    auto slot = std::make_unique<Slot>();
    benchmark::DoNotOptimize(slot.get());
  }
}
BENCHMARK(heap_create_destroy);

// Connections that end in an order unlike that of their arrival.
template <class Create, class Destroy>
void churn(benchmark::State& state, Create create, Destroy destroy) {
  std::vector<Slot*> live;
  for (int64_t i = 0; i < state.range(0); ++i) live.push_back(create());
  Random random(1);
  std::vector<uint32_t> order;
  order.reserve(1 << 14);
  for (int i = 0; i < 1 << 14; ++i) order.push_back(static_cast<uint32_t>(random.below(live.size())));
  std::size_t at = 0;
  for (auto _ : state) {
    // Two go, two come, so that the free list is more than one slot.
    Slot*& first = live[order[at++ % order.size()]];
    destroy(first);
    first = nullptr;
    Slot*& second = live[order[at++ % order.size()]];
    if (second != nullptr) destroy(second);
    second = create();
    if (first == nullptr) first = create();
  }
  for (Slot* slot : live) destroy(slot);
}

void slab_churn(benchmark::State& state) {
  Slab<Slot> slab(static_cast<uint32_t>(state.range(0)));
  churn(
      state, [&] { return slab.create(); }, [&](Slot* slot) { slab.destroy(*slot); });
}
BENCHMARK(slab_churn)->Arg(1000)->Arg(100'000);

void heap_churn(benchmark::State& state) {
  churn(
      state, [] { return new Slot; }, [](Slot* slot) { delete slot; });
}
BENCHMARK(heap_churn)->Arg(1000)->Arg(100'000);

void slab_for_each(benchmark::State& state) {
  Slab<Slot> slab(static_cast<uint32_t>(state.range(0)));
  while (slab.create() != nullptr) {
  }
  for (auto _ : state) {
    uint64_t sum = 0;
    slab.for_each([&](Slot& slot) { sum += slot.session[0]; });
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  slab.for_each([&](Slot& slot) { slab.destroy(slot); });
}
BENCHMARK(slab_for_each)->Arg(1000)->Arg(100'000);

}  // namespace
}  // namespace weir
