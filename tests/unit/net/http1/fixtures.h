// The fixtures of tests/fixtures/http1 (its README says how they are written), as values.
#pragma once

#include <string>
#include <vector>

#include "tests/unit/net/http1/replay.h"

namespace weir::http1::test {

struct Fixture {
  std::string name;  // with its file
  ReplayOptions options;
  std::string bytes;
  std::vector<std::string> events;
};

// Fails the test that calls it when a file is not as it should be.
std::vector<Fixture> all_fixtures();

}  // namespace weir::http1::test
