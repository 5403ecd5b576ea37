// ResilienceWatch: looks, by the tick of one timer, at what live traffic says of endpoints, for each upstream that
// wants it: circuit breakers, outliers, learned limits, health scores, degradation. Each kind at its own interval, each
// in its own class; what changes in one tick is published together.
//
//     tick --> breakers (50 ms) --+--> Standings, Gates, log, alerts --> refresh
//         `--> outliers (100 ms) -+
//         `--> limits (100 ms) ---+
//         `--> scores (1 s) ------+
//         `--> degradation (1 s) -'
//
// An upstream without any of them costs nothing, and a process without any has no tick.
//
// Owned by Watches, on the control thread.
#pragma once

#include <memory>
#include <vector>

#include "control/breaker_watch.h"
#include "control/degradation_watch.h"
#include "control/health_watch.h"
#include "control/limit_watch.h"
#include "control/outlier_watch.h"
#include "control/score_watch.h"
#include "control/watch_context.h"
#include "core/base/timer_wheel.h"
#include "core/config/config.h"

namespace weir {

// What looks after one upstream. Null is what it does not want.
struct UpstreamWatches {
  UpstreamId id{};
  std::unique_ptr<BreakerWatch> breakers;
  std::unique_ptr<OutlierWatch> outliers;
  std::unique_ptr<LimitWatch> limits;
  std::unique_ptr<ScoreWatch> scores;
  std::unique_ptr<DegradationWatch> degradation;

  bool any() const noexcept { return breakers || outliers || limits || scores || degradation; }
};

class ResilienceWatch {
 public:
  // `probes` is where scores learn of them; it outlives the watch.
  ResilienceWatch(const WatchContext& context, const HealthWatch& probes);
  ~ResilienceWatch() { stop(); }
  ResilienceWatch(const ResilienceWatch&) = delete;
  ResilienceWatch& operator=(const ResilienceWatch&) = delete;

  // A configuration was published. What is known of who goes on stays; what nobody watches any more is as if nobody
  // ever had.
  void follow(const config::Config& config);
  // No timer of it is armed any more.
  void stop() { context_.probes.wheel.cancel(timer_); }

  // Null if that upstream wants nothing of this.
  const UpstreamWatches* find(UpstreamId id) const noexcept;

 private:
  // Something that is done every so often.
  struct Beat {
    Duration interval;
    Instant next = Instant::min();

    bool due(Instant now) noexcept {
      if (now < next) return false;
      next = now + interval;
      return true;
    }
  };

  static void on_tick(Timer& timer);

  bool follow(UpstreamWatches& watches, const config::UpstreamConfig& config, const Upstream& upstream);
  bool clear(const config::UpstreamConfig& config, const Upstream& upstream) const;
  void tick();
  Duration tick_interval() const noexcept;

  const WatchContext context_;
  const HealthWatch& probes_;
  std::vector<UpstreamWatches> upstreams_;
  Beat breakers_{BreakerWatch::interval};
  Beat outliers_{OutlierWatch::interval};
  Beat limits_{LimitWatch::interval};
  Beat scores_{ScoreWatch::interval};
  Beat degradations_{DegradationWatch::interval};
  Timer timer_;  // armed while upstreams_ is not empty
};

}  // namespace weir
