#include "health/text_finder.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "core/base/random.h"

namespace weir {
namespace {

TEST(TextFinderTest, FindsATextWhereverItWasCut) {
  struct Row {
    std::string_view text;
    std::string_view bytes;
    bool found;
  };
  for (const Row& row :
       {Row{"ok", "all is ok here", true}, Row{"ok", "o k", false}, Row{"ok", "o", false}, Row{"o", "no", true},
        Row{"aab", "aaaab", true}, Row{"abab", "abaabab", true}, Row{"xyz", "xyxyxy", false}}) {
    for (size_t first = 0; first <= row.bytes.size(); ++first) {
      for (size_t second = first; second <= row.bytes.size(); ++second) {
        TextFinder finder{row.text};
        bool found = finder.ends_in(row.bytes.substr(0, first));
        found = found || finder.ends_in(row.bytes.substr(first, second - first));
        found = found || finder.ends_in(row.bytes.substr(second));
        EXPECT_EQ(found, row.found) << row.text << " in " << row.bytes << " at " << first << " and " << second;
      }
    }
  }
}

TEST(TextFinderTest, AgreesWithTheStandardLibrary) {
  Random random{3};
  size_t found = 0;
  for (int round = 0; round < 3'000; ++round) {
    const auto letters = [&](size_t size) {
      std::string text;
      while (text.size() < size) text += static_cast<char>('a' + random.next() % 2);
      return text;
    };
    const std::string text = letters(1 + random.next() % 8);
    const std::string bytes = letters(random.next() % 60);
    TextFinder finder{text};
    size_t at = 0;
    bool ended = false;
    while (!ended && at < bytes.size()) {
      const size_t piece = 1 + random.next() % 5;
      ended = finder.ends_in(std::string_view{bytes}.substr(at, piece));
      at += piece;
      // As early as that can be known, too.
      EXPECT_EQ(ended, bytes.substr(0, at).find(text) != std::string::npos);
    }
    EXPECT_EQ(ended, bytes.find(text) != std::string::npos) << text << " in " << bytes;
    found += ended ? 1 : 0;
  }
  EXPECT_GT(found, 1'000U);
  EXPECT_LT(found, 2'900U);
}

TEST(TextFinderTest, BeginsAnew) {
  TextFinder finder{"ok"};
  EXPECT_FALSE(finder.ends_in("o"));
  finder.begin();
  EXPECT_FALSE(finder.ends_in("k"));
}

TEST(TextFinderTest, FindsNothingAtAllAtOnce) {
  TextFinder finder{""};
  EXPECT_TRUE(finder.ends_in(""));
}

}  // namespace
}  // namespace weir
