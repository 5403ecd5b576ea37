// Bytes through the Ring: receives into provided buffers, and sends.
#include <errno.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <string>
#include <vector>

#include "net/io/features.h"
#include "net/io/ring.h"
#include "tests/unit/net/io/loopback.h"

namespace weir {
namespace {

TEST(Ring, ReceivesIntoABufferForEachArrivalUntilThereAreNone) {
  const auto ring = make_ring();
  SmallBuffers<2, 64> buffers;
  buffers.start(*ring);
  const Pair pair = unix_pair();
  Noted receiving;
  ring->receive_many(receiving.op, Noted::note, pair.near.get(), false);
  for (size_t i = 0; i < 2; ++i) {
    ASSERT_TRUE(send_now(pair.far, std::string(i + 1, 'x')));
    ASSERT_TRUE(turn_until(*ring, [&] { return receiving.heard.size() == i + 1; }));
    EXPECT_EQ(receiving.heard[i].result, static_cast<int>(i) + 1);
    EXPECT_TRUE(receiving.heard[i].has_buffer());
    EXPECT_EQ(receiving.heard[i].buffer(), i);
  }
  ASSERT_TRUE(send_now(pair.far, "three"));
  ASSERT_TRUE(turn_until(*ring, [&] { return receiving.over(); }));
  EXPECT_EQ(receiving.result(), -ENOBUFS);
  EXPECT_FALSE(receiving.heard.back().has_buffer());

  // Nothing was lost: with a buffer it goes on.
  buffers.provide(*ring, 1);
  ring->receive_many(receiving.op, Noted::note, pair.near.get(), false);
  ASSERT_TRUE(turn_until(*ring, [&] { return receiving.heard.size() >= 4; }));
  EXPECT_EQ(buffers.text(receiving.heard[3]), "three");
  EXPECT_EQ(receiving.heard[3].buffer(), 1U);
  cancel_and_join(*ring, receiving);
}

TEST(Ring, SaysWhetherMoreIsThereToRead) {
  const auto ring = make_ring();
  SmallBuffers<4, 16> buffers;
  buffers.start(*ring);
  const Pair pair = tcp_pair();
  ASSERT_TRUE(send_now(pair.far, "0123456789abcdef0123"));
  ASSERT_TRUE(becomes(pair.near.get(), POLLIN));
  Noted receiving;
  ring->receive_many(receiving.op, Noted::note, pair.near.get(), false);
  ASSERT_TRUE(turn_until(*ring, [&] { return receiving.heard.size() == 2; }));
  EXPECT_EQ(buffers.text(receiving.heard[0]), "0123456789abcdef");
  EXPECT_TRUE(receiving.heard[0].more_to_read());
  EXPECT_EQ(buffers.text(receiving.heard[1]), "0123");
  EXPECT_FALSE(receiving.heard[1].more_to_read());
  cancel_and_join(*ring, receiving);
}

// `later` is a promise about speed, not about what is there.
TEST(Ring, ReceivingLaterLosesNothingThatWasThereAlready) {
  const auto ring = make_ring();
  SmallBuffers<4, 64> buffers;
  buffers.start(*ring);
  const Pair pair = tcp_pair();
  ASSERT_TRUE(send_now(pair.far, "early"));
  ASSERT_TRUE(becomes(pair.near.get(), POLLIN));
  Noted receiving;
  ring->receive_many(receiving.op, Noted::note, pair.near.get(), true);
  ASSERT_TRUE(turn_until(*ring, [&] { return !receiving.heard.empty(); }));
  EXPECT_EQ(buffers.text(receiving.heard[0]), "early");
  cancel_and_join(*ring, receiving);
}

// A flood of twice the limit, in buffers that could take all of it.
class RingWithALimit : public testing::Test {
 protected:
  static constexpr uint32_t flood = 2 * Ring::receive_limit_bytes;
  static constexpr BufferId count = 64;

