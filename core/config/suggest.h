// "Did you mean ...?": the nearest known word to one that is not known. Pure functions. Any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir::config {

// How many insertions, deletions, substitutions and swaps of neighbours turn `a` into `b` (Damerau-Levenshtein, where
// no part is edited twice).
size_t edit_distance(std::string_view a, std::string_view b);

// The candidate that `word` was probably meant to be, or none if all are too far. Case and `-` against `_` count
// nothing.
std::optional<std::string_view> suggest(std::string_view word, std::span<const std::string_view> candidates);

// "did you mean `x`?" where there is such an x, else the words there are: "known here: `a`, `b`, `c`".
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace weir::config
