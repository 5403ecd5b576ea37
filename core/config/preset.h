// Presets: values for keys that an operator has not written, a set of them under one name. Applied once, between
// reading a file and checking it, so that everything behind sees plain values; whatever was written wins. Control
// thread, and the command line.
#pragma once

#include "core/config/complaints.h"
#include "core/config/config.h"

namespace weir::config {

// `what_is_said` tells which keys were written, by path; see Complaints.
void apply_presets(Config& config, const WhatIsSaid& what_is_said);

}  // namespace weir::config
