// Bounded load, with every algorithm that goes by a key. Sums and bounds are whole numbers here: a bound that is off by
// the error of a division would be seen.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <tuple>
#include <vector>

#include "core/model/upstream_state.h"
#include "hashing/hash64.h"
#include "tests/unit/core/balance/hashing_fixture.h"

namespace weir {
namespace {

// Exactly `above` / `below`.
struct Factor {
  uint64_t above;
  uint64_t below;

  double value() const { return static_cast<double>(above) / static_cast<double>(below); }
};

PickerOptions with_bound(double factor) {
  PickerOptions options;
  options.maglev_table_size = 5003;
  options.bounded_load = factor;
  return options;
}

uint64_t sum_of(const std::vector<uint32_t>& shares) {
  uint64_t sum = 0;
  for (const uint32_t share : shares) sum += share;
  return sum;
}

// The most that somebody may have when it has got one of `connections`, rounded up.
uint64_t bound_of(uint32_t share, uint64_t connections, const std::vector<uint32_t>& shares, Factor factor) {
  const uint64_t divisor = factor.below * sum_of(shares);
  return (factor.above * connections * share + divisor - 1) / divisor;
}

// Few keys that make most of the load: the first one a sixth of it, the second half as much, and so on.
class Zipf {
 public:
  explicit Zipf(uint64_t seed) : random_(seed) {
    for (uint32_t rank = 1; rank <= 500; ++rank) sums_.push_back((sums_.empty() ? 0 : sums_.back()) + 1.0 / rank);
  }
  uint64_t next() {
    const auto at = std::lower_bound(sums_.begin(), sums_.end(), random_.unit() * sums_.back());
    return hashing::mix64(static_cast<uint64_t>(at - sums_.begin()));
  }

 private:
  Random random_;
  std::vector<double> sums_;
};

// Connections that are held until a test lets go of them.
class Held {
 public:
  explicit Held(const SomeEndpoints& endpoints) : endpoints_(endpoints) {}
  void add(uint32_t index) { leases_.emplace_back(*endpoints_[index].state); }
  void add(uint32_t index, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) add(index);
  }
  void drop(size_t at) {
    std::swap(leases_.at(at), leases_.back());
    leases_.pop_back();
  }
  void clear() { leases_.clear(); }
  size_t count() const { return leases_.size(); }

