#include "tests/unit/core/config/support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

namespace weir::config::test {

std::filesystem::path repository() {
  // tests/unit/core/config/support.cc
  std::filesystem::path path{__FILE__};
  for (int i = 0; i < 5; ++i) path = path.parent_path();
  return path;
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder, std::string_view extension) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{folder}) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string contents(const std::filesystem::path& file) {
  std::ifstream stream{file, std::ios::binary};
  EXPECT_TRUE(stream) << "cannot read " << file;
  return {std::istreambuf_iterator<char>{stream}, {}};
}

void write(const std::filesystem::path& file, std::string_view text) {
  std::ofstream stream{file, std::ios::binary};
  stream << text;
  ASSERT_TRUE(stream.flush()) << "cannot write " << file;
}

bool regenerating() {
  return std::getenv("WEIR_REGENERATE") != nullptr;
}

ParseResult parse_fixture(const std::string& text, std::string_view name) {
  constexpr std::string_view prefix = "# env: ";
  std::map<std::string, std::string, std::less<>> variables;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line) && line.starts_with(prefix);) {
    const size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    std::string value = line.substr(equals + 1);
    if (const size_t escape = value.find("\\n"); escape != std::string::npos) value.replace(escape, 2, "\n");
    variables[line.substr(prefix.size(), equals - prefix.size())] = value;
  }
  return parse_text(text, name, environment_of(std::move(variables)), algorithms);
}

ParseResult parse(std::string_view text) {
  return parse_text(text, "weir.yaml", environment_of({}), algorithms);
}

}  // namespace weir::config::test
