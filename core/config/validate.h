// Validation: the rules between fields, which no field can know alone. A Config made from command-line flags goes
// through the same rules. Of the system it looks only at what has to be there to compile: plug-ins, files of zones and
// of clients.
//
// A Config with no complaints can be compiled into a Snapshot, as long as those files stay. Any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "core/config/complaints.h"
#include "core/config/config.h"

namespace weir::config {

// `config` has its names (name_the_unnamed). Fields that were broken and have no value (an empty name, an address of no
// family) are passed over: they have been complained about.
std::vector<Complaint> validate(const Config& config, const WhatIsSaid& what_is_said);

// Divisible by 1 and itself alone.
bool is_prime(uint32_t number) noexcept;

}  // namespace weir::config
