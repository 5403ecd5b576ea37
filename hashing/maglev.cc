#include "hashing/maglev.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <tuple>

#include "hashing/apportion.h"
#include "hashing/prime.h"

namespace weir::hashing {
namespace {

// Endpoints that take part, in an order that depends only on who they are.
std::vector<uint32_t> by_identity(std::span<const MaglevEndpoint> endpoints) {
  std::vector<uint32_t> order;
  order.reserve(endpoints.size());
  for (uint32_t i = 0; i < endpoints.size(); ++i) {
    if (endpoints[i].weight != 0) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return std::tie(endpoints[a].id, endpoints[a].weight) < std::tie(endpoints[b].id, endpoints[b].weight);
  });
  return order;
}

// When an endpoint takes its turns: the k-th (from 0) in round k * heaviest / weight, rounded down. So the heaviest
// takes one in each round. A fraction is added up step by step, because a division per slot would cost more than the
// rest.
class Rounds {
 public:
  Rounds(uint32_t weight, uint32_t heaviest) noexcept
      : weight_(weight), whole_(heaviest / weight), part_(heaviest % weight) {}

  uint32_t next() noexcept {
    const uint32_t result = round_;
    round_ += whole_;
    parts_ += part_;
    if (parts_ >= weight_) {
      parts_ -= weight_;
      ++round_;
    }
    return result;
  }

 private:
  uint32_t weight_;
  uint32_t whole_;
  uint32_t part_;
  uint32_t round_ = 0;
  uint64_t parts_ = 0;  // In units of 1 / weight_; less than weight_.
};

// For each slot to be taken, the place of the taker in `weights`: by rounds, within a round by place. A counting sort.
std::vector<uint32_t> turns(std::span<const uint32_t> weights, uint32_t size) {
  const uint32_t heaviest = *std::max_element(weights.begin(), weights.end());
  const std::vector<uint32_t> shares = apportion(weights, size);
  // Shares are rounded up at most, so (share - 1) * sum <= size * weight, and no turn is in a round above
  // (share - 1) * heaviest / weight <= size * heaviest / sum <= size.
  std::vector<uint32_t> begin_of_round(std::size_t{size} + 2, 0);
  for (std::size_t place = 0; place < weights.size(); ++place) {
    Rounds rounds(weights[place], heaviest);
    for (uint32_t turn = 0; turn < shares[place]; ++turn) ++begin_of_round[rounds.next() + std::size_t{1}];
  }
  std::partial_sum(begin_of_round.begin(), begin_of_round.end(), begin_of_round.begin());
  std::vector<uint32_t> result(size);
  for (std::size_t place = 0; place < weights.size(); ++place) {
    Rounds rounds(weights[place], heaviest);
    for (uint32_t turn = 0; turn < shares[place]; ++turn) {
      result[begin_of_round[rounds.next()]++] = static_cast<uint32_t>(place);
    }
  }
  return result;
}

// An endpoint's walk over the slots, best liked first.
class Preference {
 public:
  Preference(uint64_t id, uint32_t size) noexcept
      : slot_(reduce(mix64(id, 1), size)), skip_(1 + reduce(mix64(id, 2), size - 1)), size_less_skip_(size - skip_) {}

  uint32_t slot() const noexcept { return slot_; }

  // Modulo the size, in a way that does not overflow for sizes near 2^32.
  void advance() noexcept { slot_ = slot_ >= size_less_skip_ ? slot_ - size_less_skip_ : slot_ + skip_; }

 private:
  uint32_t slot_;
  uint32_t skip_;
  uint32_t size_less_skip_;
};

// As many bits as slots. Most of the time of a build goes into asking for taken slots, at random: this fits the first
// level cache where the table does not.
class TakenSlots {
 public:
  explicit TakenSlots(uint32_t size) : words_((std::size_t{size} + 63) / 64) {}

  bool contains(uint32_t slot) const noexcept { return (words_[slot / 64] >> (slot % 64) & 1) != 0; }
  void insert(uint32_t slot) noexcept { words_[slot / 64] |= uint64_t{1} << (slot % 64); }

 private:
  std::vector<uint64_t> words_;
};

template <class Number>
void populate(std::span<const MaglevEndpoint> endpoints, std::span<const uint32_t> order, std::vector<Number>& table) {
  const auto size = static_cast<uint32_t>(table.size());
  std::vector<uint32_t> weights;
  std::vector<Preference> preferences;
  weights.reserve(order.size());
  preferences.reserve(order.size());
  for (uint32_t number : order) {
    weights.push_back(endpoints[number].weight);
    preferences.emplace_back(endpoints[number].id, size);
  }
  TakenSlots taken(size);
  for (uint32_t place : turns(weights, size)) {
    Preference& preference = preferences[place];
    while (taken.contains(preference.slot())) preference.advance();
    taken.insert(preference.slot());
    table[preference.slot()] = static_cast<Number>(order[place]);
  }
}

}  // namespace

MaglevTable::MaglevTable(std::span<const MaglevEndpoint> endpoints, uint32_t size) : size_(size) {
  if (!is_prime(size)) throw std::invalid_argument("the size of a Maglev table is a prime number");
  ids_.reserve(endpoints.size());
  for (const MaglevEndpoint& endpoint : endpoints) ids_.push_back(endpoint.id);

  const std::vector<uint32_t> order = by_identity(endpoints);
  if (order.empty()) {
    wide_.assign(size, none);
  } else if (endpoints.size() < std::numeric_limits<uint16_t>::max()) {
    narrow_.resize(size);
    populate<uint16_t>(endpoints, order, narrow_);
  } else {
    wide_.resize(size);
    populate<uint32_t>(endpoints, order, wide_);
  }
}

}  // namespace weir::hashing
