// Each connection re-arms its idle timer as bytes pass; nearly all are cancelled, few fire.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "core/base/owner_of.h"
#include "core/base/random.h"
#include "core/base/timer_wheel.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Instant start{seconds(1000)};
constexpr Duration idle = minutes(10);

// Timers armed within ten minutes, in a random order, as those of a busy worker are. One that fires is armed again.
struct BusyWheel {
  struct Connection {
    explicit Connection(BusyWheel& its_wheel) : busy(its_wheel) {}

    static void expired(Timer& timer) {
      Connection& self = owner_of(timer, &Connection::timer);
      self.busy.wheel.arm(timer, self.busy.now + idle);
    }

    Timer timer{&Connection::expired};
    BusyWheel& busy;
  };

  explicit BusyWheel(int64_t count) {
    for (int64_t i = 0; i < count; ++i) wheel.arm(connections.emplace_back(*this).timer, any_deadline());
  }
  ~BusyWheel() {
    for (Connection& connection : connections) wheel.cancel(connection.timer);
  }

  Instant any_deadline() { return now + Duration(random.below(static_cast<uint64_t>(idle.count()))); }

  Instant now = start;
  Random random{1};
  std::deque<Connection> connections;
  TimerWheel wheel{start};
};

void timer_wheel_rearm(benchmark::State& state) {
  BusyWheel busy(state.range(0));
  // Chosen beforehand, so that the choice costs no more than a look into this list. These 16,384 are the active ones:
  // of a million timers, their neighbours in the slots are still somewhere in memory.
  std::vector<std::pair<Timer*, Instant>> order;
  order.reserve(1 << 14);
  for (int i = 0; i < 1 << 14; ++i) {
    order.emplace_back(&busy.connections[busy.random.below(busy.connections.size())].timer, busy.any_deadline());
  }
  std::size_t at = 0;
  for (auto _ : state) {
    const auto& [timer, deadline] = order[at++ % order.size()];
    busy.wheel.arm(*timer, deadline);
  }
}
BENCHMARK(timer_wheel_rearm)->Arg(100)->Arg(10'000)->Arg(1'000'000);

void timer_wheel_arm_cancel(benchmark::State& state) {
  BusyWheel busy(state.range(0));
  Timer timer([](Timer&) {});
  for (auto _ : state) {
    busy.wheel.arm(timer, start + seconds(5));
    busy.wheel.cancel(timer);
  }
}
BENCHMARK(timer_wheel_arm_cancel)->Arg(0)->Arg(1'000'000);

// A turn of the worker in which nothing is due: the price of asking.
void timer_wheel_turn_with_nothing_due(benchmark::State& state) {
  BusyWheel busy(state.range(0));
  busy.wheel.advance(busy.now + milliseconds(1), 1000);
  for (auto _ : state) {
    benchmark::DoNotOptimize(busy.wheel.advance(busy.now + milliseconds(1), 1000));
    benchmark::DoNotOptimize(busy.wheel.next());
  }
}
BENCHMARK(timer_wheel_turn_with_nothing_due)->Arg(100)->Arg(1'000'000);

// Time passes tick by tick. Per fired timer: it came down its levels, fired, and was armed again.
void timer_wheel_fire(benchmark::State& state) {
  BusyWheel busy(state.range(0));
  int64_t fired = 0;
  for (auto _ : state) {
    busy.now += milliseconds(8);
    fired += busy.wheel.advance(busy.now, 1'000'000);
  }
  state.counters["per_timer"] =
      benchmark::Counter(static_cast<double>(fired), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
// Two wheels' worth of ten minutes, so that each timer was seen twice on average.
BENCHMARK(timer_wheel_fire)->Arg(10'000)->Arg(1'000'000)->Iterations(150'000);

// The clock jumps a year: empty slots are skipped, not walked.
void timer_wheel_jump(benchmark::State& state) {
  Instant now = start;
  TimerWheel wheel(now);
  Timer timer([](Timer&) {});
  for (auto _ : state) {
    wheel.arm(timer, now + std::chrono::hours(24 * 364));
    now += std::chrono::hours(24 * 365);
    if (now > Instant::max() - std::chrono::hours(24 * 730)) {
      state.SkipWithError("out of years");
      break;
    }
    benchmark::DoNotOptimize(wheel.advance(now, 1));
  }
}
BENCHMARK(timer_wheel_jump)->Iterations(250);

}  // namespace
}  // namespace weir
