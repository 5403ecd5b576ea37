#include "health/outliers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "core/base/random.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Outliers::Event::Kind;

// What comes to an endpoint within a second.
struct Flow {
  uint64_t good = 0;
  uint64_t bad = 0;
  Duration each{};  // of the good ones
  uint64_t runs = 0;
};
constexpr Flow well{.good = 100, .each = milliseconds{10}};
constexpr Flow ill{.good = 40, .bad = 60, .each = milliseconds{10}};
constexpr Flow slow{.good = 100, .each = milliseconds{100}};
constexpr Flow run{.good = 100, .bad = 5, .each = milliseconds{10}, .runs = 1};
constexpr Flow none{};

// An upstream that is looked at once a second. Who is ejected gets nothing.
class Looked {
 public:
  Looked(const Outliers::Rules& rules, size_t endpoints) : outliers(rules), seen(endpoints) {
    for (size_t i = 0; i < endpoints; ++i) seen[i].id = EndpointId{static_cast<uint32_t>(10 * i)};
    look();
  }

  // A second later: what was said, a letter for each event and the endpoint's place ("E0 R2 S1").
  std::string second(const std::vector<Flow>& flows) {
    for (size_t i = 0; i < flows.size(); ++i) {
      if (outliers.ejected(seen[i].id)) continue;
      const Flow& flow = flows[i];
      seen[i].so_far += {.good = flow.good,
                         .bad = flow.bad,
                         .answers = flow.good,
                         .answered_ns = flow.good * static_cast<uint64_t>(flow.each.count()),
                         .runs = flow.runs};
    }
    now += seconds{1};
    return look();
  }
  // What was said in so many seconds of the same, with the second it was said in, from 1 on: "3:E0".
  std::string seconds_of(const std::vector<Flow>& flows, int count) {
    std::string said;
    for (int i = 1; i <= count; ++i) {
      const std::string now_said = second(flows);
      if (!now_said.empty()) said += (said.empty() ? "" : " ") + std::to_string(i) + ":" + now_said;
    }
    return said;
  }
  std::string look() {
    events = outliers.look(seen, now);
    std::string said;
    for (const Outliers::Event& each : events) {
      if (!said.empty()) said += ' ';
      said += each.kind == Kind::ejected ? 'E' : each.kind == Kind::returned ? 'R' : 'S';
      said += std::to_string(each.index);
    }
    return said;
  }
  uint32_t ejected() const {
    uint32_t count = 0;
    for (const Outliers::Seen& each : seen) count += outliers.ejected(each.id) ? 1 : 0;
    return count;
  }

  Outliers outliers;
  std::vector<Outliers::Seen> seen;
  Instant now{seconds{1000}};
  std::vector<Outliers::Event> events;
};

// --- what makes an outlier ------------------------------------------------------------------------------------------

struct OutlierCase {
  const char* what;
  Outliers::Rules rules;
  std::vector<Flow> flows;
  std::string said;
  std::string why;
};

