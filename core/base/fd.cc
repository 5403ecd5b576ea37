#include "core/base/fd.h"

#include <unistd.h>

namespace weir {

void Fd::reset(int fd) noexcept {
  // Linux frees the number even when close() reports EINTR, so there is nothing to repeat.
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

}  // namespace weir
