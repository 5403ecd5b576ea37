// Places for tests of the access log: a folder that goes with the test, and receivers that can be slow or away.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/model/address.h"

namespace weir {

class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "weir-access-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline std::string contents_of(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

// What can be read now.
inline std::string read_available(int fd) {
  std::string all;
  std::array<char, 4096> piece{};
  for (;;) {
    pollfd waited{fd, POLLIN, 0};
    if (::poll(&waited, 1, 0) != 1) return all;
    const ssize_t size = ::read(fd, piece.data(), piece.size());
    if (size <= 0) return all;
    all.append(piece.data(), static_cast<size_t>(size));
  }
}

// Waits for a state, ten seconds at the most.
template <class Holds>
bool eventually(Holds&& holds) {
  const SystemClock clock;
  const Instant deadline = clock.now() + std::chrono::seconds{10};
  while (!holds()) {
    if (clock.now() > deadline) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

// The read end of a FIFO, open so that nobody who writes has to wait for it.
inline Fd open_reader(const std::string& path) {
  Fd fd{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  EXPECT_TRUE(fd.valid());
  return fd;
}

// A UNIX datagram socket that receives at `path`.
inline Fd open_receiver(const std::string& path, int type = SOCK_DGRAM) {
  const auto address = SocketAddress::parse("unix:" + path);
  Fd fd{::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  EXPECT_EQ(::bind(fd.get(), address->data(), address->size()), 0);
  return fd;
}

// The next datagram; "" when there is none.
inline std::string receive(const Fd& receiver) {
  std::string text(1 << 20, '\0');
  const ssize_t size = ::recv(receiver.get(), text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return text;
}

}  // namespace weir
