#include "core/model/counters.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "core/model/process_state.h"

namespace weir {
namespace {

TEST(Counter, AddsUp) {
  Counter counter;
  EXPECT_EQ(counter.read(), 0U);
  counter.add();
  counter.add(41);
  EXPECT_EQ(counter.read(), 42U);
}

// Sets each counter to a number of its own by its name in the .def, and reads it back by the visit.
TEST(Counters, AreVisitedInTheOrderAndUnderTheNamesOfTheirTable) {
  WorkerCounters counters;
  std::vector<std::string_view> names;
#define WORKER_COUNTER(name, text)     \
  counters.name.add(names.size() + 1); \
  names.emplace_back(#name);
#include "core/model/counters.def"
  size_t visited = 0;
  counters.for_each([&](const CounterName& name, const Counter& counter) {
    ASSERT_LT(visited, names.size());
    EXPECT_EQ(name.name, names[visited]);
    EXPECT_FALSE(name.help.empty());
    EXPECT_EQ(counter.read(), ++visited);
  });
  EXPECT_EQ(visited, names.size());
}

template <class Counters>
size_t count_distinct() {
  std::set<std::string_view> names;
  size_t visited = 0;
  Counters{}.for_each([&](const CounterName& name, const Counter&) {
    names.insert(name.name);
    ++visited;
  });
  EXPECT_EQ(names.size(), visited);
  return visited;
}

TEST(Counters, HaveNamesOfTheirOwnInEachStruct) {
  EXPECT_GT(count_distinct<WorkerCounters>(), 0U);
  EXPECT_GT(count_distinct<ListenerCounters>(), 0U);
  EXPECT_GT(count_distinct<EndpointCounters>(), 0U);
}

TEST(CloseReasons, AreNamedInTheOrderOfTheEnum) {
  size_t at = 0;
#define CLOSE_REASON(reason, text)                         \
  EXPECT_EQ(static_cast<size_t>(CloseReason::reason), at); \
  EXPECT_EQ(close_reason_names[at].name, #reason);         \
  EXPECT_EQ(close_reason_names[at].help, text);            \
  ++at;
#include "core/model/close_reasons.def"
#undef CLOSE_REASON
  EXPECT_EQ(at, close_reason_count);
  EXPECT_EQ(WorkerCounters{}.closed.size(), close_reason_count);
}

// Two workers that count on one cache line would slow each other down.
TEST(Counters, OfTwoWorkersShareNoCacheLine) {
  EXPECT_EQ(sizeof(WorkerCounters) % cache_line, 0U);
  EXPECT_EQ(sizeof(ListenerCounters) % cache_line, 0U);
  EXPECT_EQ(sizeof(EndpointCounters) % cache_line, 0U);
  const ProcessState process{3};
  ASSERT_EQ(process.workers.size(), 3U);
  for (const auto& worker : process.workers) EXPECT_EQ(reinterpret_cast<uintptr_t>(worker.get()) % cache_line, 0U);
  EXPECT_TRUE(process.left.valid());
}

}  // namespace
}  // namespace weir
