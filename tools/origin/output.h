// What a connection still has to send: bytes of its own, then at most one borrowed piece of memory that never changes.
//
// Owned by one Connection; conversations fill it, the connection empties it. It is bounded: whoever writes asks room()
// first and comes back when the connection calls on_room(). A borrowed piece is always last, so room() is 0 behind it.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace weir::origin {

class Output {
 public:
  // Room for the largest piece of an echo plus heads; the copy of a slow reader's backlog that a connection may hold.
  static constexpr std::size_t owned_bytes_max = 64 * 1024;
  // Below this, copying a piece is cheaper than a second iovec, and lets pipelined answers leave in one system call.
  static constexpr std::size_t copied_bytes_max = 4 * 1024;

  bool empty() const noexcept { return owned_.size() == owned_sent_ && borrowed_.empty(); }

  std::size_t room() const noexcept {
    return borrowed_.empty() && owned_.size() < owned_bytes_max ? owned_bytes_max - owned_.size() : 0;
  }

  // Heads may run past room() by their own bounded size: who starts an answer has checked that there is some room.
  void append(std::string_view bytes);

  // `bytes` must stay valid and unchanged until sent, as pattern_at()'s do.
  void lend(std::string_view bytes);

  // What to send next, for sendmsg(); the second may be empty.
  std::array<iovec, 2> pieces() const noexcept;

  // The first `count` bytes of pieces() have left.
  void drop(std::size_t count) noexcept;

  // All bytes, in order; for tests.
  std::string text() const;

 private:
  // A connection that once sent much does not keep the memory for ever.
  static constexpr std::size_t kept_capacity_max = 4 * 1024;

  std::string owned_;
  std::size_t owned_sent_ = 0;  // The front of owned_ that has left already.
  std::string_view borrowed_;
};

}  // namespace weir::origin
