// Has a name of 64 characters.
#include "tests/plugins/plain.h"

PLUGIN(.name = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
