#include "core/balance/reshare.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/balance/pickers.h"
#include "core/balance/shares.h"

namespace weir {
namespace {

// What an endpoint is, given its standing.
struct Place {
  uint32_t weight = 0;
  uint32_t connections_max = 0;
  bool takes_sessions = true;
  bool idle_wanted = true;

  bool operator==(const Place&) const = default;
};

Place place_of(const Endpoint& endpoint, const Standing& standing) {
  Place place;
  place.weight = weight_of(endpoint, standing);
  place.connections_max = endpoint.configured_connections_max;
  // An agent that says 0 means any number, as the configuration does.
  if (const uint32_t said = standing.agent_connections_max.value_or(0); said > 0) {
    place.connections_max = place.connections_max == 0 ? said : std::min(said, place.connections_max);
  }
  return place;
}

struct Reckoned {
  std::vector<Place> places;
  Shares shares;
};

Reckoned reckon(const Upstream& upstream, Instant now) {
  Reckoned reckoned;
  std::vector<Standing> standings;
  for (const Endpoint& endpoint : upstream.endpoints) {
    standings.push_back(endpoint.state->standing);
    reckoned.places.push_back(place_of(endpoint, standings.back()));
  }
  reckoned.shares = share_out(upstream.endpoints, standings, upstream.share_rules, now);
  for (size_t i = 0; i < standings.size(); ++i) {
    const bool there = standings[i].there() || reckoned.shares.panic;
    reckoned.places[i].takes_sessions = there && standings[i].worse_duty() != Duty::maint;
    reckoned.places[i].idle_wanted = there && standings[i].worse_duty() == Duty::ready;
  }
  return reckoned;
}

}  // namespace

void reshare(Upstream& upstream, Instant now) {
  Reckoned reckoned = reckon(upstream, now);
  upstream.shares = std::move(reckoned.shares);
  upstream.candidates.clear();
  for (size_t i = 0; i < upstream.endpoints.size(); ++i) {
    Endpoint& endpoint = upstream.endpoints[i];
    endpoint.weight = reckoned.places[i].weight;
    endpoint.connections_max = reckoned.places[i].connections_max;
    endpoint.takes_sessions = reckoned.places[i].takes_sessions;
    endpoint.idle_wanted = reckoned.places[i].idle_wanted;
    upstream.candidates.push_back({endpoint.state, endpoint.id, upstream.shares.each[i], endpoint.connections_max});
  }
  upstream.picker_options.adaptive_choice = upstream.state->adaptive_choice;
  upstream.picker = make_picker(upstream.algorithm, upstream.endpoints, upstream.shares, upstream.picker_options);
}

bool wants_reshare(const Upstream& upstream, Instant now) {
  const Reckoned reckoned = reckon(upstream, now);
  if (reckoned.shares != upstream.shares) return true;
  if (upstream.picker_options.adaptive_choice != upstream.state->adaptive_choice) return true;
  for (size_t i = 0; i < upstream.endpoints.size(); ++i) {
    const Endpoint& endpoint = upstream.endpoints[i];
    const Place present{endpoint.weight, endpoint.connections_max, endpoint.takes_sessions, endpoint.idle_wanted};
    if (present != reckoned.places[i]) return true;
  }
  return false;
}

}  // namespace weir
