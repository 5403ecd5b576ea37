#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "net/io/buffers.h"
#include "tests/unit/net/io/loopback.h"

namespace weir {
namespace {

constexpr uint64_t bytes_of(uint32_t count) {
  return uint64_t{count} * Buffers::size;
}

// A queue with words for what it does.
struct Words {
  explicit Words(Buffers& all) : buffers(all) {}
  ~Words() { queue.clear(buffers); }
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;

  bool push(std::string_view text, bool front = false) {
    const BufferId id = buffers.take();
    if (id == no_buffer) return false;
    std::memcpy(buffers.data(id), text.data(), text.size());
    const auto bytes = static_cast<uint32_t>(text.size());
    front ? queue.push_front(buffers, id, bytes) : queue.push(buffers, id, bytes);
    return true;
  }
  std::string front() { return {reinterpret_cast<char*>(queue.front(buffers)), queue.front_size(buffers)}; }
  // All of it, front by front.
  std::vector<std::string> drain() {
    std::vector<std::string> all;
    while (!queue.empty()) {
      all.push_back(front());
      queue.consume(buffers, queue.front_size(buffers));
    }
    return all;
  }

  Buffers& buffers;
  BufferQueue queue;
};

using Strings = std::vector<std::string>;

// Too large to be copied behind another.
std::string large(char c, size_t size = BufferQueue::copied_bytes_max + 1) {
  return std::string(size, c);
}

class BufferQueueTest : public testing::Test {
 protected:
  std::unique_ptr<Ring> ring_ = make_ring();
  Buffers buffers_{*ring_, bytes_of(64)};
  Words words_{buffers_};
};

TEST_F(BufferQueueTest, IsEmptyAtFirst) {
  EXPECT_TRUE(words_.queue.empty());
  EXPECT_EQ(words_.queue.count(), 0U);
  EXPECT_EQ(words_.queue.pieces(buffers_).count, 0U);
  words_.queue.gather(buffers_);
  words_.queue.consume(buffers_, 0);
  words_.queue.clear(buffers_);
  EXPECT_TRUE(words_.queue.empty());
}

TEST_F(BufferQueueTest, KeepsTheOrderOfBytes) {
  words_.push(large('1'));
  words_.push(large('2'));
  words_.push("zero", true);
  EXPECT_EQ(words_.queue.count(), 3U);
  EXPECT_EQ(words_.drain(), (Strings{"zero", large('1'), large('2')}));
  EXPECT_EQ(buffers_.in_use(), 0U);
  words_.push("first", true);  // into an empty one
  words_.push(large('3'));
  EXPECT_EQ(words_.drain(), (Strings{"first", large('3')}));
}

TEST_F(BufferQueueTest, CopiesASmallPieceBehindTheLastOneWhereItFits) {
  const std::string small(BufferQueue::copied_bytes_max, 's');
  words_.push("a");
  words_.push(small);
  EXPECT_EQ(buffers_.in_use(), 1U) << "its own buffer went back";
  words_.push(large('l'));
  EXPECT_EQ(words_.queue.count(), 2U);
  words_.push("z");
  EXPECT_EQ(words_.drain(), (Strings{"a" + small, large('l') + "z"}));

  const std::string nearly(Buffers::size - 2, 'n');
  words_.push(nearly);
  words_.push("123");
  EXPECT_EQ(words_.queue.count(), 2U) << "all of it or nothing";
  words_.push("45");
  EXPECT_EQ(words_.drain(), (Strings{nearly, "12345"}));
}

// A send in flight was told where its bytes end, and what it leaves is what came since.
TEST_F(BufferQueueTest, WhatIsAppendedDuringASendIsLeftByIt) {
  words_.push("sent");
  const SendPieces in_flight = words_.queue.pieces(buffers_);
  words_.push(" later");
  EXPECT_EQ(in_flight.list[0].iov_len, 4U);
  EXPECT_EQ((std::string{static_cast<char*>(in_flight.list[0].iov_base), 4}), "sent");
  words_.queue.consume(buffers_, 4);
  EXPECT_EQ(words_.drain(), (Strings{" later"}));
  // Room at the front is not room behind.
  words_.push(large('f', Buffers::size));
  words_.queue.consume(buffers_, Buffers::size - 1);
  words_.push("b");
  EXPECT_EQ(words_.drain(), (Strings{"f", "b"}));
}

TEST_F(BufferQueueTest, GivesABufferBackWhenItsLastByteIsConsumed) {
  words_.push("abcdef");
  words_.push(large('g'));
  words_.queue.consume(buffers_, 2);
  EXPECT_EQ(words_.front(), "cdef");
  words_.queue.consume(buffers_, 0);
  EXPECT_EQ(words_.front(), "cdef");
  EXPECT_EQ(buffers_.in_use(), 2U);
  words_.queue.consume(buffers_, 4);
  EXPECT_EQ(buffers_.in_use(), 1U);
  EXPECT_EQ(words_.front(), large('g'));
  EXPECT_EQ(words_.queue.count(), 1U);
}

TEST_F(BufferQueueTest, ConsumesAcrossBuffers) {
  for (const char c : {'a', 'b', 'c', 'd'}) words_.push(large(c));
  const uint32_t each = BufferQueue::copied_bytes_max + 1;
  words_.queue.consume(buffers_, 1);
  words_.queue.consume(buffers_, 2 * each + 9);  // the rest of the first, the second, some of the third
  EXPECT_EQ(buffers_.in_use(), 2U);
  EXPECT_EQ(words_.drain(), (Strings{large('c', each - 10), large('d')}));
}

TEST_F(BufferQueueTest, ListsItsPiecesAsFarAsOneSendTakesThem) {
  Strings texts;
  for (uint32_t i = 0; i < SendPieces::count_max + 2; ++i) {
    texts.push_back(large(static_cast<char>('a' + i)));
    words_.push(texts.back());
    if (i == 0) {
      words_.queue.consume(buffers_, 2);
      texts[0].erase(0, 2);
    }
    const SendPieces pieces = words_.queue.pieces(buffers_);
    ASSERT_EQ(pieces.count, std::min(i + 1, SendPieces::count_max));
    for (uint32_t at = 0; at < pieces.count; ++at) {
      EXPECT_EQ((std::string{static_cast<char*>(pieces.list[at].iov_base), pieces.list[at].iov_len}), texts[at]);
    }
  }
  EXPECT_EQ(words_.queue.count(), SendPieces::count_max + 2);
}

TEST_F(BufferQueueTest, GathersWhatFitsIntoTheFirst) {
  for (const char c : {'a', 'b', 'c'}) words_.push(large(c));
  words_.queue.gather(buffers_);
  EXPECT_EQ(words_.queue.count(), 1U);
  EXPECT_EQ(buffers_.in_use(), 1U);
  EXPECT_EQ(words_.front(), large('a') + large('b') + large('c'));
  words_.push(large('d'));  // behind the right one
  EXPECT_EQ(words_.drain(), (Strings{large('a') + large('b') + large('c'), large('d')}));
}

TEST_F(BufferQueueTest, GathersPartOfTheOneThatDoesNotFit) {
  const std::string nearly = large('n', Buffers::size - 4);
  words_.push(nearly);
  words_.push(large('a'));
  words_.push(large('b'));
  words_.queue.gather(buffers_);
  EXPECT_EQ(words_.drain(), (Strings{nearly + "aaaa", large('a').substr(4), large('b')}));
}

TEST_F(BufferQueueTest, GathersNothingIntoAFullOne) {
  const std::string full = large('f', Buffers::size);
  words_.push(full);
  words_.push("rest");
  words_.queue.gather(buffers_);
  EXPECT_EQ(words_.drain(), (Strings{full, "rest"}));
}

TEST_F(BufferQueueTest, GathersBehindWhatWasConsumed) {
  words_.push("consumed");
  words_.push(large('c'));
  words_.queue.consume(buffers_, 3);
  words_.queue.gather(buffers_);
  EXPECT_EQ(words_.front(), "sumed" + large('c'));
  words_.queue.consume(buffers_, 5);
  words_.push(large('d'));
  words_.queue.gather(buffers_);
  EXPECT_EQ(words_.drain(), (Strings{large('c') + large('d')}));
}

TEST_F(BufferQueueTest, GathersAsManyAsThereAre) {
  std::string all;
  for (int i = 0; i < 64; ++i) {
    const std::string text(static_cast<size_t>(i) + 1, static_cast<char>('!' + i));
    words_.push(text, true);
    all.insert(0, text);
  }
  EXPECT_EQ(buffers_.take(), no_buffer);
  words_.queue.gather(buffers_);
  EXPECT_EQ(buffers_.in_use(), 1U);
  EXPECT_EQ(words_.front(), all);
}

TEST_F(BufferQueueTest, ClearsAll) {
  for (int i = 0; i < 10; ++i) words_.push(large('x'));
  EXPECT_EQ(buffers_.in_use(), 10U);
  words_.queue.clear(buffers_);
  EXPECT_TRUE(words_.queue.empty());
  EXPECT_EQ(buffers_.in_use(), 0U);
}

TEST_F(BufferQueueTest, HoldsNoBufferWithoutBytes) {
  const BufferId id = buffers_.take();
  EXPECT_DEATH(words_.queue.push(buffers_, id, 0), "assertion failed: bytes > 0");
  EXPECT_DEATH(words_.queue.push(buffers_, id, Buffers::size + 1), "assertion failed");
  words_.push("abc");
  EXPECT_DEATH(words_.queue.consume(buffers_, 4), "assertion failed: !empty\\(\\) \\(value 1\\)");
}

// What a queue should be: strings, and where in its buffer each one begins.
struct Piece {
  std::string text;
  size_t offset = 0;
};

struct Model {
  std::deque<Piece> pieces;

