#include <gtest/gtest.h>

#include "tests/unit/tools/origin/dialogue.h"
#include "tools/origin/pattern.h"

namespace weir::origin {
namespace {

TEST(OriginRaw, EchoSendsBackEverythingAndClosesAfterTheClient) {
  Dialogue dialogue{{.raw = "echo"}};
  const std::string much(200'000, 'm');
  EXPECT_EQ(dialogue.say(""), "");
  EXPECT_EQ(dialogue.say(much), much);
  EXPECT_EQ(dialogue.wishes().ending, Ending::none);
  dialogue.end_input();
  EXPECT_EQ(dialogue.wishes().ending, Ending::close);
}

TEST(OriginRaw, EchoTakesOnlyWhatItCanSendBack) {
  Dialogue dialogue{{.raw = "echo"}};
  Output out;
  const std::string much(200'000, 'm');
  const std::size_t taken = dialogue.conversation().on_input(much, out);
  EXPECT_EQ(taken, Output::owned_bytes_max);
  EXPECT_EQ(dialogue.conversation().on_input(much, out), 0u);
}

TEST(OriginRaw, DiscardSaysNothing) {
  Dialogue dialogue{{.raw = "discard"}};
  EXPECT_EQ(dialogue.say(std::string(100'000, 'd')), "");
  EXPECT_EQ(dialogue.unread(), "");
  dialogue.end_input();
  EXPECT_EQ(dialogue.wishes().ending, Ending::close);
}

TEST(OriginRaw, EndlessIsThePatternWithoutEnd) {
  Dialogue dialogue{{.raw = "endless"}};
  const std::string sent = dialogue.say("ignored", 3);
  ASSERT_GE(sent.size(), 2 * pattern_period);
  EXPECT_EQ(sent.substr(pattern_period, 100), pattern_at(0, 100));
  EXPECT_TRUE(dialogue.wishes().produce);
  EXPECT_FALSE(dialogue.wishes().read);
}

TEST(OriginRaw, BannerSpeaksFirstThenEchoes) {
  Dialogue dialogue{{.name = "o1", .raw = "banner"}};
  EXPECT_EQ(dialogue.say(""), "banner o1\n");
  EXPECT_EQ(dialogue.say("hi"), "hi");
  Dialogue behind_proxy{{.name = "o1", .raw = "banner"}, "v2 TCP4 1.2.3.4:555 -> 5.6.7.8:80"};
  EXPECT_EQ(behind_proxy.say("early"), "proxy v2 TCP4 1.2.3.4:555 -> 5.6.7.8:80\nbanner o1\nearly");
}

TEST(OriginRaw, NameSaysItAndCloses) {
  Dialogue dialogue{{.name = "o1", .raw = "name"}};
  EXPECT_EQ(dialogue.say("whatever"), "o1\n");
  EXPECT_EQ(dialogue.wishes().ending, Ending::linger);
}

TEST(OriginRaw, SilentWantsNothing) {
  Dialogue dialogue{{.raw = "silent"}};
  EXPECT_EQ(dialogue.say("hello?"), "");
  EXPECT_EQ(dialogue.unread(), "hello?");
  EXPECT_FALSE(dialogue.wishes().read);
}

TEST(OriginRaw, ResetWaitsForTheFirstByte) {
  Dialogue dialogue{{.raw = "reset"}};
  EXPECT_EQ(dialogue.say(""), "");
  EXPECT_EQ(dialogue.wishes().ending, Ending::none);
  dialogue.say("x");
  EXPECT_EQ(dialogue.wishes().ending, Ending::reset);
}

}  // namespace
}  // namespace weir::origin
