#include "net/io/ring.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/net/io/loopback.h"

namespace weir {
namespace {

Fd event(uint64_t count = 0) {
  return Fd{::eventfd(static_cast<unsigned>(count), EFD_CLOEXEC)};
}

void signal(const Fd& fd) {
  const uint64_t one = 1;
  ASSERT_EQ(::write(fd.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
}

// --- connections ----------------------------------------------------------------------------------------------------

class RingOverFamilies : public testing::TestWithParam<const char*> {};

TEST_P(RingOverFamilies, ConnectsAcceptsSendsReceivesAndSeesTheEnd) {
  const Folder folder;
  const std::string where = GetParam()[0] == 'u' ? "unix:" + (folder / "s") : GetParam();
  const auto listener = listen_on(where);
  ASSERT_TRUE(listener.ok()) << describe(listener.error());
  const auto ring = make_ring();
  SmallBuffers<4, 64> buffers;
  buffers.start(*ring);

  Noted accepting;
  ring->accept_one(accepting.op, Noted::note, listener->get());
  SocketAddress address = bound_to(*listener);
  const Fd client = stream_for(address);
  Noted connecting;
  ring->connect(connecting.op, Noted::note, client.get(), address.data(), address.size());
  EXPECT_EQ(ring->in_flight(), 2U);
  ring->submit();
  address = SocketAddress{};  // not needed from here on, says connect()
  ASSERT_TRUE(turn_until(*ring, [&] { return accepting.over() && connecting.over(); }));
  EXPECT_EQ(connecting.result(), 0);
  ASSERT_GE(accepting.result(), 0);
  const Fd server{accepting.result()};
  EXPECT_NE(::fcntl(server.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(server.get(), F_GETFD) & FD_CLOEXEC, 0);

  Noted receiving;
  ring->receive_many(receiving.op, Noted::note, server.get(), true);
  Noted sending;
  ring->send(sending.op, Noted::note, client.get(), "hello", 5);
  ASSERT_TRUE(turn_until(*ring, [&] { return sending.over() && !receiving.heard.empty(); }));
  EXPECT_EQ(sending.result(), 5);
  EXPECT_TRUE(receiving.heard[0].has_buffer());
  EXPECT_TRUE(receiving.heard[0].more());
  EXPECT_EQ(buffers.text(receiving.heard[0]), "hello");

  shut_down_send(client.get());
  ASSERT_TRUE(turn_until(*ring, [&] { return receiving.over(); }));
  ASSERT_EQ(receiving.heard.size(), 2U);
  EXPECT_EQ(receiving.result(), 0);
  EXPECT_FALSE(receiving.heard[1].more());
  EXPECT_FALSE(receiving.heard[1].has_buffer()) << "the end of a stream costs a buffer";
  EXPECT_EQ(ring->in_flight(), 0U);
}
INSTANTIATE_TEST_SUITE_P(Families, RingOverFamilies, testing::Values("127.0.0.1:0", "[::1]:0", "unix"),
                         [](const auto& values) { return "Family" + std::to_string(values.index); });

TEST(Ring, AcceptsManyUntilCanceled) {
  const auto ring = make_ring();
  const auto listener = listen_on("127.0.0.1:0");
  const SocketAddress address = bound_to(*listener);
  Noted accepting;
  ring->accept_many(accepting.op, Noted::note, listener->get());
  std::vector<Fd> clients;
  std::vector<Fd> accepted;
  for (size_t i = 0; i < 3; ++i) {
    clients.push_back(stream_for(address));
    ASSERT_EQ(connect_to(clients.back(), address), 0);
    ASSERT_TRUE(turn_until(*ring, [&] { return accepting.heard.size() == i + 1; }));
    ASSERT_GE(accepting.result(), 0);
    EXPECT_TRUE(accepting.heard.back().more());
    accepted.emplace_back(accepting.result());
    EXPECT_NE(::fcntl(accepted.back().get(), F_GETFL) & O_NONBLOCK, 0);
  }
  EXPECT_EQ(ring->in_flight(), 1U);
  cancel_and_join(*ring, accepting);
  EXPECT_EQ(accepting.result(), -ECANCELED);
  EXPECT_EQ(accepting.heard.size(), 4U);
}

TEST(Ring, AcceptManyEndsWhenDescriptorsRunOut) {
  EXPECT_TRUE(in_child([] {
    const auto ring = make_ring();
    const auto listener = listen_on("127.0.0.1:0");
    const SocketAddress address = bound_to(*listener);
    std::vector<Fd> clients;
    for (int i = 0; i < 4; ++i) {
      clients.push_back(stream_for(address));
      if (connect_to(clients.back(), address) != 0) return false;
    }
    leave_descriptors(2);
    Noted accepting;
    ring->accept_many(accepting.op, Noted::note, listener->get());
    if (!turn_until(*ring, [&] { return accepting.over(); })) return false;
    if (accepting.heard.size() != 3 || accepting.result() != -EMFILE) return false;
    // And starts again when there are some.
    ::close(accepting.heard[0].result);
    ::close(accepting.heard[1].result);
    accepting.heard.clear();
    ring->accept_many(accepting.op, Noted::note, listener->get());
    const bool again = turn_until(*ring, [&] { return accepting.heard.size() >= 2; });
    cancel_and_join(*ring, accepting);
    return again && accepting.heard[0].result >= 0 && accepting.heard[1].result >= 0;
  }));
}

TEST(Ring, SaysWhyAConnectFailed) {
  const Folder folder;
  const auto ring = make_ring();
  const auto result_of = [&](const SocketAddress& address) {
    const Fd fd = stream_for(address);
    Noted connecting;
    ring->connect(connecting.op, Noted::note, fd.get(), address.data(), address.size());
    EXPECT_TRUE(turn_until(*ring, [&] { return connecting.over(); }));
    return -connecting.result();
  };
  SocketAddress free_port = address_of("127.0.0.1:0");
  {
    const auto listener = listen_on("127.0.0.1:0");
    free_port = bound_to(*listener);
  }
  EXPECT_EQ(result_of(free_port), ECONNREFUSED);
  EXPECT_EQ(result_of(address_of("unix:" + (folder / "none"))), ENOENT);

  // A UNIX socket with a full backlog says so at once; nobody waits for room.
  ListenOptions narrow;
  narrow.backlog = 0;
  const SocketAddress full = address_of("unix:" + (folder / "full"));
  const auto listener = open_listener(full.data(), full.size(), narrow);
  const Fd first = stream_for(full);
  ASSERT_EQ(connect_to(first, full), 0);
  EXPECT_EQ(result_of(full), EAGAIN);
}

// --- other operations -----------------------------------------------------------------------------------------------

TEST(Ring, PollsOnceWhatIsOrBecomesTrue) {
  const auto ring = make_ring();
  const Pair pair = unix_pair();
  Noted writable;
  ring->poll(writable.op, Noted::note, pair.near.get(), POLLOUT);
  Noted readable;
  ring->poll(readable.op, Noted::note, pair.near.get(), POLLIN);
  ASSERT_TRUE(turn_until(*ring, [&] { return writable.over(); }));
  EXPECT_NE(writable.result() & POLLOUT, 0);
  EXPECT_FALSE(readable.over());
  ASSERT_TRUE(send_now(pair.far, "x"));
  ASSERT_TRUE(turn_until(*ring, [&] { return readable.over(); }));
  EXPECT_NE(readable.result() & POLLIN, 0);
  EXPECT_EQ(readable.heard.size(), 1U);
}

TEST(Ring, ReadsAnEventfd) {
  const auto ring = make_ring();
  const Fd wakeup = event();
  uint64_t count = 0;
  Noted reading;
  ring->read(reading.op, Noted::note, wakeup.get(), &count, sizeof count);
  ring->submit();
  EXPECT_EQ(ring->dispatch(8), 0U);
  signal(wakeup);
  signal(wakeup);
  ASSERT_TRUE(turn_until(*ring, [&] { return reading.over(); }));
  EXPECT_EQ(reading.result(), 8);
  EXPECT_EQ(count, 2U);
}

TEST(Ring, ClosesWithTheNextSystemCall) {
  const auto ring = make_ring();
  Pair pair = unix_pair();
  const int closed = pair.near.release();
  ring->close(closed);
  EXPECT_TRUE(is_open(closed)) << "only written down yet";
  EXPECT_EQ(ring->in_flight(), 0U);
  ring->submit();
  EXPECT_FALSE(is_open(closed));
  ASSERT_TRUE(becomes(pair.far.get(), POLLIN));
  EXPECT_EQ(::recv(pair.far.get(), &pair, 1, 0), 0);
  ring->close(closed);  // a mistake that nobody hears of, and nobody stumbles over
  ring->submit();
  while (ring->dispatch(8) > 0) {
  }
}

// --- canceling ------------------------------------------------------------------------------------------------------

TEST(Ring, CancelsOnceHoweverOftenItIsAsked) {
  const auto ring = make_ring();
  const Pair pair = unix_pair();
  Noted polling;
  ring->poll(polling.op, Noted::note, pair.near.get(), POLLIN);
  EXPECT_TRUE(polling.op.in_flight());
  EXPECT_FALSE(polling.op.canceling());
  ring->cancel(polling.op);
  ring->cancel(polling.op);
  EXPECT_TRUE(polling.op.in_flight());
  EXPECT_TRUE(polling.op.canceling());
  EXPECT_EQ(ring->in_flight(), 1U);
  ring->submit();
  ring->cancel(polling.op);
  ASSERT_TRUE(turn_until(*ring, [&] { return polling.over(); }));
  EXPECT_EQ(polling.result(), -ECANCELED);
  EXPECT_FALSE(polling.op.canceling());
  EXPECT_EQ(ring->in_flight(), 0U);

  // The same Op may serve again, and no cancel from before reaches it.
  ring->poll(polling.op, Noted::note, pair.near.get(), POLLIN);
  EXPECT_FALSE(polling.op.canceling());
  ASSERT_TRUE(send_now(pair.far, "x"));
  ASSERT_TRUE(turn_until(*ring, [&] { return polling.over(); }));
  EXPECT_EQ(polling.heard.size(), 2U);
  EXPECT_NE(polling.result() & POLLIN, 0);
}

// The completion is there already when the cancel is asked for, and its handler starts the Op anew: the cancel, which
// goes by the Op's address, was meant for the one before.
TEST(Ring, ACancelThatComesTooLateDoesNotReachTheNextOperation) {
  const auto ring = make_ring();
  const Pair pair = unix_pair();
  const Fd ready = event(1);
  uint64_t count = 0;
  Noted noted;
  ring->read(noted.op, Noted::note, ready.get(), &count, sizeof count);
  ring->submit();
  ring->cancel(noted.op);
  ASSERT_EQ(ring->dispatch(1), 1U);
  EXPECT_EQ(noted.result(), 8) << "it completes by what it was about to do anyway";
  ring->poll(noted.op, Noted::note, pair.near.get(), POLLIN);
  for (int turn = 0; turn < 3; ++turn) {
    ring->submit();
    ring->dispatch(8);
    ASSERT_TRUE(noted.op.in_flight()) << "the new operation was canceled";
  }
  ASSERT_TRUE(send_now(pair.far, "x"));
  ASSERT_TRUE(turn_until(*ring, [&] { return noted.over(); }));
  EXPECT_NE(noted.result() & POLLIN, 0);
}

TEST(Ring, CancelsAReceiveWithoutKeepingABuffer) {
  const auto ring = make_ring();
  SmallBuffers<1, 64> buffers;
  buffers.start(*ring);
  const Pair pair = unix_pair();
  for (int round = 0; round < 3; ++round) {
    Noted receiving;
    ring->receive_many(receiving.op, Noted::note, pair.near.get(), false);
    cancel_and_join(*ring, receiving);
    EXPECT_EQ(receiving.result(), -ECANCELED);
    EXPECT_FALSE(receiving.heard.back().has_buffer());
  }
  Noted receiving;
  ring->receive_many(receiving.op, Noted::note, pair.near.get(), false);
  ASSERT_TRUE(send_now(pair.far, "still"));
  ASSERT_TRUE(turn_until(*ring, [&] { return !receiving.heard.empty(); }));
  EXPECT_EQ(buffers.text(receiving.heard[0]), "still");
  cancel_and_join(*ring, receiving);
}

// --- turns ----------------------------------------------------------------------------------------------------------

TEST(Ring, TakesMoreInATurnThanItsQueuesHold) {
  constexpr size_t count = 300;
  const auto ring = make_ring({.submissions = 4, .completions = 8});
  const Pair pair = unix_pair();
  std::vector<Noted> polls(count);
  for (Noted& noted : polls) ring->poll(noted.op, Noted::note, pair.near.get(), POLLOUT);
  EXPECT_EQ(ring->in_flight(), count);
  for (const Noted& noted : polls) EXPECT_TRUE(noted.heard.empty()) << "a handler ran outside of dispatch()";
  ASSERT_TRUE(turn_until(*ring, [&] { return ring->in_flight() == 0; }));
  for (const Noted& noted : polls) {
    ASSERT_EQ(noted.heard.size(), 1U);
    ASSERT_NE(noted.result() & POLLOUT, 0);
  }
}

TEST(Ring, CancelsMoreInATurnThanItsQueuesHold) {
  constexpr size_t count = 300;
  const auto ring = make_ring({.submissions = 4, .completions = 8});
  const Pair pair = unix_pair();
  std::vector<Noted> polls(count);
  for (Noted& noted : polls) ring->poll(noted.op, Noted::note, pair.near.get(), POLLIN);
  for (Noted& noted : polls) ring->cancel(noted.op);
  ASSERT_TRUE(turn_until(*ring, [&] { return ring->in_flight() == 0; }));
  for (const Noted& noted : polls) ASSERT_EQ(noted.result(), -ECANCELED);
}

TEST(Ring, DispatchesNoMoreThanItsBudget) {
  const auto ring = make_ring();
  const Pair pair = unix_pair();
  std::array<Noted, 5> polls;
  for (Noted& noted : polls) ring->poll(noted.op, Noted::note, pair.near.get(), POLLOUT);
  ring->submit();
  EXPECT_EQ(ring->dispatch(0), 0U);
  EXPECT_EQ(ring->dispatch(2), 2U);
  EXPECT_EQ(ring->in_flight(), 3U);
  ring->wait(Instant{}, std::nullopt);  // returns at once: some are there
  EXPECT_EQ(ring->dispatch(2), 2U);
  EXPECT_EQ(ring->dispatch(2), 1U);
  EXPECT_EQ(ring->dispatch(2), 0U);
  for (const Noted& noted : polls) EXPECT_EQ(noted.heard.size(), 1U);
}

TEST(Ring, WaitsUntilTheDeadlineAndNotWhenItHasPassed) {
  const auto ring = make_ring();
  const Pair pair = unix_pair();
  const SystemClock clock;
  Noted polling;
  ring->poll(polling.op, Noted::note, pair.near.get(), POLLIN);
  const Instant start = clock.now();
  ring->wait(start, start + std::chrono::milliseconds{30});
  EXPECT_GE(clock.now() - start, std::chrono::milliseconds{30});
  EXPECT_EQ(ring->dispatch(8), 0U);
  // Would be hours if it were taken for a time to wait.
  ring->wait(start, start);
  ring->wait(start, start - std::chrono::hours{1});
  ring->wait(start, start - std::chrono::nanoseconds{1});
  EXPECT_LT(clock.now() - start, std::chrono::minutes{1});
  EXPECT_TRUE(send_now(pair.far, "x"));
  ring->wait(start, start + std::chrono::hours{1});  // returns for the completion, not for the hour
  EXPECT_EQ(ring->dispatch(8), 1U);
}

TEST(Ring, IsWokenFromAnEndlessWaitByAnotherThread) {
  const auto ring = make_ring();
  const Fd wakeup = event();
  uint64_t count = 0;
  Noted reading;
  ring->read(reading.op, Noted::note, wakeup.get(), &count, sizeof count);
  std::thread other([&] { signal(wakeup); });
  while (!reading.over()) {
    ring->wait(Instant{}, std::nullopt);
    ring->dispatch(8);
  }
  other.join();
  EXPECT_EQ(count, 1U);
}

// An owner that goes on from within its handler, as sessions do, until it has had enough and goes away.
struct Chain {
  Ring& ring;
  const int fd;
  int& left;
  Op op;

  static void step(Op& op, const Completion& completion) {
    Chain& chain = owner_of(op, &Chain::op);
    EXPECT_NE(completion.result & POLLOUT, 0);
    EXPECT_FALSE(op.in_flight());
    if (--chain.left > 0) return chain.ring.poll(op, step, chain.fd, POLLOUT);
    delete &chain;  // The Ring must not look at the Op after its last handler.
  }
};

TEST(Ring, LetsHandlersStartOperationsAndEndTheirOwners) {
  constexpr int owners = 40;  // more than the queue holds, so that handlers enter the kernel, too
  constexpr int steps = 25;
  const auto ring = make_ring({.submissions = 4, .completions = 8});
  const Pair pair = unix_pair();
  int left = owners * steps;
  std::vector<int> each(owners, steps);
  for (int& own : each) {
    auto* chain = new Chain{*ring, pair.near.get(), own, {}};
    ring->poll(chain->op, Chain::step, chain->fd, POLLOUT);
  }
  ASSERT_TRUE(turn_until(*ring, [&] { return ring->in_flight() == 0; }));
  for (const int own : each) left -= steps - own;
  EXPECT_EQ(left, 0);
}

TEST(RingDeathTest, AnOpIsInOnePlaceAtATimeAndOutlivesItsOperation) {
  EXPECT_DEATH(
      {
        const auto ring = make_ring();
        const Fd wakeup = event();
        Noted polling;
        ring->poll(polling.op, Noted::note, wakeup.get(), POLLIN);
        ring->poll(polling.op, Noted::note, wakeup.get(), POLLIN);
      },
      "assertion failed: !op.in_flight_");
  EXPECT_DEATH(
      {
        const auto ring = make_ring();
        const Fd wakeup = event();
        Noted polling;
        ring->poll(polling.op, Noted::note, wakeup.get(), POLLIN);
      },
      "assertion failed: !in_flight_");
  EXPECT_DEATH(
      {
        const auto ring = make_ring();
        Noted idle;
        ring->cancel(idle.op);
      },
      "assertion failed: op.in_flight_");
}

TEST(Ring, LeavesNoDescriptorBehind) {
  const size_t before = open_descriptors();
  {
    const auto ring = make_ring();
    EXPECT_EQ(open_descriptors(), before + 1);
    EXPECT_TRUE(ring->register_buffers(32768).ok());
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace weir
