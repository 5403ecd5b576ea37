#include "core/base/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <utility>

namespace weir {
namespace {

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}
int open_null() {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

TEST(Fd, IsClosedWhenItsOwnerGoes) {
  int number = -1;
  {
    const Fd fd{open_null()};
    ASSERT_TRUE(fd.valid());
    EXPECT_TRUE(static_cast<bool>(fd));
    number = fd.get();
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, OfNothingClosesNothing) {
  Fd fd;
  EXPECT_FALSE(fd.valid());
  EXPECT_EQ(fd.get(), -1);
  fd.reset();
  EXPECT_EQ(fd.release(), -1);
}

TEST(Fd, MovesWithoutClosing) {
  Fd first{open_null()};
  const int number = first.get();
  Fd second{std::move(first)};
  EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move): that is the question
  EXPECT_EQ(second.get(), number);
  EXPECT_TRUE(is_open(number));
}

TEST(Fd, ClosesWhatItHeldWhenAnotherMovesIn) {
  Fd first{open_null()};
  Fd second{open_null()};
  const int closed = first.get();
  const int kept = second.get();
  first = std::move(second);
  EXPECT_FALSE(is_open(closed));
  EXPECT_TRUE(is_open(kept));
  EXPECT_EQ(first.get(), kept);
}

TEST(Fd, SurvivesMovingIntoItself) {
  Fd fd{open_null()};
  const int number = fd.get();
  Fd& same = fd;
  fd = std::move(same);
  EXPECT_EQ(fd.get(), number);
  EXPECT_TRUE(is_open(number));
}

TEST(Fd, ReleaseHandsTheDescriptorOver) {
  Fd fd{open_null()};
  const int number = fd.release();
  EXPECT_FALSE(fd.valid());
  EXPECT_TRUE(is_open(number));
  fd.reset(number);
  EXPECT_EQ(fd.get(), number);
  fd.reset();
  EXPECT_FALSE(is_open(number));
}

}  // namespace
}  // namespace weir
