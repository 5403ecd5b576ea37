#include "net/io/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "core/base/assert.h"
#include "core/base/fd.h"

namespace weir {

Pipes::Pipes(uint32_t count_max, uint32_t size) : size_(size), ends_(std::min<uint32_t>(count_max, no_pipe)) {
  free_.reserve(ends_.size());
  for (size_t id = ends_.size(); id > 0; --id) free_.push_back(static_cast<PipeId>(id - 1));
}

Pipes::~Pipes() {
  WEIR_ASSERT(in_use_ == 0, in_use_);
  for (const Ends ends : ends_) {
    if (ends.read < 0) continue;
    close_descriptor(ends.read);
    close_descriptor(ends.write);
  }
}

namespace {

int make_pipe(std::array<int, 2>& fds) noexcept {
#if defined(__SANITIZE_THREAD__)
  // Unseen by ThreadSanitizer, as their end is: see close_descriptor().
  return static_cast<int>(::syscall(SYS_pipe2, fds.data(), O_NONBLOCK | O_CLOEXEC));
#else
  return ::pipe2(fds.data(), O_NONBLOCK | O_CLOEXEC);
#endif
}

}  // namespace

bool Pipes::open(Ends& ends) noexcept {
  std::array<int, 2> fds{};
  if (make_pipe(fds) != 0) return false;
  ends = {fds[0], fds[1]};
  // More than the default needs room in the user's pipe budget (pipe-user-pages-soft); without it we go in smaller
  // steps.
  ::fcntl(ends.write, F_SETPIPE_SZ, static_cast<int>(size_));
  return true;
}

PipeId Pipes::take() noexcept {
  if (free_.empty()) return no_pipe;
  const PipeId id = free_.back();
  if (ends_[id].read < 0 && !open(ends_[id])) return no_pipe;
  free_.pop_back();
  ++in_use_;
  return id;
}

void Pipes::give_back(PipeId id, bool empty) noexcept {
  WEIR_ASSERT(in_use_ > 0);
  --in_use_;
  if (!empty) {
    close_descriptor(ends_[id].read);
    close_descriptor(ends_[id].write);
    ends_[id] = {};
  }
  free_.push_back(id);  // within what was reserved
}

int64_t Pipes::fill(int from_socket, PipeId pipe, uint64_t bytes_max) noexcept {
  const auto bytes = static_cast<size_t>(std::min<uint64_t>(size_, bytes_max));
  const ssize_t moved =
      ::splice(from_socket, nullptr, ends_[pipe].write, nullptr, bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  return moved >= 0 ? moved : -errno;
}

int64_t Pipes::drain(PipeId pipe, int to_socket, uint32_t bytes) noexcept {
  const ssize_t moved =
      ::splice(ends_[pipe].read, nullptr, to_socket, nullptr, bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  return moved >= 0 ? moved : -errno;
}

}  // namespace weir
