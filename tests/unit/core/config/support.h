// What the tests of core/config share: where the repository is, the fixtures, and how a text is parsed.
//
// A fixture may say on its first lines which environment it wants: `# env: NAME=value` (`\n` in the value is a
// newline). With WEIR_REGENERATE=1 the tests that compare with a file on disk write that file instead: read the
// difference before keeping it.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/parse.h"

namespace weir::config::test {

// Stands for picker_names(), so that these tests do not change with the algorithms: the plain ones and all that have
// keys of their own.
inline constexpr std::array<std::string_view, 12> algorithms{
    "round_robin", "least_connections", "two_choices", "least_time", "first_fit", "resource_aware",
    "maglev",      "ring_hash",         "rendezvous",  "zone_aware", "adaptive",  "plugin"};

std::filesystem::path repository();
std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder, std::string_view extension);
std::string contents(const std::filesystem::path& file);
void write(const std::filesystem::path& file, std::string_view text);
bool regenerating();

// In the environment that the fixture asks for.
ParseResult parse_fixture(const std::string& text, std::string_view name);
ParseResult parse(std::string_view text);  // as "weir.yaml", in an empty environment

}  // namespace weir::config::test
