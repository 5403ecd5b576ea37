#include "net/io/buffers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "tests/unit/net/io/loopback.h"

namespace weir {
namespace {

constexpr uint64_t bytes_of(uint32_t count) {
  return uint64_t{count} * Buffers::size;
}

// A worker's buffers and a socket that fills them.
struct Receiver {
  explicit Receiver(uint32_t count) : ring(make_ring()), buffers(*ring, bytes_of(count)), pair(tcp_pair()) {
    EXPECT_TRUE(buffers.start().ok());
    ring->receive_many(receiving.op, Noted::note, pair.near.get(), false);
    ring->submit();
  }
  ~Receiver() {
    if (!receiving.over()) ring->cancel(receiving.op);
    EXPECT_TRUE(turn_until(*ring, [&] { return receiving.over(); }));
  }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  // The buffer that `text` came in.
  BufferId receive(std::string_view text) {
    const size_t heard = receiving.heard.size();
    EXPECT_TRUE(send_now(pair.far, text));
    EXPECT_TRUE(turn_until(*ring, [&] { return receiving.heard.size() > heard; }));
    const Completion& completion = receiving.heard.back();
    EXPECT_EQ(completion.result, static_cast<int>(text.size()));
    EXPECT_TRUE(completion.has_buffer());
    if (!completion.has_buffer()) return no_buffer;
    buffers.received(completion.buffer());
    EXPECT_EQ((std::string{reinterpret_cast<char*>(buffers.data(completion.buffer())), text.size()}), text);
    return completion.buffer();
  }

