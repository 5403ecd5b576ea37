// Has no create().
#include "tests/plugins/plain.h"

PLUGIN(.create = NULL)
