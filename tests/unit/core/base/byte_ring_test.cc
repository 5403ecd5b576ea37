#include "core/base/byte_ring.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>
#include <thread>

#include "core/base/random.h"

namespace weir {
namespace {

bool push(ByteRing& ring, std::string_view text) {
  std::byte* record = ring.reserve(static_cast<uint32_t>(text.size()));
  if (record == nullptr) return false;
  EXPECT_EQ(reinterpret_cast<uintptr_t>(record) % 8, 0U);
  std::memcpy(record, text.data(), text.size());
  ring.commit();
  return true;
}

std::string text_of(std::span<const std::byte> record) {
  return {reinterpret_cast<const char*>(record.data()), record.size()};
}

// How often the bell was rung since the last time.
uint64_t rings(const ByteRing& ring) {
  uint64_t count = 0;
  return ::read(ring.event_fd(), &count, sizeof count) == sizeof count ? count : 0;
}

TEST(ByteRing, IsFirstInFirstOut) {
  ByteRing ring{256};
  EXPECT_TRUE(ring.front().empty());
  EXPECT_TRUE(push(ring, "one"));
  EXPECT_TRUE(push(ring, "and another"));
  EXPECT_EQ(text_of(ring.front()), "one");
  EXPECT_EQ(text_of(ring.front()), "one");
  ring.pop();
  EXPECT_EQ(text_of(ring.front()), "and another");
  ring.pop();
  EXPECT_TRUE(ring.front().empty());
}

TEST(ByteRing, RefusesWhatDoesNotFitAndGoesOn) {
  ByteRing ring{64};
  EXPECT_EQ(ring.record_bytes_max(), 24U);
  EXPECT_EQ(ring.reserve(25), nullptr);
  // 8 bytes of prefix each.
  EXPECT_TRUE(push(ring, std::string(24, 'a')));
  EXPECT_TRUE(push(ring, std::string(16, 'b')));
  EXPECT_EQ(ring.reserve(1), nullptr);
  EXPECT_EQ(text_of(ring.front()), std::string(24, 'a'));
  EXPECT_EQ(ring.reserve(1), nullptr);
  ring.pop();
  EXPECT_TRUE(push(ring, std::string(24, 'c')));
  EXPECT_EQ(text_of(ring.front()), std::string(16, 'b'));
  ring.pop();
  EXPECT_EQ(text_of(ring.front()), std::string(24, 'c'));
}

TEST(ByteRing, TakesTheLargestRecordAtEveryPosition) {
  ByteRing ring{128};
  const std::string large(ring.record_bytes_max(), 'x');
  for (int position = 0; position < 64; ++position) {
    ASSERT_TRUE(push(ring, large)) << position;
    ASSERT_EQ(text_of(ring.front()), large);
    ring.pop();
    ASSERT_TRUE(push(ring, "12345678"));
    ASSERT_EQ(text_of(ring.front()), "12345678");
    ring.pop();
  }
}

TEST(ByteRing, ForgetsWhatIsNotCommitted) {
  ByteRing ring{128};
  ASSERT_NE(ring.reserve(40), nullptr);
  EXPECT_TRUE(ring.front().empty());
  EXPECT_TRUE(push(ring, "kept"));
  EXPECT_EQ(text_of(ring.front()), "kept");
  ring.pop();
  EXPECT_TRUE(ring.front().empty());
}

TEST(ByteRingDeathTest, ACommitNeedsAReservation) {
  ByteRing ring{64};
  ASSERT_NE(ring.reserve(8), nullptr);
  ASSERT_EQ(ring.reserve(1000), nullptr);
  EXPECT_DEATH(ring.commit(), "after != before");
}

TEST(ByteRingDeathTest, APopNeedsARecord) {
  ByteRing ring{64};
  ASSERT_TRUE(push(ring, "a"));
  ASSERT_FALSE(ring.front().empty());
  ring.pop();
  EXPECT_DEATH(ring.pop(), "front_end");
}

TEST(ByteRingDeathTest, TheCapacityIsAPowerOfTwo) {
  EXPECT_DEATH(ByteRing{96}, "has_single_bit");
  EXPECT_DEATH(ByteRing{32}, "capacity_min");
}

TEST(ByteRing, RingsOnceWhenItPassesHalf) {
  ByteRing ring{256};
  const std::string record(24, 'x');  // 32 bytes with its prefix: four are half
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(push(ring, record));
    EXPECT_EQ(rings(ring), 0U);
    ASSERT_TRUE(push(ring, record));
    EXPECT_EQ(rings(ring), 1U);
    ASSERT_TRUE(push(ring, record));
    ASSERT_TRUE(push(ring, record));
    EXPECT_EQ(rings(ring), 0U);
    // It stays above half: the consumer is at work, and was told.
    ASSERT_FALSE(ring.front().empty());
    ring.pop();
    ASSERT_TRUE(push(ring, record));
    EXPECT_EQ(rings(ring), 0U);
    while (!ring.front().empty()) ring.pop();
  }
}

TEST(ByteRing, DoesNotRingWhileItIsEmptiedInTime) {
  ByteRing ring{256};
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(push(ring, "twenty bytes or more"));
    ASSERT_FALSE(ring.front().empty());
    ring.pop();
  }
  EXPECT_EQ(rings(ring), 0U);
}

