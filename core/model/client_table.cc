#include "core/model/client_table.h"

#include <atomic>
#include <limits>

#include "core/base/assert.h"

namespace weir {
namespace {

using Set = WordSets::Set;

constexpr uint32_t connections_in(uint64_t word) noexcept {
  return static_cast<uint32_t>(word);
}

constexpr uint64_t tag_in(uint64_t word) noexcept {
  return word & ~uint64_t{std::numeric_limits<uint32_t>::max()};
}

// What a set says of one client.
struct Sight {
  uint64_t connections = 0;
  uint32_t place = WordSets::ways;  // its first entry, or else a free one; `ways`: neither
  uint64_t word = 0;                // what is there
};

// Sequentially consistent, as the exchanges in enter() are: of two workers that add to different entries of a client
// and then look, one sees what the other has added.
Sight look(const Set& set, uint64_t tag) noexcept {
  Sight sight;
  bool is_own = false;
  for (uint32_t way = 0; way < WordSets::ways; ++way) {
    const uint64_t word = set.words[way].load(std::memory_order_seq_cst);
    const bool own = connections_in(word) != 0 && tag_in(word) == tag;
    if (own) sight.connections += connections_in(word);
    const bool better = own ? !is_own : connections_in(word) == 0 && sight.place == WordSets::ways;
    if (!better) continue;
    is_own = own;
    sight.place = way;
    sight.word = word;
  }
  return sight;
}

}  // namespace

ClientTable::Seat ClientTable::enter(uint64_t client, uint32_t connections_max) noexcept {
  WEIR_ASSERT(connections_max > 0);
  const uint64_t hash = sets_.hash(client);
  const uint64_t tag = hash << 32;
  const uint32_t index = sets_.set_index(hash);
  Set& set = sets_.set(index);
  for (;;) {
    Sight sight = look(set, tag);
    if (sight.connections >= connections_max) return {.admitted = false};
    if (sight.place == WordSets::ways) return {};
    std::atomic<uint64_t>& entry = set.words[sight.place];
    // The other worker got on, so this ends. Partner: look(), see there.
    if (!entry.compare_exchange_strong(sight.word, (tag | connections_in(sight.word)) + 1, std::memory_order_seq_cst)) {
      continue;
    }
    const Seat seat{.admitted = true, .counted = true, .entry = index * WordSets::ways + sight.place};
    if (look(set, tag).connections <= connections_max) return seat;
    leave(seat);
    return {.admitted = false};
  }
}

void ClientTable::leave(const Seat& seat) noexcept {
  if (!seat.counted) return;
  WEIR_ASSERT(seat.entry < sets_.count(), seat.entry);
  std::atomic<uint64_t>& entry = sets_.set(seat.entry / WordSets::ways).words[seat.entry % WordSets::ways];
  // Partner: look() of others. The word is still this client's: only without connections would it be another's.
  const uint64_t before = entry.fetch_sub(1, std::memory_order_seq_cst);
  WEIR_ASSERT(connections_in(before) > 0, seat.entry);
}

void ClientTable::leave(uint64_t client) noexcept {
  const uint64_t hash = sets_.hash(client);
  const uint64_t tag = hash << 32;
  Set& set = sets_.set_of(hash);
  for (;;) {
    Sight sight = look(set, tag);
    WEIR_ASSERT(sight.connections > 0);
    // If another worker got in between, there is still a seat of this client somewhere: ours.
    std::atomic<uint64_t>& entry = set.words[sight.place];
    if (connections_in(sight.word) > 0 &&
        entry.compare_exchange_strong(sight.word, sight.word - 1, std::memory_order_seq_cst)) {
      return;
    }
  }
}

uint32_t ClientTable::clients() const noexcept {
  uint32_t clients = 0;
  for (uint32_t index = 0; index < sets_.sets(); ++index) {
    for (const std::atomic<uint64_t>& word : sets_.set(index).words) {
      clients += connections_in(word.load(std::memory_order_relaxed)) != 0 ? 1U : 0U;
    }
  }
  return clients;
}

}  // namespace weir
