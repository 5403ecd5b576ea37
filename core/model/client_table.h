// ClientTable: how many connections each client has, over all workers, in fixed memory. Clients are keys: hashes of
// addresses, or of networks.
//
// A table of `entries` counts in sets of eight, found by the key and a seed that nobody outside knows. An entry with
// connections is never taken from its client; where a set is full of others, a newcomer is admitted uncounted (and that
// is counted), so that a crowd cannot shut out who comes next. With twice as many entries as connections are allowed
// that hardly happens. Shared by the workers of one listener; any thread, lock-free.
//
// Two workers that meet a new client at once may give it two entries. All of them count: who enters adds itself first,
// then looks at what the client has altogether, and steps back if that is too much. Of two who were too many together
// at least one has seen the other, so a client never has more than it may; both may step back, though one had room.
#pragma once

#include <cstdint>

#include "core/model/word_sets.h"

namespace weir {

class ClientTable {
 public:
  // `entries` is rounded up to a power of two, 1,024 at least; each costs 8 bytes.
  ClientTable(uint32_t entries, uint64_t seed) : sets_(entries, seed) {}
  ClientTable(const ClientTable&) = delete;
  ClientTable& operator=(const ClientTable&) = delete;

  // A connection that is counted, or not. Given back by leave().
  struct Seat {
    bool admitted = true;
    bool counted = false;
    uint32_t entry = 0;
  };
  // Admitted if the client has fewer than `connections_max`, which is 1 or more.
  Seat enter(uint64_t client, uint32_t connections_max) noexcept;
  // Nothing happens for a Seat that was not counted.
  void leave(const Seat& seat) noexcept;
  // Gives back a seat that was counted, for who remembers whose it was and not which.
  void leave(uint64_t client) noexcept;

  uint32_t capacity() const noexcept { return sets_.count(); }
  // Entries with connections; walks over all. Control thread.
  uint32_t clients() const noexcept;

 private:
  // In each word the client's tag in the upper half, its connections in the lower one. Without connections the entry
  // is free for anybody, whatever the tag says.
  WordSets sets_;
};

}  // namespace weir
