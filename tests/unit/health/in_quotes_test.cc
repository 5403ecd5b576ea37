#include "health/in_quotes.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir {
namespace {

TEST(InQuotesTest, ShowsAnythingOnOnePrintableLine) {
  struct Row {
    std::string_view text;
    std::string_view shown;
  };
  for (const Row& row :
       {Row{"", "``"}, Row{"+PONG\r\n", "`+PONG\\r\\n`"}, Row{"a\tb", "`a\\tb`"}, Row{"a`b\\c", "`a\\`b\\\\c`"},
        Row{{"\0\x1b\x7f", 3}, "`\\x00\\x1b\\x7f`"}, Row{"\xc3\xa4", "`\\xc3\\xa4`"}}) {
    EXPECT_EQ(in_quotes(row.text), row.shown);
  }
}

TEST(InQuotesTest, ShowsTheBeginningOfMuch) {
  const std::string just(quoted_bytes_max, 'x');
  EXPECT_EQ(in_quotes(just), "`" + just + "`");
  EXPECT_EQ(in_quotes(just + "y"), "`" + just + "...`");
}

}  // namespace
}  // namespace weir
