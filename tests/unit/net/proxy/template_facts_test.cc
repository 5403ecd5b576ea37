#include "net/proxy/template_facts.h"

#include <gtest/gtest.h>

#include <string>

#include "net/proxy/http_worker.h"

namespace weir {
namespace {

class TemplateFactsTest : public testing::Test {
 protected:
  TemplateFactsTest() {
    facts_.scheme = "https";
    facts_.method = "GET";
    facts_.host = "example.com";
    facts_.authority = "Example.com:8080";
    facts_.path = "/a/b";
    facts_.query = "x=1";
    facts_.has_query = true;
    facts_.client_ip = "192.0.2.1";
    facts_.request_id = "id-1";
    facts_.route = "r";
    facts_.upstream = "u";
    facts_.endpoint = "e";
  }

  std::string_view expanded(std::vector<TemplatePiece> pieces) {
    text_.pieces = std::move(pieces);
    return expand(text_, facts_, scratch_);
  }

  TemplateFacts facts_;
  TemplateText text_;
  Scratch scratch_;
};

TEST_F(TemplateFactsTest, EachPlaceHasItsFact) {
  const std::pair<TemplateFact, std::string_view> rows[] = {
      {TemplateFact::scheme, "https"},
      {TemplateFact::method, "GET"},
      {TemplateFact::host, "example.com"},
      {TemplateFact::authority, "Example.com:8080"},
      {TemplateFact::path, "/a/b"},
      {TemplateFact::query, "?x=1"},
      {TemplateFact::client_ip, "192.0.2.1"},
      {TemplateFact::request_id, "id-1"},
      {TemplateFact::route, "r"},
      {TemplateFact::upstream, "u"},
      {TemplateFact::endpoint, "e"},
  };
  for (const auto& [fact, text] : rows) EXPECT_EQ(expanded({{fact, ""}}), text);
}

TEST_F(TemplateFactsTest, TextAndPlacesInOrder) {
  EXPECT_EQ(expanded({{TemplateFact::none, "https://"},
                      {TemplateFact::host, ""},
                      {TemplateFact::path, ""},
                      {TemplateFact::query, ""},
                      {TemplateFact::none, "#end"}}),
            "https://example.com/a/b?x=1#end");
}

TEST_F(TemplateFactsTest, AQueryHasItsQuestionMarkOnlyWhenItIsThere) {
  facts_.query = {};
  EXPECT_EQ(expanded({{TemplateFact::path, ""}, {TemplateFact::query, ""}}), "/a/b?") << "an empty one is one";
  facts_.has_query = false;
  EXPECT_EQ(expanded({{TemplateFact::path, ""}, {TemplateFact::query, ""}}), "/a/b");
}

TEST_F(TemplateFactsTest, MissingFactsAreNothing) {
  facts_ = {};
  EXPECT_EQ(expanded({{TemplateFact::none, "<"}, {TemplateFact::endpoint, ""}, {TemplateFact::none, ">"}}), "<>");
}

TEST_F(TemplateFactsTest, LiteralTextNeedsNoRoom) {
  const size_t before = scratch_.room().size();
  EXPECT_EQ(expanded({{TemplateFact::none, "nosniff"}}), "nosniff");
  EXPECT_EQ(expanded({}), "");
  EXPECT_EQ(scratch_.room().size(), before);
}

TEST_F(TemplateFactsTest, ExpansionsStayUntilTheScratchIsCleared) {
  const std::string_view one = expanded({{TemplateFact::path, ""}, {TemplateFact::none, "1"}});
  const std::string_view two = expanded({{TemplateFact::path, ""}, {TemplateFact::none, "2"}});
  EXPECT_EQ(one, "/a/b1");
  EXPECT_EQ(two, "/a/b2");
}

TEST_F(TemplateFactsTest, CutsWhereThereIsNoMoreRoom) {
  const std::string long_path(Scratch::size / 2, 'p');
  facts_.path = long_path;
  std::vector<TemplatePiece> pieces(3, {TemplateFact::path, ""});
  EXPECT_EQ(expanded(pieces).size(), Scratch::size);
  EXPECT_EQ(scratch_.room().size(), 0U);
  EXPECT_EQ(expanded({{TemplateFact::path, ""}}), "") << "and then nothing is left";
  EXPECT_EQ(expanded({{TemplateFact::none, "still"}}), "still");
  scratch_.clear();
  EXPECT_EQ(expanded({{TemplateFact::method, ""}}), "GET");
}

TEST_F(TemplateFactsTest, TheScratchCopiesAndCuts) {
  EXPECT_EQ(scratch_.copy("hello"), "hello");
  EXPECT_EQ(scratch_.copy({}), "");
  scratch_.keep(scratch_.room().size() - 3);
  EXPECT_EQ(scratch_.copy("hello"), "hel");
  EXPECT_EQ(scratch_.copy("hello"), "");
}

}  // namespace
}  // namespace weir
