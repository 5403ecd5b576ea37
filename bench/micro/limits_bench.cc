// What a limit costs a worker: one more request of a key in a RateTable, a connection that comes and goes in a
// ClientTable, and whether a client may come in at all, by a list of 100,000 networks.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/random.h"
#include "core/model/client_table.h"
#include "core/model/rate_limit.h"
#include "core/zones/client_filter.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr uint32_t entries = 65'536;
constexpr size_t picks_count = 1 << 20;

std::vector<uint64_t> keys_of(int64_t count) {
  Random random(1);
  std::vector<uint64_t> keys(picks_count);
  for (uint64_t& key : keys) key = random.below(static_cast<uint64_t>(count)) * 0x9e3779b97f4a7c15;
  return keys;
}

RateRule rule_of(int64_t algorithm, uint32_t requests) {
  return {.algorithm = static_cast<RateAlgorithm>(algorithm), .requests = requests, .per = 1s, .burst = requests};
}

// So many clients at a million requests a second together: fewer than there are entries, or far more.
void rate_take(benchmark::State& bench) {
  const std::vector<uint64_t> keys = keys_of(bench.range(0));
  RateTable table(rule_of(bench.range(1), 100), entries, 7);
  Instant now{1000s};
  size_t at = 0;
  uint64_t admitted = 0;
  for (auto _ : bench) {
    now += 1us;
    admitted += table.take(keys[at], now).admitted ? 1U : 0U;
    at = (at + 1) & (picks_count - 1);
  }
  bench.counters["admitted"] = static_cast<double>(admitted) / static_cast<double>(bench.iterations());
}
BENCHMARK(rate_take)
    ->ArgNames({"keys", "window"})
    ->ArgsProduct({{1, 1000, 1'000'000},
                   {static_cast<int64_t>(RateAlgorithm::token_bucket),
                    static_cast<int64_t>(RateAlgorithm::sliding_window)}});

// Two workers and one key, which is what one limit for all costs. Everybody is admitted (that writes), or nobody.
void rate_take_together(benchmark::State& bench) {
  static std::unique_ptr<RateTable> table;
  const bool admits = bench.range(0) != 0;
  if (bench.thread_index() == 0) {
    table = std::make_unique<RateTable>(
        admits ? RateRule{.requests = 200'000, .per = 1ms, .burst = 200'000} : rule_of(0, 1), entries, 7);
  }
  Instant now{1000s};
  for (auto _ : bench) {
    now += 100ns;
    benchmark::DoNotOptimize(table->take(42, now));
  }
}
BENCHMARK(rate_take_together)->ArgName("admits")->Arg(1)->Arg(0)->Threads(1)->Threads(2)->UseRealTime();

// A connection of a client at random that begins, and the one that began `open` ago, which ends.
void client_enter_leave(benchmark::State& bench) {
  constexpr size_t open = 16'384;
  const std::vector<uint64_t> keys = keys_of(bench.range(0));
  ClientTable table(entries, 7);
  std::vector<ClientTable::Seat> seats(open, ClientTable::Seat{});
  size_t at = 0;
  for (auto _ : bench) {
    ClientTable::Seat& seat = seats[at & (open - 1)];
    table.leave(seat);
    seat = table.enter(keys[at], 1'000'000);
    at = (at + 1) & (picks_count - 1);
  }
}
BENCHMARK(client_enter_leave)->ArgName("clients")->Arg(1)->Arg(1000)->Arg(1'000'000);

Cidr random_block(bool is_v4, Random& random) {
  Cidr block;
  for (uint8_t& byte : block.bytes) byte = static_cast<uint8_t>(random.below(256));
  if (is_v4) {
    std::fill_n(block.bytes.begin(), 10, uint8_t{0});
    block.bytes[10] = block.bytes[11] = 0xff;
    block.bits = static_cast<uint8_t>(96 + 12 + random.below(21));
  } else {
    block.bytes[0] = 0x2a;
    block.bits = static_cast<uint8_t>(24 + random.below(105));
  }
  return Cidr::parse(block.to_string()).value();
}

PeerAddress random_client(const Cidr& block, Random& random) {
  PeerAddress client;
  client.bytes = block.bytes;
  for (unsigned bit = block.bits; bit < 128; ++bit) {
    if (random.below(2) == 0) client.bytes[bit / 8] = static_cast<uint8_t>(client.bytes[bit / 8] ^ 0x80U >> bit % 8);
  }
  client.family = block.bits >= 96 && block.bytes[10] == 0xff && block.bytes[0] == 0 ? PeerAddress::Family::ipv4
                                                                                     : PeerAddress::Family::ipv6;
  return client;
}

// 100,000 networks of all lengths in two lists. Each client depends on the answer before, so that this is the time
// until an answer is there; three in four are in some network.
void client_filter(benchmark::State& bench) {
  constexpr size_t blocks_count = 100'000;
  constexpr size_t clients_count = 65'536;
  Random random(1);
  const bool is_v4 = bench.range(0) == 4;
  std::vector<Cidr> blocks;
  while (blocks.size() < blocks_count) blocks.push_back(random_block(is_v4, random));
  const auto less = [](const Cidr& a, const Cidr& b) {
    return a.bytes != b.bytes ? a.bytes < b.bytes : a.bits < b.bits;
  };
  std::sort(blocks.begin(), blocks.end(), less);
  blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
  zones::ClientFilterSource source;
  for (const Cidr& block : blocks) (random.below(2) == 0 ? source.allow : source.deny).push_back(block);
  const auto filter = zones::make_client_filter(source).value();
  std::vector<PeerAddress> clients;
  while (clients.size() < clients_count) {
    const bool anywhere = random.below(4) == 0;
    clients.push_back(
        random_client(anywhere ? random_block(is_v4, random) : blocks[random.below(blocks.size())], random));
  }
  size_t at = 0;
  for (auto _ : bench) at = (at + 1 + (filter->admits(clients[at]) ? 1U : 0U)) & (clients_count - 1);
  benchmark::DoNotOptimize(at);
}
BENCHMARK(client_filter)->ArgName("ip")->Arg(4)->Arg(6);

}  // namespace
}  // namespace weir
