// The closed sets of words a configuration may use, one row per word: the parser, the suggestions, the JSON Schema and
// the reference all read these tables. Values. Any thread.
//
// A row whose `not_yet` is set is a word weir knows but cannot honour in this version: it is refused with that
// sentence, never silently accepted. (Balancing algorithms are not here: their list is core/balance/pickers.def.)
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/log.h"

namespace weir::config {

enum class Mode : uint8_t { tcp, http };
enum class SendProxy : uint8_t { off, v1, v2 };

template <class E>
struct Choice {
  E value;
  std::string_view name;
  std::string_view not_yet = {};
};

inline constexpr std::array mode_choices{
    Choice<Mode>{Mode::tcp, "tcp"},
    Choice<Mode>{Mode::http, "http", "this version relays TCP only and reads no HTTP; use `mode: tcp`"},
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

// The word of a value: name_of(Mode::tcp) is "tcp".
template <class E>
constexpr std::string_view name_of(E value) {
  for (const Choice<E>& choice : choices_of(value)) {
    if (choice.value == value) return choice.name;
  }
  return "";
}

}  // namespace weir::config
