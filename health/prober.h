// Prober: lets many probes ask, each at its interval, without a burst (see ProbeSchedule) and not too many at a time.
//
//               .-- held up: another time --.
//               |                           |
//     add --> waiting --due--------------------------> asking --round over--> reporting
//               ^  `--due, no seat--> queued --a seat----^                        |
//               `----------------------- an interval since it was asked ---------'
//
// A round has a seat from its ask() until the last operation of it has come back, so a Prober never has more than
// `asking_max` connections. Who finds no seat stands in line: where most are silent, everybody is asked less often, but
// in turn.
//
// remove() works in every state. A probe in the middle of a round is told to give up and lives, unheard, until its
// round is over (join before close); one that is just reporting, until the report is made. Reports may therefore add
// and remove any probe, their own too, and stop the Prober; only destroy it they may not.
//
// Owned by the control loop, on its thread; driven by the loop's ring and wheel alone. After stop() it comes to rest by
// itself; it may be destroyed once stopped().
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "core/base/clock.h"
#include "core/base/list.h"
#include "core/base/timer_wheel.h"
#include "health/probe.h"
#include "health/probe_context.h"
#include "health/probe_schedule.h"

namespace weir {

class Prober {
 public:
  static constexpr uint32_t asking_max_default = 1024;

  Prober(const ProbeContext& context, uint64_t seed, uint32_t asking_max = asking_max_default);
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;
  ~Prober();

  // Its first round begins within the interval, which is more than 0. Not after stop().
  ProbeId add(std::unique_ptr<Probe> probe, Duration interval);
  // There will be no report of it any more. Nothing happens if it was removed before.
  void remove(ProbeId id);

  // For all rounds after the one under way; called by a report, it decides when the very next one begins. A probe that
  // waits keeps the time it has, unless that is more than the new interval away: then it gets a place within it.
  // Nothing happens if it was removed.
  void set_interval(ProbeId id, Duration interval);

  // Removes all.
  void stop();
  // Nothing of it is in flight: it may go.
  bool stopped() const noexcept { return stopping_ && entries_.empty(); }

  // With those that were removed and whose last operation has not come back.
  uint32_t size() const noexcept { return static_cast<uint32_t>(entries_.size()); }
  // Rounds under way.
  uint32_t asking() const noexcept { return asking_; }

 private:
  friend class Probe;

  enum class State : uint8_t { waiting, queued, asking, reporting };

  struct Entry {
    Entry(Prober& owner, std::unique_ptr<Probe> its_probe, Duration its_interval) noexcept
        : prober(owner), probe(std::move(its_probe)), interval(its_interval) {}

    Prober& prober;
    const std::unique_ptr<Probe> probe;
    Duration interval;
    State state = State::waiting;
    bool removed = false;      // goes when its round, or its report, is over
    bool was_held_up = false;  // has had its other time: once only, or a thread that is always late asks nobody
    Timer timer{on_due};       // armed exactly while waiting
    ListNode queue_node;       // in queue_ exactly while queued
    Instant began{};           // its last round
  };

  static void on_due(Timer& timer);

  void become(Entry& entry, State next);
  void due(Entry& entry);
  void ask(Entry& entry);
  void ask_next_in_line();
  // May free the probe.
  void round_over(ProbeId id);
  void erase(const Entry& entry) { entries_.erase(entry.probe->id()); }

  const ProbeContext context_;
  const uint32_t asking_max_;
  ProbeSchedule schedule_;
  bool stopping_ = false;
  uint64_t last_id_ = 0;
  uint32_t asking_ = 0;
  std::unordered_map<ProbeId, Entry> entries_;  // entries never move
  List<Entry, &Entry::queue_node> queue_;
};

}  // namespace weir
