// Needs no memory, so it has nothing to fill it with.
#include "tests/plugins/plain.h"

PLUGIN(.state_size = 0, .state_init = NULL)
