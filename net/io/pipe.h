// Pipes: kernel pipes to splice through, kept for the next user, and the splices themselves.
//
// A flow holds a pipe only while bytes are in it, so that as many are in use as flows are blocked in the middle of
// bulk. A pipe comes back empty and is used again; one with bytes left in it is closed. Owned by one worker.
#pragma once

#include <cstdint>
#include <vector>

namespace weir {

using PipeId = uint16_t;
inline constexpr PipeId no_pipe = 0xffff;

class Pipes {
 public:
  // At most `count_max` at a time, `size` bytes each if the kernel agrees.
  Pipes(uint32_t count_max, uint32_t size);
  Pipes(const Pipes&) = delete;
  Pipes& operator=(const Pipes&) = delete;
  ~Pipes();

  // An empty pipe; no_pipe when all are taken or descriptors have run out.
  PipeId take() noexcept;
  void give_back(PipeId id, bool empty) noexcept;

  uint32_t in_use() const noexcept { return in_use_; }

  // Bytes moved, 0 at the end of the stream, or -errno (-EAGAIN: not now).
  // `bytes_max`: no more than so many, and no more than the pipe holds.
  int64_t fill(int from_socket, PipeId pipe, uint64_t bytes_max = UINT64_MAX) noexcept;
  int64_t drain(PipeId pipe, int to_socket, uint32_t bytes) noexcept;

 private:
  struct Ends {
    int read = -1;
    int write = -1;
  };

  bool open(Ends& ends) noexcept;

  const uint32_t size_;
  uint32_t in_use_ = 0;
  std::vector<Ends> ends_;    // by id; closed ones have no descriptors
  std::vector<PipeId> free_;  // a stack: the most recently used first
};

}  // namespace weir
