// tests/fixtures/config/bad/<name>.yaml must be refused with exactly the report in <name>.txt.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/balance/pickers.h"
#include "tests/unit/core/config/support.h"

namespace weir::config {
namespace {

using namespace test;
using testing::AnyOf;
using testing::HasSubstr;

TEST(ConfigReports, EveryBadFileIsRefusedWithItsReport) {
  const auto files = files_in(repository() / "tests/fixtures/config/bad", ".yaml");
  ASSERT_GE(files.size(), 40U);
  for (const auto& file : files) {
    SCOPED_TRACE(file.filename());
    const ParseResult result = parse_fixture(contents(file), file.filename().string());
    EXPECT_FALSE(result.ok());
    EXPECT_FALSE(result.diagnostics.empty());
    const auto report = std::filesystem::path{file}.replace_extension(".txt");
    if (regenerating()) write(report, result.render());
    EXPECT_EQ(result.render(), contents(report));
  }
}

TEST(ConfigReports, EveryGoodFileIsTaken) {
  const auto files = files_in(repository() / "tests/fixtures/config/good", ".yaml");
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    const ParseResult result = parse_fixture(contents(file), file.filename().string());
    EXPECT_TRUE(result.ok()) << result.render();
  }
}

TEST(ConfigReports, TheExamplesAreTaken) {
  const auto files = files_in(repository() / "examples", ".yaml");
  ASSERT_GE(files.size(), 2U);
  for (const auto& file : files) {
    const ParseResult result = parse_file(file.string(), environment_of({}), picker_names());
    // What they name outside of themselves is on the machine of whoever has it.
    for (const Diagnostic& diagnostic : result.diagnostics) {
      EXPECT_THAT(diagnostic.message, AnyOf(HasSubstr("there is no such file"), HasSubstr("No such file or directory")))
          << result.render();
    }
  }
}

}  // namespace
}  // namespace weir::config
