#include "core/balance/shadows.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "core/balance/scan.h"

namespace weir {
namespace {

// A gap between arrivals that is so many times the average one is a break, and counts as no more than that. Among
// arrivals at random there is none in a million such gaps.
constexpr double break_gaps = 16;
// At least so much is no break: several arrivals are handled in one turn, at the same time.
constexpr double break_ns_min = 1e6;
constexpr double gap_weight = 1.0 / 64;

// What is asked in the worlds: limits of connections are not modelled, so that every world has every arrival.
std::vector<Candidate> made_up_candidates(const ShadowMembers& members, std::deque<EndpointState>& states) {
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < members.ids.size(); ++i) {
    candidates.push_back({&states[i], members.ids[i], members.shares[i], 0});
  }
  return candidates;
}

}  // namespace

Shadows::Shadows(const ShadowMembers& members, const ShadowPickers& pickers, Duration latency_decay, uint64_t seed,
                 Shadows* previous)
    : random_(seed), known_(members.ids.size()), latency_decay_(latency_decay) {
  for (World& world : worlds_) {
    world.levels.resize(known_.size());
    for (size_t i = 0; i < known_.size(); ++i) world.states.emplace_back(1);
  }
  for (size_t i = 0; i < known_.size(); ++i) known_[i].id = members.ids[i];
  if (previous != nullptr) {
    average_ = previous->average_;
    begun_ = previous->begun_;
    last_arrival_ = previous->last_arrival_;
    gap_ns_ = previous->gap_ns_;
    busy_ns_ = previous->busy_ns_;
    std::unordered_map<EndpointId, size_t> before;
    for (size_t i = 0; i < previous->known_.size(); ++i) before.emplace(previous->known_[i].id, i);
    for (size_t i = 0; i < known_.size(); ++i) {
      if (const auto found = before.find(known_[i].id); found != before.end())
        copy_endpoint(i, *previous, found->second);
    }
    for (size_t w = 0; w < shadow_count; ++w) {
      worlds_[w].memory = pickers[w]->make_state(seed, previous->worlds_[w].memory.get());
    }
  }
  go_on(members, pickers, latency_decay, seed);
}

void Shadows::copy_endpoint(size_t index, Shadows& from, size_t from_index) {
  known_[index] = from.known_[from_index];
  for (size_t w = 0; w < shadow_count; ++w) {
    World& world = worlds_[w];
    world.levels[index] = from.worlds_[w].levels[from_index];
    EndpointState& state = world.states[index];
    state.connections.store(world.levels[index].there, std::memory_order_relaxed);
    const LatencyEstimate& measured = from.worlds_[w].states[from_index].at(0).latency;
    if (measured.last() <= 0) continue;
    state.at(0).latency.add(Duration{static_cast<Duration::rep>(measured.last())}, measured.stamp(), latency_decay_);
  }
}

bool Shadows::fits(const ShadowMembers& members) const noexcept {
  return std::equal(known_.begin(), known_.end(), members.ids.begin(), members.ids.end(),
                    [](const Known& known, EndpointId id) { return known.id == id; });
}

void Shadows::go_on(const ShadowMembers& members, const ShadowPickers& pickers, Duration latency_decay, uint64_t seed) {
  latency_decay_ = latency_decay;
  members_ = members_with_share({{}, members.shares});
  scale_ = std::max(1U, (static_cast<uint32_t>(members_.size()) + looks_max - 1) / looks_max);
  arrivals_ = 0;
  next_look_ = 0;
  next_model_ = 0;
  sum_ = {};
  // Who was no member was not looked at: that time is not to count as what the next look saw.
  for (Known& known : known_) known.looked_at_ns = busy_ns_;
  for (size_t w = 0; w < shadow_count; ++w) {
    World& world = worlds_[w];
    world.candidates = made_up_candidates(members, world.states);
    world.memory = pickers[w]->make_state(seed + w + 1, world.memory.get());
  }
}

