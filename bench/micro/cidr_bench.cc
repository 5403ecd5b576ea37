// What it costs to find the longest of 10 to 1,000,000 blocks that contains an address, and what a reload pays for the
// table.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "core/base/random.h"
#include "core/zones/cidr_table.h"

namespace weir::zones {
namespace {

constexpr size_t clients_count = 65'536;

enum Kind : int64_t { v4, v6, v6_hosts };

// Blocks as they are in the tables of routers: IPv4 mostly /24, IPv6 mostly /48 below few prefixes of providers. Or a
// list of single IPv6 addresses in a few networks, as bans are.
Cidr block_of(Kind kind, Random& random) {
  Cidr block;
  for (uint8_t& byte : block.bytes) byte = static_cast<uint8_t>(random.below(256));
  if (kind == v4) {
    std::fill_n(block.bytes.begin(), 10, uint8_t{0});
    block.bytes[10] = block.bytes[11] = 0xff;
    block.bytes[12] = static_cast<uint8_t>(1 + random.below(223));
    block.bits = static_cast<uint8_t>(96 + (random.below(2) == 0 ? 24 : 12 + random.below(13)));
    return block;
  }
  block.bytes[0] = 0x2a;
  block.bytes[1] = static_cast<uint8_t>(random.below(16));
  block.bits = static_cast<uint8_t>(random.below(2) == 0 ? 48 : 29 + random.below(20));
  if (kind == v6_hosts) {
    block.bytes[2] = block.bytes[3] = 0;
    block.bits = 128;
  }
  return block;
}

std::vector<CidrTable::Entry> entries_of(Kind kind, int64_t count) {
  Random random(1);
  std::vector<CidrTable::Entry> entries;
  for (int64_t i = 0; i < count; ++i) {
    entries.push_back({block_of(kind, random), static_cast<uint32_t>(random.below(1000))});
  }
  return entries;
}

// Addresses in blocks at random, and every fourth one anywhere: a big table pays for its cache misses.
std::vector<PeerAddress> clients_of(Kind kind, const std::vector<CidrTable::Entry>& entries) {
  Random random(2);
  std::vector<PeerAddress> clients(clients_count);
  for (PeerAddress& client : clients) {
    const Cidr block = random.below(4) == 0 ? block_of(kind, random) : entries[random.below(entries.size())].block;
    client.family = kind == v4 ? PeerAddress::Family::ipv4 : PeerAddress::Family::ipv6;
    client.bytes = block.bytes;  // whose bits behind the prefix are random, too
  }
  return clients;
}

// Each address depends on the answer before, so that this is the time until an answer is there.
void cidr_find(benchmark::State& bench) {
  const auto kind = static_cast<Kind>(bench.range(1));
  const std::vector<CidrTable::Entry> entries = entries_of(kind, bench.range(0));
  const std::vector<PeerAddress> clients = clients_of(kind, entries);
  const CidrTable table(entries);
  size_t at = 0;
  for (auto _ : bench) at = (at + 1 + (table.find(clients[at]) & 1)) & (clients_count - 1);
  benchmark::DoNotOptimize(at);
  bench.counters["bytes"] = static_cast<double>(table.bytes());
  bench.counters["intervals"] = static_cast<double>(table.intervals());
}
BENCHMARK(cidr_find)->ArgNames({"blocks", "kind"})->ArgsProduct({{10, 1000, 100'000, 1'000'000}, {v4, v6, v6_hosts}});

void cidr_make(benchmark::State& bench) {
  const std::vector<CidrTable::Entry> entries = entries_of(static_cast<Kind>(bench.range(1)), bench.range(0));
  for (auto _ : bench) benchmark::DoNotOptimize(CidrTable(entries));
}
BENCHMARK(cidr_make)
    ->ArgNames({"blocks", "kind"})
    ->ArgsProduct({{1000, 100'000, 1'000'000}, {v4, v6}})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weir::zones
