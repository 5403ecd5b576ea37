// weir_balance_sim: plays all algorithms in all scenarios and writes the report.
//
//     weir_balance_sim                  the report, to standard output
//     weir_balance_sim --out FOLDER     FOLDER/balance_sim.md and FOLDER/balance_sim.svg
//     weir_balance_sim --check          no report; says which promises are kept, and fails if one is not
//     --quick                           half the time, one seed
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "bench/balance_sim/chart.h"
#include "bench/balance_sim/promises.h"
#include "bench/balance_sim/report.h"
#include "bench/balance_sim/tournament.h"

namespace {

using namespace weir::balance_sim;

constexpr uint32_t seeds = 5;
constexpr uint32_t seeds_quick = 1;

struct Options {
  bool check = false;
  bool quick = false;
  std::string out;
};

bool parse(int count, char** words, Options& options) {
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--check") {
      options.check = true;
    } else if (word == "--quick") {
      options.quick = true;
    } else if (word == "--out" && i + 1 < count) {
      options.out = words[++i];
    } else {
      return false;
    }
  }
  return true;
}

bool write(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (file) return true;
  std::cerr << "cannot write " << path << "\n";
  return false;
}

// Says each promise, and returns whether all are kept.
bool say(const std::vector<Promise>& promises) {
  for (const Promise& promise : promises) {
    std::cerr << (promise.kept ? "kept:   " : "BROKEN: ") << promise.sentence << "\n";
  }
  return std::all_of(promises.begin(), promises.end(), [](const Promise& promise) { return promise.kept; });
}

}  // namespace

int main(int count, char** words) {
  Options options;
  if (!parse(count, words, options)) {
    std::cerr << "usage: weir_balance_sim [--check] [--quick] [--out FOLDER]\n";
    return 2;
  }
  std::vector<Scenario> played = scenarios();
  if (options.quick) {
    for (Scenario& scenario : played) scenario.measured /= 2;
  }
  const Tournament tournament = play(played, contenders(), options.quick ? seeds_quick : seeds);
  if (!options.out.empty()) {
    const std::string stem = options.out + "/balance_sim";
    if (!write(stem + ".md", report(tournament)) || !write(stem + ".svg", chart(tournament))) return 1;
  } else if (!options.check) {
    std::cout << report(tournament);
  }
  return options.check && !say(judge(tournament)) ? 1 : 0;
}