  std::unique_ptr<Ring> ring;
  Buffers buffers;
  Pair pair;
  Noted receiving;
};

TEST(Buffers, AreAsManyAsTheLimitHoldsWithinBounds) {
  const auto ring = make_ring();
  EXPECT_EQ(Buffers(*ring, 0).count(), Buffers::count_min);
  EXPECT_EQ(Buffers(*ring, bytes_of(100)).count(), 100U);
  EXPECT_EQ(Buffers(*ring, bytes_of(101) - 1).count(), 100U);
  EXPECT_EQ(Buffers(*ring, ~uint64_t{0}).count(), Buffers::count_max);
}

TEST(Buffers, AreTakenUntilThereAreNoneAndTheLastOneBackGoesFirst) {
  const auto ring = make_ring();
  Buffers buffers{*ring, bytes_of(70)};
  std::set<BufferId> ids;
  for (uint32_t i = 0; i < 70; ++i) {
    const BufferId id = buffers.take();
    ASSERT_LT(id, 70U);
    EXPECT_TRUE(ids.insert(id).second);
  }
  EXPECT_EQ(buffers.in_use(), 70U);
  EXPECT_EQ(buffers.take(), no_buffer);
  EXPECT_EQ(buffers.in_use(), 70U);
  buffers.give_back(3);
  buffers.give_back(42);
  EXPECT_EQ(buffers.in_use(), 68U);
  EXPECT_EQ(buffers.take(), 42U);
  EXPECT_EQ(buffers.take(), 3U);
  EXPECT_EQ(buffers.take(), no_buffer);
}

TEST(Buffers, DoNotOverlap) {
  const auto ring = make_ring();
  Buffers buffers{*ring, bytes_of(64)};
  for (BufferId id = 0; id < 64; ++id) std::memset(buffers.data(id), id, Buffers::size);
  for (BufferId id = 0; id < 64; ++id) {
    const auto* first = buffers.data(id);
    ASSERT_TRUE(std::all_of(first, first + Buffers::size, [&](std::byte byte) { return byte == std::byte(id); }));
    ASSERT_EQ(reinterpret_cast<uintptr_t>(first) % 64, 0U);
  }
}

// Of 64: an eighth stays ours.
constexpr uint32_t lent = 56;

TEST(Buffers, LendTheKernelALevelAndNotAll) {
  const auto ring = make_ring();
  Buffers small{*ring, bytes_of(64)};
  EXPECT_EQ(small.available(), 0U);
  ASSERT_TRUE(small.start().ok());
  EXPECT_EQ(small.available(), lent);
  EXPECT_EQ(small.in_use(), 0U);
  for (uint32_t i = lent; i < 64; ++i) EXPECT_NE(small.take(), no_buffer);
  EXPECT_EQ(small.take(), no_buffer);

  const auto other = make_ring();
  Buffers large{*other, bytes_of(300)};
  ASSERT_TRUE(large.start().ok());
  EXPECT_EQ(large.available(), 128U);
  large.replenish();
  EXPECT_EQ(large.available(), 128U);
  EXPECT_LT(large.take(), 300U);
  EXPECT_EQ(large.in_use(), 1U);
}

TEST(Buffers, RaiseTheLevelWhenItWasTooLowButKeepSome) {
  const auto ring = make_ring();
  Buffers buffers{*ring, bytes_of(300)};
  ASSERT_TRUE(buffers.start().ok());
  buffers.exhausted();
  EXPECT_EQ(buffers.available(), 128U) << "provided only with the next replenish()";
  buffers.replenish();
  EXPECT_EQ(buffers.available(), 256U);
  buffers.exhausted();
  buffers.replenish();
  EXPECT_EQ(buffers.available(), 263U) << "an eighth stays ours";
  EXPECT_NE(buffers.take(), no_buffer);
}

TEST(Buffers, RaiseTheLevelOnceHoweverManyReceivesFoundNone) {
  const auto ring = make_ring();
  Buffers buffers{*ring, bytes_of(2000)};
  ASSERT_TRUE(buffers.start().ok());
  for (int i = 0; i < 40; ++i) buffers.exhausted();
  buffers.replenish();
  EXPECT_EQ(buffers.available(), 256U);
  buffers.replenish();
  EXPECT_EQ(buffers.available(), 256U);
}

TEST(Buffers, PassFromTheKernelToASessionAndBack) {
  Receiver receiver{64};
  Buffers& buffers = receiver.buffers;
  const BufferId first = receiver.receive("one");
  EXPECT_EQ(buffers.available(), lent - 1);
  EXPECT_EQ(buffers.in_use(), 1U);
  const BufferId second = receiver.receive("two");
  EXPECT_NE(first, second);
  EXPECT_EQ(buffers.available(), lent - 2);
  buffers.give_back(first);
  EXPECT_EQ(buffers.available(), lent - 2) << "not the kernel's before the turn's replenish()";
  EXPECT_EQ(buffers.in_use(), 1U);
  buffers.replenish();
  EXPECT_EQ(buffers.available(), lent - 1);
  buffers.give_back(second);
  buffers.replenish();
  EXPECT_EQ(buffers.available(), lent);
  EXPECT_EQ(buffers.in_use(), 0U);
}

// Round the kernel's ring several times, with ids that come back in another order than they left.
TEST(Buffers, GoRoundWithoutOneBeingLost) {
  Receiver receiver{64};
  Random random(4);
  std::vector<BufferId> held;
  for (uint32_t i = 0; i < 500; ++i) {
    const BufferId id = receiver.receive("message " + std::to_string(i));
    ASSERT_NE(id, no_buffer);
    ASSERT_EQ(std::count(held.begin(), held.end(), id), 0) << "a buffer was filled that is in use";
    held.push_back(id);
    while (held.size() > random.below(lent - 4)) {
      const size_t at = random.below(held.size());
      receiver.buffers.give_back(held[at]);
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
    }
    receiver.buffers.replenish();
    ASSERT_EQ(receiver.buffers.in_use(), held.size());
    ASSERT_EQ(receiver.buffers.available() + held.size(), lent);
  }
  for (const BufferId id : held) receiver.buffers.give_back(id);
}

TEST(Buffers, AReceiveThatFindsNoneGoesOnWhenThereAreSome) {
  Receiver receiver{64};
  std::vector<BufferId> held;
  for (uint32_t i = 0; i < lent; ++i) held.push_back(receiver.receive("x"));
  EXPECT_EQ(receiver.buffers.available(), 0U);
  ASSERT_TRUE(send_now(receiver.pair.far, "late"));
  ASSERT_TRUE(turn_until(*receiver.ring, [&] { return receiver.receiving.over(); }));
  EXPECT_EQ(receiver.receiving.result(), -ENOBUFS);
  receiver.buffers.exhausted();
  for (const BufferId id : held) receiver.buffers.give_back(id);
  receiver.buffers.replenish();
  EXPECT_EQ(receiver.buffers.available(), lent);
  receiver.ring->receive_many(receiver.receiving.op, Noted::note, receiver.pair.near.get(), false);
  ASSERT_TRUE(turn_until(*receiver.ring, [&] { return receiver.receiving.result() == 4; }));
  receiver.buffers.received(receiver.receiving.heard.back().buffer());
  receiver.buffers.give_back(receiver.receiving.heard.back().buffer());
}

TEST(BuffersDeathTest, GivingBackWhatNobodyHasIsABug) {
  const auto ring = make_ring();
  Buffers buffers{*ring, bytes_of(64)};
  EXPECT_DEATH(buffers.give_back(0), "assertion failed");
  EXPECT_DEATH(buffers.received(0), "assertion failed");
  const BufferId id = buffers.take();
  buffers.give_back(id);
  EXPECT_DEATH(buffers.give_back(id), "assertion failed");
}

}  // namespace
}  // namespace weir
