// Has a name that says nothing.
#include "tests/plugins/plain.h"

PLUGIN(.name = "")
