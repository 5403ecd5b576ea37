#include "health/judge.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Verdict = Judge::Verdict;

// Rounds: + passed, - failed. What is said: the same length, '.' for nothing, D went down, U came up.
struct RoundsCase {
  const char* what;
  uint32_t fall;
  uint32_t rise;
  bool up;
  std::string rounds;
  std::string said;
  bool up_in_the_end;
  uint32_t streak;
};

TEST(Judge, RoundsInARow) {
  const std::vector<RoundsCase> cases{
      {"nothing happens", 3, 2, true, "+++", "...", true, 0},
      {"two failures are no verdict", 3, 2, true, "--", "..", true, 2},
      {"the third is", 3, 2, true, "---", "..D", false, 0},
      {"a success in between counts for all", 3, 2, true, "--+--+--", "........", true, 2},
      {"it stays down", 3, 2, true, "------", "..D...", false, 0},
      {"one success is no verdict", 3, 2, false, "+", ".", false, 1},
      {"the second is", 3, 2, false, "++", ".U", true, 0},
      {"a failure in between counts for all", 3, 2, false, "+-+-+", ".....", false, 1},
      {"down and up again", 3, 2, true, "---++", "..D.U", true, 0},
      {"as soon as the first", 1, 1, true, "-+-", "DUD", false, 0},
      {"who came back has to fail as often as before", 2, 1, true, "--+-", ".DU.", true, 1},
      {"it flaps", 2, 2, true, "-+-+--+-+-++", ".....D.....U", true, 0},
  };
  for (const RoundsCase& each : cases) {
    SCOPED_TRACE(each.what);
    Judge judge({.fall = each.fall, .rise = each.rise}, each.up);
    std::string said;
    for (const char round : each.rounds) {
      const bool before = judge.up();
      const Verdict verdict = round == '+' ? judge.passed() : judge.failed();
      said += verdict == Verdict::same ? '.' : verdict == Verdict::went_down ? 'D' : 'U';
      EXPECT_EQ(judge.up(), verdict == Verdict::same ? before : verdict == Verdict::came_up);
    }
    EXPECT_EQ(said, each.said);
    EXPECT_EQ(judge.up(), each.up_in_the_end);
    EXPECT_EQ(judge.streak(), each.streak);
    EXPECT_EQ(judge.in_doubt(), each.streak > 0);
  }
}

struct IntervalCase {
  const char* what;
  bool up;
  const char* rounds;
  bool proven;
  Duration interval;
};

TEST(Judge, AsksSoonerInDoubtAndLaterWhereTrafficProvesIt) {
  const std::vector<IntervalCase> cases{
      {"up", true, "", false, seconds{5}},
      {"up, and proven", true, "", true, seconds{20}},
      {"up, in doubt", true, "-", false, seconds{1}},
      {"a failed probe is not outweighed by traffic", true, "-", true, seconds{1}},
      {"the doubt is over", true, "-+", false, seconds{5}},
      {"down", true, "---", false, seconds{5}},
      {"old connections prove nothing of who is down", true, "---", true, seconds{5}},
      {"down, in doubt", true, "---+", true, seconds{1}},
      {"up again", true, "---++", true, seconds{20}},
      {"down from the start", false, "", false, seconds{5}},
  };
  for (const IntervalCase& each : cases) {
    SCOPED_TRACE(each.what);
    Judge judge({}, each.up);
    for (const char* round = each.rounds; *round != 0; ++round) *round == '+' ? judge.passed() : judge.failed();
    EXPECT_EQ(judge.next_interval(each.proven), each.interval);
  }
}

TEST(Judge, OtherRulesKeepWhatIsKnown) {
  Judge judge({.fall = 5});
  for (int i = 0; i < 4; ++i) judge.failed();
  judge.follow({.fall = 2, .interval_in_doubt = milliseconds{300}});
  EXPECT_TRUE(judge.up());
  EXPECT_EQ(judge.streak(), 4U);
  EXPECT_EQ(judge.next_interval(false), milliseconds{300});
  EXPECT_EQ(judge.failed(), Verdict::went_down);
  judge.follow({.fall = 2, .rise = 1});
  EXPECT_FALSE(judge.up());
  EXPECT_EQ(judge.passed(), Verdict::came_up);
}

TEST(Judge, IsToldBySomebodyElse) {
  Judge judge({});
  judge.failed();
  judge.failed();
  judge.settle(true);
  EXPECT_EQ(judge.streak(), 0U);
  judge.settle(false);
  EXPECT_FALSE(judge.up());
  EXPECT_EQ(judge.passed(), Verdict::same);
  EXPECT_EQ(judge.passed(), Verdict::came_up);
}

}  // namespace
}  // namespace weir
