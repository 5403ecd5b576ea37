#include "core/model/stick_table.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "core/base/random.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{1000s};
constexpr uint32_t ways = 4;  // places of a key

EndpointId endpoint(uint32_t number) {
  return EndpointId{number};
}

TEST(StickTable, RoundsItsSizeUp) {
  for (const auto& [entries, capacity] :
       {std::pair{0U, 4U}, {1U, 4U}, {4U, 4U}, {5U, 8U}, {65'536U, 65'536U}, {65'537U, 131'072U}}) {
    EXPECT_EQ(StickTable(entries).capacity(), capacity);
  }
}

TEST(StickTable, FindsWhatWasPut) {
  StickTable table(1024);
  EXPECT_EQ(table.find(1, start), std::nullopt);
  table.put(1, endpoint(7), start, 1min);
  table.put(2, endpoint(0), start, 1min);
  table.put(3, endpoint(~uint32_t{0}), start, 1min);
  EXPECT_EQ(table.find(1, start), endpoint(7));
  EXPECT_EQ(table.find(2, start), endpoint(0));
  EXPECT_EQ(table.find(3, start), endpoint(~uint32_t{0}));
  EXPECT_EQ(table.find(4, start), std::nullopt);
  table.put(1, endpoint(8), start, 1min);
  EXPECT_EQ(table.find(1, start), endpoint(8));
}

// An empty place holds zeros, and so must not be taken for the key 0.
TEST(StickTable, KnowsEveryKey) {
  for (const uint64_t key : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}, uint64_t{1} << 63, uint64_t{1} << 32}) {
    StickTable table(4);
    EXPECT_EQ(table.find(key, start), std::nullopt) << key;
    EXPECT_EQ(table.find(key, Instant{}), std::nullopt) << key;
    table.put(key, endpoint(0), Instant{}, 1s);
    EXPECT_EQ(table.find(key, Instant{}), endpoint(0)) << key;
    EXPECT_EQ(table.find(key + 1, Instant{}), std::nullopt) << key;
  }
}

// Never shorter than it was told, and less than a second longer: gone with the first full second from then on.
TEST(StickTable, ForgetsInTime) {
  for (const Instant now : {Instant{}, Instant{1ns}, Instant{999'999'999ns}, start, start + 1ns, start + 500ms}) {
    for (const Duration ttl : {Duration{1ns}, Duration{1ms}, Duration{1s}, Duration{1500ms}, Duration{30min}}) {
      StickTable table(64);
      table.put(5, endpoint(1), now, ttl);
      EXPECT_EQ(table.find(5, now), endpoint(1));
      EXPECT_EQ(table.find(5, now + ttl - 1ns), endpoint(1));
      EXPECT_EQ(table.find(5, now + ttl + 1s - 1ns), std::nullopt);
    }
  }
}

TEST(StickTable, LivesAsLongAsItIsUsed) {
  StickTable table(64);
  for (int i = 0; i < 100; ++i) {
    const Instant now = start + i * 700ms;
    if (i > 0) {
      ASSERT_EQ(table.find(5, now), endpoint(1));
    }
    table.put(5, endpoint(1), now, 1s);
  }
}

TEST(StickTable, TimesBeyondItsSecondsAreForever) {
  StickTable table(4);
  table.put(5, endpoint(1), start, Duration::max());
  EXPECT_EQ(table.find(5, start + 24h * 365 * 100), endpoint(1));
}

// One set: all keys share four places.
TEST(StickTable, TheNewestTakesThePlaceOfTheOldest) {
  StickTable table(ways);
  for (uint64_t key = 0; key < ways; ++key) table.put(key, endpoint(1), start + key * 10s, 1h);
  // Used again, the first is the youngest now, and the second the oldest.
  table.put(0, endpoint(2), start + 50s, 1h);
  table.put(100, endpoint(3), start + 60s, 1h);
  EXPECT_EQ(table.find(0, start + 60s), endpoint(2));
  EXPECT_EQ(table.find(1, start + 60s), std::nullopt);
  EXPECT_EQ(table.find(2, start + 60s), endpoint(1));
  EXPECT_EQ(table.find(3, start + 60s), endpoint(1));
  EXPECT_EQ(table.find(100, start + 60s), endpoint(3));
  table.put(101, endpoint(4), start + 70s, 1h);
  EXPECT_EQ(table.find(2, start + 70s), std::nullopt);
  EXPECT_EQ(table.find(3, start + 70s), endpoint(1));
}

