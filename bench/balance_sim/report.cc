#include "bench/balance_sim/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "bench/balance_sim/balancer.h"

namespace weir::balance_sim {
namespace {

std::string formatted(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string percent(double part) {
  if (part == 0) return "";
  return part < 0.0005 ? "< 0.1 %" : formatted("%.1f %%", part * 100);
}

// "123802" to "123,802".
std::string grouped(std::string digits) {
  for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > 0; place -= 3) {
    digits.insert(static_cast<size_t>(place), 1, ',');
  }
  return digits;
}

std::string whole(double value) {
  return grouped(formatted("%.0f", value));
}

// Marked if the queues grew until the end: then it says how long was simulated, and little else.
std::string latency(const Outcome& outcome, double value) {
  return milliseconds(value) + (outcome.kept_up() ? "" : " †");
}

constexpr const char* heading = R"(# Balancing algorithms, simulated

Written by `make bench-balance`. What the rows say: [docs/performance.md](../../docs/performance.md).

![p50, p99 and p999 of each algorithm in each scenario](balance_sim.svg)

)";

// What is the same in all scenarios.
std::string model(const Tournament& tournament) {
  const Scenario usual;
  std::string text = "The algorithms of weir as they are, in virtual time, each asked for the same arrivals:\n\n";
  text += "- " + whole(usual.origins) + " origins of equal weight. Each works on " + whole(usual.slots) +
          " requests at a time; the others wait there, first come, first served.\n";
  text += "- Work is exponentially distributed with a mean of " +
          whole(std::chrono::duration<double, std::milli>(usual.work_mean).count()) +
          " ms, unless the scenario says otherwise. Arrivals are Poisson.\n";
  text += "- " + whole(usual.clients) + " clients, each with a key, in two zones with two origins each.\n";
  text += "- " + whole(workers) +
          " workers, who get requests at random. Each knows the latencies of its own requests only.\n";
  text +=
      "- Load is a part of what all origins together can do when they are well. Which of them has the trouble is "
      "another one with each seed.\n";
  text += "- Medians over " + whole(tournament.seeds) + " seeds, of the requests that arrive after " +
          whole(std::chrono::duration<double>(usual.warm_up).count()) + " s.\n";
  return text;
}

constexpr const char* legend = R"(
`first_fit` has `connections_max: 16` for each endpoint; nobody else has a limit. All other options are the defaults.
What `plugin` does is somebody else's code, and does not take part.

Times are milliseconds from arrival to answer. *Imbalance*: how busy the busiest origin was, divided by the average.
*Refused*: all endpoints were full; such a request counts as one that is never answered. *Grows*, †: more came than was
answered, so queues grew until the end, and the figure says how long was simulated and little else.

)";

std::string overview(const Tournament& tournament) {
  std::string text = "## p99\n\n| |";
  for (const Scenario& scenario : tournament.scenarios) text += " " + scenario.name + " |";
  text += "\n| --- |";
  for (size_t i = 0; i < tournament.scenarios.size(); ++i) text += " ---: |";
  text += "\n";
  for (size_t j = 0; j < tournament.contenders.size(); ++j) {
    text += "| " + tournament.contenders[j].label + " |";
    for (const std::vector<Outcome>& row : tournament.outcomes) {
      text += " " + (row[j].kept_up() ? milliseconds(row[j].p99) : "*grows*") + " |";
    }
    text += "\n";
  }
  return text + "\n";
}

std::string details(const Tournament& tournament, size_t i) {
  const Scenario& scenario = tournament.scenarios[i];
  const std::vector<Outcome>& outcomes = tournament.outcomes[i];
  const double load = scenario.burst_load > 0 ? (scenario.load + scenario.burst_load) / 2 : scenario.load;
  std::string text = "## " + scenario.name + "\n\n" + scenario.sentence + " Load " + formatted("%.0f %%", load * 100) +
                     ", " + whole(outcomes.front().requests) + " requests.\n\n" +
                     "| | p50 | p99 | p999 | mean | imbalance | refused |\n"
                     "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  for (size_t j = 0; j < outcomes.size(); ++j) {
    const Outcome& outcome = outcomes[j];
    text += "| " + tournament.contenders[j].label + " | " + latency(outcome, outcome.p50) + " | " +
            latency(outcome, outcome.p99) + " | " + latency(outcome, outcome.p999) + " | " +
            latency(outcome, outcome.mean) + " | " + formatted("%.2f", outcome.imbalance) + " | " +
            percent(outcome.refused) + " |\n";
  }
  return text + "\n";
}

}  // namespace

std::string milliseconds(double value) {
  if (std::isinf(value)) return "never";
  if (value < 9.995) return formatted("%.2f", value);
  if (value < 99.95) return formatted("%.1f", value);
  return whole(value);
}

std::string report(const Tournament& tournament) {
  std::string text = heading + model(tournament) + legend + overview(tournament);
  for (size_t i = 0; i < tournament.scenarios.size(); ++i) text += details(tournament, i);
  text.pop_back();
  return text;
}

}  // namespace weir::balance_sim
