#include "core/model/rate_words.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "core/base/random.h"

namespace weir::rate_words {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{1000s};
constexpr uint64_t seed = 5;
constexpr uint64_t tag = uint64_t{77} << state_bits;

constexpr RateRule bucket_rule{RateAlgorithm::token_bucket, 10, 1s, 10};
constexpr RateRule window_rule{RateAlgorithm::sliding_window, 10, 1s, 0};

void put(WordSets::Set& set, size_t way, uint64_t word) {
  set.words[way].store(word, std::memory_order_relaxed);
}

uint64_t at(const WordSets::Set& set, size_t way) {
  return set.words[way].load(std::memory_order_relaxed);
}

// The word of one who has begun so many, now.
template <class Meter>
uint64_t word_of(const Meter& meter, uint64_t tag_of, int requests) {
  typename Meter::State state;
  for (int i = 0; i < requests; ++i) meter.take(state);
  return tag_of + meter.write(state);
}

// What two workers do who meet a new key at once: it has two words. Together they are what it has begun.
template <class Meter>
void expect_two_are_one(const Meter& meter) {
  WordSets::Set set;
  put(set, 2, word_of(meter, tag, 3));
  put(set, 4, word_of(meter, 2 * tag, 8));
  put(set, 5, word_of(meter, tag, 4));
  const RateVerdict verdict = take_in(set, tag, meter);
  EXPECT_TRUE(verdict.admitted);
  EXPECT_EQ(verdict.remaining, 2U);
  EXPECT_EQ(at(set, 2), word_of(meter, tag, 8));
  EXPECT_EQ(at(set, 4), word_of(meter, 2 * tag, 8));
  EXPECT_EQ(at(set, 5), 0U);
  // More than it may have, because of that: the next one is refused, and nothing is lost.
  put(set, 7, word_of(meter, tag, 2));
  EXPECT_FALSE(take_in(set, tag, meter).admitted);
  EXPECT_EQ(at(set, 2), word_of(meter, tag, 10));
  EXPECT_EQ(at(set, 7), 0U);
}

TEST(RateWords, TwoOfOneKeyAreOne) {
  expect_two_are_one(Bucket(bucket_rule, start));
  expect_two_are_one(Window(window_rule, start));
}

TEST(RateWords, TwoWindowsOfOneKeyAreOne) {
  // Of three requests long ago nothing is left, whichever of the two they are in.
  const Window now(window_rule, start + 2s);
  const Window long_ago(window_rule, start - 1s);
  const Window before(window_rule, start + 1s);
  for (const bool old_first : {true, false}) {
    WordSets::Set set;
    put(set, old_first ? 0 : 1, word_of(long_ago, tag, 3));
    put(set, old_first ? 1 : 0, word_of(before, tag, 5));
    EXPECT_EQ(take_in(set, tag, now).remaining, 5U);  // four of five count, and this one
  }
}

// The entry goes that is nearest to having begun nothing; an empty one first of all.
template <class Meter>
void expect_lightest_goes(const RateRule& rule) {
  const Meter meter(rule, start);
  for (size_t lightest = 0; lightest < WordSets::ways; ++lightest) {
    WordSets::Set set;
    for (size_t way = 0; way < WordSets::ways; ++way) {
      put(set, way, word_of(meter, (way + 1) * tag, way == lightest ? 2 : 3 + static_cast<int>(way % 5)));
    }
    EXPECT_TRUE(take_in(set, 100 * tag, meter).admitted);
    EXPECT_EQ(at(set, lightest), word_of(meter, 100 * tag, 1));
  }
  // Of those who have begun as much, the one that did so first; of an age ago nothing counts at all.
  for (const Duration ago : {Duration{100ms}, Duration{900ms}, Duration{2500ms}, Duration{1h}, Duration{240h}}) {
    WordSets::Set set;
    for (size_t way = 0; way < WordSets::ways; ++way) {
      const Meter then(rule, way == 6 ? start - ago : start - 1ms);
      put(set, way, word_of(then, (way + 1) * tag, way == 6 && ago > 2s ? 10 : 1));
    }
    take_in(set, 100 * tag, meter);
    EXPECT_EQ(at(set, 6), word_of(meter, 100 * tag, 1)) << ago.count();
  }
}

TEST(RateWords, TheLightestGoes) {
  expect_lightest_goes<Bucket>(bucket_rule);
  expect_lightest_goes<Window>(window_rule);
}

// What is written is read again, with the tag it was written with, at any instant and soon after it.
TEST(RateWords, AreReadAsTheyWereWritten) {
  Random random(2);
  for (int i = 0; i < 100'000; ++i) {
    const auto requests = static_cast<uint32_t>(1 + random.below(200'000));
    const Duration per{static_cast<int64_t>(1'000'000 + random.below(86'399'000'000'000))};
    const Instant now{Duration{static_cast<int64_t>(random.below(uint64_t{1} << (20 + i % 42)))}};
    const uint64_t any_tag = random.next() << state_bits;
    const Bucket bucket({RateAlgorithm::token_bucket, requests, per, requests}, now);
    const Bucket::State owed{random.below(requests * unit + 1)};
    const auto debt = bucket.read(any_tag + bucket.write(owed));
    ASSERT_EQ(debt.tag, any_tag);
    ASSERT_EQ(debt.state.debt, owed.debt);
    const Window window({RateAlgorithm::sliding_window, requests, per, 0}, now);
    Window::State state;
    const uint64_t begun = 1 + random.below(10);
    for (uint64_t n = 0; n < begun; ++n) window.take(state);
    const auto read = window.read(any_tag + window.write(state));
    ASSERT_EQ(read.tag, any_tag);
    ASSERT_EQ(read.state.here, state.here);
    ASSERT_EQ(read.state.before, 0U);
    ASSERT_EQ(read.state.begin, state.begin);
  }
}

// Large counts of a window before are kept in steps: rounded up, by one in 4,000 of `requests` at most.
TEST(RateWords, AWindowBeforeIsNeverForgottenInPart) {
  for (const uint32_t requests : {1U, 7U, 4095U, 4096U, 8191U, 100'000U, 199'999U, 200'000U}) {
    const RateRule rule{RateAlgorithm::sliding_window, requests, 1s, 0};
    const Window second(rule, start + 1500ms);
    for (const uint32_t begun : {1U, requests / 3, requests / 2 + 1, requests - 1, requests}) {
      if (begun == 0) continue;
      const Window first(rule, start);
      const Window::State rolled = second.read(word_of(first, tag, static_cast<int>(begun))).state;
      EXPECT_GE(rolled.before, begun);
      EXPECT_LE(rolled.before, std::min(requests, begun + requests / 4000));
      EXPECT_EQ(rolled.here, 0U);
      const auto again = second.read(tag + second.write(rolled));
      EXPECT_EQ(again.state.before, rolled.before);
      EXPECT_EQ(again.tag, tag);
    }
  }
}

// Workers whose clocks differ by up to a millisecond. Together they let in what the rule says: exactly what a bucket
// that starts full can, by the clock of the one who is ahead.
TEST(RateTableThreads, OneLimitOverAllWorkers) {
  constexpr int64_t steps = 400'000;
  constexpr Duration step = 5us;  // two seconds together
  for (const RateRule& rule :
       {RateRule{RateAlgorithm::token_bucket, 1000, 1s, 50}, RateRule{RateAlgorithm::token_bucket, 20'000, 1s, 100},
        RateRule{RateAlgorithm::sliding_window, 1000, 100ms, 0}}) {
    RateTable table(rule, 0, seed);
    std::atomic<int64_t> clock{0};
    std::atomic<uint64_t> admitted{0};
    std::vector<std::thread> workers;
    for (int worker = 0; worker < 4; ++worker) {
      workers.emplace_back([&, worker] {
        for (int64_t at = 0; (at = clock.fetch_add(1, std::memory_order_relaxed)) < steps;) {
          const Instant now = start + at * step + worker * 300us;
          if (table.take(1, now).admitted) admitted.fetch_add(1, std::memory_order_relaxed);
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    const double asked_s = static_cast<double>(std::chrono::nanoseconds{steps * step + 900us}.count()) / 1e9;
    const double per_s = static_cast<double>(rule.per.count()) / 1e9;
    const double rate = rule.requests / per_s * asked_s;
    const bool is_bucket = rule.algorithm == RateAlgorithm::token_bucket;
    EXPECT_LE(static_cast<double>(admitted.load()), rate + (is_bucket ? rule.burst : rule.requests));
    EXPECT_GE(static_cast<double>(admitted.load()), rate * 0.95);
  }
}

// Nothing comes back, and nobody has to wait: of all that four workers ask for at once just so many are admitted.
TEST(RateTableThreads, NoneIsLostAndNoneGoesTwice) {
  constexpr uint32_t most = 200'000;
  for (const RateRule& rule :
       {RateRule{RateAlgorithm::token_bucket, 1, 24h, most}, RateRule{RateAlgorithm::sliding_window, most, 24h, 0}}) {
    RateTable table(rule, 0, seed);
    std::atomic<uint64_t> admitted{0};
    std::atomic<uint32_t> ready{0};
    std::vector<std::thread> workers;
    for (int worker = 0; worker < 4; ++worker) {
      workers.emplace_back([&] {
        uint64_t own = 0;
        ready.fetch_add(1, std::memory_order_relaxed);
        while (ready.load(std::memory_order_relaxed) < 4) std::this_thread::yield();
        for (uint32_t i = 0; i < most; ++i) own += table.take(1, start).admitted ? 1U : 0U;
        admitted.fetch_add(own, std::memory_order_relaxed);
      });
    }
    for (std::thread& worker : workers) worker.join();
    EXPECT_EQ(admitted.load(), most);
  }
}

// Many keys that are new to four workers at the same instant, in sets that are nearly full.
TEST(RateTableThreads, NewKeysOfAllWorkers) {
  constexpr uint64_t keys = 512;
  constexpr uint32_t burst = 5;
  for (uint64_t round = 0; round < 20; ++round) {
    RateTable table({RateAlgorithm::token_bucket, 1, 24h, burst}, 1024, round);
    std::vector<std::atomic<uint32_t>> admitted(keys);
    std::atomic<uint32_t> ready{0};
    std::vector<std::thread> workers;
    for (uint64_t worker = 0; worker < 4; ++worker) {
      workers.emplace_back([&, worker] {
        Random random(worker / 2);  // two and two in the same order
        ready.fetch_add(1, std::memory_order_relaxed);
        while (ready.load(std::memory_order_relaxed) < 4) std::this_thread::yield();
        for (int i = 0; i < 20'000; ++i) {
          const uint64_t key = random.below(keys);
          if (table.take(key, start).admitted) admitted[key].fetch_add(1, std::memory_order_relaxed);
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    // Nobody lost what it may have. Of those whose set is crowded (more than eight keys) some were forgotten.
    uint64_t exact = 0;
    const WordSets sets(1024, round);
    std::vector<uint32_t> load(sets.sets());
    for (uint64_t key = 0; key < keys; ++key) ++load[sets.set_index(sets.hash(key))];
    for (uint64_t key = 0; key < keys; ++key) {
      ASSERT_GE(admitted[key].load(), burst);
      if (load[sets.set_index(sets.hash(key))] > WordSets::ways) continue;
      ASSERT_EQ(admitted[key].load(), burst) << "round " << round << ", key " << key;
      ++exact;
    }
    EXPECT_GT(exact, keys / 2);
  }
}

// One busy key in a set through which a crowd passes: entries change hands all the time, and the busy one is met as new
// by several workers at once. Over the time it has no more than its rate.
TEST(RateTableThreads, ABusyKeyInACrowd) {
  constexpr int64_t steps = 300'000;
  const RateRule rule{RateAlgorithm::token_bucket, 1000, 1s, 4};
  RateTable table(rule, 1024, seed);
  const WordSets sets(1024, seed);
  std::vector<uint64_t> keys;
  for (uint64_t key = 0; keys.size() < 64; ++key) {
    if (sets.set_index(sets.hash(key)) == 9) keys.push_back(key);
  }
  std::atomic<int64_t> clock{0};
  std::atomic<uint64_t> admitted{0};
  std::vector<std::thread> workers;
  for (uint64_t worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&, worker] {
      Random random(worker);
      for (int64_t at = 0; (at = clock.fetch_add(1, std::memory_order_relaxed)) < steps;) {
        const Instant now = start + at * 10us;
        const bool busy = random.below(2) == 0;
        const RateVerdict verdict = table.take(busy ? keys[0] : keys[1 + random.below(keys.size() - 1)], now);
        if (busy && verdict.admitted) admitted.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_GE(admitted.load(), 3000U * 95 / 100);
  EXPECT_LE(admitted.load(), 3000U * 105 / 100);
}

}  // namespace
}  // namespace weir::rate_words
