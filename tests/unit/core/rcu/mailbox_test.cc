#include "core/rcu/mailbox.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <thread>

namespace weir {
namespace {

bool woken(int event_fd, int timeout_ms = 0) {
  pollfd waiting{event_fd, POLLIN, 0};
  return ::poll(&waiting, 1, timeout_ms) == 1;
}

uint64_t take_wakeups(int event_fd) {
  uint64_t count = 0;
  return ::read(event_fd, &count, sizeof count) == sizeof count ? count : 0;
}

TEST(Mailbox, DeliversInOrderAndOnce) {
  Mailbox<int, 4> box;
  int letter = 0;
  EXPECT_FALSE(box.receive(letter));
  EXPECT_TRUE(box.send(1));
  EXPECT_TRUE(box.send(2));
  ASSERT_TRUE(box.receive(letter));
  EXPECT_EQ(letter, 1);
  ASSERT_TRUE(box.receive(letter));
  EXPECT_EQ(letter, 2);
  EXPECT_FALSE(box.receive(letter));
}

TEST(Mailbox, WakesTheReceiverWithEachLetter) {
  Mailbox<int, 4> box;
  EXPECT_FALSE(woken(box.event_fd()));
  box.send(1);
  EXPECT_TRUE(woken(box.event_fd()));
  box.send(2);
  EXPECT_EQ(take_wakeups(box.event_fd()), 2U);
  EXPECT_FALSE(woken(box.event_fd()));
}

TEST(Mailbox, ReportsAFullBoxAndStillWakes) {
  Mailbox<int, 2> box;
  EXPECT_TRUE(box.send(1));
  EXPECT_TRUE(box.send(2));
  take_wakeups(box.event_fd());
  EXPECT_FALSE(box.send(3));
  EXPECT_TRUE(woken(box.event_fd()));
  int letter = 0;
  ASSERT_TRUE(box.receive(letter));
  EXPECT_EQ(letter, 1);
  EXPECT_TRUE(box.send(4));
  ASSERT_TRUE(box.receive(letter));
  EXPECT_EQ(letter, 2);
  ASSERT_TRUE(box.receive(letter));
  EXPECT_EQ(letter, 4);  // 3 was refused, not kept
}

TEST(Mailbox, CarriesWhatCannotBeCopied) {
  Mailbox<std::unique_ptr<int>, 2> box;
  EXPECT_TRUE(box.send(std::make_unique<int>(5)));
  std::unique_ptr<int> letter;
  ASSERT_TRUE(box.receive(letter));
  EXPECT_EQ(*letter, 5);
}

// The receiver blocks whenever the box is empty; a wake-up that got lost would leave it there.
TEST(Mailbox, NeverLosesAWakeUpBetweenTwoThreads) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  constexpr uint64_t letters = 20'000;
#else
  constexpr uint64_t letters = 100'000;
#endif
  constexpr int patience_ms = 20'000;
  Mailbox<uint64_t, 8> box;
  std::thread sender([&] {
    for (uint64_t i = 0; i < letters; ++i) {
      while (!box.send(uint64_t{i})) std::this_thread::yield();
    }
  });
  uint64_t expected = 0;
  bool in_order = true;
  bool lost = false;
  while (expected < letters && !lost) {
    lost = !woken(box.event_fd(), patience_ms);
    take_wakeups(box.event_fd());
    uint64_t letter = 0;
    while (box.receive(letter)) in_order &= letter == expected++;
  }
  // Not to hang where the test fails.
  for (uint64_t letter = 0; lost && expected < letters; expected += box.receive(letter) ? 1 : 0)
    std::this_thread::yield();
  sender.join();
  EXPECT_FALSE(lost);
  EXPECT_TRUE(in_order);
}

}  // namespace
}  // namespace weir