 private:
  const SomeEndpoints& endpoints_;
  std::vector<Lease> leases_;
};

void count_together(const SomeEndpoints& endpoints, UpstreamState& upstream) {
  for (uint32_t i = 0; i < endpoints.size(); ++i) {
    endpoints[i].state->total.store(&upstream.connections, std::memory_order_release);
  }
}

std::vector<uint32_t> shares_of(const SomeEndpoints& endpoints) {
  return {endpoints.members().shares.begin(), endpoints.members().shares.end()};
}

class BoundedLoad : public testing::TestWithParam<std::string_view> {
 protected:
  Asking asking(const SomeEndpoints& endpoints, double factor, std::vector<uint32_t> shares = {}) const {
    return {GetParam(), endpoints, std::move(shares), with_bound(factor)};
  }
};

INSTANTIATE_TEST_SUITE_P(Pickers, BoundedLoad, testing::ValuesIn(hashing_names()),
                         [](const auto& one) { return std::string{one.param}; });

// 10 endpoints are summed at every pick, 100 have a total; of each some are no members.
TEST_P(BoundedLoad, NobodyIsAboveItsBoundWhateverComesAndGoes) {
  for (const Factor factor : {Factor{5, 4}, Factor{1'000'001, 1'000'000}, Factor{1, 1}, Factor{2, 1}}) {
    for (const uint32_t count : {10U, 100U}) {
      std::vector<uint32_t> weights(count);
      for (uint32_t i = 0; i < count; ++i) weights[i] = i % 7;
      UpstreamState upstream;
      const SomeEndpoints endpoints(weights);
      count_together(endpoints, upstream);
      const std::vector<uint32_t> shares = shares_of(endpoints);
      Asking one = asking(endpoints, factor.value());
      Held held(endpoints);
      Zipf keys(factor.above);
      Random random(count);
      for (int step = 0; step < 6000; ++step) {
        // Long phases in which more come than go, and the other way round.
        const bool leaving = random.below(100) < (step / 1000 % 2 == 0 ? 20U : 65U);
        if (leaving && held.count() > 0) {
          held.drop(random.below(held.count()));
          continue;
        }
        const uint32_t index = one.pick(keys.next());
        ASSERT_LT(index, count);
        held.add(index);
        ASSERT_LE(endpoints[index].state->connections, bound_of(shares[index], held.count(), shares, factor))
            << "factor " << factor.value() << ", step " << step;
      }
    }
  }
}

// While connections only come, it holds for everybody at every moment.
TEST_P(BoundedLoad, NobodyIsAboveItsBoundAtAnyTimeWhileNobodyLeaves) {
  const SomeEndpoints endpoints(10, 1);
  const std::vector<uint32_t> shares = shares_of(endpoints);
  Asking one = asking(endpoints, 1.25);
  Held held(endpoints);
  Zipf keys(3);
  for (int step = 0; step < 3000; ++step) {
    held.add(one.pick(keys.next()));
    for (uint32_t i = 0; i < endpoints.size(); ++i) {
      ASSERT_LE(endpoints[i].state->connections, bound_of(shares[i], held.count(), shares, {5, 4})) << i;
    }
  }
}

// The same arrivals without a bound: somebody has far more. So the tests above could fail.
TEST_P(BoundedLoad, WithoutABoundTheHottestEndpointHasMore) {
  const SomeEndpoints endpoints(10, 1);
  const std::vector<uint32_t> shares = shares_of(endpoints);
  Asking one = asking(endpoints, 0);
  Held held(endpoints);
  Zipf keys(3);
  for (int step = 0; step < 3000; ++step) held.add(one.pick(keys.next()));
  bool above = false;
  for (uint32_t i = 0; i < endpoints.size(); ++i) {
    above = above || endpoints[i].state->connections > bound_of(shares[i], held.count(), shares, {5, 4});
  }
  EXPECT_TRUE(above);
}

TEST_P(BoundedLoad, KeysStayAtHomeWhileTheBoundDoesNotBind) {
  const SomeEndpoints endpoints({1, 2, 3, 4});
  Held held(endpoints);
  for (uint32_t i = 0; i < 4; ++i) held.add(i, 100 * (i + 1));
  const std::vector<uint64_t> keys = some_keys(3000);
  EXPECT_EQ(asking(endpoints, 1.25).homes(keys), asking(endpoints, 0).homes(keys));
}

// Bounds: 1.25 * (403 + 1) / 4 = 126.25, so 127 are too many. 1.25 * (401 + 1) / 4 = 125.6, so 125 leave room for one.
TEST_P(BoundedLoad, KeysOfWhoIsAboveItsBoundGoWhereTheyGoWhenItIsDown) {
  const SomeEndpoints endpoints(4, 1);
  Asking bounded = asking(endpoints, 1.25);
  Asking unbounded = asking(endpoints, 0);
  const std::vector<uint64_t> keys = some_keys(3000);
  Held held(endpoints);
  for (uint32_t i = 0; i < 4; ++i) held.add(i, i == 2 ? 127 : 92);
  EXPECT_EQ(bounded.homes(keys), unbounded.homes(keys, endpoints.tried({2})));
  held.clear();
  for (uint32_t i = 0; i < 4; ++i) held.add(i, i == 2 ? 125 : 92);
  EXPECT_EQ(bounded.homes(keys), unbounded.homes(keys));
}

// Slow start, health: half the share has half the room.
TEST_P(BoundedLoad, TheBoundGoesByShares) {
  const SomeEndpoints endpoints(4, 1);
  const std::vector<uint32_t> shares{100, 100, 50, 100};
  Asking bounded = asking(endpoints, 1.25, shares);
  Asking unbounded = asking(endpoints, 0, shares);
  const std::vector<uint64_t> keys = some_keys(3000);
  Held held(endpoints);
  for (uint32_t i = 0; i < 4; ++i) held.add(i, i == 2 ? 65 : 92);  // of 1.25 * 342 * 50 / 350 = 61
  EXPECT_EQ(bounded.homes(keys), unbounded.homes(keys, endpoints.tried({2})));
}

// Connections that are nobody's fair part: of drained endpoints, of tiers that stand by. Were they counted, the bound
// would be ten times as wide.
TEST_P(BoundedLoad, ConnectionsOfWhoIsNoMemberWidenNothing) {
  for (const uint32_t count : {8U, 160U}) {
    UpstreamState upstream;
    const SomeEndpoints endpoints(count, 1);
    count_together(endpoints, upstream);
    std::vector<uint32_t> shares(count, 100);
    for (uint32_t i = 0; i < count / 4; ++i) shares[i] = 0;
    Held held(endpoints);
    for (uint32_t i = 0; i < count / 4; ++i) held.add(i, 300);
    for (uint32_t i = count / 4; i < count; ++i) held.add(i, i == count - 1 ? 14 : 10);  // the last one is above 13
    const std::vector<uint64_t> keys = some_keys(2000);
    EXPECT_EQ(asking(endpoints, 1.25, shares).homes(keys),
              asking(endpoints, 0, shares).homes(keys, endpoints.tried({count - 1})));
  }
}

// As many as are summed up at every pick: what removed endpoints still hold is in the total, and in no sum.
TEST_P(BoundedLoad, ConnectionsOfWhoIsGoneWidenNothing) {
  UpstreamState upstream;
  const SomeEndpoints endpoints(64, 1);
  count_together(endpoints, upstream);
  Held held(endpoints);
  for (uint32_t i = 0; i < 64; ++i) held.add(i, i == 7 ? 14 : 10);
  upstream.connections += 5000;
  const std::vector<uint64_t> keys = some_keys(2000);
  EXPECT_EQ(asking(endpoints, 1.25).homes(keys), asking(endpoints, 0).homes(keys, endpoints.tried({7})));
}

// Each level has its own fair parts, and who stands by is asked only when nobody in play is usable at all: to be above
// one's bound is no reason to leave the level.
TEST_P(BoundedLoad, LevelsAreBoundedEachByItself) {
  const SomeEndpoints endpoints(6, 1);
  Shares shares;
  shares.each.assign(6, 100);
  shares.levels = {0, 0, 0, 1, 1, 1};
  const auto picker = make_picker(GetParam(), endpoints.members().endpoints, shares, with_bound(1.25));
  const auto state = picker->make_state(1, nullptr);
  Held held(endpoints);
  Zipf keys(5);
  const auto pick = [&](const TriedEndpoints& tried) {
    return picker->pick(*state, {.candidates = endpoints.candidates(), .tried = tried, .key = keys.next()});
  };
  for (uint32_t connections = 1; connections <= 600; ++connections) {
    const uint32_t index = pick({});
    ASSERT_LT(index, 3U);
    held.add(index);
    ASSERT_LE(endpoints[index].state->connections, bound_of(100, connections, {100, 100, 100}, {5, 4}));
  }
  for (uint32_t connections = 1; connections <= 600; ++connections) {
    const uint32_t index = pick(endpoints.tried({0, 1, 2}));
    ASSERT_GE(index, 3U);
    held.add(index);
    ASSERT_LE(endpoints[index].state->connections, bound_of(100, connections, {100, 100, 100}, {5, 4}));
  }
}

TEST_P(BoundedLoad, BeyondTheBoundRatherThanNowhere) {
  SomeEndpoints endpoints(3, 1);
  Asking one = asking(endpoints, 1.25);
  Held held(endpoints);
  held.add(0, 100);
  for (const uint64_t key : some_keys(200)) ASSERT_EQ(one.pick(key, endpoints.tried({1, 2})), 0U);
  ASSERT_EQ(one.pick(1, endpoints.tried({0, 1, 2})), no_endpoint);
  one.candidates()[1].connections_max = 1;
  one.candidates()[2].connections_max = 1;
  held.add(1);
  held.add(2);
  for (const uint64_t key : some_keys(200)) ASSERT_EQ(one.pick(key), 0U);
}

// A reload has just switched it on: the total knows nothing yet of all the connections there are.
TEST_P(BoundedLoad, ATotalThatBeganLaterStillBounds) {
  const uint32_t count = 100;
  const SomeEndpoints endpoints(count, 1);
  Held held(endpoints);
  for (uint32_t i = 0; i < count; ++i) held.add(i, i == 7 ? 14 : 10);
  UpstreamState upstream;
  count_together(endpoints, upstream);
  const std::vector<uint64_t> keys = some_keys(2000);
  EXPECT_EQ(asking(endpoints, 1.25).homes(keys), asking(endpoints, 0).homes(keys, endpoints.tried({7})));
  held.clear();
  EXPECT_EQ(upstream.connections, 0U);
}

TEST(BoundedLoadOptions, OtherAlgorithmsHaveNoBound) {
  for (const std::string_view name : {"round_robin", "least_connections"}) {
    const SomeEndpoints endpoints(2, 1);
    Held held(endpoints);
    for (uint32_t i = 0; i < 2; ++i) held.add(i, i == 0 ? 10 : 12);
    Asking bounded(name, endpoints, {}, with_bound(1.01));
    Asking unbounded(name, endpoints);
    for (int i = 0; i < 10; ++i) ASSERT_EQ(bounded.pick(0), unbounded.pick(0));
  }
}

}  // namespace
}  // namespace weir