TEST(Outliers, WhoIsOne) {
  const Flow lone_failure{.good = 100, .bad = 1, .each = milliseconds{10}};
  const std::vector<OutlierCase> cases{
      {"nobody", {}, {well, well, well, lone_failure}, "", ""},
      {"nobody came", {}, {none, none, none, none}, "", ""},
      {"a row of failures", {}, {well, run, well, well}, "E1", "5 failures in a row"},
      {"a row of one", {.failures = 1}, {well, run, well, well}, "E1", "1 failure"},
      {"rows are off", {.failures = 0}, {well, run, well, well}, "", ""},
      {"many failures", {}, {well, well, ill, well}, "E2", "60 of 100 failed in the last 10 s (60 %)"},
      {"the rate is off", {.error_rate_percent = 0}, {well, well, ill, well}, "", ""},
      {"just at the rate",
       {.error_rate_percent = 60},
       {well, well, ill, well},
       "E2",
       "60 of 100 failed in the last 10 s (60 %)"},
      {"just below it", {.error_rate_percent = 61}, {well, well, ill, well}, "", ""},
      {"too few to prove anything", {.requests = 101}, {well, well, ill, well}, "", ""},
      {"a slow one, and latency is off", {}, {slow, well, well, well}, "", ""},
      {"a slow one",
       {.latency_factor = 3},
       {slow, well, well, well},
       "E0",
       "it took 100 ms to answer in the last 10 s, 10.0 times as long as its peers (10 ms)"},
      {"not so slow", {.latency_factor = 10}, {slow, well, well, well}, "", ""},
      {"too few peers", {.latency_factor = 3}, {slow, well, well}, "", ""},
      {"too few peers that prove anything", {.latency_factor = 3}, {slow, well, well, none}, "", ""},
      {"too few slow answers", {.latency_factor = 3, .requests = 101}, {slow, well, well, well}, "", ""},
      {"most are slow: who is to say", {.latency_factor = 3}, {slow, slow, slow, well, well}, "", ""},
      {"two slow ones do not hide each other",
       {.latency_factor = 3, .ejected_max_percent = 20},
       {slow, slow, well, well, well},
       "E0 S1",
       "it took 100 ms to answer in the last 10 s, 10.0 times as long as its peers (10 ms)"},
      {"a row is worse than a rate, and that than latency",
       {.latency_factor = 3, .ejected_max_percent = 100},
       {slow, well, ill, well, run, well},
       "E4 E2 E0",
       "5 failures in a row"},
      {"the worst comes first",
       {},
       {well, ill, {.bad = 100}, well},
       "E2 E1",
       "100 of 100 failed in the last 10 s (100 %)"},
  };
  for (const OutlierCase& each : cases) {
    SCOPED_TRACE(each.what);
    Looked upstream(each.rules, each.flows.size());
    EXPECT_EQ(upstream.second(each.flows), each.said);
    EXPECT_EQ(upstream.events.empty() ? "" : upstream.events.front().why, each.why);
  }
}

TEST(Outliers, WhatWasBeforeItProvesNothing) {
  Outliers outliers{{}};
  const std::vector<Outliers::Seen> seen{{.id = EndpointId{1}, .so_far = {.bad = 1000, .runs = 100}},
                                         {.id = EndpointId{2}}};
  EXPECT_TRUE(outliers.look(seen, Instant{}).empty());
  EXPECT_TRUE(outliers.look(seen, Instant{seconds{1}}).empty());
}

// --- how long -------------------------------------------------------------------------------------------------------

TEST(Outliers, EachEjectionIsLongerUpToTheLongest) {
  Looked upstream({.ejection = seconds{10}, .ejection_max = seconds{35}}, 3);
  std::vector<Duration> lengths;
  for (int i = 0; i < 6; ++i) {
    ASSERT_EQ(upstream.second({run, well, well}), "E0");
    lengths.push_back(upstream.events[0].length);
    const std::string returned = std::to_string(lengths.back() / seconds{1}) + ":R0";
    EXPECT_EQ(upstream.seconds_of({well, well, well}, static_cast<int>(lengths.back() / seconds{1})), returned);
    EXPECT_EQ(upstream.events[0].why, "its time is over");
  }
  EXPECT_EQ(lengths,
            (std::vector<Duration>{seconds{10}, seconds{20}, seconds{30}, seconds{35}, seconds{35}, seconds{35}}));
  // No more is remembered than makes a difference, or it would take forever to be forgotten.
  EXPECT_EQ(upstream.outliers.ejections(EndpointId{0}), 4U);
}

