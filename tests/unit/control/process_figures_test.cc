#include "control/process_figures.h"

#include <gtest/gtest.h>

#include "control/stats_usage.h"
#include "tests/unit/health/probing.h"

namespace weir {
namespace {

class ProcessFiguresTest : public ProbingTest {
 protected:
  uint32_t percent() const { return process.descriptors_percent.load(std::memory_order_relaxed); }
  uint64_t memory() const { return process.memory_bytes.load(std::memory_order_relaxed); }

  ProcessState process{1};
};

TEST_F(ProcessFiguresTest, OnlyWhatLoadIsShedByIsRead) {
  ProcessFigures figures{context(), process, 2 * count_descriptors().count};
  figures.follow({});
  EXPECT_EQ(wheel.size(), 0U);
  figures.follow({.turn = std::chrono::milliseconds{5}, .buffers_percent = 90});
  EXPECT_EQ(wheel.size(), 0U) << "workers know that themselves";
  EXPECT_EQ(percent(), 0U);
  figures.follow({.descriptors_percent = 90});
  EXPECT_NEAR(percent(), 50, 5);
  EXPECT_EQ(memory(), 0U);
  figures.follow({.memory_bytes = 1});
  EXPECT_EQ(percent(), 0U);
  EXPECT_GT(memory(), 1'000'000U);
  EXPECT_LT(memory(), uint64_t{1} << 40);
  figures.follow({});
  EXPECT_EQ(memory(), 0U) << "nobody asks any more";
  EXPECT_EQ(wheel.size(), 0U);
}

TEST_F(ProcessFiguresTest, AreReadAgainAndAgain) {
  ProcessFigures figures{context(), process, 200};
  figures.follow({.descriptors_percent = 90});
  const uint32_t before = percent();
  std::vector<Fd> more;
  for (int i = 0; i < 60; ++i) more.emplace_back(::eventfd(0, EFD_CLOEXEC));
  pass(ProcessFigures::counting_interval + step);
  EXPECT_NEAR(percent(), before + 30, 2);
  more.clear();
  pass(ProcessFigures::counting_interval + step);
  EXPECT_NEAR(percent(), before, 2);
}

TEST_F(ProcessFiguresTest, AFullTableIsFullAndNoMore) {
  ProcessFigures figures{context(), process, 1};
  figures.follow({.descriptors_percent = 90});
  EXPECT_EQ(percent(), 100U);
}

}  // namespace
}  // namespace weir
