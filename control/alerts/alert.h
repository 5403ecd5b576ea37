// Alert: something about an upstream or an endpoint that somebody outside should hear of. What there is to hear of is
// the table alert_kinds.def; how it is written for receivers is to_json(), whose field names are a promise
// (docs/operating/alerts.md). Values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/config/choices.h"

namespace weir {

enum class AlertKind : uint8_t {
#define ALERT_KIND(name, group, severity, text) name,
#include "control/alerts/alert_kinds.def"
#undef ALERT_KIND
};

enum class AlertSeverity : uint8_t { info, warning, critical };

// The row of a kind.
struct AlertTraits {
  std::string_view name;
  config::AlertOn group;
  AlertSeverity severity;
  std::string_view text;
};

const AlertTraits& traits_of(AlertKind kind) noexcept;
std::string_view name_of(AlertSeverity severity) noexcept;

struct Alert {
  // Whatever a reason quotes: queues are bounded in bytes as well.
  static constexpr size_t reason_bytes_max = 1000;

  AlertKind kind = AlertKind::endpoint_down;
  std::string upstream;
  std::string endpoint;  // "": it is about the whole upstream
  std::string reason;    // as the log would say it; may be empty
  int64_t unix_ms = 0;   // the time of day; 0: that of raise()
  // Where they say something.
  std::optional<uint32_t> healthy{};   // endpoints that take work
  std::optional<uint32_t> total{};     // endpoints
  std::optional<double> error_rate{};  // percent
  std::optional<Duration> p99{};       // of answers' first bytes
};

// What is said with an alert to one receiver.
struct AlertMessage {
  Alert alert;
  std::string rule;
  std::string host;         // the machine's name
  uint64_t number = 0;      // among the alerts of its rule, those counted that were never sent
  uint64_t suppressed = 0;  // by the rule's limit, since what this receiver has got last
  uint64_t lost = 0;        // given up, or dropped from a full queue, since then
};

// "app/10.0.0.1:80: the endpoint is down: connection refused".
std::string describe(const Alert& alert);

// One line, without a newline. Always valid: what is no UTF-8 becomes U+FFFD.
std::string to_json(const AlertMessage& message);

}  // namespace weir
