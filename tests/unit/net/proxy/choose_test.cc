// Choosing an endpoint while other workers choose, too. The others are played by pickers that do what those would have
// done between a pick and its Lease.
#include "net/proxy/choose.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/balance/reshare.h"
#include "net/proxy/worker.h"

namespace weir {
namespace {

// Proposes what it is told to.
class ToldPicker final : public Picker {
 public:
  using Propose = std::function<uint32_t(const PickRequest&)>;

  explicit ToldPicker(Propose propose) : propose_(std::move(propose)) {}

  std::unique_ptr<PickerState> make_state(uint64_t /*seed*/, const PickerState* /*previous*/) const override {
    return std::make_unique<PickerState>();
  }
  uint32_t pick(PickerState& /*state*/, const PickRequest& request) const noexcept override {
    return propose_(request);
  }

 private:
  Propose propose_;
};

uint32_t first_usable(const PickRequest& request) {
  for (uint32_t i = 0; i < request.candidates.size(); ++i) {
    if (request.candidates[i].share > 0 && request.usable(i)) return i;
  }
  return no_endpoint;
}

class ChooseTest : public testing::Test {
 protected:
  static constexpr unsigned index = 1;  // of the worker: the second of two

  ChooseTest() {
    upstream.id = UpstreamId{0};
    upstream.version = 1;
    upstream.algorithm = "round_robin";
    upstream.state = &upstream_state;
    add(0);
    add(0);
  }

  void add(uint32_t connections_max) {
    Endpoint endpoint;
    endpoint.id = EndpointId{10 + static_cast<uint32_t>(states.size())};
    endpoint.name = "e" + std::to_string(states.size());
    endpoint.state = &states.emplace_back(2U);
    endpoint.configured_connections_max = connections_max;
    upstream.endpoints.push_back(std::move(endpoint));
  }
  void limit(size_t endpoint, uint32_t connections_max) {
    upstream.endpoints[endpoint].configured_connections_max = connections_max;
  }
  uint32_t connections(size_t endpoint) const { return states[endpoint].connections.load(std::memory_order_relaxed); }

  // A worker that knows the upstream, and has come to rest: it is on this thread from then on.
  Worker& worker(ToldPicker::Propose propose = {}) {
    const Instant now = clock_.now();
    reshare(upstream, now);
    if (propose) upstream.picker = std::make_shared<ToldPicker>(std::move(propose));
    auto snapshot = std::make_unique<Snapshot>();
    snapshot->generation = 1;
    snapshot->upstreams.push_back(std::make_shared<Upstream>(upstream));
    snapshot->upstream_by_id = {0};
    published_.publish(std::move(snapshot));
    worker_ = std::make_unique<Worker>(WorkerOptions{.index = index, .sessions_max = 4}, process_, published_, letters_,
                                       clock_);
    letters_.send({ControlMessage::Kind::drain, now});
    std::thread{[this] {
      ASSERT_TRUE(worker_->start().ok());
      worker_->run();
    }}.join();
    return *worker_;
  }

  std::deque<EndpointState> states;
  UpstreamState upstream_state;
  Upstream upstream;
  TriedEndpoints tried;

