// What a pick pays for a weighted draw, a look at the ring and a rendezvous, and what a reload pays to make them.
// Maglev has a file of its own.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "hashing/rendezvous.h"
#include "hashing/ring_hash.h"
#include "hashing/weighted_draw.h"

namespace weir::hashing {
namespace {

template <class Endpoint>
std::vector<Endpoint> endpoints(int64_t count, uint32_t heaviest) {
  std::vector<Endpoint> result;
  for (int64_t i = 0; i < count; ++i) {
    result.push_back({.id = hash64("10.0.0." + std::to_string(i) + ":80"),
                      .weight = 1 + static_cast<uint32_t>(mix64(static_cast<uint64_t>(i)) % heaviest)});
  }
  return result;
}

std::vector<uint32_t> weights(int64_t count) {
  std::vector<uint32_t> result;
  for (const auto& endpoint : endpoints<RingEndpoint>(count, 1000)) result.push_back(endpoint.weight);
  return result;
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->Arg(3)->Arg(100)->Arg(1000)->Arg(10'000);
}

// Each hash depends on the answer before, so that this is the time until an answer is there. The mixer is in it:
// maglev_lookup_overhead says how much that is.
template <class Lookup>
void chain(benchmark::State& state, Lookup&& lookup) {
  uint64_t hash = 1;
  for (auto _ : state) hash = mix64(hash + lookup(hash));
  benchmark::DoNotOptimize(hash);
}

void weighted_draw(benchmark::State& state) {
  const WeightedDraw table(weights(state.range(0)));
  chain(state, [&](uint64_t hash) { return table.draw(hash); });
}
BENCHMARK(weighted_draw)->Apply(sizes);

void ring_lookup(benchmark::State& state) {
  const RingHash ring(endpoints<RingEndpoint>(state.range(0), 1), {});
  chain(state, [&](uint64_t hash) { return ring.lookup(hash); });
}
BENCHMARK(ring_lookup)->Apply(sizes);

// The endpoint of the hash cannot be used, nor its first heir.
void ring_walk_to_the_third(benchmark::State& state) {
  const RingHash ring(endpoints<RingEndpoint>(state.range(0), 1), {});
  chain(state, [&](uint64_t hash) {
    RingHash::Walk walk = ring.walk(hash);
    walk.next();
    walk.next();
    return walk.next();
  });
}
BENCHMARK(ring_walk_to_the_third)->Apply(sizes);

// The second argument is how many weights there are: 1 is one group, 1,000 nearly as many groups as endpoints.
void rendezvous_lookup(benchmark::State& state) {
  const Rendezvous table(endpoints<RendezvousEndpoint>(state.range(0), static_cast<uint32_t>(state.range(1))));
  chain(state, [&](uint64_t hash) { return table.lookup(hash); });
}
BENCHMARK(rendezvous_lookup)->ArgsProduct({{3, 100, 1000, 10'000}, {1, 4, 1000}});

void exponential_of_a_hash(benchmark::State& state) {
  chain(state, [](uint64_t hash) { return exponential(hash); });
}
BENCHMARK(exponential_of_a_hash);

void weighted_draw_build(benchmark::State& state) {
  const auto some = weights(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(WeightedDraw(some));
}
BENCHMARK(weighted_draw_build)->Arg(1000)->Unit(benchmark::kMicrosecond);

void ring_build(benchmark::State& state) {
  const auto some = endpoints<RingEndpoint>(state.range(0), 1);
  for (auto _ : state) benchmark::DoNotOptimize(RingHash(some, {}));
}
BENCHMARK(ring_build)->Arg(1000)->Unit(benchmark::kMicrosecond);

void rendezvous_build(benchmark::State& state) {
  const auto some = endpoints<RendezvousEndpoint>(state.range(0), static_cast<uint32_t>(state.range(1)));
  for (auto _ : state) benchmark::DoNotOptimize(Rendezvous(some));
}
BENCHMARK(rendezvous_build)->Args({1000, 1})->Args({1000, 1000})->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace weir::hashing
