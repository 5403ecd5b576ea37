#include "core/model/upstream_state.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace weir {
namespace {

TEST(UpstreamState, TheWorkerWhereSomebodyHasBeenWaitingLongest) {
  struct Row {
    std::vector<int64_t> since;  // by worker; 0: nobody waits
    unsigned here;
    unsigned worker;
  };
  const std::vector<Row> rows{
      {{0}, 0, 0},       {{9}, 0, 0},       {{0, 0, 0}, 1, 1},    {{0, 0, 7}, 0, 2},    {{0, 0, 7}, 2, 2},
      {{5, 4, 3}, 0, 2}, {{3, 4, 5}, 2, 0}, {{3, 0, 5}, 1, 0},    {{6, 6, 6}, 1, 1},    {{0, 6, 6}, 0, 1},
      {{6, 0, 6}, 2, 2}, {{9, 2, 0}, 2, 1}, {{0, 0, 0, 1}, 3, 3}, {{1, 0, 0, 1}, 3, 3}, {{2, 1, 1, 2}, 3, 1},
  };
  for (const Row& row : rows) {
    UpstreamState state{static_cast<unsigned>(row.since.size())};
    for (unsigned i = 0; i < row.since.size(); ++i) {
      state.at(i).oldest_waiting.store(row.since[i], std::memory_order_relaxed);
    }
    EXPECT_EQ(state.waiting_longest(row.here), row.worker)
        << testing::PrintToString(row.since) << " here: " << row.here;
  }
}

}  // namespace
}  // namespace weir
