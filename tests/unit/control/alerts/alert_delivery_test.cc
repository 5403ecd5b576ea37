#include "control/alerts/alert_delivery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <utility>
#include <vector>

#include "tests/unit/health/probing.h"

namespace weir {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;

// Takes what it is given, and waits to be told how it goes.
class PlayedTarget final : public AlertTarget {
 public:
  void deliver(const AlertMessage& message, const std::string& text, Sender& sender) override {
    ASSERT_EQ(sender_, nullptr) << "one at a time";
    sender_ = &sender;
    numbers.push_back(message.number);
    texts.push_back(text);
  }
  void give_up() override {
    ++given_up;
    if (gives_up_at_once && sender_ != nullptr) end("given up");
  }
  std::string_view kind() const noexcept override { return "played"; }

  bool busy() const { return sender_ != nullptr; }
  void end(const std::string& failure) { std::exchange(sender_, nullptr)->delivered(failure); }

  std::vector<uint64_t> numbers;  // of all tries
  std::vector<std::string> texts;
  int given_up = 0;
  bool gives_up_at_once = true;

 private:
  Sender* sender_ = nullptr;
};

class AlertDeliveryTest : public testing::Test {
 protected:
  void TearDown() override {
    delivery->end();
    if (target->busy()) target->end("");
    EXPECT_TRUE(delivery->ended());
    EXPECT_EQ(wheel.size(), 0U);
  }

  void make(uint32_t retries = 3, Duration backoff = seconds{1}, uint64_t seed = 1) {
    auto played = std::make_unique<PlayedTarget>();
    target = played.get();
    delivery = std::make_unique<AlertDelivery>(
        wheel, clock, log, AlertDelivery::Settings{"ops", "lb1", retries, backoff}, seed, std::move(played));
  }
  void push(uint64_t number) {
    Alert alert;
    alert.upstream = "app";
    delivery->push(std::make_shared<const AlertDelivery::Numbered>(AlertDelivery::Numbered{alert, number}));
  }
  // Until the target is asked again; how long that took.
  Duration wait() {
    const Instant before = clock.time;
    while (!target->busy() && clock.time - before < hours{2}) {
      clock.time = std::max(clock.time, wheel.next().value_or(clock.time + hours{3}));
      wheel.advance(clock.time, 10);
    }
    EXPECT_TRUE(target->busy());
    return clock.time - before;
  }
  uint64_t said(const char* field) const { return nlohmann::json::parse(target->texts.back()).at(field); }

  SetClock clock;
  TimerWheel wheel{clock.time, milliseconds{1}};
  Log log{LogLevel::error, LogFormat::text, -1};
  std::unique_ptr<AlertDelivery> delivery;
  PlayedTarget* target = nullptr;
};

TEST_F(AlertDeliveryTest, OneAfterTheOther) {
  make();
  for (uint64_t i = 1; i <= 3; ++i) push(i);
  EXPECT_EQ(delivery->figures().queued, 3U);
  EXPECT_THAT(target->numbers, ElementsAre(1));
  target->end("");
  EXPECT_THAT(target->numbers, ElementsAre(1, 2));
  target->end("");
  target->end("");
  EXPECT_THAT(target->numbers, ElementsAre(1, 2, 3));
  EXPECT_FALSE(target->busy());
  EXPECT_EQ(delivery->figures().sent, 3U);
  EXPECT_EQ(delivery->figures().queued, 0U);
  push(4);
  EXPECT_THAT(target->numbers, ElementsAre(1, 2, 3, 4));
}

TEST_F(AlertDeliveryTest, TriesAgainBeforeTheNext) {
  make(2);
  push(1);
  push(2);
  target->end("no");
  EXPECT_FALSE(target->busy());
  EXPECT_EQ(delivery->figures().queued, 2U);
  wait();
  EXPECT_EQ(target->texts[1], target->texts[0]);
  target->end("");
  EXPECT_THAT(target->numbers, ElementsAre(1, 1, 2));
  EXPECT_EQ(delivery->figures().retries, 1U);
  EXPECT_EQ(delivery->figures().failed, 0U);
  EXPECT_FALSE(delivery->figures().failing);
}

TEST_F(AlertDeliveryTest, GivesUpAfterItsTries) {
  make(2);
  push(1);
  push(2);
  for (int i = 0; i < 2; ++i) {
    target->end("no");
    wait();
  }
  target->end("no");
  EXPECT_THAT(target->numbers, ElementsAre(1, 1, 1, 2));
  EXPECT_EQ(delivery->figures().failed, 1U);
  EXPECT_TRUE(delivery->figures().failing);
  EXPECT_EQ(said("lost"), 1U);
  target->end("");
  EXPECT_FALSE(delivery->figures().failing);
  push(3);
  EXPECT_EQ(said("lost"), 0U);
}

TEST_F(AlertDeliveryTest, WithoutRetries) {
  make(0);
  push(1);
  target->end("no");
  push(2);
  EXPECT_THAT(target->numbers, ElementsAre(1, 2));
  EXPECT_EQ(delivery->figures().failed, 1U);
}

TEST_F(AlertDeliveryTest, WaitsGrowAndDiffer) {
  std::vector<Duration> first;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    make(6, seconds{1}, seed);
    push(1);
    Duration usual = seconds{1};
    for (int i = 0; i < 6; ++i, usual *= 2) {
      target->end("no");
      const Duration waited = wait();
      EXPECT_GE(waited, usual / 2);
      EXPECT_LE(waited, usual + milliseconds{1});
      if (i == 0) first.push_back(waited);
    }
    delivery->end();
  }
  EXPECT_LT(*std::min_element(first.begin(), first.end()), milliseconds{600});
  EXPECT_GT(*std::max_element(first.begin(), first.end()), milliseconds{900});
}

