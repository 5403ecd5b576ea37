// Has a name that would write where it likes on a terminal.
#include "tests/plugins/plain.h"

PLUGIN(.name = "plain\x1b[2J")
