#include "core/balance/adaptive.h"

#include <gtest/gtest.h>

#include <string>

#include "core/balance/adaptive_judge.h"
#include "tests/unit/core/balance/pickers_fixture.h"
#include "tests/unit/core/balance/toy_servers.h"

namespace weir {
namespace {

constexpr size_t round_robin = 0;
constexpr size_t two_choices = 1;
constexpr size_t least_time = 2;

// An upstream that keeps the guesses of its workers.
class Kept {
 public:
  explicit Kept(unsigned workers = 1) : workers_(workers) {
    state_.shadows = std::make_unique<ShadowScores[]>(workers);
  }
  PickerOptions options(size_t choice) {
    PickerOptions options;
    options.adaptive_choice = adaptive_algorithms[choice];
    options.state = &state_;
    return options;
  }
  ShadowCounts counts() const { return sum_of({state_.shadows.get(), workers_}); }
  uint64_t count_of(unsigned worker) const { return state_.shadows[worker].predicted[round_robin].read().count(); }

 private:
  UpstreamState state_;
  unsigned workers_;
};

PickerOptions by_latency() {
  PickerOptions options;
  options.load = LoadMeasure::latency;
  return options;
}

std::vector<ToyServer> same(uint32_t count, const ToyServer& server) {
  return std::vector<ToyServer>(count, server);
}

constexpr uint32_t warm_up = 80'000;
constexpr uint32_t requests = 150'000;

using Results = std::array<ToyResult, shadow_count>;

// Each algorithm by itself, in a world of its own.
Results run_for_real(const std::vector<ToyServer>& servers, double arrivals_per_ms, unsigned workers = 1) {
  Results results;
  for (size_t i = 0; i < shadow_count; ++i) {
    Toy toy(servers, arrivals_per_ms, 7, workers);
    toy.use(adaptive_algorithms[i], by_latency());
    toy.run(warm_up);
    results[i] = toy.run(requests);
  }
  return results;
}

// All of them in shadow, while `choice` decides.
Results run_in_shadow(const std::vector<ToyServer>& servers, double arrivals_per_ms, size_t choice,
                      unsigned workers = 1) {
  Kept kept(workers);
  Toy toy(servers, arrivals_per_ms, 8, workers);
  toy.use("adaptive", kept.options(choice));
  toy.run(warm_up);
  const ShadowCounts before = kept.counts();
  toy.run(requests);
  ShadowCounts during = kept.counts();
  Results results;
  for (size_t i = 0; i < shadow_count; ++i) {
    during[i] -= before[i];
    EXPECT_EQ(during[i].count(), requests);
    results[i].mean_ms = static_cast<double>(during[i].mean().count()) / 1e6;
    results[i].p99_ms = static_cast<double>(during[i].quantile(0.99).count()) / 1e6;
  }
  return results;
}

// Guessed within so much of what it is.
void expect_near(const Results& guessed, const Results& real, size_t algorithm, double off) {
  SCOPED_TRACE(std::string{adaptive_algorithms[algorithm]});
  EXPECT_NEAR(guessed[algorithm].mean_ms, real[algorithm].mean_ms, off * real[algorithm].mean_ms);
  EXPECT_NEAR(guessed[algorithm].p99_ms, real[algorithm].p99_ms, off * real[algorithm].p99_ms);
}

// One slow server among four different ones: whoever decides, the shadows know what the others would do.
TEST(Adaptive, GuessesOneSlowServer) {
  for (const uint32_t at_a_time : {0U, 8U}) {
    const std::vector<ToyServer> servers{
        {1, at_a_time}, {1.5, at_a_time}, {2, at_a_time}, {3, at_a_time}, {60, at_a_time}};
    const Results real = run_for_real(servers, 0.4);
    ASSERT_GT(real[round_robin].p99_ms, 10 * real[two_choices].p99_ms);
    ASSERT_GT(real[two_choices].p99_ms, real[least_time].p99_ms);
    for (size_t choice = 0; choice < shadow_count; ++choice) {
      SCOPED_TRACE(std::to_string(at_a_time) + " at a time, decides " + std::string{adaptive_algorithms[choice]});
      const Results guessed = run_in_shadow(servers, 0.4, choice);
      EXPECT_GT(guessed[round_robin].p99_ms, 5 * guessed[two_choices].p99_ms);
      EXPECT_GT(guessed[two_choices].p99_ms, guessed[least_time].p99_ms);
      // Where the slow one is hardly ever asked, little is known of how slow it is.
      if (choice == round_robin) expect_near(guessed, real, round_robin, 0.25);
      expect_near(guessed, real, two_choices, 0.25);
      expect_near(guessed, real, least_time, 0.25);
    }
  }
}

TEST(Adaptive, GuessesThatEqualsAreEqual) {
  for (const bool constant : {false, true}) {
    const std::vector<ToyServer> servers = same(10, {5, 0, constant});
    for (size_t choice = 0; choice < shadow_count; ++choice) {
      const Results guessed = run_in_shadow(servers, 1, choice);
      for (size_t i = 0; i < shadow_count; ++i) {
        EXPECT_NEAR(guessed[i].mean_ms, 5, 0.5);
        EXPECT_NEAR(guessed[i].mean_ms, guessed[choice].mean_ms, 0.08 * guessed[choice].mean_ms);
        EXPECT_NEAR(guessed[i].p99_ms, guessed[choice].p99_ms, 0.08 * guessed[choice].p99_ms);
      }
    }
  }
}

// Servers that do one thing at a time, at 80 % of what they can do. Also where each worker sees only a quarter of it.
TEST(Adaptive, GuessesQueues) {
  const std::vector<ToyServer> servers = same(6, {1, 1});
  for (const unsigned workers : {1U, 4U}) {
    const Results real = run_for_real(servers, 4.8, workers);
    ASSERT_GT(real[round_robin].p99_ms, 1.3 * real[two_choices].p99_ms);
    ASSERT_GT(real[two_choices].p99_ms, 1.1 * real[least_time].p99_ms);
    for (size_t choice = 0; choice < shadow_count; ++choice) {
      SCOPED_TRACE(std::to_string(workers) + " workers, decides " + std::string{adaptive_algorithms[choice]});
      const Results guessed = run_in_shadow(servers, 4.8, choice, workers);
      EXPECT_GT(guessed[round_robin].p99_ms, 1.1 * guessed[two_choices].p99_ms);
      EXPECT_GT(guessed[two_choices].p99_ms, 1.05 * guessed[least_time].p99_ms);
      expect_near(guessed, real, choice, 0.25);
    }
  }
}

// More endpoints than are looked at for one arrival: fewer arrivals take place in shadow, and say the same.
TEST(Adaptive, GuessesQueuesOfMany) {
  Kept kept;
  Toy toy(same(100, {1, 1}), 80, 3);
  toy.use("adaptive", kept.options(round_robin));
  toy.run(700'000);
  const ShadowCounts before = kept.counts();
  toy.run(350'000);
  ShadowCounts during = kept.counts();
  for (size_t i = 0; i < shadow_count; ++i) {
    during[i] -= before[i];
    EXPECT_EQ(during[i].count(), 50'000U);
  }
  EXPECT_GT(during[round_robin].quantile(0.99), during[two_choices].quantile(0.99));
  EXPECT_GT(during[two_choices].quantile(0.99), during[least_time].quantile(0.99));
}

// The whole of it: shadows, judge and switch, in windows of five seconds.
// The choices, one after the other.
std::vector<size_t> try_out(const std::vector<ToyServer>& servers, double arrivals_per_ms, size_t choice,
                            uint64_t seed) {
  Kept kept;
  Toy toy(servers, arrivals_per_ms, seed);
  toy.use("adaptive", kept.options(choice));
  AdaptiveJudge judge({}, choice, kept.counts());
  std::vector<size_t> choices{choice};
  toy.run(static_cast<uint32_t>(arrivals_per_ms * 60'000), 5'000, [&] {
    if (const auto verdict = judge.window_over(kept.counts())) {
      choices.push_back(verdict->to);
      toy.use("adaptive", kept.options(verdict->to));
    }
  });
  return choices;
}

TEST(Adaptive, SwitchesOnceToWhatIsBest) {
  const std::vector<ToyServer> one_slow{{1, 0}, {1.5, 0}, {2, 0}, {3, 0}, {60, 0}};
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    for (const size_t choice : {round_robin, two_choices}) {
      EXPECT_EQ(try_out(one_slow, 2, choice, seed), (std::vector<size_t>{choice, least_time}));
      EXPECT_EQ(try_out(same(6, {1, 1}), 4.8, choice, seed), (std::vector<size_t>{choice, least_time}));
    }
    EXPECT_EQ(try_out(one_slow, 2, least_time, seed), (std::vector<size_t>{least_time}));
  }
}

// With little to do a window has some 150 arrivals, of which chance makes more than the margin now and then.
TEST(Adaptive, HardlyEverSwitchesAmongEquals) {
  int switched = 0;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    for (size_t choice = 0; choice < shadow_count; ++choice) {
      for (const double arrivals_per_ms : {0.03, 1.0}) {
        for (const bool constant : {false, true}) {
          const size_t choices = try_out(same(10, {5, 0, constant}), arrivals_per_ms, choice, seed).size();
          EXPECT_LE(choices, arrivals_per_ms < 1 ? 2U : 1U);
          switched += static_cast<int>(choices) - 1;
        }
      }
    }
  }
  EXPECT_LE(switched, 2) << "of 36";
}

// What is really picked is what the algorithm picks that was chosen, shadows or not.
TEST(Adaptive, PicksAsTheChoiceDoes) {
  const std::vector<ToyServer> servers{{1, 2}, {2, 2}, {5, 2}};
  for (size_t choice = 0; choice < shadow_count; ++choice) {
    Toy alone(servers, 1, 5);
    alone.use(adaptive_algorithms[choice], by_latency());
    Kept kept;
    Toy watched(servers, 1, 5);
    watched.use("adaptive", kept.options(choice));
    Toy unwatched(servers, 1, 5);
    PickerOptions options;
    options.adaptive_choice = adaptive_algorithms[choice];
    unwatched.use("adaptive", options);
    const std::vector<uint32_t> picked = alone.run(20'000).picked;
    EXPECT_EQ(watched.run(20'000).picked, picked);
    EXPECT_EQ(unwatched.run(20'000).picked, picked);
    EXPECT_GT(kept.count_of(0), 15'000U);
  }
}

TEST(Adaptive, SameSeedSameGuesses) {
  ShadowCounts first;
  for (int i = 0; i < 2; ++i) {
    Kept kept;
    Toy toy(same(4, {1, 1}), 2, 11);
    toy.use("adaptive", kept.options(two_choices));
    toy.run(20'000);
    if (i == 0) first = kept.counts();
    EXPECT_EQ(kept.counts(), first);
  }
}

TEST(Adaptive, NothingIsGuessedWithoutAnswers) {
  Kept kept;
  SomeEndpoints endpoints(3, 1);
  Picking picking("adaptive", endpoints, 1, kept.options(round_robin));
  picking.picks(1000);
  EXPECT_EQ(kept.counts(), ShadowCounts{});
  for (uint32_t i = 0; i < 3; ++i) {
    for (int answers = 0; answers < 500; ++answers) {
      endpoints.state(i).at(0).latency.add(std::chrono::milliseconds{1}, Instant{} + std::chrono::seconds{1},
                                           std::chrono::seconds{10});
      picking.pick();
    }
  }
  EXPECT_GT(kept.count_of(0), 100U);
}

// Each arrival counts once, however many endpoints it has to ask.
TEST(Adaptive, SecondTriesAreNoArrivals) {
  Kept kept;
  Toy toy(same(3, {1, 0}), 1);
  toy.use("adaptive", kept.options(round_robin));
  toy.run(5'000);
  const uint64_t before = kept.count_of(0);
  for (int i = 0; i < 100; ++i) toy.pick_again(0);
  EXPECT_EQ(kept.count_of(0), before);
  toy.run(100);
  EXPECT_EQ(kept.count_of(0), before + 100);
}

TEST(Adaptive, EachWorkerWritesItsOwn) {
  Kept kept(3);
  Toy toy(same(3, {1, 0}), 1, 1, 3);
  toy.use("adaptive", kept.options(round_robin));
  toy.run(30'000);
  for (unsigned worker = 0; worker < 3; ++worker)
    EXPECT_NEAR(static_cast<double>(kept.count_of(worker)), 10'000, 1'000);
}

// Another Snapshot: with other shares, with a switch, with an endpoint less and one more. What was known stays known.
TEST(Adaptive, GoesOnInTheNextSnapshot) {
  Kept kept;
  Toy toy({{1, 0}, {1, 0}, {60, 0}, {1, 0}}, 1, 4);
  toy.use("adaptive", kept.options(round_robin));
  toy.run(20'000);
  const auto guessed_of_next = [&](uint32_t count) {
    const ShadowCounts before = kept.counts();
    toy.run(count);
    ShadowCounts during = kept.counts();
    for (size_t i = 0; i < shadow_count; ++i) during[i] -= before[i];
    return during;
  };
  toy.shares() = {100, 100, 100, 0};
  toy.use("adaptive", kept.options(least_time));
  ShadowCounts during = guessed_of_next(2'000);
  EXPECT_EQ(during[least_time].count(), 2'000U);
  EXPECT_GT(during[round_robin].mean(), 5 * during[least_time].mean());
  // It is known that the one in the middle is slow, though it is now the first one.
  toy.remove(1);
  toy.remove(0);
  toy.shares() = {100, 100};
  toy.use("adaptive", kept.options(least_time));
  during = guessed_of_next(500);
  EXPECT_EQ(during[least_time].count(), 500U);
  EXPECT_GT(during[round_robin].mean(), 5 * during[least_time].mean());
}

// The time in which an endpoint had no share says nothing about it.
TEST(Adaptive, AnEndpointThatComesBackIsWhatItWas) {
  Kept kept;
  Toy toy(same(4, {1, 1}), 2, 6);
  toy.use("adaptive", kept.options(round_robin));
  toy.run(20'000);
  toy.shares()[3] = 0;
  toy.use("adaptive", kept.options(round_robin));
  toy.run(100'000);
  toy.shares()[3] = share_of_one;
  toy.use("adaptive", kept.options(round_robin));
  const ShadowCounts before = kept.counts();
  toy.run(3'000);
  LatencyCounts during = kept.counts()[round_robin];
  during -= before[round_robin];
  EXPECT_EQ(during.count(), 3'000U);
  EXPECT_LT(during.mean(), std::chrono::milliseconds{2});
}

TEST(Adaptive, HasNobodyToProposeInShadowEither) {
  Kept kept;
  const SomeEndpoints none(3, 0);
  Picking picking("adaptive", none, 1, kept.options(least_time));
  EXPECT_EQ(picking.pick(), no_endpoint);
  EXPECT_EQ(kept.counts(), ShadowCounts{});
}

TEST(Adaptive, KnowsItsAlgorithms) {
  for (size_t i = 0; i < shadow_count; ++i) {
    EXPECT_TRUE(is_picker(adaptive_algorithms[i]));
    EXPECT_EQ(adaptive_index(adaptive_algorithms[i]), i);
  }
  EXPECT_EQ(adaptive_index("adaptive"), shadow_count);
  PickerOptions itself;
  itself.adaptive_choice = "adaptive";
  EXPECT_DEATH(make_picker("adaptive", PickerMembers{}, itself), "assertion failed");
}

}  // namespace
}  // namespace weir
