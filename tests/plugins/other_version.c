// Speaks a version of the interface that is not there yet.
#include "tests/plugins/plain.h"

PLUGIN(.abi_version = 99)
