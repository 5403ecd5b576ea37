#include "net/proxy/score.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace weir {
namespace {

TEST(Score, IsANumberOrPercent) {
  struct Row {
    std::string_view text;
    double score;
  };
  for (const Row& row : {Row{"0", 0}, Row{"1", 1}, Row{"0.75", 0.75}, Row{"1.0", 1}, Row{"0.0", 0}, Row{"00.5", 0.5},
                         Row{".5", 0.5}, Row{"0%", 0}, Row{"75%", 0.75}, Row{"100%", 1}, Row{"12.5%", 0.125},
                         Row{"1%", 0.01}, Row{"0.333333333333333333333333333333", 1.0 / 3}}) {
    const auto score = read_score(row.text);
    ASSERT_TRUE(score) << row.text;
    EXPECT_DOUBLE_EQ(*score, row.score) << row.text;
  }
}

TEST(Score, IsNothingElse) {
  for (const std::string_view text :
       {"",     " ",    "%",    "-",    ".",       "1.01",     "101%",      "2",   "-0.1", "-5%",
        "75 %", " 0.5", "0.5 ", "0,5",  "0.5x",    "50%%",     "1e-1",      "1e0", "0x1",  "inf",
        "nan",  "-inf", "+0.5", "half", "0.5;q=1", "0.5, 0.7", "1.0000001", "%50"}) {
    EXPECT_EQ(read_score(text), std::nullopt) << "`" << text << "`";
  }
  EXPECT_EQ(read_score(std::string(400, '9')), std::nullopt);
  EXPECT_EQ(read_score(std::string_view{}), std::nullopt);
  EXPECT_EQ(read_score(std::string_view("0.5\0", 4)), std::nullopt);
}

// A header's value lies in the middle of a buffer: what stands behind it must not be read.
TEST(Score, EndsWhereItsTextEnds) {
  const std::string_view buffer = "0.5%9";
  EXPECT_EQ(read_score(buffer.substr(0, 3)), 0.5);
  EXPECT_EQ(read_score(buffer.substr(0, 4)), 0.005);
  EXPECT_EQ(read_score(buffer.substr(0, 5)), std::nullopt);
}

}  // namespace
}  // namespace weir
