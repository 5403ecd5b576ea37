// The control loop in small, in true time: ring, buffers and wheel on the test's thread, a log to read, and a server to
// play with.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/timer_wheel.h"
#include "health/probe_context.h"
#include "net/io/buffers.h"
#include "tests/unit/control/alerts/hook_server.h"
#include "tests/unit/net/io/loopback.h"

namespace weir {

class RealLoopTest : public testing::Test {
 protected:
  void SetUp() override {
    // As the program does: a peer that has gone is an error, not an end.
    before_ = ::signal(SIGPIPE, SIG_IGN);
    ring = make_ring({.submissions = 128, .completions = 1024});
    buffers = std::make_unique<Buffers>(*ring, uint64_t{1} << 20);
    ASSERT_TRUE(buffers->start().ok());
    log_file_.reset(::memfd_create("log", MFD_CLOEXEC));
    descriptors_before_ = open_descriptors();
    log = Log{LogLevel::debug, LogFormat::text, log_file_.get()};
  }
  // Whatever a test did: nothing is left of it.
  void TearDown() override {
    server.reset();
    EXPECT_EQ(wheel.size(), 0U);
    EXPECT_EQ(ring->in_flight(), 0U);
    EXPECT_EQ(open_descriptors(), descriptors_open());
    ::signal(SIGPIPE, before_);
  }

  ProbeContext context() { return {*ring, *buffers, wheel, clock}; }

  void start_server(const ThrowawayCertificate* certificate = nullptr) {
    server = std::make_unique<HookServer>(certificate);
  }

  // One turn, of a millisecond at the most.
  void turn() {
    buffers->replenish();
    const Instant now = clock.now();
    const Instant latest = now + std::chrono::milliseconds{1};
    ring->wait(now, std::min(wheel.next().value_or(latest), latest));
    const Instant began = clock.now();
    ring->dispatch(256);
    wheel.advance(clock.now(), 256);
    longest_turn = std::max(longest_turn, clock.now() - began);
    if (server != nullptr) server->step();
  }
  template <class Done>
  bool turn_until(Done&& done, Duration patience = std::chrono::seconds{20}) {
    const Instant end = clock.now() + patience;
    while (clock.now() < end) {
      if (done()) return true;
      turn();
    }
    return done();
  }

  // All lines so far, without their times: "warn  alert: alerts do not arrive rule=ops".
  std::vector<std::string> log_lines() const {
    std::string text;
    std::array<char, 4096> piece{};
    for (ssize_t size = 0;
         (size = ::pread(log_file_.get(), piece.data(), piece.size(), static_cast<off_t>(text.size()))) > 0;) {
      text.append(piece.data(), static_cast<size_t>(size));
    }
    std::vector<std::string> lines;
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find('\n', at);
      const std::string line = text.substr(at, end - at);
      lines.push_back(line.substr(std::min(line.find(' ') + 1, line.size())));
      at = end + 1;
    }
    return lines;
  }
  size_t log_lines_with(const std::string& words) const {
    const std::vector<std::string> lines = log_lines();
    return static_cast<size_t>(std::count_if(
        lines.begin(), lines.end(), [&](const std::string& line) { return line.find(words) != std::string::npos; }));
  }

  // That do not belong to what is tested.
  size_t descriptors_open() const noexcept { return descriptors_before_; }

  SystemClock clock;
  TimerWheel wheel{clock.now(), std::chrono::milliseconds{1}};
  std::unique_ptr<Ring> ring;
  std::unique_ptr<Buffers> buffers;
  std::unique_ptr<HookServer> server;
  Log log;
  Duration longest_turn{};  // of what the loop does; waiting for events is none of it

 private:
  Fd log_file_;
  size_t descriptors_before_ = 0;
  void (*before_)(int) = nullptr;
};

}  // namespace weir
