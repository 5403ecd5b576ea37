// Scenario: what the world does to an upstream in one simulation: how many origins there are, how fast they answer, how
// many requests come, with which keys and in which rhythm, and what goes wrong. A value; all that is random about it
// comes from the seed that it is played with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/clock.h"

namespace weir::balance_sim {

enum class WorkShape : uint8_t { exponential, lognormal };

// What happens to the troubled origins, which are others with each seed.
enum class Trouble : uint8_t {
  none,
  slow,      // everything takes them `slow_factor` times as long
  flapping,  // the same, but in every other period only
  cold,      // they join when measuring begins, that slow, and are as fast as the others after one period
};

struct Scenario {
  std::string name;
  std::string sentence;  // for the report

  uint32_t origins = 4;
  uint32_t slots = 8;  // requests that an origin works on at the same time; the others wait, first come, first served
  WorkShape work = WorkShape::exponential;
  Duration work_mean = std::chrono::milliseconds{5};

  double load = 0.7;  // arriving work as a part of what all origins can do when nothing is wrong with them
  Duration warm_up = std::chrono::seconds{20};
  Duration measured = std::chrono::seconds{25};

  uint32_t clients = 10'000;  // each with a key and in a zone of its own
  double zipf = 0;            // the client of rank r asks 1 / r^zipf times as often as the first; 0: all the same

  // Phases of exponentially distributed length, in turn with `load` and `burst_load`. 0: no bursts.
  double burst_load = 0;
  Duration phase_mean = std::chrono::milliseconds{200};

  Trouble trouble = Trouble::none;
  uint32_t troubled = 0;
  double slow_factor = 10;
  Duration period = std::chrono::seconds{5};

  Duration slow_start{};  // of endpoints that join

  Duration end() const noexcept { return warm_up + measured; }
  bool is_troubled(uint32_t origin, uint64_t seed) const noexcept;
  // How much longer work takes that this origin begins so long after the start.
  double slowness(uint32_t origin, uint64_t seed, Duration at) const noexcept;
  // Requests per second that all origins together can answer, when nothing is wrong with them.
  double capacity() const noexcept;
};

// What is reported, in that order. Each name is a row of promises.cc or of the report.
const std::vector<Scenario>& scenarios();

}  // namespace weir::balance_sim
