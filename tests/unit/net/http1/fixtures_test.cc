// Every fixture of tests/fixtures/http1, whole and cut into pieces.
#include "tests/unit/net/http1/fixtures.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include "core/base/random.h"

namespace weir::http1 {
namespace {

using namespace test;

TEST(Http1Fixtures, AreManyAndHaveNamesOfTheirOwn) {
  std::map<std::string, int> names;
  for (const Fixture& fixture : all_fixtures()) {
    EXPECT_EQ(++names[fixture.name], 1) << fixture.name;
    EXPECT_FALSE(fixture.bytes.empty()) << fixture.name;
  }
  EXPECT_GE(names.size(), 200U);
}

TEST(Http1Fixtures, EachSaysWhatItShould) {
  for (const Fixture& fixture : all_fixtures()) {
    SCOPED_TRACE(fixture.name);
    EXPECT_EQ(replay(fixture.bytes, fixture.options), fixture.events);
  }
}

// So a reason that nothing can produce, or that no fixture shows, is noticed.
TEST(Http1Fixtures, ShowEachRefusal) {
  std::set<std::string> shown;
  for (const Fixture& fixture : all_fixtures()) shown.insert(fixture.events.begin(), fixture.events.end());
#define REFUSAL(name, status, sentence) \
  EXPECT_TRUE(http::Refusal::name == http::Refusal::none || shown.contains("refused " #name)) << #name;
#include "net/http/refusals.def"
#undef REFUSAL
}

TEST(Http1Fixtures, SayTheSameCutAnywhere) {
  for (const Fixture& fixture : all_fixtures()) {
    SCOPED_TRACE(fixture.name);
    ReplayOptions options = fixture.options;
    // Every position, but for the few that are very long.
    const size_t stride = 1 + fixture.bytes.size() / 3000;
    for (const bool eager : {false, true}) {
      options.eager = eager;
      for (size_t cut = 1; cut < fixture.bytes.size(); cut += stride) {
        ASSERT_EQ(replay(fixture.bytes, {cut}, options), fixture.events) << "cut at " << cut;
      }
    }
  }
}

TEST(Http1Fixtures, SayTheSameByteByByte) {
  for (const Fixture& fixture : all_fixtures()) {
    SCOPED_TRACE(fixture.name);
    std::vector<size_t> cuts(fixture.bytes.size() - 1);
    std::iota(cuts.begin(), cuts.end(), size_t{1});
    ReplayOptions options = fixture.options;
    ASSERT_EQ(replay(fixture.bytes, cuts, options), fixture.events);
    if (fixture.bytes.size() > 3000) continue;  // all of it again for each byte
    options.eager = true;
    ASSERT_EQ(replay(fixture.bytes, cuts, options), fixture.events);
  }
}

TEST(Http1Fixtures, SayTheSameInRandomPieces) {
  Random random(1);
  for (const Fixture& fixture : all_fixtures()) {
    SCOPED_TRACE(fixture.name);
    for (int round = 0; round < 200; ++round) {
      std::set<size_t> cuts;
      for (uint64_t i = random.below(8); i != 0; --i) cuts.insert(random.below(fixture.bytes.size()));
      ReplayOptions options = fixture.options;
      options.eager = random.below(2) == 0;
      ASSERT_EQ(replay(fixture.bytes, {cuts.begin(), cuts.end()}, options), fixture.events) << "round " << round;
    }
  }
}

}  // namespace
}  // namespace weir::http1
