// Probe: one question to one place, asked in rounds. What is asked, and how, is a derived class's business; when, is
// the Prober's, which owns the probes.
//
// A new kind of probe is one class derived from this, for which neither the Prober nor the other kinds change.
#pragma once

#include <cstdint>

namespace weir {

class Prober;

// Given out by a Prober, never reused.
enum class ProbeId : uint64_t {};

class Probe {
 public:
  Probe() = default;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  // Nothing of it is in flight.
  virtual ~Probe() = default;

  ProbeId id() const noexcept { return id_; }

 protected:
  // The round that ask() began is over and nothing of it is in flight. What follows may destroy the probe: it comes
  // last.
  void round_over();

 private:
  friend class Prober;

  // Begins a round, which ends in one round_over(), but not before this has returned: neither a failure at once nor an
  // answer at once may call back into who is just beginning rounds.
  virtual void ask() = 0;
  // The round is not wanted any more: it ends soon, in its round_over(), which may be called from within.
  virtual void give_up() = 0;
  // After a round that was not given up: says how it went, to whoever wants to know.
  virtual void report() = 0;

  Prober* prober_ = nullptr;  // from add() on
  ProbeId id_{};
};

}  // namespace weir
