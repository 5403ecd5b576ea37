#include "core/rcu/published.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/random.h"

namespace weir {
namespace {

using Numbers = Published<int>;

std::unique_ptr<const int> number(int value) {
  return std::make_unique<const int>(value);
}

TEST(Published, HasNothingBeforeTheFirstPublish) {
  Numbers published{1};
  EXPECT_EQ(published.current(), nullptr);
  EXPECT_EQ(published.reader(0).online(), nullptr);
  EXPECT_EQ(published.reader(0).refresh(), nullptr);
  published.reader(0).offline();
  EXPECT_EQ(published.reclaim(), 0U);
}

TEST(Published, ShowsTheNewestToWhoComesOnlineOrRefreshes) {
  Numbers published{2};
  published.publish(number(1));
  EXPECT_EQ(*published.current(), 1);
  EXPECT_EQ(*published.reader(0).online(), 1);
  published.publish(number(2));
  EXPECT_EQ(*published.current(), 2);
  EXPECT_EQ(*published.reader(1).online(), 2);
  EXPECT_EQ(*published.reader(0).refresh(), 2);
  published.reader(0).offline();
  published.reader(1).offline();
}

TEST(Published, KeepsTheOldOneUntilItsReaderRefreshes) {
  Numbers published{1};
  published.publish(number(1));
  const int* held = published.reader(0).online();
  published.publish(number(2));
  EXPECT_EQ(published.reclaim(), 1U);
  EXPECT_EQ(*held, 1);
  EXPECT_EQ(*published.reader(0).refresh(), 2);
  EXPECT_EQ(published.reclaim(), 0U);
  published.reader(0).offline();
}

TEST(Published, KeepsTheOldOneUntilItsReaderGoesOffline) {
  Numbers published{1};
  published.publish(number(1));
  published.reader(0).online();
  published.publish(number(2));
  EXPECT_EQ(published.reclaim(), 1U);
  published.reader(0).offline();
  EXPECT_EQ(published.reclaim(), 0U);
}

TEST(Published, AReaderThatCameLaterHoldsNothingOlder) {
  Numbers published{2};
  published.publish(number(1));
  published.publish(number(2));
  EXPECT_EQ(*published.reader(0).online(), 2);
  EXPECT_EQ(published.reclaim(), 0U);  // 1 was gone before it came
  published.publish(number(3));
  EXPECT_EQ(*published.reader(1).online(), 3);
  EXPECT_EQ(published.reclaim(), 1U);  // 2 is held by the first
  published.reader(0).offline();
  EXPECT_EQ(published.reclaim(), 0U);
  published.reader(1).offline();
}

TEST(Published, OneSlowReaderHoldsBackAllThatCameSince) {
  Numbers published{2};
  published.publish(number(0));
  const int* held = published.reader(0).online();
  for (int i = 1; i <= 10; ++i) {
    published.publish(number(i));
    EXPECT_EQ(published.reader(1).online(), published.current());
    published.reader(1).offline();
    EXPECT_EQ(published.reclaim(), static_cast<size_t>(i));
  }
  EXPECT_EQ(*held, 0);
  published.reader(0).offline();
  EXPECT_EQ(published.reclaim(), 0U);
}

TEST(Published, DisposesOfEachOnceAndInTheOrderOfPublishing) {
  Numbers published{1};
  std::vector<int> disposed;
  const auto dispose = [&](std::unique_ptr<const int> object) { disposed.push_back(*object); };
  published.publish(number(1));
  published.publish(number(2));
  published.reader(0).online();
  published.publish(number(3));
  published.publish(number(4));
  EXPECT_EQ(published.reclaim(dispose), 2U);
  EXPECT_EQ(disposed, (std::vector<int>{1}));
  published.reader(0).offline();
  EXPECT_EQ(published.reclaim(dispose), 0U);
  EXPECT_EQ(disposed, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(published.reclaim(dispose), 0U);
  EXPECT_EQ(disposed.size(), 3U);
}

TEST(Published, FreesWhatIsLeftWhenItDies) {
  const auto counted = std::make_shared<int>(0);
  {
    Published<std::shared_ptr<int>> published{1};
    for (int i = 0; i < 3; ++i) published.publish(std::make_unique<const std::shared_ptr<int>>(counted));
    EXPECT_EQ(counted.use_count(), 4);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(PublishedDeathTest, ReadersKeepToTheirStates) {
  EXPECT_DEATH(
      {
        Numbers published{1};
        published.reader(0).refresh();
      },
      "assertion failed");
  EXPECT_DEATH(
      {
        Numbers published{1};
        published.reader(0).online();
        published.reader(0).online();
      },
      "assertion failed");
  EXPECT_DEATH(
      {
        Numbers published{1};
        published.reader(0).online();
      },
      "assertion failed");
}

// --- the hammer -----------------------------------------------------------------------------------------------------

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::chrono::milliseconds hammer_time{600};
#else
constexpr std::chrono::milliseconds hammer_time{1000};
#endif

// Plain memory on purpose: where the orders do not suffice, ThreadSanitizer sees the race between a reader's look and
// the writer's spoiling. Volatile, so that a look is a look.
struct Page {
  static constexpr uint64_t alive = 0x5eed'c0de'5eed'c0de;

  explicit Page(uint64_t n) : number(n), check(n * 0x9e37'79b9'7f4a'7c15), magic(alive) {}

  bool intact() const { return magic == alive && number * 0x9e37'79b9'7f4a'7c15 == check; }

  volatile uint64_t number;
  volatile uint64_t check;
  mutable volatile uint64_t magic;  // spoiled by the one who reclaims it
};

struct Seen {
  uint64_t looks = 0;
  uint64_t changes = 0;
  uint64_t spoiled = 0;
  uint64_t backwards = 0;
};

// How readers and the writer behave.
struct Manners {
  unsigned readers;
  uint64_t online_turns_max;  // refreshes before a reader goes offline again
  uint64_t looks_max;         // at what it holds
  uint64_t reclaim_one_in;    // publishes
};

// Cache lines that all threads write. A store that has to fetch its line keeps those behind it waiting in the CPU,
// while loads overtake them: so a reader's coming online stays unseen for as long as possible, and an order that is
// missing shows.
class Distraction {
 public:
  void write(uint64_t value) {
    for (Line& line : lines_) line.value.store(value, std::memory_order_relaxed);
  }

 private:
  struct alignas(128) Line {
    std::atomic<uint64_t> value{0};
  };
  std::array<Line, 4> lines_;
};

// Turns as a worker makes them, without the waiting.
Seen read_until(const std::atomic<bool>& stop, Published<Page>::Reader& reader, Distraction& distraction, uint64_t seed,
                const Manners& manners) {
  Random random(seed);
  Seen seen;
  uint64_t last = 0;
  const auto look = [&](const Page* page, uint64_t looks) {
    for (uint64_t i = 0; i < looks; ++i) seen.spoiled += page->intact() ? 0U : 1U;
    seen.looks += looks;
    seen.changes += page->number != last ? 1U : 0U;
    seen.backwards += page->number < last ? 1U : 0U;
    last = page->number;
  };
  while (!stop.load(std::memory_order_relaxed)) {
    const uint64_t looks = 1 + random.below(manners.looks_max);
    const uint64_t turns = random.below(manners.online_turns_max);
    distraction.write(looks);
    look(reader.online(), looks);
    for (uint64_t turn = 0; turn < turns; ++turn) look(reader.refresh(), looks);
    reader.offline();
  }
  return seen;
}

// A writer that publishes and reclaims without a pause, against readers that go offline and online without one. What is
// reclaimed is spoiled at once, so that a reader that still looks at it knows. Nobody yields: on few CPUs that would be
// the only place where threads change, and always a harmless one.
void hammer(const Manners& manners) {
  constexpr size_t grave_size = 4096;
  Published<Page> published{manners.readers};
  std::atomic<bool> stop{false};
  Distraction distraction;
  std::deque<std::unique_ptr<const Page>> grave;
  uint64_t pages = 1;
  published.publish(std::make_unique<const Page>(pages));

  std::vector<Seen> seen(manners.readers);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < manners.readers; ++i) {
    threads.emplace_back([&, i] { seen[i] = read_until(stop, published.reader(i), distraction, i + 1, manners); });
  }
  const auto bury = [&](std::unique_ptr<const Page> page) {
    page->magic = 0;
    grave.push_back(std::move(page));
    if (grave.size() > grave_size) grave.pop_front();
  };
  Random random(99);
  uint64_t buried_late = 0;
  const auto end = std::chrono::steady_clock::now() + hammer_time;
  while (std::chrono::steady_clock::now() < end) {
    for (int round = 0; round < 64; ++round) {
      distraction.write(pages);
      published.publish(std::make_unique<const Page>(++pages));
      if (random.below(manners.reclaim_one_in) == 0) buried_late += published.reclaim(bury) > 0 ? 1U : 0U;
    }
  }
  stop.store(true, std::memory_order_relaxed);
  for (std::thread& thread : threads) thread.join();

  Seen all;
  for (const Seen& one : seen) {
    EXPECT_GT(one.looks, 0U);
    all.looks += one.looks;
    all.changes += one.changes;
    all.spoiled += one.spoiled;
    all.backwards += one.backwards;
  }
  EXPECT_EQ(all.spoiled, 0U) << "of " << all.looks << " looks";
  EXPECT_EQ(all.backwards, 0U) << "of " << all.changes << " changes";
  EXPECT_GT(all.changes, manners.readers);  // They did see pages change under way.
  EXPECT_GT(buried_late, 0U);               // And the writer did have to wait for them.
  EXPECT_EQ(published.reclaim(bury), 0U);
}

TEST(Published, NoReaderEverHoldsWhatWasFreedWhileRefreshing) {
  hammer({.readers = 3, .online_turns_max = 64, .looks_max = 8, .reclaim_one_in = 2});
}

// Nothing but the one order of four accesses stands between a reader that comes online and a writer that did not see it
// come.
TEST(Published, NoReaderEverHoldsWhatWasFreedWhileComingAndGoing) {
  hammer({.readers = 2, .online_turns_max = 1, .looks_max = 128, .reclaim_one_in = 1});
}

}  // namespace
}  // namespace weir
