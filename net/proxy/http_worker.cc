#include "net/proxy/http_worker.h"

#include <algorithm>
#include <cstring>

#include "net/proxy/worker.h"

namespace weir {

std::string_view Scratch::join(std::string_view first, std::string_view second) noexcept {
  size_t joined = 0;
  for (const std::string_view text : {first, second}) {
    const size_t taken = std::min(text.size(), size - used_ - joined);
    if (taken > 0) std::memcpy(memory_.get() + used_ + joined, text.data(), taken);
    joined += taken;
  }
  return keep(joined);
}

// A session has one exchange, which may have one mirror with another exchange; each has one connection to an origin,
// and idle ones lie in the pool. All of these are limited by descriptors long before.
HttpWorker::HttpWorker(Worker& owner, uint32_t sessions_max, uint64_t seed)
    : worker(owner),
      pool(owner, sessions_max * 4),
      // And those that began and ended in one turn, of which each completion can bring so many.
      exchanges(sessions_max * 2 + Worker::completions_per_turn * L7Session::requests_at_once),
      hedges(sessions_max),
      mirrors(sessions_max),
      tunnels(sessions_max),
      blocks(sessions_max * 4),
      random(seed) {}

void HttpWorker::free_over() {
  List<Exchange, &Exchange::node> later;
  while (Exchange* exchange = exchanges_over_.pop_front()) {
    if (exchange->may_be_freed()) {
      exchanges.destroy(*exchange);
    } else {
      later.push_back(*exchange);
    }
  }
  exchanges_over_.take_all(later);
  while (Hedge* hedge = hedges_over_.pop_front()) hedges.destroy(*hedge);
  while (Mirror* mirror = mirrors_over_.pop_front()) mirrors.destroy(*mirror);
  while (Tunnel* tunnel = tunnels_over_.pop_front()) tunnels.destroy(*tunnel);
  pool.free_joined();
}

void HttpWorker::leave() {
  exchanges.for_each([](Exchange& exchange) { exchange.abort(ExchangeEnd::client_stopped); });
  pool.drain();
}

}  // namespace weir