void Shadows::arrive(const PickRequest& request, uint32_t picked, const ShadowPickers& pickers,
                     ShadowScores& scores) noexcept {
  if (members_.empty()) return;
  if (picked != no_endpoint) known_[picked].seen.arrival(request.candidates[picked].connections());
  if (request.tried.count() > 0) return;

  pass_time(request.now);
  const auto count = static_cast<uint32_t>(members_.size());
  const uint32_t looks = std::min(count - next_look_, looks_max);
  for (uint32_t i = 0; i < looks; ++i) look(request, members_[next_look_ + i]);
  next_look_ = next_look_ + looks == count ? 0 : next_look_ + looks;

  remodel(request, members_[next_model_]);
  sum_ += known_[members_[next_model_]].seen;
  if (++next_model_ == count) {
    average_ = std::exchange(sum_, {});
    begun_ = begun_ || std::min(average_.arrivals, average_.answers) >= Observed::events_enough * count;
    next_model_ = 0;
  }
  if (!begun_ || ++arrivals_ < scale_) return;
  arrivals_ = 0;

  // The same luck in all worlds: it is not luck that they are to be compared by.
  const Luck luck{.own = exponential(), .of_others = exponential()};
  const TriedEndpoints none;
  std::array<uint64_t, shadow_count> latencies_ns{};
  for (size_t w = 0; w < shadow_count; ++w) {
    const PickRequest made_up{.candidates = worlds_[w].candidates,
                              .tried = none,
                              .key = request.key,
                              .zone = request.zone,
                              .worker = 0,
                              .now = request.now};
    latencies_ns[w] = decide(worlds_[w], *pickers[w], made_up, luck);
  }
  // All or none: they are compared on the same arrivals.
  if (std::find(latencies_ns.begin(), latencies_ns.end(), 0) != latencies_ns.end()) return;
  for (size_t w = 0; w < shadow_count; ++w) scores.predicted[w].add(latencies_ns[w]);
}

void Shadows::pass_time(Instant now) noexcept {
  if (last_arrival_ != Instant{}) {
    const auto gap = static_cast<double>((now - last_arrival_).count());
    const double counted = std::clamp(gap, 0.0, std::max(break_gaps * gap_ns_, break_ns_min));
    gap_ns_ += (counted - gap_ns_) * gap_weight;
    busy_ns_ += static_cast<int64_t>(counted);
  }
  last_arrival_ = now;
}

void Shadows::look(const PickRequest& request, uint32_t index) noexcept {
  Known& known = known_[index];
  known.seen.sample(request.candidates[index].connections(), static_cast<double>(busy_ns_ - known.looked_at_ns));
  known.looked_at_ns = busy_ns_;
  for (World& world : worlds_) let_leave(world, index, request.now);
}

void Shadows::remodel(const PickRequest& request, uint32_t index) noexcept {
  Known& known = known_[index];
  const LatencyEstimate& measured = request.candidates[index].state->at(request.worker).latency;
  if (const uint64_t answers = measured.answers(); answers != known.answers) {
    const uint64_t answered_ns = measured.answered_ns();
    known.seen.answer(static_cast<double>(answers - known.answers),
                      static_cast<double>(answered_ns - known.answered_ns));
    known.answers = answers;
    known.answered_ns = answered_ns;
  }
  Observed seen = known.seen;
  seen.fill_up(average_);
  known.model = ShadowModel::of(seen);
  known.model.service_ns *= scale_;
}

void Shadows::let_leave(World& world, uint32_t index, Instant now) noexcept {
  Level& level = world.levels[index];
  if (level.there == 0 || level.next_leaves > now) return;
  for (uint32_t departures = 0; level.there > 0 && level.next_leaves <= now; ++departures) {
    if (departures == departures_max) {
      level.next_leaves = now;
      break;
    }
    --level.there;
    if (level.there > 0) level.next_leaves += until_next_leaves(level.there, known_[index].model);
  }
  world.states[index].connections.store(level.there, std::memory_order_relaxed);
}

// How long the answer takes, in nanoseconds; 0 if nobody can tell.
uint64_t Shadows::decide(World& world, const Picker& picker, const PickRequest& request, const Luck& luck) noexcept {
  const uint32_t index = picker.pick(*world.memory, request);
  if (index == no_endpoint) return 0;
  const ShadowModel& model = known_[index].model;
  if (model.alone_ns <= 0) return 0;
  Level& level = world.levels[index];
  double latency_ns = model.alone_ns * luck.own;
  if (level.there > 0) {
    // A sum of so many varies by its root.
    const double waiting_ns = model.latency_ns(level.there) - model.alone_ns;
    latency_ns += waiting_ns * (1 + (luck.of_others - 1) / std::sqrt(static_cast<double>(level.there)));
  }
  const Duration latency{1 + static_cast<Duration::rep>(latency_ns)};
  world.states[index].at(0).latency.add(latency, request.now, latency_decay_);
  if (level.there < there_max) {
    ++level.there;
    level.next_leaves = request.now + until_next_leaves(level.there, model);
    world.states[index].connections.store(level.there, std::memory_order_relaxed);
  }
  return static_cast<uint64_t>(latency.count());
}

// Memoryless: the time may be drawn anew whenever the number of those who are there changes.
Duration Shadows::until_next_leaves(uint32_t there, const ShadowModel& model) noexcept {
  return Duration{static_cast<Duration::rep>(model.leaving_ns(there) * exponential())};
}

double Shadows::exponential() noexcept {
  return -std::log(1 - random_.unit());
}

}  // namespace weir
