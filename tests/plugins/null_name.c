// Has no name.
#include "tests/plugins/plain.h"

PLUGIN(.name = NULL)
