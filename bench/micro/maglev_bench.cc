// What a reload pays to build a Maglev table, and a connection to look into it.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "hashing/maglev.h"

namespace weir::hashing {
namespace {

constexpr uint32_t size = 65'537;

std::vector<MaglevEndpoint> endpoints(int64_t count, uint32_t heaviest) {
  std::vector<MaglevEndpoint> result;
  for (int64_t i = 0; i < count; ++i) {
    result.push_back({hash64("10.0.0." + std::to_string(i) + ":80"), 1 + static_cast<uint32_t>(i) % heaviest});
  }
  return result;
}

void maglev_build(benchmark::State& state) {
  const auto some = endpoints(state.range(0), 1);
  for (auto _ : state) benchmark::DoNotOptimize(MaglevTable(some, size));
}
BENCHMARK(maglev_build)->Arg(3)->Arg(100)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMillisecond);

void maglev_build_weighted(benchmark::State& state) {
  const auto some = endpoints(state.range(0), 1000);
  for (auto _ : state) benchmark::DoNotOptimize(MaglevTable(some, size));
}
BENCHMARK(maglev_build_weighted)->Arg(3)->Arg(100)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMillisecond);

// What a pick pays: hashes that are there, at random places of the table.
void maglev_lookup(benchmark::State& state) {
  const MaglevTable table(endpoints(state.range(0), 1), size);
  std::vector<uint64_t> hashes(4096);
  for (size_t i = 0; i < hashes.size(); ++i) hashes[i] = mix64(i);
  size_t at = 0;
  uint64_t sum = 0;
  for (auto _ : state) {
    sum += table.lookup(hashes[at]);
    at = (at + 1) % hashes.size();
  }
  benchmark::DoNotOptimize(sum);
}
BENCHMARK(maglev_lookup)->Arg(3)->Arg(100)->Arg(1000)->Arg(10'000);

// Each hash depends on the answer before, so that this is the time until an answer is there, and that of the mixer.
void maglev_lookup_chained(benchmark::State& state) {
  const MaglevTable table(endpoints(state.range(0), 1), size);
  uint64_t hash = 1;
  for (auto _ : state) hash = mix64(hash + table.lookup(hash));
  benchmark::DoNotOptimize(hash);
}
BENCHMARK(maglev_lookup_chained)->Arg(3)->Arg(100)->Arg(1000)->Arg(10'000);

// What of that is the mixer, and not the table.
void maglev_lookup_overhead(benchmark::State& state) {
  uint64_t hash = 1;
  for (auto _ : state) {
    hash = mix64(hash + 1);
    benchmark::DoNotOptimize(hash);
  }
}
BENCHMARK(maglev_lookup_overhead);

// The key of a client: an IPv6 address.
void hash_address(benchmark::State& state) {
  std::string address(16, '\x20');
  uint64_t hash = 0;
  for (auto _ : state) {
    address[3] = static_cast<char>(hash);
    hash = hash64(address, 7);
  }
  benchmark::DoNotOptimize(hash);
}
BENCHMARK(hash_address);

}  // namespace
}  // namespace weir::hashing
