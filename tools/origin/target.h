// The origin's behaviours, chosen by each request's target. Pure: text in, an Answer out, nothing is done here.
//
//     /                          200 "hello from NAME\n"
//     /bytes/N[?chunked=1]       N bytes of the pattern (pattern.h); N may be 64KiB, 1MiB
//     /delay/MS[/...]            what the rest of the path asks for, MS milliseconds later
//     /fail[/...]?mode=M         M = reset | close | garbage | half; &rate=0.3: only so often, else what the rest asks
//     for /status/CODE               that status, 200..599 /echo[/...]                method, target, headers and body
//     come back as text, streamed /dribble?bytes=N&every=MS  N bytes of the pattern, one each MS (default 10 bytes, 100
//     ms) /endless                   a body without end /health                    200, or what --health-status says
//     /count  /conns  /stats     requests so far; connections so far; all counters as JSON
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace weir::origin {

enum class Subject : std::uint8_t {
  hello,
  status,
  pattern,
  dribble,
  endless,
  echo,
  health,
  count,
  conns,
  stats,
  complaint,  // the target makes no sense; `complaint` says why
};

enum class FailMode : std::uint8_t { none, reset, close, garbage, half };

struct Answer {
  Subject subject = Subject::hello;
  int status = 200;
  std::uint64_t bytes = 0;  // of pattern and dribble
  bool chunked = false;     // asked for, as far as the protocol version allows
  Duration every{};         // between two bytes of a dribble
  Duration delay{};         // before anything is sent
  FailMode fail = FailMode::none;
  double fail_rate = 1;
  std::string complaint;
};

// `fallback` answers `/` and paths that are not in the table; without it `/` says hello and the others are 404.
Answer read_target(std::string_view target, const std::optional<Answer>& fallback);

std::optional<FailMode> parse_fail_mode(std::string_view word) noexcept;

// Requests that only ask about the origin are neither counted nor made slow or failing by the options of the command
// line.
constexpr bool is_about_origin(Subject subject) noexcept {
  return subject == Subject::health || subject == Subject::count || subject == Subject::conns ||
         subject == Subject::stats;
}

}  // namespace weir::origin
