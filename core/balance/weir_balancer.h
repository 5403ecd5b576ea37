// The interface of a balancing algorithm that lives in a shared object of its own, for `balance: plugin`. Plain C99,
// and C++: this is the one header that such a plug-in includes, and it needs nothing else of weir.
//
// A plug-in exports one function, weir_balancer_entry(). weir calls it once after loading, and takes from the struct it
// returns everything else:
//
//     create        control thread   once for each set of members: at start, at a reload, whenever a share changed
//       state_init  worker threads   once for each worker and balancer: the memory that this worker picks with
//       pick        worker threads   for each connection or request
//     destroy       control thread   when no worker uses that balancer any more
//
// A balancer is shared by all workers at the same time, so after create() it is read and never written. What changes
// from pick to pick belongs into the state, which one worker alone has.
//
// pick() is called in the middle of a worker's turn, where everybody else waits for it. It must not block, lock, do I/O
// or allocate, and must come back within a bounded number of steps. Nothing stands between a plug-in and the process:
// what crashes in it crashes weir, and an exception of C++ must not leave it.
//
// How the interface grows: fields are only ever added, at the end of a struct. Each struct says how long it is, so that
// both sides see what the other one knows; WEIR_HAS() asks for it. `abi_version` changes when that is not enough.
#pragma once

// NOLINTBEGIN: what a linter of C++ would like better is not C
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_BALANCER_ABI 1U
#define WEIR_STATE_SIZE_MAX 65536U
#define WEIR_BALANCER_NAME_MAX 63U  // characters
#define WEIR_NO_ENDPOINT UINT32_MAX
#define WEIR_NO_ZONE UINT32_MAX

// What weir finds out for a pick only if the plug-in wants it.
#define WEIR_WANTS_KEY 1U
#define WEIR_WANTS_ZONE 2U

// Does the other side know this field? WEIR_HAS(pick, struct weir_pick, latency_ns)
#define WEIR_HAS(object, type, field) ((object)->struct_size >= offsetof(type, field) + sizeof((object)->field))

// What the configuration says of an endpoint in `metadata`.
struct weir_label {
  const char* key;
  const char* value;
};

// An endpoint that might be picked.
struct weir_member {
  const char* name;
  const struct weir_label* labels;  // by key, ascending
  uint32_t label_count;
  // Its weight in hundredths as it is now, with health and slow start in it: 200 should get twice as much as 100.
  // 0: nothing, it must not be picked.
  uint32_t share;
  uint32_t zone;  // a number that means something only beside the zones of others; WEIR_NO_ZONE if it has none
};

// All of them. A member's index is its place here; it is what pick() returns. At least one has a share.
struct weir_members {
  uint32_t struct_size;
  uint32_t member_size;  // from one to the next: the member of a newer weir may be longer than yours
  uint32_t count;
  const struct weir_member* first;
};

static inline const struct weir_member* weir_member_at(const struct weir_members* members, uint32_t index) {
  return (const struct weir_member*)(const void*)((const char*)members->first + (size_t)index * members->member_size);
}

// One question to pick(), valid until it returns. Indexes that are too large may be asked for: they are not usable, and
// have no connections and no latency.
struct weir_pick {
  uint32_t struct_size;
  uint32_t count;        // as in weir_members
  uint64_t key;          // the hash of what the upstream is balanced by; 0 without WEIR_WANTS_KEY
  uint64_t now_ns;       // of a clock that only goes forward
  uint32_t zone;         // the client's; WEIR_NO_ZONE if it is unknown, and without WEIR_WANTS_ZONE
  uint32_t tried_count;  // endpoints that were asked for the same connection or request before, in vain
  // May this member be picked now? Not if it has no share, was tried, or is full.
  int (*usable)(const struct weir_pick* pick, uint32_t index);
  // Connections, or requests in HTTP, that it has at the moment, from all workers.
  uint32_t (*connections)(const struct weir_pick* pick, uint32_t index);
  // How long it takes to answer, averaged, as this worker has seen it lately. 0 if that is not known.
  uint64_t (*latency_ns)(const struct weir_pick* pick, uint32_t index);
};

struct weir_balancer {
  uint32_t abi_version;  // WEIR_BALANCER_ABI
  uint32_t struct_size;  // sizeof(struct weir_balancer)
  const char* name;      // for messages: 1 to WEIR_BALANCER_NAME_MAX printable characters of ASCII
  uint32_t wants;        // WEIR_WANTS_... added up
  uint32_t state_size;   // bytes of memory per worker, 0 to WEIR_STATE_SIZE_MAX

  // A balancer for these members. `options` is what the configuration says, "" if nothing. Neither lives longer than
  // the call: copy what you keep. NULL: it cannot be done; then `error` holds the reason, and the configuration is
  // refused with it.
  void* (*create)(const struct weir_members* members, const char* options, char* error, size_t error_size);

  // Frees it. No state of it is used any more.
  void (*destroy)(void* balancer);

  // Fills a worker's state: `state_size` bytes, zeroed, aligned to 64. There is nothing to free it, so it points to no
  // memory of its own. `seed` differs between workers: draw from it, and they do not walk in step. `previous` is what
  // the worker had for the balancer before, or NULL; that one had other members, or other shares, and is gone.
  // May be NULL if state_size is 0.
  void (*state_init)(const void* balancer, void* state, uint64_t seed, const void* previous);

  // The index of a usable member; WEIR_NO_ENDPOINT if none of them shall have it. Anything else is counted as a
  // mistake, and weir takes somebody usable instead. `state` is NULL if state_size is 0.
  uint32_t (*pick)(const void* balancer, void* state, const struct weir_pick* pick);
};

// What a plug-in defines and exports. The struct stays valid, and the same, as long as the plug-in is loaded.
__attribute__((visibility("default"))) const struct weir_balancer* weir_balancer_entry(void);

#ifdef __cplusplus
}
#endif
// NOLINTEND
