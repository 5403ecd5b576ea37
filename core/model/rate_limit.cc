#include "core/model/rate_limit.h"

#include "core/base/assert.h"
#include "core/model/rate_words.h"

namespace weir {

RateTable::RateTable(const RateRule& rule, uint32_t entries, uint64_t seed) : rule_(rule), sets_(entries, seed) {
  WEIR_ASSERT(rule.is_countable(), rule.requests);
}

RateVerdict RateTable::take(uint64_t key, Instant now) noexcept {
  const uint64_t hash = sets_.hash(key);
  const uint64_t tag = hash << rate_words::state_bits;
  WordSets::Set& set = sets_.set_of(hash);
  switch (rule_.algorithm) {
    case RateAlgorithm::token_bucket: return rate_words::take_in(set, tag, rate_words::Bucket(rule_, now));
    case RateAlgorithm::sliding_window: return rate_words::take_in(set, tag, rate_words::Window(rule_, now));
  }
  return {};
}

}  // namespace weir
