#include "net/proxy/exchange_notes.h"

#include <gtest/gtest.h>

#include <string>

namespace weir {
namespace {

class ExchangeNotesTest : public testing::Test {
 protected:
  void TearDown() override {
    notes_.release(blocks_);
    EXPECT_EQ(blocks_.in_use(), 0U);
  }

  Blocks blocks_{1};
  ExchangeNotes notes_;
};

TEST_F(ExchangeNotesTest, WhatWasNotNotedIsEmpty) {
  for (uint8_t i = 0; i < ExchangeNotes::text_count; ++i) {
    EXPECT_EQ(notes_.text(static_cast<ExchangeNotes::Text>(i)), "");
  }
  EXPECT_EQ(blocks_.in_use(), 0U) << "who notes nothing costs nothing";
}

TEST_F(ExchangeNotesTest, KeepsEachTextWhileOthersAreAdded) {
  for (uint8_t i = 0; i < ExchangeNotes::text_count; ++i) {
    notes_.note(blocks_, static_cast<ExchangeNotes::Text>(i), std::string(200 * (i + 1U), static_cast<char>('a' + i)));
  }
  for (uint8_t i = 0; i < ExchangeNotes::text_count; ++i) {
    EXPECT_EQ(notes_.text(static_cast<ExchangeNotes::Text>(i)),
              std::string(200 * (i + 1U), static_cast<char>('a' + i)));
  }
  EXPECT_EQ(blocks_.in_use(), 1U);
}

TEST_F(ExchangeNotesTest, TheLastWordCounts) {
  notes_.note(blocks_, ExchangeNotes::endpoint, "first");
  notes_.note(blocks_, ExchangeNotes::route, "r");
  notes_.note(blocks_, ExchangeNotes::endpoint, "second");
  EXPECT_EQ(notes_.text(ExchangeNotes::endpoint), "second");
  EXPECT_EQ(notes_.text(ExchangeNotes::route), "r");
}

TEST_F(ExchangeNotesTest, CutsWhatIsTooLongForTheBlock) {
  notes_.note(blocks_, ExchangeNotes::target, std::string(Blocks::size_max - 10, 't'));
  notes_.note(blocks_, ExchangeNotes::referer, "0123456789abcdef");
  EXPECT_EQ(notes_.text(ExchangeNotes::target).size(), Blocks::size_max - 10);
  EXPECT_EQ(notes_.text(ExchangeNotes::referer), "0123456789");
  notes_.note(blocks_, ExchangeNotes::user_agent, "x");
  EXPECT_EQ(notes_.text(ExchangeNotes::user_agent), "") << "nothing is left";
}

TEST_F(ExchangeNotesTest, WithoutABlockThereIsNoText) {
  Block other;
  ASSERT_TRUE(other.reserve(blocks_, Blocks::sizes[0]));
  notes_.note(blocks_, ExchangeNotes::method, "GET");
  EXPECT_EQ(notes_.text(ExchangeNotes::method), "");
  other.release(blocks_);
  notes_.note(blocks_, ExchangeNotes::method, "GET");
  EXPECT_EQ(notes_.text(ExchangeNotes::method), "GET");
}

}  // namespace
}  // namespace weir
