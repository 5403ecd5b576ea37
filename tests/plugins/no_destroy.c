// Has no destroy().
#include "tests/plugins/plain.h"

PLUGIN(.destroy = NULL)
