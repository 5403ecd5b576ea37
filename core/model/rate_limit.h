// RateLimit: how many requests (or connections) somebody may begin in some time; RateTable: how many each has begun,
// over all workers, in fixed memory.
//
// Two ways of counting:
//   token bucket    `requests` per `per`, evenly; who was quiet may begin `burst` at once. Kept as the one instant at
//                   which the bucket is full again (the generic cell rate algorithm of ATM). Exact: in any time t never
//                   more than burst + requests * t / per, and so many if they are asked for.
//   sliding window  what was begun in the present window, and so much of the window before as still lies within `per`,
//                   as if it had been spread evenly, is at most `requests`. A key's first window begins with its first
//                   request, later ones follow each other while it is busy. So who was quiet may begin `requests` at
//                   once and then no other within `per`, where a token bucket would let in as many again. What is not
//                   spread evenly is misjudged: who keeps all for the end of a window may begin requests + requests *
//                   t / per + 1 within some t up to `per`, as with a token bucket; never more than twice `requests`
//                   in a `per`, and never more than `requests` in a window.
//
// An entry is one word: a tag of the key and the count, changed by compare-and-swap, so one limit holds over all
// workers, exactly. Sets of eight entries are found by the hash of the key; where a set is full of others, the entry
// goes that is nearest to having begun nothing. So memory never grows: a crowd of keys larger than the table makes it
// forget those who are quietest, which errs on the side of letting in. Two keys are taken for one if their tags of 22
// bits are equal in the same set: of a million clients in a full table, two.
//
// Precision: time is counted in shares of 2^18 of what the rule says (of the time that one request takes to come back,
// or of `per`), so no rate is rounded: over long times it is met exactly, for every rule that RateRule::is_countable().
// A single answer is off by less than one such share. A key's first window may begin up to per / 64 late.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/model/key_source.h"
#include "core/model/word_sets.h"

namespace weir {

enum class RateAlgorithm : uint8_t { token_bucket, sliding_window };

struct RateRule {
  // What an entry can count. Any combination of these can be: 1 a day as well as 200,000 in a millisecond.
  static constexpr uint32_t requests_max = 200'000;  // and of `burst`
  static constexpr Duration per_min = std::chrono::milliseconds{1};
  static constexpr Duration per_max = std::chrono::hours{24};

  RateAlgorithm algorithm = RateAlgorithm::token_bucket;
  uint32_t requests = 0;  // per `per`, 1 or more
  Duration per = std::chrono::seconds{1};
  uint32_t burst = 0;  // token bucket: 1 or more

  constexpr bool is_countable() const noexcept {
    const bool has_burst = algorithm != RateAlgorithm::token_bucket || (burst >= 1 && burst <= requests_max);
    return requests >= 1 && requests <= requests_max && per >= per_min && per <= per_max && has_burst;
  }

  bool operator==(const RateRule&) const = default;
};

struct RateVerdict {
  bool admitted = true;
  uint32_t remaining = 0;  // so many more could begin now
  Duration retry_after{};  // until the next one would be admitted, if this one was not
  Duration reset{};        // until everything is as if nothing had been begun; 100 years at most

  bool operator==(const RateVerdict&) const = default;
};

class RateTable {
 public:
  // The greatest number of `requests` and `burst` that an entry can count.
  static constexpr uint32_t requests_max = RateRule::requests_max;

  // The rule is_countable(). `entries` is rounded up to a power of two, 1,024 at least; each costs 8 bytes.
  // Sets are found by the key and the seed, which nobody outside knows.
  RateTable(const RateRule& rule, uint32_t entries, uint64_t seed);
  RateTable(const RateTable&) = delete;
  RateTable& operator=(const RateTable&) = delete;

  const RateRule& rule() const noexcept { return rule_; }

  // One more for `key`, if that is admitted: a refused one costs nothing. `now` may be behind what other workers say:
  // less has come back by then, so that errs on the side of refusing. It should not be behind by more than it takes to
  // fill a bucket, or by `per`: in a crowded set, keys that lie so far ahead are the first to be forgotten. Behind by
  // the time of 8 million requests (40 ms at the fastest rule there is, 8 s at a million a second) all keys are.
  RateVerdict take(uint64_t key, Instant now) noexcept;

  uint32_t capacity() const noexcept { return sets_.count(); }

 private:
  const RateRule rule_;
  WordSets sets_;
};

// One limit as a listener or a route has it. Immutable in a Snapshot; the table is shared with the Registry, so that it
// outlives a reload that keeps the limit.
struct RateLimit {
  enum class Tell : uint8_t { refused, always };

  std::string name;
  std::optional<KeySource> by;  // none: all together
  uint8_t prefix = 32;          // of client_ip, in bits
  uint8_t prefix6 = 64;
  bool enforced = true;       // false: it counts whom it would refuse, and lets them in
  Tell tell = Tell::refused;  // which answers say how much is left
  std::shared_ptr<RateTable> table;
};

}  // namespace weir
