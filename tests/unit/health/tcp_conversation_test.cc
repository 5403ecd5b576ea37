#include "health/tcp_conversation.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/health/probing.h"

namespace weir {
namespace {

using std::chrono::milliseconds;

class ConversationTest : public ProbingTest, public TcpConversation::Partner {
 protected:
  static constexpr Duration timeout = milliseconds{100};

  void SetUp() override {
    ProbingTest::SetUp();
    conversation = std::make_unique<TcpConversation>(context(), *this);
  }
  void TearDown() override {
    if (conversation) conversation->give_up();
    EXPECT_TRUE(turn_until([&] { return ring->in_flight() == 0; }));
    conversation.reset();
    ProbingTest::TearDown();
  }

  void begin(const SocketAddress& to, std::string_view say = {}, size_t hear_max = 64) {
    over = false;
    in_begin_ = true;
    conversation->begin({to, say, hear_max, timeout});
    in_begin_ = false;
  }

  bool is_enough(std::string_view heard, bool ended) override { return enough(heard, ended); }
  bool all_said() override { return to_say_it_is_enough; }
  void conversation_over() override {
    EXPECT_FALSE(in_begin_);
    EXPECT_FALSE(over) << "told twice";
    over = true;
    if (on_over) on_over();
  }

  // A line, unless a test wants something else.
  std::function<bool(std::string_view, bool)> enough = [](std::string_view heard, bool /*ended*/) {
    return heard.find('\n') != std::string_view::npos;
  };
  bool to_say_it_is_enough = false;
  std::function<void()> on_over;
  bool over = false;
  std::unique_ptr<TcpConversation> conversation;

