#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/routing/router.h"

namespace weir::routing {
namespace {

std::string rewritten(const PathRewriter& rewriter, std::string_view path) {
  std::string out(4096, '\xee');
  const size_t size = rewriter.rewrite(path, out.data(), out.size());
  EXPECT_LE(size, out.size());
  EXPECT_EQ(out.find_first_not_of('\xee', size), std::string::npos) << "wrote behind its end";
  out.resize(size);
  return out;
}

TEST(PrefixRewriter, ReplacesThePrefix) {
  struct Row {
    const char* from;
    const char* to;
    const char* path;
    const char* expected;
  };
  for (const Row& row : std::vector<Row>{
           {"/v1", "/internal", "/v1/x", "/internal/x"},
           {"/v1", "/internal", "/v1/x/", "/internal/x/"},
           {"/v1", "/internal", "/v1/", "/internal/"},
           {"/v1", "/internal", "/v1", "/internal"},
           {"/v1", "/internal/", "/v1/x", "/internal/x"},
           {"/v1", "/internal/", "/v1", "/internal/"},
           {"/v1", "/internal//", "/v1/x", "/internal/x"},
           {"/v1/", "/internal", "/v1/x", "/internal/x"},
           {"/v1/", "/internal/", "/v1/x", "/internal/x"},
           {"/v1/", "/internal", "/v1/", "/internal/"},
           {"/v1", "/", "/v1/x", "/x"},
           {"/v1", "/", "/v1/", "/"},
           {"/v1", "/", "/v1", "/"},
           {"/v1", "", "/v1/x", "/x"},
           {"/v1", "", "/v1", "/"},
           {"/v1", "internal", "/v1/x", "/internal/x"},
           {"/", "/internal", "/x", "/internal/x"},
           {"/", "/internal", "/", "/internal/"},
           {"/", "/", "/x/y", "/x/y"},
           {"/a/b", "/c", "/a/b/a/b", "/c/a/b"},
           // One slash at the seam: nobody gets another host out of //.
           {"/v1", "/", "/v1//evil.example/x", "/evil.example/x"},
           {"/v1", "/internal", "/v1///x//y", "/internal/x//y"},
           {"/v1/", "/", "/v1//", "/"},
           // The rest is kept byte by byte.
           {"/v1", "/i", "/v1/%2F/../\xff", "/i/%2F/../\xff"},
           // Not below the prefix: such a request does not meet this rewriter.
           {"/v1", "/internal", "/v1x", "/v1x"},
           {"/v1", "/internal", "/v2", "/v2"},
           {"/v1", "/internal", "/v", "/v"},
           {"/", "/internal", "*", "*"},
       }) {
    EXPECT_EQ(rewritten(*make_prefix_rewriter(row.from, row.to), row.path), row.expected)
        << row.from << " to " << row.to << ": " << row.path;
  }
}

TEST(PathSetter, ReplacesEverything) {
  for (const char* path : {"/", "/a/b", "", "*"}) {
    EXPECT_EQ(rewritten(*make_path_setter("/fixed"), path), "/fixed");
    EXPECT_EQ(rewritten(*make_path_setter("fixed"), path), "/fixed");
    EXPECT_EQ(rewritten(*make_path_setter(""), path), "/");
  }
}

TEST(RegexRewriter, ReplacesTheFirstMatch) {
  struct Row {
    const char* pattern;
    const char* to;
    const char* path;
    const char* expected;
  };
  for (const Row& row : std::vector<Row>{
           {"^/u/(\\d+)", "/users/\\1", "/u/12/x", "/users/12/x"},
           {"^/u/(\\d+)", "/users/\\1", "/v/12", "/v/12"},
           {"a", "b", "/aaa", "/baa"},
           {"a+", "b", "/xaaay", "/xby"},
           {"(\\w+)/(\\w+)", "\\2/\\1", "/one/two/three", "/two/one/three"},
           {"^/(\\w+)$", "/\\0\\0", "/x", "//x/x"},
           {"^/(a)?(b)?$", "/[\\1\\2]", "/b", "/[b]"},  // a group that took no part is empty
           {"x", "\\\\", "/x", "/\\"},
           {"x", "\\\\1", "/x", "/\\1"},
           {"$", "/end", "/x", "/x/end"},
           {"^", "/begin", "/x", "/begin/x"},
           {"(1)(2)(3)(4)(5)(6)(7)(8)(9)", "\\9\\1", "/123456789", "/91"},
           // Whatever is left begins with a slash.
           {"^/old/", "", "/old/x", "/x"},
           {"^/old/", "", "/old/", "/"},
           {"^.*$", "", "/old", "/"},
           {"^/(.*)", "\\1", "/a/b", "/a/b"},
           {"^/", "new", "/x", "/newx"},
           {"^/(b)?", "\\1x", "/", "/x"},
           {"^", "x", "", "/x"},
           {"^$", "", "", "/"},
       }) {
    ASSERT_EQ(check_rewrite(row.pattern, row.to), "");
    EXPECT_EQ(rewritten(*make_regex_rewriter(row.pattern, row.to), row.path), row.expected)
        << row.pattern << " to " << row.to << ": " << row.path;
  }
}

// Into every size of room: what fits is the beginning of the result, nothing is written behind it, and the size says
// whether it was all.
TEST(Rewriters, WriteNoMoreThanThereIsRoomFor) {
  std::vector<std::unique_ptr<const PathRewriter>> rewriters;
  rewriters.push_back(make_prefix_rewriter("/v1", "/internal"));
  rewriters.push_back(make_path_setter("/somewhere/else"));
  rewriters.push_back(make_regex_rewriter("(\\w)/(\\w)", "\\2-\\1-\\0"));
  rewriters.push_back(make_regex_rewriter("^/v1/", ""));
  for (const auto& rewriter : rewriters) {
    for (const std::string path : {"/v1/x/y", "/v1", "/v1//", "*"}) {
      const std::string all = rewritten(*rewriter, path);
      for (size_t room = 0; room <= all.size() + 1; ++room) {
        std::string out(all.size() + 2, '\xee');
        EXPECT_EQ(rewriter->rewrite(path, out.data(), room), all.size());
        const size_t written = std::min(room, all.size());
        EXPECT_EQ(out.substr(0, written), all.substr(0, written));
        EXPECT_EQ(out.find_first_not_of('\xee', written), std::string::npos) << "room " << room;
      }
      EXPECT_EQ(rewriter->rewrite(path, nullptr, 0), all.size());
    }
  }
}

TEST(Rewriters, ChecksSayWhatIsWrong) {
  using ::testing::HasSubstr;
  EXPECT_EQ(check_path("/"), "");
  EXPECT_EQ(check_path("/a%20b/~!$&'()*+,;=:@"), "");
  EXPECT_THAT(check_path(""), HasSubstr("begins with '/'"));
  EXPECT_THAT(check_path("a/b"), HasSubstr("begins with '/'"));
  for (const char* to : {"/a b", "/a\tb", "/a\r\nb", "/a\x7f", "/caf\xc3\xa9", "/a\x01"}) {
    EXPECT_THAT(check_path(to), HasSubstr("visible ASCII")) << to;
    EXPECT_THAT(check_rewrite("x", to), HasSubstr("visible ASCII")) << to;
  }
  EXPECT_THAT(check_path(std::string("/a\0b", 4)), HasSubstr("visible ASCII"));
  for (const char* to : {"/a?b=1", "/?"}) {
    EXPECT_THAT(check_path(to), HasSubstr("the query is kept")) << to;
    EXPECT_THAT(check_rewrite("x", to), HasSubstr("the query is kept")) << to;
  }
  EXPECT_THAT(check_path("/a#b"), HasSubstr("%23"));

  EXPECT_EQ(check_rewrite("(x)", "\\0\\1\\\\"), "");
  EXPECT_EQ(check_rewrite("(x)", ""), "");
  EXPECT_THAT(check_rewrite("(x", "/"), HasSubstr("missing )"));
  EXPECT_THAT(check_rewrite("x", "\\1"), HasSubstr("only has 0 parenthesized"));
  EXPECT_THAT(check_rewrite("(x)", "\\2"), HasSubstr("only has 1 parenthesized"));
  EXPECT_THAT(check_rewrite("x", "\\"), HasSubstr("not allowed at end"));
  EXPECT_THAT(check_rewrite("x", "\\n"), HasSubstr("must be followed by a digit"));
}

// Paths as clients may send them, through every kind: the result of one that is a path is a path, and it never holds a
// byte that neither the request nor `to` had.
TEST(Rewriters, KeepPathsPaths) {
  Random random(8);
  std::vector<std::unique_ptr<const PathRewriter>> rewriters;
  for (const char* from : {"/", "/a", "/a/", "/a/b"}) {
    for (const char* to : {"/", "/x", "/x/", "//x//"}) rewriters.push_back(make_prefix_rewriter(from, to));
  }
  for (const char* pattern : {"^/+", "a", "(a)(/?)", "[^/]*$", "^.*$"}) {
    for (const char* to : {"", "x", "\\0", "/\\0/"}) rewriters.push_back(make_regex_rewriter(pattern, to));
  }
  for (int round = 0; round < 5000; ++round) {
    std::string path = "/";
    for (uint64_t size = random.below(12); size > 0; --size) path.push_back("//aab%\xff"[random.below(7)]);
    for (const auto& rewriter : rewriters) {
      const std::string result = rewritten(*rewriter, path);
      ASSERT_TRUE(result.starts_with('/')) << path;
      ASSERT_EQ(result.find_first_not_of("/abx%\xff"), std::string::npos) << path;
    }
  }
}

}  // namespace
}  // namespace weir::routing
