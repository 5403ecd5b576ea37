#include "net/proxy/connection.h"

#include <errno.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/net/proxy/room.h"

namespace weir {
namespace {

// One end of a socket pair is the Connection's, the other one the test's.
class ConnectionTest : public testing::Test, protected ConnectionHost {
 protected:
  void SetUp() override { room_.start(); }
  void TearDown() override {
    if (!connection_.stopping()) connection_.stop();
    EXPECT_TRUE(room_.turn_until([&] { return connection_.idle(); }));
    connection_.release();
    EXPECT_EQ(room_.buffers.in_use(), 0U) << "a buffer was lost";
    EXPECT_TRUE(room_.relay.starving.empty());
  }

  void open() { connection_.open(pair_.near.get(), false); }
  // A pair that takes a few kilobytes at a time.
  void narrow() {
    pair_ = unix_pair();
    const int room = 4096;
    ::setsockopt(pair_.near.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  }
  bool until(auto&& done) { return room_.turn_until(done); }

  void push(std::string_view text) { connection_.out().push(room_.buffers, piece_of(room_.buffers, text)); }
  void say(std::string_view text) {
    push(text);
    connection_.flush_later();
  }
  // All that has come, and lets more come.
  std::string take() {
    std::string text = drained(room_.buffers, connection_.in());
    connection_.taken();
    return text;
  }
  // Takes until so much has come.
  std::string take(size_t size) {
    std::string text;
    EXPECT_TRUE(until([&] {
      text += take();
      return text.size() >= size;
    }));
    return text;
  }

  void connection_received(Connection&) override {
    ++received_;
    if (stop_when_received_) connection_.stop();
  }
  void connection_sent(Connection&) override {
    ++sent_;
    if (stop_when_sent_) connection_.stop();
  }
  void connection_failed(Connection&, bool sending, int error) override {
    (sending ? send_error_ : receive_error_) = error;
    ++failures_;
    if (stop_when_failed_) connection_.stop();
  }
  void connection_idle(Connection&) override { ++idle_; }

  RelayRoom room_;
  Pair pair_ = tcp_pair();
  Connection connection_{*this, room_.relay};
  int received_ = 0;
  int sent_ = 0;
  int idle_ = 0;
  int failures_ = 0;
  int send_error_ = 0;
  int receive_error_ = 0;
  bool stop_when_received_ = false;
  bool stop_when_sent_ = false;
  bool stop_when_failed_ = false;
};

// --- receiving

TEST_F(ConnectionTest, ReceivesWhatComes) {
  open();
  ASSERT_TRUE(send_now(pair_.far, "hello"));
  ASSERT_TRUE(until([&] { return received_ == 1; }));
  EXPECT_EQ(take(), "hello");
  ASSERT_TRUE(send_now(pair_.far, " world"));
  EXPECT_EQ(take(6), " world");
  EXPECT_EQ(room_.counters->bytes_copied.read(), 11U);
  EXPECT_EQ(room_.buffers.in_use(), 0U) << "who waits holds no buffer";
}

TEST_F(ConnectionTest, TheEndComesBehindTheLastBytes) {
  open();
  ASSERT_TRUE(send_now(pair_.far, "bye"));
  ASSERT_TRUE(until([&] { return received_ == 1; }));
  EXPECT_FALSE(connection_.ended());
  pair_.far.reset();
  ASSERT_TRUE(until([&] { return connection_.ended(); }));
  EXPECT_EQ(received_, 2) << "the host was told of the end";
  EXPECT_EQ(take(), "bye");
  EXPECT_EQ(failures_, 0);
  room_.turns();
  EXPECT_EQ(received_, 2) << "once";
}

TEST_F(ConnectionTest, AsksThePeerToWaitAndGoesOnWhenItWasTaken) {
  open();
  const std::string all = patterned(2 << 20);
  size_t sent = 0;
  const auto feed = [&] {
    const ssize_t more = ::send(pair_.far.get(), all.data() + sent, all.size() - sent, MSG_NOSIGNAL);
    if (more > 0) sent += static_cast<size_t>(more);
  };
  ASSERT_TRUE(until([&] {
    feed();
    return room_.counters->backpressure.read() == 1 && connection_.unwatched();
  }));
  EXPECT_GE(connection_.in().count(), Connection::waiting_max);
  const int received = received_;
  room_.turns(20);
  EXPECT_EQ(received_, received) << "nothing more is received";
  std::string text;
  ASSERT_TRUE(until([&] {
    feed();
    text += take();
    return text.size() == all.size();
  }));
  EXPECT_TRUE(text == all);
}

// Whoever takes a little at a time has it go on as soon as there is room, and not later.
TEST_F(ConnectionTest, OneTakenBufferIsEnoughToGoOn) {
  open();
  ASSERT_GT(send_until_full(pair_.far), size_t{1} << 18);
  ASSERT_TRUE(until([&] { return connection_.unwatched(); }));
  const int received = received_;
  while (connection_.in().count() >= Connection::waiting_max) {
    room_.buffers.give_back(connection_.in().pop_front(room_.buffers).id);
  }
  connection_.taken();
  EXPECT_TRUE(until([&] { return received_ > received; }));
}

TEST_F(ConnectionTest, AResetIsNoticedWhileItIsIdle) {
  open();
  room_.turns(2);
  reset_on_close(pair_.far.get());
  pair_.far.reset();
  ASSERT_TRUE(until([&] { return failures_ > 0; }));
  EXPECT_EQ(receive_error_, ECONNRESET);
  room_.turns();
  EXPECT_EQ(failures_, 1) << "and told once";
}

TEST_F(ConnectionTest, AResetIsNoticedByTheWatchWhileItWaits) {
  open();
  send_until_full(pair_.far);
  ASSERT_TRUE(until([&] { return connection_.unwatched(); }));
  connection_.watch();
  EXPECT_FALSE(connection_.unwatched());
  room_.turns();
  EXPECT_EQ(failures_, 0);
  reset_on_close(pair_.far.get());
  pair_.far.reset();
  ASSERT_TRUE(until([&] { return failures_ > 0; }));
  EXPECT_EQ(receive_error_, ECONNRESET);
}

TEST_F(ConnectionTest, AResetIsNoticedByTheWatchAfterAnEnd) {
  open();
  ::shutdown(pair_.far.get(), SHUT_WR);
  ASSERT_TRUE(until([&] { return connection_.ended(); }));
  connection_.watch();
  room_.turns();
  EXPECT_EQ(failures_, 0) << "half an end is no reset";
  reset_on_close(pair_.far.get());
  pair_.far.reset();
  ASSERT_TRUE(until([&] { return failures_ > 0; }));
  EXPECT_EQ(receive_error_, EPIPE);  // so says the kernel of a reset behind an end
}

TEST_F(ConnectionTest, AWatchedOneGoesOnReceivingWhenItWasTaken) {
  open();
  const size_t sent = send_until_full(pair_.far);
  ASSERT_TRUE(until([&] { return connection_.unwatched(); }));
  connection_.watch();
  room_.turns(2);
  EXPECT_EQ(take(sent).size(), sent);
  ASSERT_TRUE(send_now(pair_.far, "more"));
  EXPECT_EQ(take(4), "more");
  EXPECT_EQ(failures_, 0);
}

TEST_F(ConnectionTest, DiscardsWhatIsThereAndWhatComes) {
  open();
  send_until_full(pair_.far);
  ASSERT_TRUE(until([&] { return connection_.unwatched(); }));
  const int received = received_;
  connection_.discard();
  EXPECT_TRUE(connection_.in().empty());
  ASSERT_TRUE(until([&] { return becomes(pair_.far.get(), POLLOUT, 0); })) << "it is read again";
  pair_.far.reset();
  ASSERT_TRUE(until([&] { return connection_.ended(); }));
  EXPECT_EQ(received_, received + 1) << "of the end alone the host was told";
  EXPECT_TRUE(connection_.in().empty());
}

TEST_F(ConnectionTest, WaitsForBuffersAndGoesOnWhenThereAreSome) {
  std::vector<BufferId> taken;
  // All are somebody else's, but for those the kernel has.
  for (BufferId id = room_.buffers.take(); id != no_buffer; id = room_.buffers.take()) taken.push_back(id);
  open();
  const size_t sent = send_until_full(pair_.far);
  size_t got = 0;
  ASSERT_TRUE(until([&] {
    while (!connection_.in().empty()) {
      const BufferPiece piece = connection_.in().pop_front(room_.buffers);
      got += piece.size;
      taken.push_back(piece.id);
    }
    connection_.taken();
    return room_.counters->buffers_exhausted.read() > 0;
  }));
  room_.turns();
  EXPECT_EQ(failures_, 0);
  EXPECT_TRUE(connection_.starving_node.linked());
  EXPECT_FALSE(connection_.ended());
  for (const BufferId id : taken) room_.buffers.give_back(id);
  EXPECT_EQ(got + take(sent - got).size(), sent);
}

TEST_F(ConnectionTest, StoppedWhileItWaitsForBuffersItWaitsNoMore) {
  std::vector<BufferId> taken;
  for (BufferId id = room_.buffers.take(); id != no_buffer; id = room_.buffers.take()) taken.push_back(id);
  open();
  send_until_full(pair_.far);
  ASSERT_TRUE(until([&] {
    while (!connection_.in().empty()) taken.push_back(connection_.in().pop_front(room_.buffers).id);
    connection_.taken();
    return room_.counters->buffers_exhausted.read() > 0 && connection_.starving_node.linked();
  }));
  connection_.stop();
  EXPECT_FALSE(connection_.starving_node.linked());
  EXPECT_TRUE(connection_.idle());
  for (const BufferId id : taken) room_.buffers.give_back(id);
  room_.turns();
  EXPECT_TRUE(connection_.idle()) << "nothing was armed";
}

// --- sending

TEST_F(ConnectionTest, WhatIsWrittenInATurnLeavesTogetherAndInOrder) {
  open();
  const std::string large = patterned(5000);
  say("one ");
  say("two ");
  say(large);
  say(" three");
  EXPECT_FALSE(connection_.drained());
  ASSERT_TRUE(until([&] { return connection_.drained(); }));
  EXPECT_EQ(sent_, 1) << "one operation for all of it";
  EXPECT_EQ(receive_now(pair_.far), "one two " + large + " three");
}

TEST_F(ConnectionTest, NothingToSendIsNoSend) {
  open();
  connection_.flush_later();
  connection_.flush_later();
  room_.turns();
  EXPECT_EQ(sent_, 0);
  EXPECT_TRUE(connection_.drained());
}

TEST_F(ConnectionTest, ASlowReaderGetsItAllInOrder) {
  narrow();
  open();
  std::string all;
  std::string got;
  unsigned pieces = 0;
  ASSERT_TRUE(until([&] {
    while (pieces < 60 && !connection_.congested()) {
      const std::string text = patterned(pieces % 3 == 0 ? 100 : Buffers::size, pieces);
      all += text;
      say(text);
      ++pieces;
    }
    got += receive_now(pair_.far, 3000);
    return pieces == 60 && connection_.drained() && got.size() == all.size();
  }));
  EXPECT_TRUE(got == all);
  EXPECT_EQ(room_.buffers.in_use(), 0U);
}

TEST_F(ConnectionTest, CongestionIsSaidUntilSomeHasLeft) {
  narrow();
  open();
  for (int i = 0; i < Connection::waiting_max; ++i) {
    EXPECT_FALSE(connection_.congested());
    say(std::string(Buffers::size, 'x'));
  }
  EXPECT_TRUE(connection_.congested());
  ASSERT_TRUE(until([&] {
    receive_now(pair_.far);
    return sent_ > 0;
  }));
  EXPECT_FALSE(connection_.congested());
}

// Whatever is added while a send is under way goes out behind it.
TEST_F(ConnectionTest, WhatIsAddedWhileASendIsUnderWayGoesBehindIt) {
  narrow();
  open();
  std::string all = patterned(Buffers::size);
  say(all);
  room_.turns(2);
  ASSERT_FALSE(connection_.drained());
  for (unsigned i = 0; i < 20; ++i) {
    const std::string more = patterned(37, i);
    say(more);
    all += more;
  }
  EXPECT_LE(connection_.out().count(), 2U) << "small pieces share a buffer";
  std::string got;
  ASSERT_TRUE(until([&] {
    got += receive_now(pair_.far, 1000);
    return got.size() == all.size();
  }));
  EXPECT_TRUE(got == all);
  ASSERT_TRUE(until([&] { return connection_.drained(); }));
}

TEST_F(ConnectionTest, AFailedSendIsToldAndItsBytesAreGone) {
  pair_ = unix_pair();
  open();
  ::shutdown(pair_.far.get(), SHUT_RD);
  say("nobody reads this");
  ASSERT_TRUE(until([&] { return failures_ > 0; }));
  EXPECT_EQ(send_error_, EPIPE);
  EXPECT_TRUE(connection_.out().empty());
  ASSERT_TRUE(send_now(pair_.far, "but receiving goes on"));
  EXPECT_EQ(take(21), "but receiving goes on");
  EXPECT_EQ(failures_, 1);
}

// --- lending

TEST_F(ConnectionTest, SuspendedItReceivesNothingUntilItIsResumed) {
  open();
  room_.turns(2);
  connection_.suspend();
  EXPECT_TRUE(connection_.lent());
  ASSERT_TRUE(until([&] { return connection_.suspended(); }));
  EXPECT_EQ(idle_, 1);
  ASSERT_TRUE(send_now(pair_.far, "for somebody else"));
  room_.turns();
  EXPECT_EQ(received_, 0);
  EXPECT_EQ(receive_now(pair_.near, 4), "for ");
  connection_.resume();
  EXPECT_EQ(take(13), "somebody else");
}

TEST_F(ConnectionTest, SuspendedAtOnceWhenNothingIsInFlight) {
  open();
  send_until_full(pair_.far);
  ASSERT_TRUE(until([&] { return connection_.unwatched(); }));
  connection_.suspend();
  EXPECT_TRUE(connection_.suspended());
  EXPECT_FALSE(connection_.unwatched()) << "that is for its borrower to see to";
  take();
  room_.turns();
  EXPECT_TRUE(connection_.in().empty()) << "it is not resumed by taking";
  connection_.resume();
  EXPECT_GT(take(1).size(), 0U);
}

TEST_F(ConnectionTest, ResumedBeforeTheCancelIsBackItGoesOn) {
  open();
  room_.turns(2);
  connection_.suspend();
  connection_.resume();
  ASSERT_TRUE(send_now(pair_.far, "hello"));
  EXPECT_EQ(take(5), "hello");
  EXPECT_FALSE(connection_.lent());
}

TEST_F(ConnectionTest, AWatchedOneCanBeSuspended) {
  open();
  ::shutdown(pair_.far.get(), SHUT_WR);
  ASSERT_TRUE(until([&] { return connection_.ended(); }));
  connection_.watch();
  room_.turns(2);
  connection_.suspend();
  ASSERT_TRUE(until([&] { return connection_.suspended(); }));
  EXPECT_EQ(idle_, 1);
  connection_.resume();
  room_.turns();
  EXPECT_TRUE(connection_.unwatched()) << "an ended one is not received from again";
}

TEST_F(ConnectionTest, WhatWasWrittenLeavesWhileItIsSuspended) {
  open();
  connection_.suspend();
  say("goodbye");
  ASSERT_TRUE(until([&] { return connection_.drained() && connection_.suspended(); }));
  EXPECT_EQ(receive_now(pair_.far), "goodbye");
}

// --- ending

TEST_F(ConnectionTest, StoppedWithOperationsInFlightItEndsWhenTheyAreBack) {
  narrow();
  open();
  ASSERT_TRUE(send_now(pair_.far, "unread"));
  ASSERT_TRUE(until([&] { return received_ == 1; }));
  for (int i = 0; i < 8; ++i) say(std::string(Buffers::size, 'x'));
  const size_t more = send_until_full(pair_.far);
  ASSERT_GT(more, 0U);
  room_.ring->submit();
  room_.relay.flush();
  room_.ring->submit();
  EXPECT_FALSE(connection_.idle());
  connection_.stop();
  const int received = received_;
  const int sent = sent_;
  ASSERT_TRUE(until([&] { return connection_.idle(); }));
  EXPECT_GT(idle_, 0);
  EXPECT_EQ(received_, received) << "what comes back now is dropped";
  EXPECT_EQ(sent_, sent);
  EXPECT_EQ(failures_, 0);
}

TEST_F(ConnectionTest, TheHostMayStopItInsideEachCall) {
  open();
  stop_when_received_ = true;
  ASSERT_TRUE(send_now(pair_.far, "hello"));
  ASSERT_TRUE(until([&] { return connection_.stopping() && connection_.idle(); }));
  EXPECT_EQ(received_, 1);
}

TEST_F(ConnectionTest, TheHostMayStopItWhenSomethingWasSent) {
  open();
  stop_when_sent_ = true;
  say("hello");
  ASSERT_TRUE(until([&] { return connection_.stopping() && connection_.idle(); }));
  EXPECT_EQ(receive_now(pair_.far), "hello");
}

TEST_F(ConnectionTest, TheHostMayStopItWhenItFails) {
  open();
  stop_when_failed_ = true;
  reset_on_close(pair_.far.get());
  pair_.far.reset();
  ASSERT_TRUE(until([&] { return connection_.stopping() && connection_.idle(); }));
  EXPECT_EQ(failures_, 1);
}

TEST_F(ConnectionTest, StoppedWhileAFlushIsDueItSendsNothing) {
  open();
  say("too late");
  connection_.stop();
  ASSERT_TRUE(until([&] { return connection_.idle(); }));
  room_.turns();
  EXPECT_EQ(receive_now(pair_.far), "");
}

}  // namespace
}  // namespace weir
