// Makes the picker of an upstream follow what is known of its endpoints now: their standing, and the time since they
// came. Control thread only, on an Upstream that is not published yet.
#pragma once

#include "core/base/clock.h"
#include "core/model/upstream.h"

namespace weir {

// Reckons weights, limits and shares anew, and makes candidates and picker of them. May throw what make_picker() does.
void reshare(Upstream& upstream, Instant now);

// Would that change anything?
bool wants_reshare(const Upstream& upstream, Instant now);

}  // namespace weir
