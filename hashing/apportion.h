// Divides a number of equal things (slots of a table) among shareholders by weight, exactly: each gets
// total * weight / sum of weights, rounded up or down, and together they get all (the method of the largest remainder).
//
// A weight of 0 gets nothing. Remainders that are equal are served in the order given, so give an order that depends on
// nothing but identity. A pure function, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace weir::hashing {

// One share per weight; all 0 if the weights are.
std::vector<uint32_t> apportion(std::span<const uint32_t> weights, uint32_t total);

}  // namespace weir::hashing
