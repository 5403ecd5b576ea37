// HttpWorker: what the HTTP sessions and exchanges of one worker share: the pool of origin connections, slabs, and room
// to parse and build heads in.
//
// The room is for one step at a time: whatever is built there has been copied to where it stays before anybody else
// runs. Owned by a worker; touched by its thread alone.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string_view>

#include "core/base/byte_ring.h"
#include "core/base/random.h"
#include "net/http/message.h"
#include "net/proxy/blocks.h"
#include "net/proxy/exchange.h"
#include "net/proxy/hedge.h"
#include "net/proxy/mirror.h"
#include "net/proxy/origin_pool.h"
#include "net/proxy/tunnel.h"

namespace weir {

class Worker;

// Text that lives until the next clear().
class Scratch {
 public:
  static constexpr size_t size = 128 * 1024;

  void clear() noexcept { used_ = 0; }
  // What is left; keep() says how much of it was used.
  std::span<char> room() noexcept { return {memory_.get() + used_, size - used_}; }
  std::string_view keep(size_t bytes) noexcept {
    WEIR_ASSERT(bytes <= size - used_);
    const std::string_view kept{memory_.get() + used_, bytes};
    used_ += bytes;
    return kept;
  }
  // A copy, of one text or of two as one; cut where there is no more room.
  std::string_view copy(std::string_view text) noexcept { return join(text, {}); }
  std::string_view join(std::string_view first, std::string_view second) noexcept;

 private:
  std::unique_ptr<char[]> memory_ = std::make_unique<char[]>(size);
  size_t used_ = 0;
};

class HttpWorker {
 public:
  HttpWorker(Worker& owner, uint32_t sessions_max, uint64_t seed);

  Worker& worker;
  OriginPool pool;
  Slab<Exchange> exchanges;
  Slab<Hedge> hedges;
  Slab<Mirror> mirrors;
  Slab<Tunnel> tunnels;
  Blocks blocks;
  Random random;
  ByteRing* access_log = nullptr;  // where finished exchanges are written down; null: there is no log

  http::RequestHead request;  // as parsed
  http::AnswerHead answer;    // as parsed, or one of our own
  http::Fields fields;        // of a head that is being built
  http::Fields trailers;
  Scratch scratch;

  // An exchange, a mirror, a tunnel is done with; freed at the end of the turn.
  void over(Exchange& exchange) { exchanges_over_.push_back(exchange); }
  void over(Hedge& hedge) { hedges_over_.push_back(hedge); }
  void over(Mirror& mirror) { mirrors_over_.push_back(mirror); }
  void over(Tunnel& tunnel) { tunnels_over_.push_back(tunnel); }
  void free_over();

  // No session is left: ends what goes on without one (mirrors, idle connections).
  void leave();
  bool empty() const noexcept { return exchanges.size() == 0 && pool.empty(); }

 private:
  List<Exchange, &Exchange::node> exchanges_over_;
  List<Hedge, &Hedge::node> hedges_over_;
  List<Mirror, &Mirror::node> mirrors_over_;
  List<Tunnel, &Tunnel::node> tunnels_over_;
};

}  // namespace weir
