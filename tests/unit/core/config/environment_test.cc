#include "core/config/environment.h"

#include <gtest/gtest.h>

#include "core/config/substitute.h"

namespace weir::config {
namespace {

const Environment environment = environment_of({{"A", "one"}, {"EMPTY", ""}, {"TRICKY", "${A}\n- x: [y"}});

std::string substituted(std::string_view text) {
  const Substitution result = substitute(text, environment);
  return result.problems.empty() ? result.text : "! " + result.problems[0].mistake.message;
}

TEST(Substitute, PutsValuesInPlace) {
  EXPECT_EQ(substituted("plain"), "plain");
  EXPECT_EQ(substituted(""), "");
  EXPECT_EQ(substituted("${A}"), "one");
  EXPECT_EQ(substituted("<${A}-${A}>"), "<one-one>");
  EXPECT_EQ(substituted("${EMPTY}"), "");
  EXPECT_EQ(substituted("${UNSET:-two}"), "two");
  EXPECT_EQ(substituted("${UNSET:-}"), "");
  EXPECT_EQ(substituted("${EMPTY:-two}"), "two");
  EXPECT_EQ(substituted("${A:-two}"), "one");
  EXPECT_EQ(substituted("${UNSET:-[::1]:80}"), "[::1]:80");
  EXPECT_EQ(substituted("$${A}"), "${A}");
  EXPECT_EQ(substituted("5$$"), "5$");
  EXPECT_EQ(substituted("^/(a$|b$)$"), "^/(a$|b$)$");
  EXPECT_EQ(substituted("$"), "$");
  EXPECT_EQ(substituted("$5 $$$ $"), "$5 $$ $");
  EXPECT_EQ(substituted("a}b{"), "a}b{");
}

TEST(Substitute, NeverLooksTwice) {
  EXPECT_EQ(substituted("${TRICKY}"), "${A}\n- x: [y");
}

TEST(Substitute, RefusesWhatItDoesNotUnderstand) {
  for (const std::string_view text : {"${UNSET}", "$A", "$_", "a$b", "${", "${A", "${}", "${ A}", "${A-x}", "${1}",
                                      "${A:-${B}}", "$(id)", "${:-x}"}) {
    EXPECT_TRUE(substituted(text).starts_with("!")) << text;
  }
}

TEST(Substitute, SaysWhereEachProblemIs) {
  const Substitution result = substitute("x ${UNSET} ${A} ${OTHER} $ $X", environment);
  ASSERT_EQ(result.problems.size(), 3U);
  EXPECT_EQ(result.problems[0].where, "${UNSET}");
  EXPECT_EQ(result.problems[1].where, "${OTHER}");
  EXPECT_EQ(result.problems[2].where, "$X");
  EXPECT_EQ(result.variables, std::vector<std::string>{"A"});
}

TEST(Substitute, IsBounded) {
  const Environment large = environment_of({{"L", std::string(60'000, 'x')}});
  EXPECT_TRUE(substitute("${L}", large).problems.empty());
  EXPECT_EQ(substitute("${L}${L}${L}${L}", large).problems.size(), 1U);
}

TEST(Dotenv, ReadsWhatPeopleWrite) {
  const SourceText source{".env",
                          "# a comment\n"
                          "\n"
                          "PLAIN=some value  \n"
                          "  INDENTED=1\r\n"
                          "export EXPORTED=yes # why\n"
                          "HASH=a#b\n"
                          "EMPTY=\n"
                          "EMPTY_COMMENT= # nothing\n"
                          "SINGLE='$X \\n # \"' # comment\n"
                          "DOUBLE=\"a\\nb \\\"c\\\" \\\\ \\$ \\q # d\"\n"
                          "EQUALS=a=b=c\n"
                          "TWICE=1\n"
                          "TWICE=2"};
  std::vector<Diagnostic> diagnostics;
  const auto variables = parse_dotenv(source, diagnostics);
  EXPECT_TRUE(diagnostics.empty()) << render(diagnostics);
  const std::map<std::string, std::string, std::less<>> expected{
      {"PLAIN", "some value"}, {"INDENTED", "1"},     {"EXPORTED", "yes"},       {"HASH", "a#b"},
      {"EMPTY", ""},           {"EMPTY_COMMENT", ""}, {"SINGLE", "$X \\n # \""}, {"DOUBLE", "a\nb \"c\" \\ $ \\q # d"},
      {"EQUALS", "a=b=c"},     {"TWICE", "2"},
  };
  EXPECT_EQ(variables, expected);
}

TEST(Dotenv, ReportsEveryMistakeWithItsPlace) {
  const SourceText source{".env",
                          "A B=1\n"
                          "nothing\n"
                          "GOOD=1\n"
                          "Q=\"open\n"
                          "S='a'b\n"
                          "1X=2\n"
                          "=3\n"};
  std::vector<Diagnostic> diagnostics;
  const auto variables = parse_dotenv(source, diagnostics);
  EXPECT_EQ(variables.size(), 1U);
  std::vector<std::pair<uint32_t, uint32_t>> places;
  for (const Diagnostic& diagnostic : diagnostics) places.emplace_back(diagnostic.line, diagnostic.column);
  EXPECT_EQ(places, (std::vector<std::pair<uint32_t, uint32_t>>{{1, 1}, {2, 1}, {4, 3}, {5, 6}, {6, 1}, {7, 1}}));
}

TEST(EnvironmentLayers, TheFirstWins) {
  const Environment both = layered(environment_of({{"A", "1"}}), environment_of({{"A", "2"}, {"B", "3"}}));
  EXPECT_EQ(both("A"), "1");
  EXPECT_EQ(both("B"), "3");
  EXPECT_EQ(both("C"), std::nullopt);
}

}  // namespace
}  // namespace weir::config
