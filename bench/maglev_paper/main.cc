// weir_maglev_paper: the two figures about consistent hashing of the Maglev paper, drawn again with weir's hashing.
//
//   weir_maglev_paper [JSON]      tables to stdout; with a path, the numbers to that file, for plot.py
//
// Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, section 5.3. Figure 11: how
// evenly Maglev, a ring (Karger) and rendezvous hashing fill a table. Figure 12: how much of a Maglev table changes
// when several endpoints fail at once. Seeded, so that each run prints the same; 1 if the file cannot be written.
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <numeric>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hashing/disruption.h"
#include "hashing/hash64.h"
#include "hashing/maglev.h"
#include "hashing/rendezvous.h"
#include "hashing/ring_hash.h"

namespace weir::hashing {
namespace {

constexpr uint32_t endpoint_count = 1000;
constexpr uint32_t sizes[] = {65'537, 655'373};
constexpr uint32_t ring_points = 1000;  // The paper: "the number of views".
constexpr uint64_t namings = 5;         // Sets of names for figure 11, because one set may be lucky.
constexpr uint32_t failures[] = {1, 2, 5, 10, 15, 20};
constexpr uint32_t repetitions = 200;

std::vector<uint64_t> ids(uint64_t naming) {
  std::vector<uint64_t> result;
  result.reserve(endpoint_count);
  for (uint32_t i = 0; i < endpoint_count; ++i) result.push_back(hash64("endpoint-" + std::to_string(i), naming));
  return result;
}

template <class Endpoint>
std::vector<Endpoint> equals(const std::vector<uint64_t>& of) {
  std::vector<Endpoint> result;
  result.reserve(of.size());
  for (const uint64_t id : of) result.push_back({.id = id, .weight = 1});
  return result;
}

// The least hash of a slot: MaglevTable::lookup() takes a hash to the slot of which it is one.
uint64_t begin_of(uint32_t slot, uint32_t size) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint64_t>(((Wide{slot} << 64) + size - 1) / size);
}

// What the most and the least loaded endpoint have, in percent of the average.
struct Spread {
  double least = 0;
  double most = 0;
};

template <class Number>
Spread spread_of(const std::vector<Number>& loads) {
  const double average = static_cast<double>(std::accumulate(loads.begin(), loads.end(), Number{0})) / endpoint_count;
  const auto [least, most] = std::minmax_element(loads.begin(), loads.end());
  return {100 * static_cast<double>(*least) / average, 100 * static_cast<double>(*most) / average};
}

template <class OwnerOfSlot>
Spread spread_of_table(uint32_t size, OwnerOfSlot&& owner) {
  std::vector<uint32_t> slots(endpoint_count, 0);
  for (uint32_t slot = 0; slot < size; ++slot) ++slots[owner(slot)];
  return spread_of(slots);
}

struct Balance {
  std::string method;
  uint32_t size;               // 0: no table, the method itself
  std::vector<Spread> spread;  // by naming
};

std::vector<Balance> measure_balance() {
  std::vector<Balance> result;
  for (const uint32_t size : sizes) {
    Balance maglev{"Maglev", size, {}};
    Balance ring{"Karger (ring)", size, {}};
    Balance rendezvous{"Rendezvous", size, {}};
    for (uint64_t naming = 0; naming < namings; ++naming) {
      const auto names = ids(naming);
      const MaglevTable maglev_table(equals<MaglevEndpoint>(names), size);
      const RingHash the_ring(equals<RingEndpoint>(names), {.points = ring_points, .per_weight = 1});
      const Rendezvous the_rendezvous(equals<RendezvousEndpoint>(names));
      maglev.spread.push_back(spread_of_table(size, [&](uint32_t slot) { return maglev_table.owner(slot); }));
      ring.spread.push_back(
          spread_of_table(size, [&](uint32_t slot) { return the_ring.lookup(begin_of(slot, size)); }));
      rendezvous.spread.push_back(
          spread_of_table(size, [&](uint32_t slot) { return the_rendezvous.lookup(mix64(slot)); }));
    }
    for (Balance* row : {&maglev, &ring, &rendezvous}) result.push_back(std::move(*row));
  }
  Balance circle{"Karger (ring)", 0, {}};
  for (uint64_t naming = 0; naming < namings; ++naming) {
    const RingHash ring(equals<RingEndpoint>(ids(naming)), {.points = ring_points, .per_weight = 1});
    circle.spread.push_back(spread_of(ring.shares()));
  }
  result.push_back(std::move(circle));
  return result;
}

struct Resilience {
  uint32_t size;
  uint32_t failed;
  double moved_percent;     // of all slots
  double needless_percent;  // of all slots: those that did not belong to who failed
};

Resilience measure_failures(const std::vector<MaglevEndpoint>& all, const MaglevTable& before, uint32_t failed) {
  std::mt19937_64 random(failed);
  std::vector<uint32_t> order(all.size());
  std::iota(order.begin(), order.end(), 0);
  Resilience result{before.size(), failed, 0, 0};
  for (uint32_t repetition = 0; repetition < repetitions; ++repetition) {
    std::vector<MaglevEndpoint> rest = all;
    for (uint32_t i = 0; i < failed; ++i) {
      std::swap(order[i], order[i + reduce(random(), static_cast<uint32_t>(order.size()) - i)]);
      rest[order[i]].weight = 0;
    }
    const Disruption change = disruption(before, MaglevTable(rest, before.size()));
    result.moved_percent += 100 * change.moved_share() / repetitions;
    result.needless_percent += 100 * change.needless_share() / repetitions;
  }
  return result;
}

std::vector<Resilience> measure_resilience() {
  const auto all = equals<MaglevEndpoint>(ids(0));
  std::vector<Resilience> result;
  for (const uint32_t size : sizes) {
    const MaglevTable before(all, size);
    for (const uint32_t failed : failures) result.push_back(measure_failures(all, before, failed));
  }
  return result;
}

std::string fixed(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

// "12.3 (11.0 to 13.9)": the mean over namings, and their range.
template <class Value>
std::string with_range(const Balance& row, Value&& value) {
  std::vector<double> values;
  for (const Spread& spread : row.spread) values.push_back(value(spread));
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  return fixed(mean, 1) + " (" + fixed(*least, 1) + " to " + fixed(*most, 1) + ")";
}

void print_balance(const std::vector<Balance>& rows) {
  std::cout << "| table | method | overprovision, % | least loaded, % of the average |\n|---:|---|---:|---:|\n";
  for (const Balance& row : rows) {
    std::cout << "| " << (row.size == 0 ? "none" : std::to_string(row.size)) << " | " << row.method << " | "
              << with_range(row, [](const Spread& spread) { return spread.most - 100; }) << " | "
              << with_range(row, [](const Spread& spread) { return spread.least; }) << " |\n";
  }
}

void print_resilience(const std::vector<Resilience>& rows) {
  std::cout
      << "| failed at once, % | table | changed, % of entries | needless, % of entries |\n|---:|---:|---:|---:|\n";
  for (const Resilience& row : rows) {
    std::cout << "| " << fixed(100.0 * row.failed / endpoint_count, 1) << " | " << row.size << " | "
              << fixed(row.moved_percent, 3) << " | " << fixed(row.needless_percent, 3) << " |\n";
  }
}

bool write_json(const char* path, const std::vector<Balance>& balance, const std::vector<Resilience>& resilience) {
  std::ofstream out(path);
  out << "{\n  \"balance\": [";
  std::string_view between = "\n    ";
  for (const Balance& row : balance) {
    out << std::exchange(between, ",\n    ") << "{\"method\": \"" << row.method << "\", \"size\": " << row.size
        << ", \"least\": [";
    for (std::size_t i = 0; i < row.spread.size(); ++i) out << (i == 0 ? "" : ", ") << fixed(row.spread[i].least, 3);
    out << "], \"most\": [";
    for (std::size_t i = 0; i < row.spread.size(); ++i) out << (i == 0 ? "" : ", ") << fixed(row.spread[i].most, 3);
    out << "]}";
  }
  out << "\n  ],\n  \"resilience\": [";
  between = "\n    ";
  for (const Resilience& row : resilience) {
    out << std::exchange(between, ",\n    ") << "{\"size\": " << row.size
        << ", \"failed\": " << fixed(100.0 * row.failed / endpoint_count, 1)
        << ", \"changed\": " << fixed(row.moved_percent, 4) << ", \"needless\": " << fixed(row.needless_percent, 4)
        << "}";
  }
  out << "\n  ]\n}\n";
  out.flush();
  return out.good();
}

int main_of(const char* json) {
  const auto balance = measure_balance();
  print_balance(balance);
  std::cout << std::endl;
  const auto resilience = measure_resilience();
  print_resilience(resilience);
  if (json != nullptr && !write_json(json, balance, resilience)) {
    std::cerr << "weir_maglev_paper: cannot write " << json << '\n';
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace weir::hashing

int main(int count, char** arguments) {
  if (count > 2) {
    std::cerr << "weir_maglev_paper [JSON]\n";
    return 2;
  }
  return weir::hashing::main_of(count == 2 ? arguments[1] : nullptr);
}
