// What one pick costs, and what a reload pays to make a picker, for upstreams of 3 to 10,000 endpoints.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/balance/pickers.h"
#include "hashing/hash64.h"

namespace weir {
namespace {

struct Endpoints {
  Endpoints(int64_t count, uint32_t heaviest) {
    for (int64_t i = 0; i < count; ++i) {
      const auto number = static_cast<uint64_t>(i);
      Endpoint endpoint;
      endpoint.id = EndpointId{static_cast<uint32_t>(i)};
      endpoint.name = "10.0.0." + std::to_string(i) + ":80";
      endpoint.weight = 1 + static_cast<uint32_t>(hashing::mix64(number) % heaviest);
      endpoint.zone = ZoneId{static_cast<uint16_t>(i % 3)};
      endpoint.state = &states.emplace_back(1);
      endpoint.state->connections = static_cast<uint32_t>(hashing::mix64(number, 1) % 100);
      const auto latency = static_cast<Duration::rep>(1'000'000 + hashing::mix64(number, 2) % 1'000'000);
      endpoint.state->at(0).latency.add(Duration{latency}, now, std::chrono::seconds{10});
      endpoint.state->reported.report(0.5 + static_cast<double>(i % 6) / 10, now);
      shares.push_back(endpoint.weight * share_of_one);
      candidates.push_back({endpoint.state, endpoint.id, shares.back(), 0});
      all.push_back(std::move(endpoint));
    }
  }
  PickerMembers members() const { return {all, shares}; }

  // Something is known of everybody, and is a second old.
  const Instant now{std::chrono::seconds{1'000}};
  std::deque<EndpointState> states;
  std::vector<Endpoint> all;
  std::vector<uint32_t> shares;
  std::vector<Candidate> candidates;
};

PickerOptions measured_by(LoadMeasure load) {
  PickerOptions options;
  options.load = load;
  return options;
}

// Each key depends on the answer before, so that this is the time until an answer is there. `tried`: how many endpoints
// the connection has asked in vain.
void pick(benchmark::State& bench, const char* algorithm, uint32_t heaviest, uint32_t tried_count,
          const PickerOptions& options) {
  const Endpoints endpoints(bench.range(0), heaviest);
  const auto picker = make_picker(algorithm, endpoints.members(), options);
  const auto state = picker->make_state(1, nullptr);
  TriedEndpoints tried;
  for (uint32_t i = 0; i < tried_count; ++i) tried.add(endpoints.all[i].id);
  PickRequest request{.candidates = endpoints.candidates,
                      .tried = tried,
                      .key = 1,
                      .zone = ZoneId{0},
                      .now = endpoints.now + std::chrono::seconds{1}};
  for (auto _ : bench) request.key = hashing::mix64(request.key + picker->pick(*state, request));
  benchmark::DoNotOptimize(request.key);
}

// The worst of first_fit: all but the last one are full.
void pick_behind_full_ones(benchmark::State& bench) {
  Endpoints endpoints(bench.range(0), 1);
  for (Candidate& candidate : endpoints.candidates) {
    candidate.connections_max = 100;
    candidate.state->connections = &candidate == &endpoints.candidates.back() ? 99U : 100U;
  }
  const auto picker = make_picker("first_fit", endpoints.members(), {});
  const auto state = picker->make_state(1, nullptr);
  const TriedEndpoints tried;
  const PickRequest request{.candidates = endpoints.candidates, .tried = tried};
  for (auto _ : bench) benchmark::DoNotOptimize(picker->pick(*state, request));
}

void make(benchmark::State& bench, const char* algorithm, uint32_t heaviest) {
  const Endpoints endpoints(bench.range(0), heaviest);
  for (auto _ : bench) benchmark::DoNotOptimize(make_picker(algorithm, endpoints.members(), {}));
}

// Rows of pickers.def become benches by themselves. 64 endpoints are the most that some compare all of.
const bool registered = [] {
  const auto sizes = [](auto* bench) { return bench->Arg(3)->Arg(64)->Arg(100)->Arg(1000)->Arg(10'000); };
  const PickerOptions usual;
  for (const std::string_view algorithm : picker_names()) {
    const char* name = algorithm.data();
    const std::string prefix = "picker/" + std::string{algorithm};
    sizes(benchmark::RegisterBenchmark((prefix + "/pick").c_str(), pick, name, 1U, 0U, usual));
    sizes(benchmark::RegisterBenchmark((prefix + "/pick_weighted").c_str(), pick, name, 100U, 0U, usual));
    sizes(benchmark::RegisterBenchmark((prefix + "/pick_after_2_failed").c_str(), pick, name, 1U, 2U, usual));
    for (const uint32_t heaviest : {1U, 65'535U}) {
      const std::string what = heaviest == 1 ? "/make" : "/make_weighted";
      sizes(benchmark::RegisterBenchmark((prefix + what).c_str(), make, name, heaviest))->Unit(benchmark::kMicrosecond);
    }
  }
  sizes(benchmark::RegisterBenchmark("picker/two_choices/pick_by_latency", pick, "two_choices", 1U, 0U,
                                     measured_by(LoadMeasure::latency)));
  sizes(benchmark::RegisterBenchmark("picker/first_fit/pick_behind_full_ones", pick_behind_full_ones));
  return true;
}();

}  // namespace
}  // namespace weir
