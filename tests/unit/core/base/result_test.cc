#include "core/base/result.h"

#include <errno.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace weir {
namespace {

TEST(Result, HoldsAValue) {
  Result<std::string> result{std::string{"here"}};
  EXPECT_TRUE(result.ok());
  EXPECT_TRUE(static_cast<bool>(result));
  EXPECT_EQ(*result, "here");
  EXPECT_EQ(result->size(), 4U);
  result.value() = "there";
  EXPECT_EQ(std::as_const(result).value(), "there");
}

TEST(Result, HoldsAnError) {
  const Error refused = error_from_errno(ECONNREFUSED, Side::origin);
  const Result<int> result{refused};
  EXPECT_FALSE(result.ok());
  EXPECT_FALSE(static_cast<bool>(result));
  EXPECT_EQ(result.error(), refused);
}

TEST(Result, GivesUpWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result{std::make_unique<int>(7)};
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 7);
}

TEST(Result, TellsAValueFromAnErrorOfAlmostTheSameType) {
  // A false bool is a value, not a failure.
  const Result<bool> no{false};
  EXPECT_TRUE(no.ok());
  EXPECT_FALSE(*no);
  const Result<int, std::string> text{std::string{"why"}};
  EXPECT_EQ(text.error(), "why");
}

TEST(ResultDeathTest, AskingForWhatIsNotThereIsABug) {
  const Result<int> failed{Error{}};
  EXPECT_DEATH((void)failed.value(), "assertion failed: ok\\(\\)");
  const Result<int> fine{1};
  EXPECT_DEATH((void)fine.error(), "assertion failed: !ok\\(\\)");
}

}  // namespace
}  // namespace weir
