// The score that an origin reports in a header of its answers: how much work it is fit for. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

namespace weir {

// From 0 (nothing) to 1 (all that its weight says). Read are a number from 0 to 1 ("0.75") and percent ("75%"); nothing
// for anything else, because a score that is misread would turn traffic away.
std::optional<double> read_score(std::string_view text) noexcept;

}  // namespace weir
