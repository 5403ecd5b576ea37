// Nothing is the matter with it.
#include "tests/plugins/plain.h"

PLUGIN(.name = "plain")