TEST(AlertDelivery, Waits) {
  struct Case {
    uint32_t tries;
    Duration backoff;
    Duration wait;
  };
  for (const Case& each :
       {Case{1, seconds{1}, seconds{1}}, Case{2, seconds{1}, seconds{2}}, Case{4, seconds{1}, seconds{8}},
        Case{9, seconds{1}, seconds{256}}, Case{10, seconds{1}, minutes{5}},
        Case{4'000'000'000, seconds{1}, minutes{5}}, Case{1, hours{1}, hours{1}}, Case{9, hours{1}, hours{1}},
        Case{1, milliseconds{1}, milliseconds{1}}, Case{3, minutes{2}, minutes{5}}}) {
    EXPECT_EQ(AlertDelivery::wait_after(each.tries, each.backoff), each.wait) << each.tries;
  }
}

TEST_F(AlertDeliveryTest, DropsTheOldest) {
  make();
  push(1);
  for (uint64_t i = 2; i <= AlertDelivery::queue_max + 11; ++i) push(i);
  EXPECT_EQ(delivery->figures().queued, AlertDelivery::queue_max + 1);
  EXPECT_EQ(delivery->figures().dropped, 10U);
  target->end("");
  EXPECT_THAT(target->numbers, ElementsAre(1, 12));
  EXPECT_EQ(said("lost"), 10U);
  target->end("");
  EXPECT_EQ(said("lost"), 0U);
}

TEST_F(AlertDeliveryTest, SaysWhatWasSuppressed) {
  make(0);
  push(1);
  EXPECT_EQ(said("suppressed"), 0U);
  for (int i = 0; i < 5; ++i) delivery->count_suppressed();
  target->end("");
  push(7);
  EXPECT_EQ(said("suppressed"), 5U);
  // It did not arrive, so it was not said.
  delivery->count_suppressed();
  target->end("no");
  push(9);
  EXPECT_EQ(said("suppressed"), 6U);
  EXPECT_EQ(said("lost"), 1U);
  delivery->count_suppressed();
  target->end("");
  push(11);
  EXPECT_EQ(said("suppressed"), 1U);
  EXPECT_EQ(said("lost"), 0U);
  EXPECT_EQ(delivery->figures().suppressed, 7U);
}

TEST_F(AlertDeliveryTest, EndsIdle) {
  make();
  delivery->end();
  EXPECT_TRUE(delivery->ended());
  delivery->end();
  EXPECT_EQ(target->given_up, 0);
}

TEST_F(AlertDeliveryTest, EndsWhileWaiting) {
  make();
  push(1);
  push(2);
  target->end("no");
  delivery->end();
  EXPECT_TRUE(delivery->ended());
  EXPECT_EQ(wheel.size(), 0U);
  EXPECT_EQ(delivery->figures().queued, 0U);
}

TEST_F(AlertDeliveryTest, EndsWhileDelivering) {
  for (const bool at_once : {true, false}) {
    make();
    target->gives_up_at_once = at_once;
    push(1);
    push(2);
    delivery->end();
    EXPECT_EQ(delivery->ended(), at_once);
    delivery->end();
    EXPECT_EQ(target->given_up, 1);
    if (!at_once) target->end("killed");
    EXPECT_TRUE(delivery->ended());
    EXPECT_THAT(target->numbers, ElementsAre(1));
  }
}

}  // namespace
}  // namespace weir
