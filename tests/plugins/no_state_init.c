// Has no state_init().
#include "tests/plugins/plain.h"

PLUGIN(.state_init = NULL)
