// Turns: a cycle of endpoint indexes in which each endpoint comes as often as its weight says, as evenly spread as can
// be. Made once, so that the next turn is one read.
//
// It is the cycle that "smooth weighted round robin" walks (nginx, 2012): at each step every endpoint's claim grows by
// its weight, the largest claim (the first of equals) has the turn and shrinks by the sum of all weights. Weights 5, 1,
// 1 give a a b a c a a.
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace weir {

// Weights whose sum, after division by their common divisor, is at most this are honoured exactly: any two weights of
// 16 bits are. Beyond, they are scaled to about this many turns; whoever has a weight keeps one turn, so a cycle is
// never longer than this plus the number of endpoints.
inline constexpr uint32_t turns_max = 131'072;

// Indexes into `weights`; those with weight 0 have no turn. Empty if nobody has a weight.
std::vector<uint32_t> smooth_turns(std::span<const uint32_t> weights);

}  // namespace weir
