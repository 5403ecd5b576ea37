#include "net/proxy/choose.h"

#include <algorithm>

#include "net/proxy/worker.h"

namespace weir {
namespace {

// Another worker may have taken the last place between a pick and its Lease, and each Gate that is shut costs a pick.
// That it happens so often in a row means that there is no room worth the name.
constexpr int races_max = 4;

bool is_full(const Candidate& candidate) noexcept {
  const uint32_t connections = candidate.connections();
  const uint32_t limit = candidate.state->gate.limit();
  return (candidate.connections_max > 0 && connections >= candidate.connections_max) ||
         (limit > 0 && connections >= limit);
}

void note_why_not(Choice& choice, const Upstream& upstream, const TriedEndpoints& tried, Instant now) {
  for (const Candidate& candidate : upstream.candidates) {
    if (tried.contains(candidate.id)) continue;
    // Also of those that get nothing: the control thread takes the share of whose breaker is open.
    choice.shut = choice.shut || !candidate.state->gate.admits(now, true);
    choice.full = choice.full || (candidate.share > 0 && is_full(candidate));
  }
}

}  // namespace

bool has_room(const Upstream& upstream) noexcept {
  return std::any_of(upstream.candidates.begin(), upstream.candidates.end(),
                     [](const Candidate& candidate) { return candidate.share > 0 && !is_full(candidate); });
}

Choice choose_endpoint(Worker& worker, const Upstream& upstream, const ChoiceFor& wish) {
  const Instant now = worker.now();
  PickRequest request{.candidates = upstream.candidates,
                      .tried = wish.tried,
                      .key = wish.key,
                      .zone = wish.zone,
                      .worker = worker.index(),
                      .now = now,
                      .gated = upstream.resilience.learns_limits};
  Choice choice;
  for (int race = 0; race < races_max; ++race) {
    const uint32_t index = upstream.picker->pick(worker.picker_state(upstream.id), request);
    if (index == no_endpoint) {
      // Everybody who is left may be just resting.
      if (!request.gated || request.urgent) break;
      request.urgent = true;
      continue;
    }
    const Candidate& candidate = upstream.candidates[index];
    choice.lease = Lease::within(*candidate.state, candidate.connections_max);
    if (!choice.lease) {
      request.gated = true;  // where its limit may be
      continue;
    }
    // In panic nothing is believed that speaks against an endpoint.
    if (upstream.shares.panic || choice.lease.pass_gate(now, request.urgent)) {
      choice.index = index;
      return choice;
    }
    candidate.state->counters(worker.index()).refused_by_gate.add();
    request.gated = true;
  }
  note_why_not(choice, upstream, wish.tried, now);
  return choice;
}

Lease lease_of(const Upstream& upstream, uint32_t index, Instant now) {
  const Candidate& candidate = upstream.candidates[index];
  Lease lease = Lease::within(*candidate.state, candidate.connections_max);
  // Who rests is asked nevertheless: a session is not to move for a moment's trouble.
  if (lease && !upstream.shares.panic) lease.pass_gate(now, true);
  return lease;
}

void note_outcome(Lease& lease, const Upstream& upstream, unsigned worker, Instant now, Outcome outcome) {
  EndpointCounters& counters = lease.state().counters(worker);
  if (outcome == Outcome::good) {
    counters.successes.add();
    return lease.succeeded();
  }
  (outcome == Outcome::spoiled ? counters.spoiled : counters.failures).add();
  const Resilience& resilience = upstream.resilience;
  const uint32_t in_row = outcome == Outcome::spoiled ? lease.state().gate.spoiled(resilience.breaker.failures)
                                                      : lease.failed(resilience.breaker.failures);
  if (resilience.outlier_failures > 0 && in_row % resilience.outlier_failures == 0) {
    counters.failure_runs.add();
  }
  if (outcome == Outcome::unreachable) lease.state().gate.unreachable(now);
}

}  // namespace weir
