// Was compiled with a header that ends too early.
#include "tests/plugins/plain.h"

PLUGIN(.struct_size = offsetof(struct weir_balancer, pick))
