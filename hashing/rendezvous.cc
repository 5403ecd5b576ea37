#include "hashing/rendezvous.h"

#include <algorithm>
#include <tuple>

namespace weir::hashing {

Rendezvous::Rendezvous(std::span<const RendezvousEndpoint> endpoints) {
  for (uint32_t i = 0; i < endpoints.size(); ++i) {
    if (endpoints[i].weight != 0) numbers_.push_back(i);
  }
  std::sort(numbers_.begin(), numbers_.end(), [&](uint32_t a, uint32_t b) {
    return std::tie(endpoints[a].weight, endpoints[a].id, a) > std::tie(endpoints[b].weight, endpoints[b].id, b);
  });
  ids_.reserve(numbers_.size());
  for (uint32_t place = 0; place < numbers_.size(); ++place) {
    const RendezvousEndpoint& endpoint = endpoints[numbers_[place]];
    ids_.push_back(endpoint.id);
    if (groups_.empty() || groups_.back().weight != endpoint.weight) {
      groups_.push_back({.weight = endpoint.weight, .begin = place, .end = place});
    }
    groups_.back().end = place + 1;
  }
}

void Rendezvous::Best::compare(const Leader& leader) noexcept {
  __extension__ using Wide = unsigned __int128;
  const uint64_t time = exponential(leader.x);
  if (number_ != none) {
    // time / weight, without the divisions. Within a group this order is that of x, because exponential() never falls.
    const Wide its = Wide{time} * weight_;
    const Wide ours = Wide{time_} * leader.weight;
    const bool earlier =
        its != ours ? its < ours : std::tie(leader.x, leader.id, leader.number) < std::tie(x_, id_, number_);
    if (!earlier) return;
  }
  time_ = time;
  x_ = leader.x;
  id_ = leader.id;
  weight_ = leader.weight;
  number_ = leader.number;
}

}  // namespace weir::hashing
