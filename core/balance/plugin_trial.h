// The trial of a balancing plug-in before it gets a say: some picks among its members, with none, some and all of them
// unusable, and a look at what it proposes and where it writes. It finds what is wrong always or often; what is wrong
// now and then is contained when it happens (core/balance/plugin.cc). A crash or an endless loop is not.
#pragma once

#include <cstdint>
#include <string>

#include "core/balance/weir_balancer.h"

namespace weir {

inline constexpr uint32_t trial_picks = 1'000;

// A reason why the balancer, which `table` made for `members`, must not be used; else "". Control thread.
std::string try_plugin(const weir_balancer& table, const void* balancer, const weir_members& members);

}  // namespace weir
