#include "bench/balance_sim/promises.h"

#include <cstdio>
#include <utility>

#include "bench/balance_sim/report.h"

namespace weir::balance_sim {
namespace {

// One contender in one scenario.
struct Row {
  const char* scenario;
  const char* contender;
};

// p99 of `worse` is at least `times` that of `better`.
struct Gap {
  Row worse;
  Row better;
  double times;
};

constexpr Gap gaps[] = {
    // Who measures latency finds out who is slow; who does not gives it its full share (Finagle, 2013).
    {{"one slow, light", "round_robin"}, {"one slow, light", "two_choices, latency"}, 5},
    {{"one slow, light", "round_robin"}, {"one slow, light", "least_time"}, 5},
    {{"one slow", "round_robin"}, {"one slow", "two_choices, latency"}, 5},
    {{"one slow", "round_robin"}, {"one slow", "least_time"}, 5},
    {{"flapping", "round_robin"}, {"flapping", "two_choices, latency"}, 5},
    {{"flapping", "round_robin"}, {"flapping", "least_time"}, 5},
    {{"one slow, light", "round_robin"}, {"one slow, light", "adaptive"}, 5},
    {{"one slow", "round_robin"}, {"one slow", "adaptive"}, 5},
    {{"flapping", "round_robin"}, {"flapping", "adaptive"}, 5},
    // With two slow of four, both choices are slow once in six times; only who compares all avoids them.
    {{"two slow", "round_robin"}, {"two slow", "least_time"}, 5},
    {{"two slow", "two_choices, latency"}, {"two slow", "least_time"}, 2},
    // Connections alone say it, too, but only once they pile up there.
    {{"one slow", "round_robin"}, {"one slow", "least_connections"}, 5},
    {{"one slow", "least_connections"}, {"one slow", "least_time"}, 1.5},
    {{"one slow", "two_choices"}, {"one slow", "two_choices, latency"}, 1.5},
    // The power of two choices (Mitzenmacher, 2001).
    {{"busy", "random"}, {"busy", "two_choices"}, 1.2},
    // Round robin is even, draws are not.
    {{"busy", "random"}, {"busy", "round_robin"}, 1.05},
    // A hash gives the endpoint of the hottest key what it asks for; a bound does not (Mirrokni and others, 2016).
    {{"zipf", "maglev"}, {"zipf", "maglev, bounded"}, 1.3},
    // What slow start is for.
    {{"cold at once", "round_robin"}, {"cold", "round_robin"}, 5},
};

// Who must not let a queue grow in a scenario in which that can be avoided.
constexpr Row keeps_up[] = {
    {"one slow", "least_connections"},
    {"one slow", "two_choices"},
    {"one slow", "two_choices, latency"},
    {"one slow", "least_time"},
    {"one slow", "resource_aware"},
    {"one slow", "maglev, bounded"},
    // It finds that out within the warm-up.
    {"one slow", "adaptive"},
    {"two slow", "least_time"},
    {"two slow", "least_connections"},
    {"two slow", "resource_aware"},
    {"two slow", "maglev, bounded"},
    {"flapping", "adaptive"},
};

// A figure of a contender is at most, or at least, so much.
struct Bound {
  Row row;
  double Outcome::*figure;
  const char* name;
  double at_least;
  double at_most;
};

constexpr double any = 1e300;

constexpr Bound bounds[] = {
    // Exact shares of equal weights.
    {{"uniform", "round_robin"}, &Outcome::imbalance, "imbalance", 1, 1.03},
    {{"uniform", "least_connections"}, &Outcome::imbalance, "imbalance", 1, 1.03},
    {{"uniform", "random"}, &Outcome::imbalance, "imbalance", 1, 1.06},
    // Its bound is 1.25 times the average.
    {{"zipf", "maglev, bounded"}, &Outcome::imbalance, "imbalance", 1, 1.25},
    // Clients stay in their zone as long as it can serve them.
    {{"uniform", "zone_aware"}, &Outcome::at_home, "part of requests in their client's zone", 0.99, any},
    // At 8 % of the load of all, the first endpoint has room for all requests: the three others are empty.
    {{"one slow, light", "first_fit"}, &Outcome::imbalance, "imbalance", 3.9, any},
};

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string name_of(const Row& row) {
  return std::string{row.contender} + " in \"" + row.scenario + "\"";
}

class Judge {
 public:
  explicit Judge(const Tournament& tournament) : tournament_(tournament) {}

  void gap(const Gap& gap) {
    const Outcome* worse = find(gap.worse);
    const Outcome* better = find(gap.better);
    if (worse == nullptr || better == nullptr) return;
    add("p99 of " + name_of(gap.worse) + " (" + milliseconds(worse->p99) + " ms) is at least " + number(gap.times) +
            " times that of " + name_of(gap.better) + " (" + milliseconds(better->p99) + " ms)",
        worse->p99 >= gap.times * better->p99);
  }

  void keeps_up(const Row& row) {
    const Outcome* outcome = find(row);
    if (outcome == nullptr) return;
    add(name_of(row) + " keeps up (what is in the system grew by " + number(outcome->growth * 100) +
            " % of all requests)",
        outcome->kept_up());
  }

  void bound(const Bound& bound) {
    const Outcome* outcome = find(bound.row);
    if (outcome == nullptr) return;
    const double value = outcome->*bound.figure;
    const bool has_top = bound.at_most != any;
    add(std::string{bound.name} + " of " + name_of(bound.row) + " (" + number(value) + ") is at " +
            (has_top ? "most " + number(bound.at_most) : "least " + number(bound.at_least)),
        value >= bound.at_least && value <= bound.at_most);
  }

  std::vector<Promise> promises() && { return std::move(promises_); }

 private:
  const Outcome* find(const Row& row) {
    const Outcome* outcome = tournament_.find(row.scenario, row.contender);
    if (outcome == nullptr) add(name_of(row) + " is not there", false);
    return outcome;
  }
  void add(std::string sentence, bool kept) { promises_.push_back({.sentence = std::move(sentence), .kept = kept}); }

  const Tournament& tournament_;
  std::vector<Promise> promises_;
};

}  // namespace

std::vector<Promise> judge(const Tournament& tournament) {
  Judge judge(tournament);
  for (const Gap& gap : gaps) judge.gap(gap);
  for (const Row& row : keeps_up) judge.keeps_up(row);
  for (const Bound& bound : bounds) judge.bound(bound);
  return std::move(judge).promises();
}

}  // namespace weir::balance_sim