TEST(Outliers, EjectionsAreForgottenInGoodTimes) {
  Looked upstream({.ejection = seconds{10}}, 3);
  for (int i = 1; i <= 3; ++i) {
    ASSERT_EQ(upstream.second({run, well, well}), "E0");
    upstream.seconds_of({well, well, well}, 10 * i);
  }
  ASSERT_FALSE(upstream.outliers.ejected(EndpointId{0}));
  EXPECT_EQ(upstream.outliers.ejections(EndpointId{0}), 3U);
  upstream.seconds_of({well, well, well}, 9);
  EXPECT_EQ(upstream.outliers.ejections(EndpointId{0}), 3U);
  upstream.seconds_of({well, well, well}, 1);
  EXPECT_EQ(upstream.outliers.ejections(EndpointId{0}), 2U);
  // To be down is not to be well.
  upstream.seen[0].usable = false;
  upstream.seconds_of({none, well, well}, 60);
  EXPECT_EQ(upstream.outliers.ejections(EndpointId{0}), 2U);
  upstream.seen[0].usable = true;
  upstream.seconds_of({well, well, well}, 10);
  EXPECT_EQ(upstream.outliers.ejections(EndpointId{0}), 1U);
  ASSERT_EQ(upstream.second({run, well, well}), "E0");
  EXPECT_EQ(upstream.events[0].length, seconds{20});
  // A late look forgets all that it missed.
  upstream.seconds_of({well, well, well}, 20);
  upstream.now += seconds{100};
  upstream.look();
  EXPECT_EQ(upstream.outliers.ejections(EndpointId{0}), 0U);
}

TEST(Outliers, OldErrorsDoNotEjectItAgain) {
  Looked upstream({.window = seconds{60}, .ejection = seconds{5}}, 3);
  ASSERT_EQ(upstream.second({ill, well, well}), "E0");
  EXPECT_EQ(upstream.seconds_of({well, well, well}, 100), "5:R0");
}

TEST(Outliers, OneThatIsNoBetterIsEjectedAsSoonAsThatIsSeen) {
  Looked upstream({.window = seconds{60}, .ejection = seconds{5}}, 3);
  EXPECT_EQ(upstream.seconds_of({ill, well, well}, 20), "1:E0 6:R0 7:E0 17:R0 18:E0");
}

// --- how many -------------------------------------------------------------------------------------------------------

