// ShadowModel: what an endpoint would do with another load than it has, guessed from what it does with the load it has.
// Observed: what one worker has seen of it, the stuff that guess is made of. Pure; part of a worker's PickerState.
//
// The one question is how much slower an endpoint gets with each request that is there already. At one extreme requests
// wait for each other (one queue, one server), at the other they do not touch each other (a thread for each, time spent
// on the network). In between, we take the rate at which requests leave while k are there to be a straight line:
//
//     leaving(k) = (queued + beside x k) / service       queued + beside = 1
//
// Nobody tells us how long a request was there. But whatever comes goes: requests leave from level k as often as they
// come at level k - 1, or the level would not come back. So the levels that arrivals found, beside the levels that
// there were over time, are the line. With N arrivals in time T, E[] over time, and `found` the mean level that
// arrivals made (the others and itself):
//
//     N / T x service         = queued x P[level > 0] + beside x E[level]
//     N / T x service x found = queued x E[level]     + beside x E[level^2]
//
// Two equations, for `service` and `beside`. The times of arrivals are the samples of "over time": good as long as they
// come at random (Poisson arrivals see time averages: Wolff, 1982).
//
// How long an answer takes is measured, at that load; with n others there it would be
//
//     alone + waiting(n),    with  alone x (n + 1) / (queued + beside x (n + 1))  for both together
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace weir {

// Sums, in which what is old counts less and less: only their proportions mean something.
struct Observed {
  // Beyond so many arrivals, or answers, everything that was seen counts half. It is memory in events, not in time: the
  // slow endpoint that nobody asks any more stays the slow endpoint.
  static constexpr double events_max = 1024;
  static constexpr double samples_max = 1 << 20;
  // With fewer arrivals of its own, an endpoint is thought to be like the average one.
  static constexpr double events_enough = 64;

  double samples = 0;  // times at which the level was looked at
  double busy = 0;     // of them, those at which it was not 0
  double level = 0;    // sum over samples: requests there, of all workers
  double squares = 0;  // sum over samples: its square
  double time_ns = 0;  // that the samples stand for

  double arrivals = 0;  // that this worker sent there
  double found = 0;     // sum over arrivals: the level that they made

  double answers = 0;  // that this worker got from there
  double answered_ns = 0;

  void sample(uint32_t there, double time) noexcept {
    const auto count = static_cast<double>(there);
    samples += 1;
    busy += there > 0 ? 1 : 0;
    level += count;
    squares += count * count;
    time_ns += time;
    if (samples >= samples_max) fade_load();
  }
  void arrival(uint32_t others) noexcept {
    arrivals += 1;
    found += static_cast<double>(others) + 1;
    if (arrivals >= events_max) fade_load();
  }
  void answer(double count, double together_ns) noexcept {
    answers += count;
    answered_ns += together_ns;
    // A loop for the many that may come between two looks.
    while (answers >= events_max) {
      answers /= 2;
      answered_ns /= 2;
    }
  }

  Observed& operator+=(const Observed& other) noexcept { return add(other, 1); }
  Observed& add(const Observed& other, double times) noexcept {
    samples += other.samples * times;
    busy += other.busy * times;
    level += other.level * times;
    squares += other.squares * times;
    time_ns += other.time_ns * times;
    arrivals += other.arrivals * times;
    found += other.found * times;
    answers += other.answers * times;
    answered_ns += other.answered_ns * times;
    return *this;
  }
  // What is missing to events_enough, as the average endpoint has it.
  void fill_up(const Observed& average) noexcept {
    if (arrivals < events_enough && average.arrivals > 0) add(average, (events_enough - arrivals) / average.arrivals);
  }

 private:
  void fade_load() noexcept {
    for (double* sum : {&samples, &busy, &level, &squares, &time_ns, &arrivals, &found}) *sum /= 2;
  }
};

struct ShadowModel {
  double alone_ns = 0;    // until an answer comes, with nobody else there; 0: nothing is known
  double beside = 1;      // the part of the work that is done side by side; the rest is queued
  double service_ns = 0;  // between two that leave, with nobody else there, as arrivals of one worker are to see it

  // How much longer an answer takes with so many there, the request itself among them, than alone.
  double slower(double there) const noexcept { return there / (1 - beside + beside * there); }
  double latency_ns(uint32_t others) const noexcept { return alone_ns * slower(static_cast<double>(others) + 1); }
  // The mean time until the next one leaves, of so many; not of none.
  double leaving_ns(uint32_t there) const noexcept {
    return service_ns / (1 - beside + beside * static_cast<double>(there));
  }

  static ShadowModel of(const Observed& seen) noexcept {
    ShadowModel model;
    if (seen.samples <= 0 || seen.arrivals <= 0 || seen.answers <= 0) return model;
    const double busy = seen.busy / seen.samples;
    const double level = seen.level / seen.samples;
    const double square = seen.squares / seen.samples;
    const double found = seen.found / seen.arrivals;
    // Both are 0 or more by what they are, and one of them is 0 at each extreme. Little load makes both small: then
    // chance (the error of such a mean) is not to decide, and half is as good a guess as any.
    const double like_beside = std::max(0.0, found * busy - level);
    const double like_queued = std::max(0.0, square - found * level);
    const double chance = 2 * std::sqrt(level / std::min(seen.arrivals, seen.samples));
    const double both = like_beside + like_queued + chance;
    model.beside = both > 0 ? (like_beside + chance / 2) / both : 0.5;
    model.service_ns = ((1 - model.beside) * busy + model.beside * level) * seen.time_ns / seen.arrivals;
    model.alone_ns = seen.answered_ns / seen.answers / model.slower(found);
    return model;
  }
};

}  // namespace weir
