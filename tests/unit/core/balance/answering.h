// Endpoints that take their time to answer, in simulated time: what pickers that go by latency are tried with.
#pragma once

#include <algorithm>
#include <queue>
#include <utility>
#include <vector>

#include "tests/unit/core/balance/pickers_fixture.h"

namespace weir {

// Requests come at an even pace, each is answered after the time of its endpoint, and the answer is measured.
class Answering {
 public:
  Answering(SomeEndpoints& endpoints, Picking& picking, std::vector<Duration> times,
            Duration decay = PickerOptions{}.latency_decay)
      : endpoints_(endpoints), picking_(picking), times_(std::move(times)), decay_(decay) {}

  void set_time(uint32_t index, Duration time) { times_[index] = time; }

  // Who got how many of that number of requests.
  std::vector<uint32_t> requests(uint32_t count, Duration interval) {
    std::vector<uint32_t> counts(endpoints_.size(), 0);
    for (uint32_t i = 0; i < count; ++i) {
      ++counts.at(request());
      wait(interval);
    }
    return counts;
  }
  uint32_t request() {
    const uint32_t index = picking_.pick();
    WEIR_ASSERT(index != no_endpoint);
    pending_.push({picking_.now, picking_.now + times_[index], index});
    ++endpoints_.state(index).connections;
    return index;
  }
  void wait(Duration duration) {
    const Instant until = picking_.now + duration;
    while (!pending_.empty() && pending_.top().answered <= until) {
      const Request done = pending_.top();
      pending_.pop();
      --endpoints_.state(done.index).connections;
      endpoints_.latency(done.index, picking_.worker).add(done.answered - done.asked, done.answered, decay_);
    }
    picking_.now = until;
  }

 private:
  struct Request {
    Instant asked;
    Instant answered;
    uint32_t index;

    bool operator<(const Request& other) const { return answered > other.answered; }
  };

  SomeEndpoints& endpoints_;
  Picking& picking_;
  std::vector<Duration> times_;
  Duration decay_;
  std::priority_queue<Request> pending_;
};

}  // namespace weir
