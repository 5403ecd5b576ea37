#include "core/routing/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "core/routing/router.h"

namespace weir::routing {
namespace {

using namespace std::string_literals;

TEST(Expression, IsSearchedAnywhereUnlessItIsAnchored) {
  struct Row {
    const char* pattern;
    std::string text;
    bool found;
  };
  for (const Row& row : std::vector<Row>{
           {"\\.(png|css)$", "/a/b.css", true},
           {"\\.(png|css)$", "/a/b.css/", false},
           {"\\.(png|css)$", "/a/b.CSS", false},
           {"(?i)\\.(png|css)$", "/a/b.CSS", true},
           {"^/u/\\d+", "/u/12/x", true},
           {"^/u/\\d+", "/x/u/12", false},
           {"u/\\d", "/x/u/12", true},
           {"", "", true},
           {"^$", "", true},
           {"^.+$", "", false},
           // One dot, one byte, whichever it is: also one that is no UTF-8.
           {"^/.$", "/\xff", true},
           {"^/..$", "/\xc3\xa9", true},
           {"^/\\xff$", "/\xff", true},
           {"^/.$", "/\0"s, true},
           {"a.c", "a\nc", false},
           {"(?s)a.c", "a\nc", true},
       }) {
    ASSERT_EQ(check_regex(row.pattern), "");
    EXPECT_EQ(Expression(row.pattern).found_in(row.text), row.found) << row.pattern << " " << row.text;
  }
}

TEST(Expression, CheckSaysWhatIsWrong) {
  using ::testing::HasSubstr;
  std::string a_large_one;
  for (int i = 0; i < 100; ++i) a_large_one += "(ab|cd|ef){999}";
  struct Row {
    std::string pattern;
    const char* expected;
  };
  for (const Row& row : std::vector<Row>{
           {"(", "missing ): ("},
           {"a)", "unexpected ): a)"},
           {"[a", "missing ]: [a"},
           {"*", "no argument for repetition operator: *"},
           {"(?=x)", "invalid perl operator: (?="},
           {"(a)\\1", "invalid escape sequence: \\1"},
           {"((a{1,1000}){1,1000}){1,1000}", "repetition size"},
           {"((((a{100}){10}){10}){10})", "repetition size"},
           {a_large_one, "too large"},
           {"caf\xc3\xa9", "write other bytes as \\xHH"},
           {"\xff", "write other bytes as \\xHH"},
       }) {
    EXPECT_THAT(check_regex(row.pattern), HasSubstr(row.expected)) << row.pattern;
  }
}

TEST(Expression, PoolSharesWhatIsTheSame) {
  ExpressionPool pool;
  const Expression* first = pool.get("^/a");
  for (int i = 0; i < 100; ++i) pool.get(std::to_string(i));
  EXPECT_EQ(pool.get("^/a"), first);
  EXPECT_NE(pool.get("^/b"), first);
  EXPECT_TRUE(first->found_in("/a"));
}

// Four workers meet a cold automaton at once; under ThreadSanitizer this also shows that RE2 keeps its promise.
TEST(Expression, IsSearchedByManyThreads) {
  const Expression expression("^/(a|b|c)+/\\d{2,5}$");
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> workers;
  for (size_t worker = 0; worker < wrong.size(); ++worker) {
    workers.emplace_back([&, worker] {
      for (int i = 0; i < 2000; ++i) {
        const std::string path = "/" + std::string(static_cast<size_t>(i % 7), 'b') + "/" + std::to_string(i);
        wrong[worker] += expression.found_in(path) != (i % 7 != 0 && i >= 10) ? 1 : 0;
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace weir::routing
