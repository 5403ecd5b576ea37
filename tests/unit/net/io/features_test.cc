#include "net/io/features.h"

#include <gtest/gtest.h>
#include <sys/utsname.h>

#include "tests/unit/net/io/loopback.h"

namespace weir {
namespace {

// Where weir's tests run, weir runs.
TEST(Features, AreAllHere) {
  const Features features = probe_features();
  EXPECT_TRUE(features.usable()) << features.refusal;
  EXPECT_EQ(features.refusal, "");
  size_t required = 0;
  for (const Feature& feature : features.list) {
    EXPECT_NE(feature.note.find("Linux "), std::string::npos) << feature.name;
    if (!feature.required) continue;
    ++required;
    EXPECT_TRUE(feature.present) << feature.name;
  }
  EXPECT_GE(required, 3U);
  utsname names{};
  ASSERT_EQ(::uname(&names), 0);
  EXPECT_EQ(features.kernel, names.release);
}

TEST(Features, ProbingLeavesNothingBehind) {
  const size_t before = open_descriptors();
  for (int round = 0; round < 3; ++round) probe_features();
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Features, AreRefusedWithASentenceWhereNoRingCanBeMade) {
  EXPECT_TRUE(in_child([] {
    leave_descriptors(0);
    const Features features = probe_features();
    return !features.usable() &&
           features.refusal == "io_uring cannot be set up: weir: no file descriptors left (EMFILE)";
  }));
}

}  // namespace
}  // namespace weir
