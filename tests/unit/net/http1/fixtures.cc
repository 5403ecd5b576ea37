#include "tests/unit/net/http1/fixtures.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>

namespace weir::http1::test {
namespace {

std::filesystem::path folder() {
  // tests/unit/net/http1/fixtures.cc
  std::filesystem::path path{__FILE__};
  for (int i = 0; i < 4; ++i) path = path.parent_path();
  return path / "fixtures/http1";
}

std::optional<std::string> unescape(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    switch (text[i]) {
      case 'r': bytes += '\r'; break;
      case 'n': bytes += '\n'; break;
      case 't': bytes += '\t'; break;
      case '\\': bytes += '\\'; break;
      case 'x': {
        uint8_t byte = 0;
        const std::string_view digits = text.substr(i + 1, 2);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
        if (error != std::errc{} || end != digits.data() + 2) return std::nullopt;
        bytes += static_cast<char>(byte);
        i += 2;
        break;
      }
      default: return std::nullopt;
    }
  }
  return bytes;
}

// "300 a" makes 300 times "a".
std::optional<std::string> repeat(std::string_view text) {
  size_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const auto digits = static_cast<size_t>(end - text.data());
  if (error != std::errc{} || text.substr(digits, 1) != " ") return std::nullopt;
  const std::optional<std::string> once = unescape(text.substr(digits + 1));
  if (!once) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < count; ++i) bytes += *once;
  return bytes;
}

// "@ head_bytes_max 100" and the like.
bool set_option(std::string_view text, ReplayOptions& options) {
  std::istringstream words{std::string{text}};
  std::string name;
  words >> name;
  if (name == "answers") {
    options.answers = true;
    for (std::string method; words >> method;) options.methods.push_back(http::method_of(method));
    return true;
  }
  uint32_t number = 0;
  if (!(words >> number)) return false;
  if (name == "line_bytes_max") {
    options.limits.line_bytes_max = number;
  } else if (name == "head_bytes_max") {
    options.limits.head_bytes_max = number;
  } else if (name == "fields_max") {
    options.limits.fields_max = number;
  } else {
    return false;
  }
  return true;
}

bool read_line(std::string_view line, Fixture& fixture) {
  if (line.starts_with("@ ")) return set_option(line.substr(2), fixture.options);
  if (line.starts_with("> ")) {
    fixture.events.emplace_back(line.substr(2));
    return true;
  }
  std::optional<std::string> bytes;
  if (line.starts_with("< ")) bytes = unescape(line.substr(2));
  if (line.starts_with("* ")) bytes = repeat(line.substr(2));
  if (bytes) fixture.bytes += *bytes;
  return bytes.has_value();
}

void read_file(const std::filesystem::path& path, std::vector<Fixture>& fixtures) {
  const std::string file = path.stem().string();
  std::ifstream stream{path};
  EXPECT_TRUE(stream) << path;
  bool open = false;
  size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("== ")) {
      fixtures.push_back({.name = file + ": " + line.substr(3), .options = {}, .bytes = {}, .events = {}});
      fixtures.back().options.answers = file.starts_with("answer");
      open = true;
    } else if (!open || !read_line(line, fixtures.back())) {
      ADD_FAILURE() << path << ":" << number << ": " << line;
    }
  }
}

}  // namespace

std::vector<Fixture> all_fixtures() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{folder()}) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Fixture> fixtures;
  for (const auto& file : files) read_file(file, fixtures);
  return fixtures;
}

}  // namespace weir::http1::test
