// Wants more memory for each worker than there is.
#include "tests/plugins/plain.h"

PLUGIN(.state_size = WEIR_STATE_SIZE_MAX + 1)
