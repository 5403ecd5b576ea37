// Wants something that this weir does not know.
#include "tests/plugins/plain.h"

PLUGIN(.wants = WEIR_WANTS_KEY | 8U)
