// The closed sets of words a configuration may use, one row per word: the parser, the suggestions, the JSON Schema and
// the reference all read these tables. Values. Any thread.
// (Balancing algorithms are not here: their list is core/balance/pickers.def.)
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/log.h"
#include "core/model/http_upstream.h"
#include "core/model/picker_options.h"
#include "core/model/rate_limit.h"
#include "core/model/template_text.h"

namespace weir::config {

enum class Mode : uint8_t { tcp, http };
enum class SendProxy : uint8_t { off, v1, v2 };
enum class AccessLogFormat : uint8_t { json, combined };
enum class SubsetFallback : uint8_t { none, any };
enum class Preset : uint8_t { standard, patient };
enum class ProbeKind : uint8_t { tcp, http, exec };
enum class RateAction : uint8_t { refuse, count };
enum class AlertOn : uint8_t { endpoint, upstream, degraded };
using RateHeaders = RateLimit::Tell;
using StickyBy = StickyPolicy::Kind;
using SameSite = StickyPolicy::SameSite;

template <class E>
struct Choice {
  E value;
  std::string_view name;
};

inline constexpr std::array mode_choices{
    Choice<Mode>{Mode::tcp, "tcp"},
    Choice<Mode>{Mode::http, "http"},
};

inline constexpr std::array send_proxy_choices{
    Choice<SendProxy>{SendProxy::off, "off"},
    Choice<SendProxy>{SendProxy::v1, "v1"},
    Choice<SendProxy>{SendProxy::v2, "v2"},
};

inline constexpr std::array log_level_choices{
    Choice<LogLevel>{LogLevel::debug, "debug"},
    Choice<LogLevel>{LogLevel::info, "info"},
    Choice<LogLevel>{LogLevel::warn, "warn"},
    Choice<LogLevel>{LogLevel::error, "error"},
};

inline constexpr std::array log_format_choices{
    Choice<LogFormat>{LogFormat::text, "text"},
    Choice<LogFormat>{LogFormat::json, "json"},
};

inline constexpr std::array access_log_format_choices{
    Choice<AccessLogFormat>{AccessLogFormat::json, "json"},
    Choice<AccessLogFormat>{AccessLogFormat::combined, "combined"},
};

inline constexpr std::array sticky_by_choices{
    Choice<StickyBy>{StickyBy::off, "off"},
    Choice<StickyBy>{StickyBy::cookie, "cookie"},
    Choice<StickyBy>{StickyBy::learned, "learned"},
    Choice<StickyBy>{StickyBy::client_ip, "client_ip"},
};

inline constexpr std::array same_site_choices{
    Choice<SameSite>{SameSite::unset, "unset"},
    Choice<SameSite>{SameSite::lax, "lax"},
    Choice<SameSite>{SameSite::strict, "strict"},
    Choice<SameSite>{SameSite::none, "none"},
};

inline constexpr std::array load_measure_choices{
    Choice<LoadMeasure>{LoadMeasure::connections, "connections"},
    Choice<LoadMeasure>{LoadMeasure::latency, "latency"},
};

inline constexpr std::array subset_fallback_choices{
    Choice<SubsetFallback>{SubsetFallback::none, "none"},
    Choice<SubsetFallback>{SubsetFallback::any, "any"},
};

inline constexpr std::array preset_choices{
    Choice<Preset>{Preset::standard, "standard"},
    Choice<Preset>{Preset::patient, "patient"},
};

inline constexpr std::array probe_kind_choices{
    Choice<ProbeKind>{ProbeKind::tcp, "tcp"},
    Choice<ProbeKind>{ProbeKind::http, "http"},
    Choice<ProbeKind>{ProbeKind::exec, "exec"},
};

inline constexpr std::array rate_algorithm_choices{
    Choice<RateAlgorithm>{RateAlgorithm::token_bucket, "token_bucket"},
    Choice<RateAlgorithm>{RateAlgorithm::sliding_window, "sliding_window"},
};

inline constexpr std::array rate_action_choices{
    Choice<RateAction>{RateAction::refuse, "refuse"},
    Choice<RateAction>{RateAction::count, "count"},
};

inline constexpr std::array rate_headers_choices{
    Choice<RateHeaders>{RateHeaders::refused, "refused"},
    Choice<RateHeaders>{RateHeaders::always, "always"},
};

inline constexpr std::array alert_on_choices{
    Choice<AlertOn>{AlertOn::endpoint, "endpoint"},
    Choice<AlertOn>{AlertOn::upstream, "upstream"},
    Choice<AlertOn>{AlertOn::degraded, "degraded"},
};

// What may stand between the braces of a template.
inline constexpr std::array template_fact_choices{
    Choice<TemplateFact>{TemplateFact::scheme, "scheme"},
    Choice<TemplateFact>{TemplateFact::method, "method"},
    Choice<TemplateFact>{TemplateFact::host, "host"},
    Choice<TemplateFact>{TemplateFact::authority, "authority"},
    Choice<TemplateFact>{TemplateFact::path, "path"},
    Choice<TemplateFact>{TemplateFact::query, "query"},
    Choice<TemplateFact>{TemplateFact::client_ip, "client_ip"},
    Choice<TemplateFact>{TemplateFact::request_id, "request_id"},
    Choice<TemplateFact>{TemplateFact::route, "route"},
    Choice<TemplateFact>{TemplateFact::upstream, "upstream"},
    Choice<TemplateFact>{TemplateFact::endpoint, "endpoint"},
};

constexpr std::span<const Choice<Mode>> choices_of(Mode /*tag*/) {
  return mode_choices;
}
constexpr std::span<const Choice<SendProxy>> choices_of(SendProxy /*tag*/) {
  return send_proxy_choices;
}
constexpr std::span<const Choice<LogLevel>> choices_of(LogLevel /*tag*/) {
  return log_level_choices;
}
constexpr std::span<const Choice<LogFormat>> choices_of(LogFormat /*tag*/) {
  return log_format_choices;
}
constexpr std::span<const Choice<AccessLogFormat>> choices_of(AccessLogFormat /*tag*/) {
  return access_log_format_choices;
}
constexpr std::span<const Choice<StickyBy>> choices_of(StickyBy /*tag*/) {
  return sticky_by_choices;
}
constexpr std::span<const Choice<SameSite>> choices_of(SameSite /*tag*/) {
  return same_site_choices;
}
constexpr std::span<const Choice<LoadMeasure>> choices_of(LoadMeasure /*tag*/) {
  return load_measure_choices;
}
constexpr std::span<const Choice<SubsetFallback>> choices_of(SubsetFallback /*tag*/) {
  return subset_fallback_choices;
}
constexpr std::span<const Choice<Preset>> choices_of(Preset /*tag*/) {
  return preset_choices;
}
constexpr std::span<const Choice<ProbeKind>> choices_of(ProbeKind /*tag*/) {
  return probe_kind_choices;
}
constexpr std::span<const Choice<RateAlgorithm>> choices_of(RateAlgorithm /*tag*/) {
  return rate_algorithm_choices;
}
constexpr std::span<const Choice<RateAction>> choices_of(RateAction /*tag*/) {
  return rate_action_choices;
}
constexpr std::span<const Choice<RateHeaders>> choices_of(RateHeaders /*tag*/) {
  return rate_headers_choices;
}
constexpr std::span<const Choice<AlertOn>> choices_of(AlertOn /*tag*/) {
  return alert_on_choices;
}
constexpr std::span<const Choice<TemplateFact>> choices_of(TemplateFact /*tag*/) {
  return template_fact_choices;
}

// The word of a value: name_of(Mode::tcp) is "tcp".
template <class E>
constexpr std::string_view name_of(E value) {
  for (const Choice<E>& choice : choices_of(value)) {
    if (choice.value == value) return choice.name;
  }
  return "";
}

}  // namespace weir::config
