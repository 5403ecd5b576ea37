// The language of the stats socket: a line holds commands separated by `;`, a command is words, and each has one
// answer. The commands are the rows of stats_commands.def. Pure functions but for what reports ask the kernel; control
// thread.
//
// As in HAProxy's, `\` takes the special meaning from the character behind it, and each answer is followed by an empty
// line, which is how a reader of several answers tells them apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/stats_view.h"

namespace weir {

using StatsWords = std::vector<std::string>;

// Empty commands are left out, unless there is nothing else: then there is one, without words.
std::vector<StatsWords> split_stats_line(std::string_view line);

// The answer with its empty line. A command that is not understood gets one that starts with `stats_refusal`.
std::string answer_stats_command(const StatsWords& command, const StatsView& view);

inline constexpr std::string_view stats_refusal = "Unknown ";

}  // namespace weir
