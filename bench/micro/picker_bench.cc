// What one pick costs, and what a reload pays to make a picker, for upstreams of 3 to 10,000 endpoints.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/balance/pickers.h"
#include "hashing/hash64.h"

namespace weir {
namespace {

struct Endpoints {
  Endpoints(int64_t count, uint32_t heaviest) {
    for (int64_t i = 0; i < count; ++i) {
      Endpoint endpoint;
      endpoint.id = EndpointId{static_cast<uint32_t>(i)};
      endpoint.name = "10.0.0." + std::to_string(i) + ":80";
      endpoint.weight = 1 + static_cast<uint32_t>(hashing::mix64(static_cast<uint64_t>(i)) % heaviest);
      endpoint.state = &states.emplace_back(1);
      endpoint.state->connections = static_cast<uint32_t>(hashing::mix64(static_cast<uint64_t>(i), 1) % 100);
      all.push_back(endpoint);
    }
  }
  std::deque<EndpointState> states;
  std::vector<Endpoint> all;
};

// Each key depends on the answer before, so that this is the time until an answer is there. `tried`: how many endpoints
// the connection has asked in vain.
void pick(benchmark::State& bench, const char* algorithm, uint32_t heaviest, uint32_t tried_count) {
  const Endpoints endpoints(bench.range(0), heaviest);
  const auto picker = make_picker(algorithm, endpoints.all, {});
  const auto state = picker->make_state(1, nullptr);
  TriedEndpoints tried;
  for (uint32_t i = 0; i < tried_count; ++i) tried.add(endpoints.all[i].id);
  PickRequest request{endpoints.all, tried, 1};
  for (auto _ : bench) request.key = hashing::mix64(request.key + picker->pick(*state, request));
  benchmark::DoNotOptimize(request.key);
}

void make(benchmark::State& bench, const char* algorithm, uint32_t heaviest) {
  const Endpoints endpoints(bench.range(0), heaviest);
  for (auto _ : bench) benchmark::DoNotOptimize(make_picker(algorithm, endpoints.all, {}));
}

// Rows of pickers.def become benches by themselves. 64 endpoints are the most that least_connections compares all of.
const bool registered = [] {
  for (const std::string_view algorithm : picker_names()) {
    const char* name = algorithm.data();
    const auto sizes = [](auto* bench) { return bench->Arg(3)->Arg(64)->Arg(100)->Arg(1000)->Arg(10'000); };
    const std::string prefix = "picker/" + std::string{algorithm};
    sizes(benchmark::RegisterBenchmark((prefix + "/pick").c_str(), pick, name, 1U, 0U));
    sizes(benchmark::RegisterBenchmark((prefix + "/pick_weighted").c_str(), pick, name, 100U, 0U));
    sizes(benchmark::RegisterBenchmark((prefix + "/pick_after_2_failed").c_str(), pick, name, 1U, 2U));
    for (const uint32_t heaviest : {1U, 65'535U}) {
      const std::string what = heaviest == 1 ? "/make" : "/make_weighted";
      sizes(benchmark::RegisterBenchmark((prefix + what).c_str(), make, name, heaviest))->Unit(benchmark::kMicrosecond);
    }
  }
  return true;
}();

}  // namespace
}  // namespace weir
