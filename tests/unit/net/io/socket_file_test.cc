#include "net/io/socket_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace weir {
namespace {

class SocketFileTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "socket_file_test." + std::to_string(::getpid());
    touch();
  }
  void TearDown() override { std::filesystem::remove(path_); }

  void touch() const { std::ofstream{path_} << "x"; }
  bool exists() const { return std::filesystem::exists(path_); }

  std::string path_;
};

TEST_F(SocketFileTest, GoesWithItsOwner) {
  { const SocketFile file{path_}; }
  EXPECT_FALSE(exists());
}

TEST_F(SocketFileTest, MovesToANewOwner) {
  SocketFile kept;
  {
    SocketFile file{path_};
    kept = std::move(file);
  }
  EXPECT_TRUE(exists());
  kept.remove();
  EXPECT_FALSE(exists());
}

TEST_F(SocketFileTest, LeavesWhatSomebodyElsePutThere) {
  {
    const SocketFile file{path_};
    // A second file first, so that the new one cannot get the inode of the old one.
    const std::string other = path_ + ".other";
    std::ofstream{other} << "y";
    std::filesystem::rename(other, path_);
  }
  EXPECT_TRUE(exists());
}

TEST_F(SocketFileTest, IsNothingWhereThereIsNoFile) {
  { const SocketFile file{path_ + ".missing"}; }
  EXPECT_TRUE(exists());
}

}  // namespace
}  // namespace weir
