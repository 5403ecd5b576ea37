#include "control/alerts/alert.h"

#include <nlohmann/json.hpp>
#include <time.h>

#include <array>
#include <cmath>
#include <cstdio>

namespace weir {
namespace {

constexpr std::array kinds{
#define ALERT_KIND(name, group, severity, text) \
  AlertTraits{#name, config::AlertOn::group, AlertSeverity::severity, text},
#include "control/alerts/alert_kinds.def"
#undef ALERT_KIND
};

std::string utc_time(int64_t unix_ms) {
  const std::chrono::milliseconds since_epoch{unix_ms};
  const auto whole = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const auto seconds = static_cast<time_t>(whole.count());
  tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> day{};
  strftime(day.data(), day.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>((since_epoch - whole).count()));
  return std::string{day.data()} + fraction.data();
}

// Three digits behind the point: nobody wants to read 33.33333333333333.
double rounded(double value) {
  return std::round(value * 1000) / 1000;
}

template <class Json, class Value>
Json known(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

const AlertTraits& traits_of(AlertKind kind) noexcept {
  return kinds[static_cast<size_t>(kind)];
}

std::string_view name_of(AlertSeverity severity) noexcept {
  constexpr std::array<std::string_view, 3> names{"info", "warning", "critical"};
  return names[static_cast<size_t>(severity)];
}

std::string describe(const Alert& alert) {
  std::string text = alert.upstream;
  if (!alert.endpoint.empty()) text += "/" + alert.endpoint;
  text += ": ";
  text += traits_of(alert.kind).text;
  if (!alert.reason.empty()) text += ": " + alert.reason;
  return text;
}

std::string to_json(const AlertMessage& message) {
  using Json = nlohmann::ordered_json;  // members in the order they were set, for people
  const Alert& alert = message.alert;
  const AlertTraits& traits = traits_of(alert.kind);
  Json json;
  json["alert"] = traits.name;
  json["group"] = config::name_of(traits.group);
  json["severity"] = name_of(traits.severity);
  json["time"] = utc_time(alert.unix_ms);
  json["upstream"] = alert.upstream;
  json["endpoint"] = alert.endpoint;
  json["reason"] = alert.reason;
  json["text"] = describe(alert);
  json["healthy"] = known<Json>(alert.healthy);
  json["total"] = known<Json>(alert.total);
  json["error_rate"] = alert.error_rate ? Json(rounded(*alert.error_rate)) : Json(nullptr);
  json["p99_ms"] =
      alert.p99 ? Json(rounded(std::chrono::duration<double, std::milli>(*alert.p99).count())) : Json(nullptr);
  json["host"] = message.host;
  json["rule"] = message.rule;
  json["number"] = message.number;
  json["suppressed"] = message.suppressed;
  json["lost"] = message.lost;
  // `replace`: a name that is not UTF-8 must not be what ends the control thread.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace weir