 private:
  SystemClock clock_;
  ProcessState process_{2};
  Published<Snapshot> published_{2};
  Worker::Letters letters_;
  std::unique_ptr<Worker> worker_;
};

TEST_F(ChooseTest, TakesALeaseOfWhomThePickerProposes) {
  Worker& one = worker();
  {
    const Choice first = choose_endpoint(one, upstream, {.tried = tried});
    const Choice second = choose_endpoint(one, upstream, {.tried = tried});
    ASSERT_LT(first.index, 2U);
    ASSERT_LT(second.index, 2U);
    EXPECT_NE(first.index, second.index) << "round robin";
    EXPECT_EQ(&first.lease.state(), &states[first.index]);
    EXPECT_FALSE(first.full);
    EXPECT_EQ(connections(0) + connections(1), 2U);
  }
  EXPECT_EQ(connections(0) + connections(1), 0U);
}

TEST_F(ChooseTest, TellsThePickerWhoAsks) {
  Worker& one = worker([&](const PickRequest& request) {
    EXPECT_EQ(request.candidates.data(), upstream.candidates.data());
    EXPECT_EQ(&request.tried, &tried);
    EXPECT_EQ(request.key, 42U);
    EXPECT_EQ(request.zone, ZoneId{3});
    EXPECT_EQ(request.worker, index);
    EXPECT_EQ(request.bound, nullptr);
    return 1U;
  });
  const Choice choice = choose_endpoint(one, upstream, {.tried = tried, .key = 42, .zone = ZoneId{3}});
  EXPECT_EQ(choice.index, 1U);
}

TEST_F(ChooseTest, WhoLosesTheRaceForTheLastPlaceAsksAgain) {
  limit(0, 1);
  std::vector<Lease> others;
  int picks = 0;
  Worker& one = worker([&](const PickRequest& request) {
    const uint32_t proposed = first_usable(request);
    // Another worker is faster.
    if (++picks == 1) others.emplace_back(states[proposed]);
    return proposed;
  });
  const Choice choice = choose_endpoint(one, upstream, {.tried = tried});
  EXPECT_EQ(picks, 2);
  EXPECT_EQ(choice.index, 1U);
  EXPECT_TRUE(choice.lease);
  EXPECT_EQ(connections(0), 1U) << "the other's alone";
  EXPECT_EQ(connections(1), 1U);
}

TEST_F(ChooseTest, GivesUpWhenEveryRaceIsLost) {
  limit(0, 5);
  limit(1, 5);
  int picks = 0;
  std::vector<Lease> others;
  // Whoever is proposed fills up in the same instant, and is empty again for the next look.
  Worker& one = worker([&](const PickRequest&) {
    ++picks;
    others.clear();
    for (int i = 0; i < 5; ++i) others.emplace_back(states[0]);
    return 0U;
  });
  const Choice choice = choose_endpoint(one, upstream, {.tried = tried});
  EXPECT_EQ(choice.index, no_endpoint);
  EXPECT_FALSE(choice.lease);
  EXPECT_TRUE(choice.full);
  EXPECT_GE(picks, 2);
  EXPECT_LE(picks, 8) << "a turn is bounded";
  EXPECT_EQ(connections(0), 5U);
}

TEST_F(ChooseTest, SaysWhetherSomebodyIsFull) {
  struct Row {
    const char* what;
    uint32_t limit;   // of both
    bool first_busy;  // has a connection
    bool second_busy;
    bool first_tried;
    bool second_tried;
    uint32_t index;
    bool full;
  };
  const std::vector<Row> table{
      {"room", 1, false, false, false, false, 0, false},
      {"room at one", 1, true, false, false, false, 1, false},
      {"full", 1, true, true, false, false, no_endpoint, true},
      {"one tried, one full", 1, false, true, true, false, no_endpoint, true},
      {"one full, one tried", 1, true, false, false, true, no_endpoint, true},
      {"both tried", 1, false, false, true, true, no_endpoint, false},
      {"both tried, and full by now", 1, true, true, true, true, no_endpoint, false},
      {"no limit", 0, true, true, false, false, 0, false},
      {"no limit, tried", 0, true, true, true, true, no_endpoint, false},
  };
  for (const Row& row : table) {
    SCOPED_TRACE(row.what);
    limit(0, row.limit);
    limit(1, row.limit);
    std::vector<Lease> others;
    if (row.first_busy) others.emplace_back(states[0]);
    if (row.second_busy) others.emplace_back(states[1]);
    TriedEndpoints asked;
    if (row.first_tried) asked.add(upstream.endpoints[0].id);
    if (row.second_tried) asked.add(upstream.endpoints[1].id);
    const Choice choice = choose_endpoint(worker(first_usable), upstream, {.tried = asked});
    EXPECT_EQ(choice.index, row.index);
    EXPECT_EQ(choice.full, row.full);
    EXPECT_EQ(static_cast<bool>(choice.lease), row.index != no_endpoint);
  }
}

// Who gets nothing new is not full, whatever it has: a request that waits would wait for nothing.
TEST_F(ChooseTest, WhoIsDownOrDrainedIsNotFull) {
  limit(0, 1);
  limit(1, 1);
  const Lease first{states[0]};
  const Lease second{states[1]};
  states[0].standing.up = false;
  states[1].standing.duty = Duty::drain;
  const Choice choice = choose_endpoint(worker(), upstream, {.tried = tried});
  EXPECT_EQ(choice.index, no_endpoint);
  EXPECT_FALSE(choice.full);
}

TEST_F(ChooseTest, ASessionGetsItsOwnEndpointOrNothing) {
  limit(1, 2);
  states[0].standing.duty = Duty::drain;
  reshare(upstream, Instant{});
  EXPECT_TRUE(lease_of(upstream, 0, Instant{})) << "draining: sessions come back";
  const Lease first = lease_of(upstream, 1, Instant{});
  const Lease second = lease_of(upstream, 1, Instant{});
  EXPECT_TRUE(first && second);
  EXPECT_EQ(&second.state(), &states[1]);
  EXPECT_FALSE(lease_of(upstream, 1, Instant{}));
  EXPECT_EQ(connections(1), 2U);
}

TEST_F(ChooseTest, SaysThatABreakerIsOpenAlsoWhenControlKnows) {
  for (const bool known : {false, true}) {
    for (EndpointState& each : states) {
      each.gate.open();
      each.standing.broken = known;
    }
    if (known) reshare(upstream, Instant{});
    const Choice choice = choose_endpoint(worker(), upstream, {.tried = tried});
    EXPECT_EQ(choice.index, no_endpoint);
    EXPECT_TRUE(choice.shut) << known;
    EXPECT_FALSE(choice.full);
  }
}

TEST_F(ChooseTest, WhoRestsIsAskedOnlyWhereNobodyElseIs) {
  states[0].gate.unreachable(Instant{} + std::chrono::hours{1});
  for (int i = 0; i < 20; ++i) {
    const Choice choice = choose_endpoint(worker(), upstream, {.tried = tried});
    ASSERT_NE(choice.index, no_endpoint);
    EXPECT_NE(choice.index, 0U);
  }
  for (EndpointState& each : states) each.gate.unreachable(Instant{} + std::chrono::hours{1});
  EXPECT_NE(choose_endpoint(worker(), upstream, {.tried = tried}).index, no_endpoint);
}

}  // namespace
}  // namespace weir