TEST(StickTable, AnExpiredOneGoesFirst) {
  StickTable table(ways);
  for (uint64_t key = 0; key < ways; ++key) table.put(key, endpoint(1), start, key == 2 ? 1s : 1h);
  table.put(100, endpoint(2), start + 10s, 1h);
  for (uint64_t key = 0; key < ways; ++key) {
    EXPECT_EQ(table.find(key, start + 10s), key == 2 ? std::nullopt : std::optional{endpoint(1)}) << key;
  }
  EXPECT_EQ(table.find(100, start + 10s), endpoint(2));
}

// A key that changes its endpoint many times has one place all along.
TEST(StickTable, AKeyHasOnePlace) {
  StickTable table(ways);
  for (uint64_t key = 0; key < ways; ++key) table.put(key, endpoint(1), start, 1h);
  for (uint32_t i = 0; i < 100; ++i) table.put(3, endpoint(i), start + i * 1s, 1h);
  for (uint64_t key = 0; key < 3; ++key) EXPECT_EQ(table.find(key, start), endpoint(1)) << key;
  EXPECT_EQ(table.find(3, start), endpoint(99));
}

// Half full: of keys that are spread well over the sets few find theirs full. Also keys that count, or differ in their
// highest bits only, must be spread: whose hashes they are is not the table's to choose.
TEST(StickTable, SpreadsKeys) {
  constexpr uint32_t capacity = 65'536;
  Random random(4);
  std::vector<std::vector<uint64_t>> families(3);
  for (uint64_t i = 0; i < capacity / 2; ++i) {
    families[0].push_back(random.next());
    families[1].push_back(i);
    families[2].push_back(i << 48);
  }
  for (const std::vector<uint64_t>& keys : families) {
    StickTable table(capacity);
    for (const uint64_t key : keys) table.put(key, endpoint(static_cast<uint32_t>(key ^ key >> 32)), start, 1h);
    size_t kept = 0;
    for (const uint64_t key : keys) {
      const auto found = table.find(key, start);
      if (!found) continue;
      ASSERT_EQ(*found, endpoint(static_cast<uint32_t>(key ^ key >> 32)));
      ++kept;
    }
    // With a mean of two keys for a set of four, 3.8 % of them are one too many (Poisson).
    EXPECT_GT(kept, keys.size() * 95 / 100) << "first key " << keys[1];
  }
}

// Four workers write and read the same few places, so that entries are torn all the time. What is found was put for
// that key, always: the endpoint says which key it belongs to.
TEST(StickTable, NeverMixesEntriesUp) {
  StickTable table(2 * ways);
  constexpr uint64_t keys = 32;
  std::vector<uint64_t> wrong(4, 0);
  std::vector<uint64_t> found(4, 0);
  std::vector<std::thread> workers;
  for (size_t worker = 0; worker < wrong.size(); ++worker) {
    workers.emplace_back([&, worker] {
      Random random(worker);
      for (uint32_t i = 0; i < 200'000; ++i) {
        const uint64_t number = random.below(keys);
        const uint64_t key = number * 0x9e3779b97f4a7c15;
        const Instant now = start + i * 1ms;
        if (random.below(2) == 0) {
          // 32 keys in the lowest bits, who wrote it and when above.
          table.put(key, endpoint(static_cast<uint32_t>(number | worker << 5 | uint64_t{i} << 8)), now, 10s);
        } else if (const auto at = table.find(key, now); at) {
          ++found[worker];
          wrong[worker] += (index_of(*at) & (keys - 1)) != number ? 1U : 0U;
        }
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  for (size_t worker = 0; worker < wrong.size(); ++worker) {
    EXPECT_EQ(wrong[worker], 0U);
    EXPECT_GT(found[worker], 1000U);
  }
}

TEST(StickTableDeathTest, WantsATime) {
  StickTable table(4);
  EXPECT_DEATH(table.put(1, endpoint(1), start, 0s), "ttl > Duration::zero");
}

}  // namespace
}  // namespace weir
