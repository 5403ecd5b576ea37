#include "health/prober.h"

#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/base/owner_of.h"

namespace weir {

void Probe::round_over() {
  prober_->round_over(id_);
}

Prober::Prober(const ProbeContext& context, uint64_t seed, uint32_t asking_max)
    : context_(context), asking_max_(asking_max), schedule_(seed) {
  WEIR_ASSERT(asking_max > 0);
}

Prober::~Prober() {
  stop();
  WEIR_ASSERT(stopped(), size());
}

ProbeId Prober::add(std::unique_ptr<Probe> probe, Duration interval) {
  WEIR_ASSERT(!stopping_);
  WEIR_ASSERT(probe->prober_ == nullptr);
  const ProbeId id{++last_id_};
  probe->prober_ = this;
  probe->id_ = id;
  Entry& entry = entries_.try_emplace(id, *this, std::move(probe), interval).first->second;
  context_.wheel.arm(entry.timer, schedule_.first(context_.clock.now(), interval));
  return id;
}

void Prober::remove(ProbeId id) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.removed) return;
  Entry& entry = found->second;
  entry.removed = true;
  switch (entry.state) {
    case State::waiting: context_.wheel.cancel(entry.timer); return erase(entry);
    case State::queued: queue_.remove(entry); return erase(entry);
    case State::asking: return entry.probe->give_up();  // may have erased it
    case State::reporting: return;                      // round_over() is below us on the stack, and looks
  }
}

void Prober::set_interval(ProbeId id, Duration interval) {
  WEIR_ASSERT(interval > Duration::zero(), interval.count());
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.removed) return;
  Entry& entry = found->second;
  entry.interval = interval;
  if (entry.state != State::waiting) return;
  // Thousands may be hurried at the same moment (their upstream is in doubt), hence not all of them at once.
  const Instant now = context_.clock.now();
  if (entry.timer.deadline() - now > interval) context_.wheel.arm(entry.timer, schedule_.first(now, interval));
}

void Prober::stop() {
  stopping_ = true;
  // Removing may erase at once, so not while walking over them.
  std::vector<ProbeId> ids;
  ids.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) ids.push_back(id);
  for (const ProbeId id : ids) remove(id);
}

void Prober::become(Entry& entry, State next) {
  const State from = entry.state;
  const bool legal = next == State::asking      ? from == State::waiting || from == State::queued
                     : next == State::queued    ? from == State::waiting
                     : next == State::reporting ? from == State::asking
                                                : from == State::reporting;
  WEIR_ASSERT(legal, static_cast<int>(from) * 10 + static_cast<int>(next));
  entry.state = next;
}

void Prober::on_due(Timer& timer) {
  Entry& entry = owner_of(timer, &Entry::timer);
  entry.prober.due(entry);
}

void Prober::due(Entry& entry) {
  const Instant now = context_.clock.now();
  if (!entry.was_held_up) {
    if (const auto other = schedule_.catch_up(entry.timer.deadline(), now, entry.interval)) {
      entry.was_held_up = true;
      context_.wheel.arm(entry.timer, *other);
      return;
    }
  }
  if (asking_ < asking_max_) return ask(entry);
  become(entry, State::queued);
  queue_.push_back(entry);
}

void Prober::ask(Entry& entry) {
  become(entry, State::asking);
  ++asking_;
  entry.was_held_up = false;
  entry.began = context_.clock.now();
  entry.probe->ask();
}

// One round ended, so one begins. It does not end in here (see Probe::ask), so the line is not walked on our stack.
void Prober::ask_next_in_line() {
  if (stopping_) return;
  if (Entry* const next = queue_.pop_front(); next != nullptr) ask(*next);
}

void Prober::round_over(ProbeId id) {
  const auto found = entries_.find(id);
  WEIR_ASSERT(found != entries_.end());
  Entry& entry = found->second;
  WEIR_ASSERT(entry.state == State::asking, static_cast<int>(entry.state));
  --asking_;
  ask_next_in_line();
  if (!entry.removed) {
    become(entry, State::reporting);
    entry.probe->report();
  }
  if (entry.removed) return erase(entry);
  become(entry, State::waiting);
  context_.wheel.arm(entry.timer, schedule_.next(entry.began, context_.clock.now(), entry.interval));
}

}  // namespace weir
