// What to say when the command line makes no sense: which word, what was probably meant, where to read more.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace weir {

// The sentence for what `error` says, or for the word that `app` did not know. Ends in a newline.
std::string explain_usage_error(const CLI::App& app, const CLI::ParseError& error);

}  // namespace weir
