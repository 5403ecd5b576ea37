#include "core/base/spsc_queue.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <thread>

#include "core/base/random.h"

namespace weir {
namespace {

TEST(SpscQueue, IsFirstInFirstOutAndBounded) {
  SpscQueue<int, 4> queue;
  int value = -1;
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.try_pop(value));
  EXPECT_EQ(value, -1);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(queue.try_push(int{i}));
  EXPECT_FALSE(queue.try_push(4));
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(queue.empty());
    ASSERT_TRUE(queue.try_pop(value));
    EXPECT_EQ(value, i);
  }
  EXPECT_TRUE(queue.empty());
}

TEST(SpscQueue, LeavesTheValueAloneWhenFull) {
  SpscQueue<std::unique_ptr<int>, 1> queue;
  ASSERT_TRUE(queue.try_push(std::make_unique<int>(1)));
  auto refused = std::make_unique<int>(2);
  EXPECT_FALSE(queue.try_push(std::move(refused)));
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(*refused, 2);
}

TEST(SpscQueue, AgreesWithADequeOverRandomOperations) {
  Random random(3);
  SpscQueue<uint64_t, 8> queue;
  std::deque<uint64_t> model;
  for (int step = 0; step < 100'000; ++step) {
    if (random.below(2) == 0) {
      const uint64_t value = random.next();
      ASSERT_EQ(queue.try_push(uint64_t{value}), model.size() < 8);
      if (model.size() < 8) model.push_back(value);
    } else {
      uint64_t value = 0;
      ASSERT_EQ(queue.try_pop(value), !model.empty());
      if (!model.empty()) {
        ASSERT_EQ(value, model.front());
        model.pop_front();
      }
    }
    ASSERT_EQ(queue.empty(), model.empty());
  }
}

// Move-only boxes cross between two threads: each arrives once, in order, with its content visible. Under
// ThreadSanitizer this also shows that the orders written in the header suffice.
TEST(SpscQueue, CarriesObjectsBetweenTwoThreads) {
  constexpr uint64_t count = 200'000;
  SpscQueue<std::unique_ptr<uint64_t>, 16> queue;
  std::thread producer([&] {
    for (uint64_t i = 0; i < count; ++i) {
      auto box = std::make_unique<uint64_t>(i);
      while (!queue.try_push(std::move(box))) std::this_thread::yield();
    }
  });
  uint64_t wrong = 0;
  for (uint64_t i = 0; i < count; ++i) {
    std::unique_ptr<uint64_t> box;
    while (!queue.try_pop(box)) std::this_thread::yield();
    wrong += *box == i ? 0U : 1U;
  }
  producer.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace weir
