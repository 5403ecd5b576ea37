// Has no pick().
#include "tests/plugins/plain.h"

PLUGIN(.pick = NULL)
