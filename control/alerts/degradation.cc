#include "control/alerts/degradation.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace weir {
namespace {

double milliseconds(Duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

template <class... Values>
std::string text(const char* format, Values... values) {
  std::array<char, 160> line{};
  std::snprintf(line.data(), line.size(), format, values...);
  return line.data();
}

}  // namespace

std::optional<double> Degradation::Figures::error_rate() const noexcept {
  if (requests < requests_min) return {};
  return 100.0 * static_cast<double>(errors) / static_cast<double>(requests);
}

Degradation::Level Degradation::level_of(double figure, double threshold) noexcept {
  if (figure >= threshold) return Level::reached;
  return figure <= calm * threshold ? Level::calm : Level::between;
}

Degradation::Levels Degradation::levels_of(const Figures& figures) const noexcept {
  Levels levels;
  const std::optional<double> error_rate = figures.error_rate();
  if (thresholds_.error_rate > 0 && error_rate) levels.errors = level_of(*error_rate, thresholds_.error_rate);
  if (thresholds_.p99 > Duration::zero() && error_rate) {
    levels.latency = level_of(milliseconds(figures.p99), milliseconds(thresholds_.p99));
  }
  if (thresholds_.healthy > 0 && figures.total > 0) {
    // In whole numbers, so that 2 of 3 are neither more nor less than two thirds. `healthy` itself is still enough.
    const uint64_t missing = uint64_t{100} * (figures.total - figures.healthy);
    const uint64_t missing_max = uint64_t{100 - thresholds_.healthy} * figures.total;
    const bool is_calm = static_cast<double>(missing) <= calm * static_cast<double>(missing_max);
    levels.health = missing > missing_max ? Level::reached : is_calm ? Level::calm : Level::between;
  }
  return levels;
}

Degradation::Verdict Degradation::judge(const Figures& figures, Instant now) {
  const Levels levels = levels_of(figures);
  const std::string why = reasons(figures, levels);
  note_reached(levels);
  if (!is_degraded()) {
    if (why.empty()) return {};
    degraded_since_ = now;
    calm_since_.reset();
    return {Change::degraded, why};
  }
  if (!is_calm(levels)) {
    calm_since_.reset();
    return {};
  }
  if (!calm_since_) calm_since_ = now;
  if (now - *calm_since_ < thresholds_.window) return {};
  const auto lasted = std::chrono::duration<double>(now - *degraded_since_).count();
  degraded_since_.reset();
  errors_reached_ = latency_reached_ = health_reached_ = false;
  return {Change::recovered, text("it was degraded for %.0f s", lasted)};
}

std::string Degradation::reasons(const Figures& figures, const Levels& levels) const {
  std::string all;
  const auto add = [&](const std::string& reason) { all += (all.empty() ? "" : "; ") + reason; };
  if (levels.errors == Level::reached) {
    add(text("%.1f %% of answers are errors (threshold %u %%)", figures.error_rate().value_or(0),
             thresholds_.error_rate));
  }
  if (levels.latency == Level::reached) {
    add(text("the 99th percentile of latency is %.1f ms (threshold %.1f ms)", milliseconds(figures.p99),
             milliseconds(thresholds_.p99)));
  }
  if (levels.health == Level::reached) {
    add(text("%u of %u endpoints are healthy (threshold %u %%)", figures.healthy, figures.total, thresholds_.healthy));
  }
  return all;
}

void Degradation::note_reached(const Levels& levels) noexcept {
  errors_reached_ = errors_reached_ || levels.errors == Level::reached;
  latency_reached_ = latency_reached_ || levels.latency == Level::reached;
  health_reached_ = health_reached_ || levels.health == Level::reached;
}

bool Degradation::is_calm(const Levels& levels) const noexcept {
  return (!errors_reached_ || levels.errors == Level::calm) && (!latency_reached_ || levels.latency == Level::calm) &&
         (!health_reached_ || levels.health == Level::calm);
}

}  // namespace weir