TEST(Outliers, HowManyMayBeEjected) {
  struct Case {
    uint32_t percent;
    uint32_t usable;
    uint32_t most;
  };
  for (const Case& each :
       {Case{50, 0, 0}, Case{50, 1, 0}, Case{50, 2, 1}, Case{50, 3, 1}, Case{50, 4, 2}, Case{50, 5, 2}, Case{10, 5, 1},
        Case{10, 1, 0}, Case{10, 19, 1}, Case{10, 20, 2}, Case{100, 5, 4}, Case{100, 1, 0}, Case{99, 2, 1},
        Case{0, 100, 0}, Case{1, 4'000'000'000, 40'000'000}}) {
    SCOPED_TRACE(std::to_string(each.percent) + " % of " + std::to_string(each.usable));
    EXPECT_EQ(Outliers{{.ejected_max_percent = each.percent}}.ejected_max(each.usable), each.most);
  }
}

TEST(Outliers, WhoIsSparedIsSaidOnce) {
  Looked upstream({}, 4);
  EXPECT_EQ(upstream.second({ill, ill, ill, well}), "E0 E1 S2");
  EXPECT_EQ(upstream.events[2].why, "60 of 100 failed in the last 10 s (60 %); but no more than 2 of 4 may be ejected");
  EXPECT_EQ(upstream.seconds_of({well, well, ill, well}, 9), "");
  // Now there is room.
  EXPECT_EQ(upstream.second({well, well, ill, well}), "R0 R1 E2");
}

TEST(Outliers, WhoIsSparedAgainAfterGoodTimesIsSaidAgain) {
  Looked upstream({.ejection = seconds{10}, .ejected_max_percent = 0}, 4);
  EXPECT_EQ(upstream.second({run, well, well, well}), "S0");
  // One row now and then is one story, as long as less than an ejection lies between them.
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(upstream.seconds_of({well, well, well, well}, 8), "");
    EXPECT_EQ(upstream.second({run, well, well, well}), "");
  }
  EXPECT_EQ(upstream.seconds_of({well, well, well, well}, 10), "");
  EXPECT_EQ(upstream.second({run, well, well, well}), "S0");
  EXPECT_EQ(upstream.ejected(), 0U);
}

TEST(Outliers, TheLastOneStays) {
  Looked upstream({.ejected_max_percent = 100}, 3);
  EXPECT_EQ(upstream.second({run, run, run}), "E0 E1 S2");
  // The others go down for another reason: of who is left the first to come back comes back now.
  upstream.seen[2].usable = false;
  EXPECT_EQ(upstream.second({none, none, none}), "R0");
  EXPECT_EQ(upstream.events[0].why, "too few others are left");
  EXPECT_EQ(upstream.outliers.ejections(EndpointId{0}), 0U);  // it is not held against it
  upstream.seen[0].usable = false;
  EXPECT_EQ(upstream.second({none, none, none}), "R1");
}

TEST(Outliers, WhoIsDownIsNotJudgedAndDoesNotCount) {
  Looked upstream({}, 4);
  upstream.seen[1].usable = false;
  upstream.seen[2].usable = false;
  EXPECT_EQ(upstream.second({run, run, run, run}), "E0 S3");
  // Its time goes on while it is down, and ends.
  upstream.seen[0].usable = false;
  EXPECT_EQ(upstream.seconds_of({none, none, none, well}, 12), "10:R0");
}

TEST(Outliers, TheShareHoldsWhateverHappens) {
  Random random{11};
  for (const uint32_t percent : {0U, 10U, 34U, 50U, 100U}) {
    SCOPED_TRACE(percent);
    Looked upstream({.ejection = seconds{5}, .ejected_max_percent = percent}, 7);
    uint32_t ejections = 0;
    for (int i = 0; i < 5000; ++i) {
      std::vector<Flow> flows;
      for (Outliers::Seen& each : upstream.seen) {
        if (random.below(10) == 0) each.usable = !each.usable;
        flows.push_back(random.below(5) == 0 ? ill : random.below(5) == 0 ? run : well);
      }
      upstream.second(flows);
      uint32_t usable = 0;
      uint32_t out = 0;
      for (const Outliers::Seen& each : upstream.seen) {
        usable += each.usable ? 1 : 0;
        out += each.usable && upstream.outliers.ejected(each.id) ? 1 : 0;
      }
      ASSERT_LE(out, upstream.outliers.ejected_max(usable));
      ASSERT_TRUE(usable == 0 || out < usable);
      for (const Outliers::Event& each : upstream.events) ejections += each.kind == Kind::ejected ? 1 : 0;
    }
    EXPECT_EQ(ejections == 0, percent == 0);
  }
}

// --- reloads --------------------------------------------------------------------------------------------------------

TEST(Outliers, AReloadKeepsWhatIsKnown) {
  Looked upstream({}, 4);
  ASSERT_EQ(upstream.second({well, well, run, well}), "E2");
  // The first one is gone, and all are in other places.
  std::vector<Outliers::Seen> others{
      upstream.seen[3], upstream.seen[2], upstream.seen[1], {.id = EndpointId{77}, .so_far = {.bad = 500}}};
  upstream.seen = others;
  upstream.outliers.follow({.ejection = seconds{2}});
  EXPECT_EQ(upstream.seconds_of({well, well, well, well}, 9), "");
  EXPECT_TRUE(upstream.outliers.ejected(EndpointId{20}));
  EXPECT_EQ(upstream.second({well, well, well, well}), "R1");  // its time is what it was
  EXPECT_EQ(upstream.outliers.ejections(EndpointId{20}), 1U);
  // Who is missing is forgotten.
  upstream.seen.erase(upstream.seen.begin() + 1);
  upstream.look();
  upstream.seen.push_back(others[1]);
  upstream.look();
  EXPECT_EQ(upstream.outliers.ejections(EndpointId{20}), 0U);
}

TEST(Outliers, AnotherWindowBeginsAnew) {
  Looked upstream({.error_rate_percent = 50, .requests = 150}, 3);
  EXPECT_EQ(upstream.second({ill, well, well}), "");
  upstream.outliers.follow({.error_rate_percent = 50, .window = seconds{20}, .requests = 150});
  EXPECT_EQ(upstream.second({ill, well, well}), "");
  EXPECT_EQ(upstream.second({ill, well, well}), "");
  EXPECT_EQ(upstream.second({ill, well, well}), "E0");
  EXPECT_EQ(upstream.events[0].why, "120 of 200 failed in the last 20 s (60 %)");
}

}  // namespace
}  // namespace weir
