#include "core/base/fd.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace weir {

void close_descriptor(int fd) noexcept {
#if defined(__SANITIZE_THREAD__)
  // ThreadSanitizer follows a descriptor from open to close. It does not see that the ring closes and accepts, too, and
  // would take two descriptors that had the same number one after the other for one that two threads fight over.
  ::syscall(SYS_close, fd);
#else
  ::close(fd);
#endif
}

void Fd::reset(int fd) noexcept {
  if (fd_ >= 0) close_descriptor(fd_);
  fd_ = fd;
}

}  // namespace weir
