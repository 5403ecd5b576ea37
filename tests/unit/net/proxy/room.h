// What one worker shares with its connections, without the worker: a ring, buffers, pipes, counters, and the turn.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "net/proxy/relay.h"
#include "tests/unit/net/io/loopback.h"

namespace weir {

struct RelayRoom {
  explicit RelayRoom(uint32_t buffer_count = 256) : buffers(*ring, uint64_t{buffer_count} * Buffers::size) {}

  // Once, before anything is received.
  void start() { ASSERT_TRUE(buffers.start().ok()); }

  // Turns as a Worker does, until `done` says so; false after ten seconds.
  template <class Done>
  bool turn_until(Done&& done) {
    const Instant end = now_on_loopback() + std::chrono::seconds{10};
    for (;;) {
      buffers.replenish();
      relay.resume_starved(buffers.available());
      while (ring->dispatch(64) > 0) {
      }
      relay.flush();
      if (done()) return true;
      const Instant now = now_on_loopback();
      if (now >= end) return false;
      ring->wait(now, relay.flush_pending() ? now : now + std::chrono::milliseconds{2});
    }
  }
  // A few turns, in which something would have happened if it were to happen.
  void turns(int count = 5) {
    ASSERT_TRUE(turn_until([&] { return count-- == 0; }));
  }

  std::unique_ptr<Ring> ring = make_ring({.submissions = 64, .completions = 1024});
  Buffers buffers;
  Pipes pipes{4, 64 * 1024};
  std::unique_ptr<WorkerCounters> counters = std::make_unique<WorkerCounters>();
  Relay relay{*ring, buffers, pipes, *counters};
};

// Text that shows when a byte of it is missing, doubled, or at another place.
inline std::string patterned(size_t size, unsigned seed = 1) {
  std::string text(size, '\0');
  uint32_t state = seed * 2654435761U + 1;
  for (char& c : text) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>(state >> 24);
  }
  return text;
}

inline BufferPiece piece_of(Buffers& buffers, std::string_view text, int16_t offset = 0) {
  const BufferId id = buffers.take();
  EXPECT_NE(id, no_buffer);
  EXPECT_LE(static_cast<size_t>(offset) + text.size(), Buffers::size);
  std::copy(text.begin(), text.end(), reinterpret_cast<char*>(buffers.data(id)) + offset);
  return {id, offset, static_cast<uint16_t>(text.size())};
}

inline std::string text_of(Buffers& buffers, const BufferPiece& piece) {
  return {reinterpret_cast<const char*>(buffers.data(piece.id)) + piece.offset, piece.size};
}

// Everything in it, taken out.
inline std::string drained(Buffers& buffers, BufferQueue& queue) {
  std::string text;
  while (!queue.empty()) {
    const BufferPiece piece = queue.pop_front(buffers);
    text += text_of(buffers, piece);
    buffers.give_back(piece.id);
  }
  return text;
}

}  // namespace weir
