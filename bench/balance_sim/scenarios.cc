#include "bench/balance_sim/scenarios.h"

#include <algorithm>

namespace weir::balance_sim {

using std::chrono::seconds;

// Troubled origins are as far from each other as can be, so that no zone has them all.
bool Scenario::is_troubled(uint32_t origin, uint64_t seed) const noexcept {
  const auto distance = (origin + origins - static_cast<uint32_t>(seed % origins)) % origins;
  return troubled > 0 && distance * troubled % origins < troubled;
}

double Scenario::slowness(uint32_t origin, uint64_t seed, Duration at) const noexcept {
  if (trouble == Trouble::none || !is_troubled(origin, seed)) return 1;
  switch (trouble) {
    case Trouble::none: return 1;
    case Trouble::slow: return slow_factor;
    case Trouble::flapping: return at / period % 2 == 1 ? slow_factor : 1;
    case Trouble::cold: {
      const double passed = static_cast<double>((at - warm_up).count()) / static_cast<double>(period.count());
      return slow_factor + (1 - slow_factor) * std::clamp(passed, 0.0, 1.0);
    }
  }
  return 1;
}

double Scenario::capacity() const noexcept {
  return origins * slots / std::chrono::duration<double>(work_mean).count();
}

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all{
      {.name = "uniform", .sentence = "Nothing is wrong, and all clients ask equally often."},
      {.name = "busy", .sentence = "The same at 90 %.", .load = 0.9},
      {.name = "heavy tail",
       .sentence =
           "Nothing is wrong, but answers are uneven work: lognormal, its standard deviation 2.9 times its mean.",
       .work = WorkShape::lognormal},
      {.name = "zipf",
       .sentence =
           "The first of 10,000 clients asks twice as often as the second, three times as often as the third...",
       .zipf = 1},
      {.name = "bursts",
       .sentence = "Phases of 200 ms on average, in turn with 95 % and 25 % of what the origins can do.",
       .load = 0.25,
       .burst_load = 0.95},
      {.name = "one slow, light",
       .sentence =
           "One origin is 10 times slower. So little is asked that it keeps up with a quarter of it, at 80 % of "
           "its capacity.",
       .load = 0.08,
       .measured = seconds{60},
       .trouble = Trouble::slow,
       .troubled = 1},
      {.name = "one slow",
       .sentence =
           "One origin is 10 times slower, and whoever gives it a quarter of the requests gives it six times what "
           "it can do: its queue grows until the end.",
       .load = 0.6,
       .trouble = Trouble::slow,
       .troubled = 1},
      {.name = "two slow",
       .sentence = "Two origins are 10 times slower. Whoever gives them a half gives them four times what they can do.",
       .load = 0.4,
       .trouble = Trouble::slow,
       .troubled = 2},
      {.name = "flapping",
       .sentence = "One origin is well for 5 s, then 10 times slower for 5 s, and so on. On average a quarter of the "
                   "requests is not too much for it.",
       .load = 0.5,
       .trouble = Trouble::flapping,
       .troubled = 1},
      {.name = "cold",
       .sentence =
           "A fourth origin joins three that are at 80 %. It is 5 times slower at first, and warm after 10 s. Slow "
           "start over 10 s, from 10 %.",
       .load = 0.6,
       .trouble = Trouble::cold,
       .troubled = 1,
       .slow_factor = 5,
       .period = seconds{10},
       .slow_start = seconds{10}},
      {.name = "cold at once",
       .sentence = "The same without slow start.",
       .load = 0.6,
       .trouble = Trouble::cold,
       .troubled = 1,
       .slow_factor = 5,
       .period = seconds{10}},
  };
  return all;
}

}  // namespace weir::balance_sim
