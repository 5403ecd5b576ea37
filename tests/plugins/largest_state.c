// Wants all the memory there is for each worker.
#include "tests/plugins/plain.h"

PLUGIN(.state_size = WEIR_STATE_SIZE_MAX)
