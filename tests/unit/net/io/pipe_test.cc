#include "net/io/pipe.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <vector>

#include "tests/unit/net/io/loopback.h"

namespace weir {
namespace {

constexpr uint32_t pipe_size = 64 * 1024;

// splice(2) has no MSG_NOSIGNAL; the program ignores SIGPIPE, so here, too.
class PipesTest : public testing::Test {
 protected:
  PipesTest() : before_(::signal(SIGPIPE, SIG_IGN)) {}
  ~PipesTest() override { ::signal(SIGPIPE, before_); }

 private:
  sighandler_t before_;
};

TEST_F(PipesTest, MoveBytesFromSocketToSocket) {
  Pipes pipes{4, pipe_size};
  const Pair source = tcp_pair();
  const Pair sink = tcp_pair();
  const PipeId pipe = pipes.take();
  std::string sent(1024 * 1024, '\0');
  for (size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 7 >> 5);
  std::string received;
  size_t written = 0;
  while (received.size() < sent.size()) {
    if (written < sent.size()) {
      const ssize_t now = ::send(source.far.get(), sent.data() + written, sent.size() - written, MSG_NOSIGNAL);
      if (now > 0) written += static_cast<size_t>(now);
    }
    ASSERT_TRUE(becomes(source.near.get(), POLLIN));
    int64_t in_pipe = pipes.fill(source.near.get(), pipe);
    ASSERT_GT(in_pipe, 0);
    while (in_pipe > 0) {
      const int64_t out = pipes.drain(pipe, sink.near.get(), static_cast<uint32_t>(in_pipe));
      ASSERT_TRUE(out > 0 || out == -EAGAIN) << out;
      if (out > 0) in_pipe -= out;
      if (becomes(sink.far.get(), POLLIN)) received += receive_now(sink.far, 1024 * 1024);
    }
  }
  while (received.size() < sent.size() && becomes(sink.far.get(), POLLIN)) received += receive_now(sink.far);
  EXPECT_TRUE(received == sent);
  pipes.give_back(pipe, true);
}

TEST_F(PipesTest, SayNotNowOnEitherSide) {
  Pipes pipes{1, pipe_size};
  const Pair source = tcp_pair();
  const Pair sink = tcp_pair();
  const PipeId pipe = pipes.take();
  EXPECT_EQ(pipes.fill(source.near.get(), pipe), -EAGAIN) << "nothing to read";
  EXPECT_EQ(pipes.drain(pipe, sink.near.get(), 1), -EAGAIN) << "nothing in the pipe";
  send_until_full(sink.near);
  ASSERT_TRUE(send_now(source.far, "stuck"));
  ASSERT_TRUE(becomes(source.near.get(), POLLIN));
  EXPECT_EQ(pipes.fill(source.near.get(), pipe), 5);
  EXPECT_EQ(pipes.drain(pipe, sink.near.get(), 5), -EAGAIN) << "the sink takes nothing";
  // And go on where they were when it does.
  while (becomes(sink.far.get(), POLLIN, 200)) receive_now(sink.far, 1024 * 1024);
  ASSERT_TRUE(becomes(sink.near.get(), POLLOUT));
  EXPECT_EQ(pipes.drain(pipe, sink.near.get(), 5), 5);
  ASSERT_TRUE(becomes(sink.far.get(), POLLIN));
  EXPECT_EQ(receive_now(sink.far), "stuck");
  pipes.give_back(pipe, true);
}

TEST_F(PipesTest, TakeNoMoreThanFits) {
  Pipes pipes{1, pipe_size};
  const Pair source = tcp_pair();
  const PipeId pipe = pipes.take();
  send_until_full(source.far);
  int64_t in_pipe = 0;
  int64_t filled = 0;
  // A pipe holds references to pages, so how many bytes that is depends on how they came.
  while ((filled = pipes.fill(source.near.get(), pipe)) > 0) in_pipe += filled;
  EXPECT_EQ(filled, -EAGAIN);
  EXPECT_GT(in_pipe, 0);
  EXPECT_TRUE(becomes(source.near.get(), POLLIN)) << "the rest waits in the socket";
  pipes.give_back(pipe, false);
}

TEST_F(PipesTest, SeeTheEndAndTheReset) {
  Pipes pipes{1, pipe_size};
  const PipeId pipe = pipes.take();
  Pair ended = tcp_pair();
  ASSERT_TRUE(send_now(ended.far, "last"));
  shut_down_send(ended.far.get());
  ASSERT_TRUE(becomes(ended.near.get(), POLLIN));
  EXPECT_EQ(pipes.fill(ended.near.get(), pipe), 4);
  ASSERT_TRUE(becomes(ended.near.get(), POLLRDHUP));
  EXPECT_EQ(pipes.fill(ended.near.get(), pipe), 0);
  EXPECT_EQ(pipes.fill(ended.near.get(), pipe), 0);

  Pair reset = tcp_pair();
  reset_on_close(reset.far.get());
  reset.far.reset();
  ASSERT_TRUE(becomes(reset.near.get(), POLLERR));
  EXPECT_EQ(pipes.fill(reset.near.get(), pipe), -ECONNRESET);
  EXPECT_EQ(pipes.drain(pipe, reset.near.get(), 4), -EPIPE);
  EXPECT_EQ(pipes.drain(pipe, ended.near.get(), 4), 4) << "the bytes are still there for somebody else";
  pipes.give_back(pipe, true);
}

TEST_F(PipesTest, AreLimitedAndTheLastOneBackGoesFirst) {
  Pipes pipes{3, pipe_size};
  const std::vector<PipeId> taken{pipes.take(), pipes.take(), pipes.take()};
  EXPECT_EQ(pipes.in_use(), 3U);
  EXPECT_EQ(pipes.take(), no_pipe);
  EXPECT_EQ(pipes.in_use(), 3U);
  pipes.give_back(taken[0], true);
  pipes.give_back(taken[2], true);
  EXPECT_EQ(pipes.in_use(), 1U);
  EXPECT_EQ(pipes.take(), taken[2]);
  pipes.give_back(taken[2], true);
  pipes.give_back(taken[1], true);
  EXPECT_EQ(pipes.in_use(), 0U);
}

TEST_F(PipesTest, OfNoneHasNone) {
  Pipes pipes{0, pipe_size};
  EXPECT_EQ(pipes.take(), no_pipe);
}

TEST_F(PipesTest, NeverHandOutWhatTheLastUserLeft) {
  Pipes pipes{1, pipe_size};
  const Pair source = tcp_pair();
  const Pair sink = tcp_pair();
  const PipeId first = pipes.take();
  ASSERT_TRUE(send_now(source.far, "secret"));
  ASSERT_TRUE(becomes(source.near.get(), POLLIN));
  ASSERT_EQ(pipes.fill(source.near.get(), first), 6);
  pipes.give_back(first, false);
  const PipeId second = pipes.take();
  ASSERT_NE(second, no_pipe);
  EXPECT_EQ(pipes.drain(second, sink.near.get(), 6), -EAGAIN);
  pipes.give_back(second, true);
}

TEST_F(PipesTest, KeepDescriptorsForTheNextUserAndCloseThemAtTheEnd) {
  const size_t before = open_descriptors();
  {
    Pipes pipes{10, pipe_size};
    EXPECT_EQ(open_descriptors(), before) << "none is opened before it is needed";
    const PipeId first = pipes.take();
    const PipeId second = pipes.take();
    EXPECT_EQ(open_descriptors(), before + 4);
    pipes.give_back(first, true);
    pipes.give_back(second, true);
    EXPECT_EQ(open_descriptors(), before + 4);
    pipes.give_back(pipes.take(), false);
    EXPECT_EQ(open_descriptors(), before + 2);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(PipesTest, AreNotToBeHadWithoutDescriptorsAndThenAgain) {
  EXPECT_TRUE(in_child([] {
    Pipes pipes{4, pipe_size};
    leave_descriptors(3);
    const PipeId first = pipes.take();
    if (first == no_pipe || pipes.take() != no_pipe || pipes.in_use() != 1) return false;
    leave_descriptors(2);
    const PipeId second = pipes.take();
    if (second == no_pipe || second == first || pipes.in_use() != 2) return false;
    pipes.give_back(first, true);
    pipes.give_back(second, true);
    return pipes.in_use() == 0;
  }));
}

TEST(PipesDeathTest, GoOnlyWhenAllHaveComeBack) {
  EXPECT_DEATH(
      {
        Pipes pipes(1, pipe_size);
        pipes.take();
      },
      "assertion failed: in_use_ == 0");
}

}  // namespace
}  // namespace weir
