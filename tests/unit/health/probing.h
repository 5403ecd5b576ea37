// The control loop in small for tests of probes: ring, buffers and wheel on the test's thread, with a clock that stands
// still unless it is moved; and the other end, agents that the test plays.
#pragma once

#include <errno.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/clock.h"
#include "core/base/timer_wheel.h"
#include "health/probe_context.h"
#include "net/io/buffers.h"
#include "tests/unit/net/io/loopback.h"

namespace weir {

class SetClock final : public Clock {
 public:
  Instant now() const noexcept override { return time; }
  int64_t unix_ms() const noexcept override { return 0; }

  Instant time{std::chrono::hours{1}};
};

// A listening socket and the connections that the test takes from it.
class PlayedAgent {
 public:
  explicit PlayedAgent(std::string_view where = "127.0.0.1:0", int backlog = 128) {
    ListenOptions options;
    options.backlog = backlog;
    auto opened = listen_on(where, options);
    EXPECT_TRUE(opened.ok());
    listener_ = std::move(*opened);
    address = bound_to(listener_);
  }

  // A connection is there: it is `caller` from now on, in place of an earlier one.
  bool called() {
    const int fd = accept_now(listener_.get());
    if (fd < 0) return false;
    caller.reset(fd);
    return true;
  }
  // The caller has hung up: nothing but what it said before, and the end.
  bool left() {
    char byte = 0;
    for (;;) {
      const ssize_t received = ::recv(caller.get(), &byte, 1, 0);
      if (received <= 0) return received == 0 || errno == ECONNRESET;
    }
  }
  void say(std::string_view text) { EXPECT_TRUE(send_now(caller, text)); }
  void hang_up() { caller.reset(); }

  SocketAddress address;
  Fd caller;

 private:
  Fd listener_;
};

class ProbingTest : public testing::Test {
 protected:
  static constexpr uint32_t budget = 256;

  void SetUp() override {
    ring = make_ring({.submissions = 128, .completions = 1024});
    buffers = std::make_unique<Buffers>(*ring, uint64_t{1} << 20);
    ASSERT_TRUE(buffers->start().ok());
    descriptors_before_ = open_descriptors();
  }

  // Whatever a test did: nothing is left of it.
  void TearDown() override {
    EXPECT_EQ(wheel.size(), 0U);
    EXPECT_EQ(ring->in_flight(), 0U);
    EXPECT_EQ(buffers->in_use(), 0U);
    EXPECT_EQ(open_descriptors(), descriptors_before_);
  }

  // In a child process, which shares the ring of its parent and must not use it.
  void begin_anew() {
    buffers.reset();
    ring.reset();
    ProbingTest::SetUp();
  }

  ProbeContext context() { return {*ring, *buffers, wheel, clock}; }

  // One turn of the loop, waiting for so long at the most.
  void turn(Duration patience = std::chrono::milliseconds{1}) {
    buffers->replenish();
    ring->wait(clock.time, clock.time + patience);
    while (ring->dispatch(budget) == budget) {
    }
    while (wheel.advance(clock.time, budget) == budget) {
    }
  }

  // Waits in true time, while the clock stands.
  template <class Done>
  bool turn_until(Done&& done) {
    for (int turns = 0; turns < 10'000; ++turns) {
      if (done()) return true;
      turn();
    }
    return done();
  }

  // Moves the clock, in steps that nobody takes for being held up.
  template <class Done>
  bool pass_until(Duration time_max, Done&& done) {
    const Instant end = clock.time + time_max;
    while (clock.time < end) {
      clock.time += step;
      turn(Duration::zero());
      if (done()) return true;
    }
    return false;
  }
  void pass(Duration time) {
    pass_until(time, [] { return false; });
  }

  static constexpr Duration step = std::chrono::milliseconds{1};

  SetClock clock;
  TimerWheel wheel{clock.time, step};
  std::unique_ptr<Ring> ring;
  std::unique_ptr<Buffers> buffers;

 private:
  size_t descriptors_before_ = 0;
};

}  // namespace weir
