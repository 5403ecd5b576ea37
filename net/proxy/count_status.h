// Counts an answer by the class of its status, for whoever has the five counters: a listener, an endpoint.
#pragma once

#include <cstdint>

namespace weir {

template <class Counters>
void count_status(Counters& counters, uint16_t status) noexcept {
  switch (status / 100) {
    case 1: return counters.answers_1xx.add();
    case 2: return counters.answers_2xx.add();
    case 3: return counters.answers_3xx.add();
    case 4: return counters.answers_4xx.add();
    default: return counters.answers_5xx.add();
  }
}

}  // namespace weir