 private:
  bool in_begin_ = false;
};

TEST_F(ConversationTest, IsOverWhenItsPartnerHasHeardEnough) {
  PlayedAgent agent;
  begin(agent.address, "hello\n");
  ASSERT_TRUE(turn_until([&] { return agent.called(); }));
  agent.say("good day\n");
  ASSERT_TRUE(turn_until([&] { return over; }));
  EXPECT_FALSE(conversation->failure());
  EXPECT_EQ(conversation->heard(), "good day\n");
  EXPECT_EQ(receive_now(agent.caller), "hello\n");
  EXPECT_TRUE(turn_until([&] { return agent.left(); }));
}

TEST_F(ConversationTest, MayWantNothingButTheConnection) {
  PlayedAgent agent;
  enough = [](std::string_view, bool) { return true; };
  begin(agent.address, "never said");
  ASSERT_TRUE(turn_until([&] { return over; }));
  EXPECT_FALSE(conversation->failure());
  ASSERT_TRUE(turn_until([&] { return agent.called(); }));
  EXPECT_EQ(receive_now(agent.caller), "");
}

TEST_F(ConversationTest, MayWantNothingButToSayIt) {
  PlayedAgent agent;
  to_say_it_is_enough = true;
  const std::string long_story(8 * 1024 * 1024, 's');
  for (const std::string_view said : {std::string_view{"hello"}, std::string_view{long_story}}) {
    begin(agent.address, said);
    ASSERT_TRUE(turn_until([&] { return agent.called(); }));
    size_t received = 0;
    EXPECT_TRUE(turn_until([&] {
      received += receive_now(agent.caller).size();
      return received == said.size();
    }));
    ASSERT_TRUE(turn_until([&] { return over; }));
    EXPECT_FALSE(conversation->failure());
    agent.hang_up();
  }
  // With nothing to say, nothing was said.
  begin(agent.address);
  ASSERT_TRUE(turn_until([&] { return agent.called(); }));
  pass(step);
  EXPECT_FALSE(over);
  agent.say("\n");
  ASSERT_TRUE(turn_until([&] { return over; }));
  agent.hang_up();
}

TEST_F(ConversationTest, ForgetsWhatItHeard) {
  PlayedAgent agent;
  begin(agent.address);
  ASSERT_TRUE(turn_until([&] { return agent.called(); }));
  agent.say("good day\n");
  ASSERT_TRUE(turn_until([&] { return over; }));
  EXPECT_EQ(conversation->heard(), "good day\n");
  conversation->forget();
  EXPECT_EQ(conversation->heard(), "");
  EXPECT_FALSE(conversation->failure());
  agent.hang_up();
}

TEST_F(ConversationTest, TellsThePartnerOfTheEndBeforeItFails) {
  PlayedAgent agent;
  enough = [](std::string_view heard, bool ended) { return ended && heard == "half"; };
  for (const std::string_view said : {"half", "less"}) {
    begin(agent.address);
    ASSERT_TRUE(turn_until([&] { return agent.called(); }));
    agent.say(said);
    agent.hang_up();
    ASSERT_TRUE(turn_until([&] { return over; }));
    EXPECT_EQ(conversation->heard(), said);
    ASSERT_EQ(conversation->failure().has_value(), said == "less");
  }
  EXPECT_EQ(conversation->failure()->kind, ProbeFailure::Kind::closed);
}

TEST_F(ConversationTest, SaysAllEvenIfTheOtherListensSlowly) {
  PlayedAgent agent;
  const std::string long_story(8 * 1024 * 1024, 's');
  begin(agent.address, long_story);
  ASSERT_TRUE(turn_until([&] { return agent.called(); }));
  size_t received = 0;
  ASSERT_TRUE(turn_until([&] {
    received += receive_now(agent.caller).size();
    return received == long_story.size();
  }));
  EXPECT_FALSE(over);
  agent.say("\n");
  ASSERT_TRUE(turn_until([&] { return over; }));
  EXPECT_FALSE(conversation->failure());
}

// Closing with something unread in the socket is a reset, which must not take back what was said before.
TEST_F(ConversationTest, HearsWhoAnswersWithoutListening) {
  PlayedAgent agent;
  const std::string long_story(8 * 1024 * 1024, 's');
  begin(agent.address, long_story);
  ASSERT_TRUE(turn_until([&] { return agent.called(); }));
  ASSERT_TRUE(turn_until([&] { return becomes(agent.caller.get(), POLLIN, 0); }));
  agent.say("tl;dr\n");
  agent.hang_up();
  ASSERT_TRUE(turn_until([&] { return over; }));
  EXPECT_FALSE(conversation->failure()) << describe(*conversation->failure());
  EXPECT_EQ(conversation->heard(), "tl;dr\n");
}

// An agent may shut its ear, and answer when it likes.
TEST_F(ConversationTest, HearsWhoDoesNotWantToListen) {
  const Folder folder;
  PlayedAgent agent{"unix:" + (folder / "s")};
  const std::string long_story(8 * 1024 * 1024, 's');
  begin(agent.address, long_story);
  ASSERT_TRUE(turn_until([&] { return agent.called(); }));
  ::shutdown(agent.caller.get(), SHUT_RD);
  ASSERT_TRUE(turn_until([&] { return ring->in_flight() == 1; })) << "what we say has failed, we only listen";
  EXPECT_FALSE(over);
  agent.say("tl;dr\n");
  ASSERT_TRUE(turn_until([&] { return over; }));
  EXPECT_FALSE(conversation->failure()) << describe(*conversation->failure());
}

TEST_F(ConversationTest, SaysHowItBroke) {
  PlayedAgent agent;
  begin(agent.address);
  ASSERT_TRUE(turn_until([&] { return agent.called(); }));
  reset_on_close(agent.caller.get());
  agent.hang_up();
  ASSERT_TRUE(turn_until([&] { return over; }));
  ASSERT_TRUE(conversation->failure());
  EXPECT_EQ(conversation->failure()->kind, ProbeFailure::Kind::broken);
  EXPECT_EQ(conversation->failure()->error, error_from_errno(ECONNRESET, Side::origin));
  EXPECT_EQ(describe(*conversation->failure()),
            "the connection broke: origin: connection reset by the peer (ECONNRESET)");
}

TEST_F(ConversationTest, HearsExactlyAsMuchAsItWants) {
  PlayedAgent agent;
  struct Row {
    std::string said;
    bool heard;
  };
  for (const Row& row : {Row{std::string(63, 'x') + "\n", true}, Row{std::string(64, 'x') + "\n", false},
                         Row{"\n" + std::string(5'000, 'x'), true}, Row{std::string(200'000, 'x'), false}}) {
    begin(agent.address, {}, 64);
    ASSERT_TRUE(turn_until([&] { return agent.called(); }));
    ::send(agent.caller.get(), row.said.data(), row.said.size(), MSG_NOSIGNAL);
    ASSERT_TRUE(turn_until([&] { return over; }));
    EXPECT_EQ(!conversation->failure(), row.heard) << row.said.size();
    EXPECT_EQ(conversation->heard(), std::string_view{row.said}.substr(0, 64));
    if (!row.heard) {
      EXPECT_EQ(conversation->failure()->kind, ProbeFailure::Kind::too_long);
    }
    agent.hang_up();
  }
}

TEST_F(ConversationTest, TakesItsTimeAndNoMore) {
  PlayedAgent agent;
  begin(agent.address);
  ASSERT_TRUE(turn_until([&] { return agent.called(); }));
  // Each byte is a sign of life, and gives no more time.
  pass(timeout / 2);
  agent.say("a");
  pass(timeout / 2 - step);
  agent.say("b");
  ASSERT_TRUE(turn_until([&] { return conversation->heard() == "ab"; }));
  EXPECT_FALSE(over);
  pass(step);
  ASSERT_TRUE(turn_until([&] { return over; }));
  ASSERT_TRUE(conversation->failure());
  EXPECT_EQ(conversation->failure()->kind, ProbeFailure::Kind::silent);
  EXPECT_EQ(conversation->took(), timeout);
}

TEST_F(ConversationTest, GivesUpConnectingInTime) {
  // The queue of a listener who takes nobody is full after one; what comes then is not answered at all.
  PlayedAgent agent{"127.0.0.1:0", 0};
  std::vector<Fd> crowd;
  for (int i = 0; i < 3; ++i) {
    crowd.push_back(stream_for(agent.address));
    static_cast<void>(::connect(crowd.back().get(), agent.address.data(), agent.address.size()));
  }
  begin(agent.address);
  pass(timeout - step);
  EXPECT_FALSE(over);
  pass(step);
  ASSERT_TRUE(turn_until([&] { return over; }));
  ASSERT_TRUE(conversation->failure());
  EXPECT_EQ(conversation->failure()->kind, ProbeFailure::Kind::not_connected);
  EXPECT_EQ(conversation->failure()->error, error_from_errno(ETIMEDOUT, Side::origin));
}

TEST_F(ConversationTest, SaysWhyItCannotConnect) {
  const Folder folder;
  SocketAddress nobody;
  { nobody = PlayedAgent{}.address; }
  const std::string file = folder / "full";
  PlayedAgent full{"unix:" + file, 0};
  const Fd first = stream_for(full.address);
  ASSERT_EQ(connect_to(first, full.address), 0);

  struct Row {
    SocketAddress to;
    int number;
  };
  for (const Row& row :
       {Row{nobody, ECONNREFUSED}, Row{address_of("unix:" + (folder / "none")), ENOENT}, Row{full.address, EAGAIN}}) {
    begin(row.to);
    ASSERT_TRUE(turn_until([&] { return over; }));
    ASSERT_TRUE(conversation->failure());
    EXPECT_EQ(conversation->failure()->kind, ProbeFailure::Kind::not_connected);
    EXPECT_EQ(conversation->failure()->error, error_from_errno(row.number, Side::origin));
  }
}

TEST_F(ConversationTest, MayBeGivenUpAtAnyPoint) {
  PlayedAgent agent;
  // So many turns into a conversation that is one connect, one word and one answer long.
  for (int turns = 0; turns < 8; ++turns) {
    begin(agent.address, "hello");
    bool called = false;
    for (int done = 0; done < turns && !over; ++done) {
      turn();
      called = called || agent.called();
      if (called && done == 4) agent.say("answer\n");
    }
    conversation->give_up();
    conversation->give_up();
    ASSERT_TRUE(turn_until([&] { return over; })) << turns;
    EXPECT_EQ(ring->in_flight(), 0U);
    conversation->give_up();  // resting: nothing happens
    while (agent.called()) {
    }
    agent.hang_up();
  }
}

TEST_F(ConversationTest, MayBeDestroyedOrBegunAnewByWhoIsTold) {
  PlayedAgent agent;
  int times = 0;
  on_over = [&] {
    if (++times < 3) {
      over = false;
      conversation->begin({agent.address, {}, 64, timeout});
    } else {
      conversation.reset();
    }
  };
  begin(agent.address);
  ASSERT_TRUE(turn_until([&] {
    if (agent.called()) agent.say("line\n");
    return conversation == nullptr;
  }));
  EXPECT_EQ(times, 3);
  agent.hang_up();
}

TEST_F(ConversationTest, HearsAlsoWhenTheBuffersHaveRunOut) {
  PlayedAgent agent;
  begin(agent.address, {}, 1'000);
  ASSERT_TRUE(turn_until([&] { return agent.called(); }));
  // A byte takes a buffer, and none is lent again until the next true turn.
  for (uint32_t bytes = buffers->count(); bytes > 0; --bytes) {
    agent.say("x");
    ring->wait(clock.time, clock.time + step);
    ring->dispatch(budget);
  }
  EXPECT_EQ(buffers->available(), 0U);
  EXPECT_LT(conversation->heard().size(), buffers->count());
  agent.say("\n");
  ASSERT_TRUE(turn_until([&] { return over; }));
  EXPECT_FALSE(conversation->failure());
  EXPECT_EQ(conversation->heard().size(), buffers->count() + 1);
}

TEST_F(ConversationTest, FailsLaterThanItBeginsWhenThereAreNoDescriptors) {
  // In a child: the limit is a process's.
  EXPECT_TRUE(in_child([this] {
    conversation.reset();
    begin_anew();
    conversation = std::make_unique<TcpConversation>(context(), *this);
    PlayedAgent agent;
    leave_descriptors(0);
    begin(agent.address);
    if (over) return false;
    turn();
    const ProbeFailure none_left{ProbeFailure::Kind::not_connected, error_from_errno(EMFILE, Side::ourselves)};
    if (!over || conversation->failure() != none_left) return false;
    // And given up before that was told.
    begin(agent.address);
    conversation->give_up();
    return over && wheel.size() == 0 && ring->in_flight() == 0;
  }));
}

}  // namespace
}  // namespace weir
