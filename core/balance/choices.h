// How many endpoints `two_choices` may draw and compare. The configuration refuses other numbers.
#pragma once

#include <cstdint>

namespace weir {

inline constexpr uint32_t choices_min = 2;
// Beyond, each choice gains next to nothing, and the herd that two_choices avoids is back.
inline constexpr uint32_t choices_max = 16;

}  // namespace weir