  // What one receive_many takes of it before it ends, or all.
  uint32_t take(Ring& ring, SmallBuffers<count, flood / 32>& buffers) {
    buffers.start(ring);
    const Pair pair = unix_pair();
    const int room = 4 * flood;
    ::setsockopt(pair.far.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    EXPECT_TRUE(send_now(pair.far, std::string(flood, 'x')));
    Noted receiving;
    ring.receive_many(receiving.op, Noted::note, pair.near.get(), false);
    uint32_t bytes = 0;
    EXPECT_TRUE(turn_until(ring, [&] {
      bytes = 0;
      for (const Completion& completion : receiving.heard) bytes += static_cast<uint32_t>(completion.result);
      return receiving.over() || bytes == flood;
    }));
    EXPECT_GT(receiving.result(), 0) << "the limit is no error";
    EXPECT_EQ(receive_now(pair.near, flood).size(), flood - bytes) << "the rest waits in the socket";
    cancel_and_join(ring, receiving);
    return bytes;
  }

  std::unique_ptr<SmallBuffers<count, flood / 32>> buffers_ = std::make_unique<SmallBuffers<count, flood / 32>>();
};

TEST_F(RingWithALimit, StopsAFloodByItself) {
  if (!probe_features().receive_limit) GTEST_SKIP() << "this kernel has no limit for multishot receives";
  const auto ring = make_ring({.receive_limit = true, .submissions = 16, .completions = 128});
  const uint32_t taken = take(*ring, *buffers_);
  EXPECT_GE(taken, Ring::receive_limit_bytes);
  EXPECT_LT(taken, flood);
}

TEST_F(RingWithALimit, TakesAllOfItWithoutOne) {
  const auto ring = make_ring({.submissions = 16, .completions = 128});
  EXPECT_EQ(take(*ring, *buffers_), flood);
}

TEST(Ring, ReportsAReset) {
  const auto ring = make_ring();
  SmallBuffers<2, 64> buffers;
  buffers.start(*ring);
  Pair pair = tcp_pair();
  Noted receiving;
  ring->receive_many(receiving.op, Noted::note, pair.near.get(), true);
  ring->submit();
  reset_on_close(pair.far.get());
  pair.far.reset();
  ASSERT_TRUE(turn_until(*ring, [&] { return receiving.over(); }));
  EXPECT_EQ(receiving.result(), -ECONNRESET);
  EXPECT_FALSE(receiving.heard.back().has_buffer());

  Noted sending;  // and raises no SIGPIPE
  ring->send(sending.op, Noted::note, pair.near.get(), "x", 1);
  ASSERT_TRUE(turn_until(*ring, [&] { return sending.over(); }));
  EXPECT_EQ(sending.result(), -EPIPE);
}

TEST(Ring, SendsAllOfItInOneCompletion) {
  constexpr size_t size = 16 * 1024 * 1024;  // more than loopback's buffers take
  const auto ring = make_ring();
  const Pair pair = tcp_pair();
  std::string data(size, '\0');
  for (size_t i = 0; i < size; ++i) data[i] = static_cast<char>(i * 31 >> 8);
  Noted sending;
  ring->send(sending.op, Noted::note, pair.near.get(), data.data(), data.size());
  ring->submit();
  EXPECT_FALSE(sending.over());
  std::string received;
  while (received.size() < size && becomes(pair.far.get(), POLLIN)) {
    received += receive_now(pair.far, 1024 * 1024);
    ring->submit();
    while (ring->dispatch(8) > 0) {
    }
  }
  ASSERT_TRUE(turn_until(*ring, [&] { return sending.over(); }));
  EXPECT_EQ(sending.heard.size(), 1U);
  EXPECT_EQ(sending.result(), static_cast<int>(size));
  EXPECT_TRUE(received == data);
}

SendPieces pieces_of(const std::vector<std::string>& texts) {
  SendPieces pieces;
  for (const std::string& text : texts) pieces.list[pieces.count++] = {const_cast<char*>(text.data()), text.size()};
  return pieces;
}

TEST(Ring, SendsPiecesInOrder) {
  const auto ring = make_ring();
  const Pair pair = tcp_pair();
  std::vector<std::string> texts;
  std::string expected;
  for (uint32_t i = 0; i < SendPieces::count_max; ++i) {
    texts.push_back("piece " + std::to_string(i) + ";");
    expected += texts.back();
    SendPieces pieces = pieces_of(texts);
    Noted sending;
    ring->send(sending.op, Noted::note, pair.near.get(), pieces, false);
    pieces = {};  // the bytes stay, the list of them need not
    size_t size = 0;
    for (const std::string& text : texts) size += text.size();
    ASSERT_TRUE(turn_until(*ring, [&] { return sending.over(); }));
    EXPECT_EQ(sending.result(), static_cast<int>(size));
    ASSERT_TRUE(becomes(pair.far.get(), POLLIN));
    EXPECT_EQ(receive_now(pair.far), expected);
  }
}

// A send that the socket takes only bit by bit remembers where its pieces are, however many others were written down
// since.
TEST(Ring, SendsPiecesThatHaveToWait) {
  const auto ring = make_ring({.submissions = 4, .completions = 8});
  const Pair blocked = tcp_pair();
  const Pair other = tcp_pair();
  std::vector<std::string> texts;
  std::string expected;
  for (uint32_t i = 0; i < SendPieces::count_max; ++i) {
    texts.emplace_back(2 * 1024 * 1024, static_cast<char>('a' + i));
    expected += texts.back();
  }
  Noted sending;
  ring->send(sending.op, Noted::note, blocked.near.get(), pieces_of(texts), false);
  const std::vector<std::string> small{"1", "2"};
  std::vector<Noted> others(20);
  for (Noted& noted : others) ring->send(noted.op, Noted::note, other.near.get(), pieces_of(small), false);
  ASSERT_TRUE(turn_until(*ring, [&] { return ring->in_flight() == 1; }));
  EXPECT_FALSE(sending.over());
  std::string received;
  while (received.size() < expected.size() && becomes(blocked.far.get(), POLLIN)) {
    received += receive_now(blocked.far, 1024 * 1024);
    ring->submit();
    while (ring->dispatch(8) > 0) {
    }
  }
  ASSERT_TRUE(turn_until(*ring, [&] { return sending.over(); }));
  EXPECT_EQ(sending.heard.size(), 1U);
  EXPECT_EQ(sending.result(), static_cast<int>(expected.size()));
  EXPECT_TRUE(received == expected);
  for (const Noted& noted : others) EXPECT_EQ(noted.result(), 2);
  std::string twelves;
  for (size_t i = 0; i < others.size(); ++i) twelves += "12";
  EXPECT_EQ(receive_now(other.far), twelves);
}

// What `more` announces leaves together with it; the end is such a thing, too.
TEST(Ring, HoldsBackASmallSendThatMoreWillFollow) {
  const auto ring = make_ring();
  const Pair pair = tcp_pair();
  const auto send = [&](const std::string& text, bool more) {
    Noted sending;
    ring->send(sending.op, Noted::note, pair.near.get(), text.data(), text.size(), more);
    EXPECT_TRUE(turn_until(*ring, [&] { return sending.over(); }));
    EXPECT_EQ(sending.result(), static_cast<int>(text.size()));
  };
  send("first ", true);
  EXPECT_FALSE(becomes(pair.far.get(), POLLIN, 0));
  send("second", false);
  ASSERT_TRUE(becomes(pair.far.get(), POLLIN));
  EXPECT_EQ(receive_now(pair.far), "first second");
  send("last", true);
  EXPECT_FALSE(becomes(pair.far.get(), POLLIN, 0));
  shut_down_send(pair.near.get());
  ASSERT_TRUE(becomes(pair.far.get(), POLLIN));
  EXPECT_EQ(receive_now(pair.far), "last");
}

}  // namespace
}  // namespace weir