  size_t size() const {
    size_t all = 0;
    for (const Piece& piece : pieces) all += piece.text.size();
    return all;
  }
  void push(std::string text) { push(Piece{std::move(text)}); }
  void push(Piece piece) {
    const size_t size = piece.text.size();
    const bool small = size <= BufferQueue::copied_bytes_max;
    if (!pieces.empty() && small && pieces.back().offset + pieces.back().text.size() + size <= Buffers::size) {
      pieces.back().text += piece.text;
    } else {
      pieces.push_back(std::move(piece));
    }
  }
  void consume(size_t bytes) {
    while (bytes > 0) {
      const size_t taken = std::min(bytes, pieces.front().text.size());
      pieces.front().text.erase(0, taken);
      pieces.front().offset += taken;
      bytes -= taken;
      if (pieces.front().text.empty()) pieces.pop_front();
    }
  }
  void gather() {
    // What it holds moves to the beginning of its buffer, but only if more is to come behind it.
    if (pieces.size() > 1) pieces[0].offset = 0;
    while (pieces.size() > 1) {
      Piece& first = pieces[0];
      Piece& next = pieces[1];
      const size_t moved = std::min(Buffers::size - first.offset - first.text.size(), next.text.size());
      if (moved == 0) return;
      first.text += next.text.substr(0, moved);
      next.text.erase(0, moved);
      next.offset += moved;
      if (!next.text.empty()) return;
      pieces.erase(pieces.begin() + 1);
    }
  }
};

// Two queues over the same buffers against two such models.
void run_against_model(uint64_t seed) {
  const auto ring = make_ring();
  Buffers buffers{*ring, bytes_of(64)};
  Words first{buffers};
  Words second{buffers};
  std::array<Words*, 2> queues{&first, &second};
  std::array<Model, 2> models;
  Random random(seed);
  const auto text_of_random_size = [&] {
    constexpr std::array<size_t, 6> sizes{1, 2, 100, Buffers::size / 2, Buffers::size - 1, Buffers::size};
    const size_t size = random.below(3) == 0 ? 1 + random.below(Buffers::size) : sizes[random.below(sizes.size())];
    std::string text(size, '\0');
    const uint64_t salt = random.next();
    for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>((salt >> (i % 57)) + i);
    return text;
  };
  for (int step = 0; step < 4'000; ++step) {
    const size_t which = random.below(2);
    Words& words = *queues[which];
    Model& model = models[which];
    const size_t held = models[0].pieces.size() + models[1].pieces.size();
    const uint64_t action = random.below(12);
    if (action == 10 && !model.pieces.empty()) {
      // The first piece goes from one queue to the other, as it is.
      Model& other = models[1 - which];
      queues[1 - which]->queue.push(buffers, words.queue.pop_front(buffers));
      Piece piece = std::move(model.pieces.front());
      model.pieces.pop_front();
      other.push(std::move(piece));
    } else if (action == 11 && !model.pieces.empty()) {
      std::string all;
      for (const Piece& piece : model.pieces) all += piece.text;
      all.resize(random.below(all.size() + 1));
      std::string seen(all.size(), '\0');
      words.queue.peek(buffers, reinterpret_cast<std::byte*>(seen.data()), static_cast<uint32_t>(seen.size()));
      ASSERT_TRUE(seen == all) << "step " << step;
    } else if (action < 4) {
      const bool front = action == 0;
      std::string text = text_of_random_size();
      ASSERT_EQ(words.push(text, front), held < buffers.count());
      if (held < buffers.count()) {
        front ? model.pieces.push_front({std::move(text)}) : model.push(std::move(text));
      }
    } else if (action == 4) {
      words.queue.gather(buffers);
      model.gather();
    } else if (action == 5 && random.below(20) == 0) {
      words.queue.clear(buffers);
      model.pieces.clear();
    } else if (action > 5 && !model.pieces.empty()) {
      const size_t left = model.pieces.front().text.size();
      const std::array<size_t, 3> some{left, random.below(left + 1),
                                       random.below(std::min<size_t>(model.size(), 50'000) + 1)};
      const size_t bytes = some[random.below(some.size())];
      words.queue.consume(buffers, static_cast<uint32_t>(bytes));
      model.consume(bytes);
    }
    ASSERT_EQ(words.queue.empty(), model.pieces.empty());
    ASSERT_EQ(words.queue.count(), model.pieces.size());
    ASSERT_EQ(buffers.in_use(), models[0].pieces.size() + models[1].pieces.size());
    if (!model.pieces.empty()) {
      ASSERT_TRUE(words.front() == model.pieces.front().text) << "step " << step;
    }
  }
  for (size_t which = 0; which < 2; ++which) {
    const Strings rest = queues[which]->drain();
    ASSERT_EQ(rest.size(), models[which].pieces.size());
    for (size_t i = 0; i < rest.size(); ++i) EXPECT_TRUE(rest[i] == models[which].pieces[i].text);
  }
  EXPECT_EQ(buffers.in_use(), 0U);
}

TEST(BufferQueue, AgreesWithADequeOfStrings) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    run_against_model(seed);
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace weir
