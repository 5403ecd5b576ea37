// SocketFile: the file of a UNIX listener, removed when its owner goes, if it is still the same file: another process
// may have taken the path over meanwhile. Moved, not copied. Any thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

namespace weir {

class SocketFile {
 public:
  SocketFile() = default;
  // The file that is there now.
  explicit SocketFile(std::string path);
  SocketFile(SocketFile&& other) noexcept
      : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}
  SocketFile& operator=(SocketFile&& other) noexcept {
    if (this != &other) {
      remove();
      path_ = std::exchange(other.path_, {});
      device_ = other.device_;
      inode_ = other.inode_;
    }
    return *this;
  }
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;
  ~SocketFile() { remove(); }

  void remove() noexcept;

 private:
  std::string path_;  // "": none
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace weir
