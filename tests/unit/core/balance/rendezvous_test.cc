#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/core/balance/hashing_fixture.h"

namespace weir {
namespace {

// A reload that removes one and makes another lighter: only what these two had moves.
TEST(Rendezvous, AChangeOfEndpointsMovesNothingThatNeedNotMove) {
  SomeEndpoints before(std::vector<uint32_t>{});
  SomeEndpoints after(std::vector<uint32_t>{});
  for (uint32_t i = 0; i < 12; ++i) before.add("10.0.0." + std::to_string(i) + ":80", 1 + i % 3);
  for (uint32_t i = 0; i < 12; ++i) {
    if (i != 5) after.add(before[i].name, i == 8 ? 1 : 1 + i % 3);
  }
  Asking one("rendezvous", before);
  Asking other("rendezvous", after);
  size_t moved = 0;
  for (const uint64_t key : some_keys(20'000)) {
    const std::string& was = before[one.pick(key)].name;
    const std::string& is = after[other.pick(key)].name;
    if (was == is) continue;
    ++moved;
    ASSERT_TRUE(was == before[5].name || was == before[8].name) << was << " -> " << is;
  }
  EXPECT_GT(moved, 2000U);
}

// As even as chance, with any number of endpoints and without a table that would have to be large enough.
TEST(Rendezvous, AThousandEndpointsAreEven) {
  const SomeEndpoints endpoints(1000, 1);
  const auto counts = count_of_each(Asking("rendezvous", endpoints).homes(some_keys(100'000)), 1000);
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  EXPECT_GT(*least, 50U);  // 5 standard deviations of 10
  EXPECT_LT(*most, 150U);
}

// The second and third best of a key are an order of its own: who stands in for one endpoint are all others.
TEST(Rendezvous, EachTriedEndpointLeavesTheNextBest) {
  const SomeEndpoints endpoints({1, 2, 3, 4, 5});
  Asking asking("rendezvous", endpoints);
  for (const uint64_t key : some_keys(500)) {
    TriedEndpoints tried;
    std::vector<uint32_t> order;
    for (int i = 0; i < 5; ++i) {
      order.push_back(asking.pick(key, tried));
      ASSERT_LT(order.back(), 5U);
      tried.add(endpoints[order.back()].id);
    }
    ASSERT_EQ(asking.pick(key, tried), no_endpoint);
    // Without the first from the beginning the order of the rest is the same.
    std::vector<uint32_t> shares{100, 200, 300, 400, 500};
    shares[order[0]] = 0;
    ASSERT_EQ(Asking("rendezvous", endpoints, shares).pick(key), order[1]);
  }
}

}  // namespace
}  // namespace weir