TEST(ByteRing, AgreesWithADequeOverRandomOperations) {
  Random random(31);
  ByteRing ring{1024};
  std::deque<std::string> model;
  uint64_t refused = 0;
  for (int step = 0; step < 200'000; ++step) {
    if (random.below(2) == 0) {
      std::string text(1 + random.below(random.below(8) == 0 ? ring.record_bytes_max() : 60), '\0');
      for (char& c : text) c = static_cast<char>(random.next());
      const auto bytes_of = [](const std::string& record) { return 8 + (record.size() + 7) / 8 * 8; };
      size_t used = 0;
      size_t largest = 0;
      for (const std::string& each : model) {
        used += bytes_of(each);
        largest = std::max(largest, bytes_of(each));
      }
      if (push(ring, text)) {
        model.push_back(text);
      } else {
        ++refused;
        // Only for want of room. A skip is smaller than the record behind it, and there are two at most: one that lies
        // in the ring, and one for the new record.
        ASSERT_GT(used + largest + 2 * bytes_of(text), ring.capacity());
      }
    } else if (model.empty()) {
      ASSERT_TRUE(ring.front().empty());
    } else {
      ASSERT_EQ(text_of(ring.front()), model.front());
      ring.pop();
      model.pop_front();
    }
  }
  EXPECT_GT(refused, 100U);
}

// Records cross between two threads: each arrives once, in order, whole. Under ThreadSanitizer this also shows that the
// orders written in the implementation suffice.
TEST(ByteRing, CarriesRecordsBetweenTwoThreads) {
  constexpr uint64_t count = 100'000;
  ByteRing ring{4096};
  std::thread producer([&] {
    Random sizes(37);
    for (uint64_t i = 0; i < count; ++i) {
      const auto size = static_cast<uint32_t>(sizeof i + sizes.below(200));
      std::byte* record = ring.reserve(size);
      while (record == nullptr) {
        std::this_thread::yield();
        record = ring.reserve(size);
      }
      std::memset(record, static_cast<int>(i & 0xff), size);
      std::memcpy(record, &i, sizeof i);
      ring.commit();
    }
  });
  Random sizes(37);
  uint64_t wrong = 0;
  uint64_t heard = 0;
  for (uint64_t i = 0; i < count;) {
    const auto record = ring.front();
    if (record.empty()) {
      // The bell, or a look now and then: the last records may never bring the ring above half.
      pollfd bell{ring.event_fd(), POLLIN, 0};
      heard += ::poll(&bell, 1, 1) == 1 ? rings(ring) : 0;
      continue;
    }
    uint64_t number = 0;
    std::memcpy(&number, record.data(), sizeof number);
    wrong += number == i && record.size() == sizeof i + sizes.below(200) ? 0U : 1U;
    for (const std::byte byte : record.subspan(sizeof number))
      wrong += byte == static_cast<std::byte>(i & 0xff) ? 0U : 1U;
    ring.pop();
    ++i;
  }
  producer.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_GT(heard, 0U);
  EXPECT_TRUE(ring.front().empty());
}

}  // namespace
}  // namespace weir
