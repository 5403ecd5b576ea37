#include "core/config/templates.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/config/choices.h"

namespace weir::config {
namespace {

std::vector<std::pair<TemplateFact, std::string>> pieces_of(const TemplateText& text) {
  std::vector<std::pair<TemplateFact, std::string>> pieces;
  for (const TemplatePiece& piece : text.pieces) pieces.emplace_back(piece.fact, piece.text);
  return pieces;
}
using Pieces = std::vector<std::pair<TemplateFact, std::string>>;

TEST(Template, IsReadIntoPieces) {
  const std::vector<std::pair<std::string_view, Pieces>> table{
      {"", {}},
      {"nosniff", {{TemplateFact::none, "nosniff"}}},
      {"{host}", {{TemplateFact::host, ""}}},
      {"https://{host}{path}", {{TemplateFact::none, "https://"}, {TemplateFact::host, ""}, {TemplateFact::path, ""}}},
      {"a{query}b", {{TemplateFact::none, "a"}, {TemplateFact::query, ""}, {TemplateFact::none, "b"}}},
      {"{{host}}", {{TemplateFact::none, "{host}"}}},
      {"{{{host}}}", {{TemplateFact::none, "{"}, {TemplateFact::host, ""}, {TemplateFact::none, "}"}}},
  };
  for (const auto& [text, pieces] : table) {
    const auto reading = read_template(text, TemplatePlace::header);
    ASSERT_TRUE(reading) << text << ": " << reading.error().message;
    EXPECT_EQ(pieces_of(*reading), pieces) << text;
    EXPECT_EQ(template_to_text(*reading), text);
  }
}

TEST(Template, KnowsEveryFact) {
  for (const Choice<TemplateFact>& choice : template_fact_choices) {
    const std::string text = "{" + std::string{choice.name} + "}";
    const auto reading = read_template(text, TemplatePlace::header);
    ASSERT_TRUE(reading) << text;
    EXPECT_EQ(pieces_of(*reading), (Pieces{{choice.value, ""}}));
  }
  EXPECT_EQ(template_fact_choices.size(), static_cast<size_t>(TemplateFact::endpoint)) << "a fact without a name";
}

struct Refusal {
  std::string_view text;
  TemplatePlace place;
  std::string_view message;
  std::string_view where;
};

TEST(Template, SaysWhatIsWrongAndWhere) {
  const std::vector<Refusal> table{
      {"a{", TemplatePlace::header, "this `{` has no `}`", "{"},
      {"a{host", TemplatePlace::header, "this `{` has no `}`", "{host"},
      {"a}b", TemplatePlace::header, "this `}` has no `{`", "}b"},
      {"{{host}", TemplatePlace::header, "this `}` has no `{`", "}"},
      {"a{}b", TemplatePlace::header, "there is nothing between these braces", "{}"},
      {"a{ host}", TemplatePlace::header, "nothing is called `{ host}` in a template", "{ host}"},
      {"a{HOST}", TemplatePlace::header, "nothing is called `{HOST}` in a template", "{HOST}"},
      {"/{upstream}", TemplatePlace::location, "`{upstream}` is always empty in a redirect", "{upstream}"},
      {"/a b", TemplatePlace::location, "`/a b` cannot be a location", ""},
      {"a\r\nb", TemplatePlace::header, "a control character cannot stand in a header", ""},
      {"a\nb", TemplatePlace::location, "`a b` cannot be a location", ""},
      {"a/b", TemplatePlace::host, "`a/b` cannot be a host", ""},
      {"{{", TemplatePlace::host, "`{{` cannot be a host", ""},
  };
  for (const Refusal& row : table) {
    const auto reading = read_template(row.text, row.place);
    ASSERT_FALSE(reading) << row.text;
    EXPECT_EQ(reading.error().message, row.message);
    EXPECT_EQ(reading.error().where, row.where) << row.text;
    EXPECT_FALSE(reading.error().fix.empty()) << row.text;
  }
}

TEST(Template, SuggestsTheFactThatWasMeant) {
  EXPECT_EQ(read_template("{hots}", TemplatePlace::header).error().fix, "did you mean `host`?");
  EXPECT_EQ(read_template("{ClientIP}", TemplatePlace::header).error().fix, "did you mean `client_ip`?");
}

TEST(Template, TakesWhatFitsItsPlace) {
  EXPECT_TRUE(read_template("max-age=1;\tx=\"\xc3\xa9\"", TemplatePlace::header));
  EXPECT_TRUE(read_template("https://{host}/%20?a=b#c", TemplatePlace::location));
  EXPECT_TRUE(read_template("internal-{endpoint}.example.com:8080", TemplatePlace::host));
  EXPECT_TRUE(read_template("[::1]:80", TemplatePlace::host));
  EXPECT_FALSE(read_template(std::string(4097, 'a'), TemplatePlace::header));
  EXPECT_TRUE(read_template(std::string(4096, 'a'), TemplatePlace::header));
}

}  // namespace
}  // namespace weir::config
