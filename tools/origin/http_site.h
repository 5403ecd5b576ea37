// What all HTTP conversations of one loop share: the time, the dice, the counters, and answers written beforehand.
//
// Owned by the loop, called by its thread only. tick() comes once per turn before any conversation is called; so the
// time does not move within a turn, and the Date of the prepared bytes is true to the second.
#pragma once

#include <cstdint>
#include <ctime>
#include <random>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "tools/origin/output.h"
#include "tools/origin/settings.h"
#include "tools/origin/stats.h"

namespace weir::origin {

// How the end of a body is told, RFC 9112 section 6.
enum class Framing : std::uint8_t { length, chunked, until_close, no_body };

struct AnswerHead {
  int status = 200;
  Framing framing = Framing::length;
  std::uint64_t length = 0;  // with Framing::length
  std::string_view type = "text/plain";
  bool is_http10 = false;  // of the request: then staying open has to be said
  bool keep_alive = true;
  std::string_view proxied;  // what the PROXY header said; may be empty
};

class HttpSite {
 public:
  HttpSite(const Settings& settings, const Scoreboard& board, Stats& stats, std::uint64_t seed);

  void tick(Instant now, std::time_t wall_time);

  const Settings& settings() const noexcept { return settings_; }
  const Scoreboard& board() const noexcept { return board_; }
  Stats& stats() noexcept { return stats_; }
  Instant now() const noexcept { return now_; }

  // True about `rate` of the times.
  bool roll(double rate) { return rate >= 1 || (rate > 0 && std::bernoulli_distribution{rate}(random_)); }

  // Whether `/` simply says hello: no option makes it slow, failing or something else.
  bool is_plain() const noexcept { return is_plain_; }
  const std::string& greeting() const noexcept { return greeting_; }
  // Head and body of the plain greeting over HTTP/1.1 keep-alive; the fast path.
  const std::string& greeting_answer() const noexcept { return greeting_answer_; }

  void write_head(const AnswerHead& head, Output& out) const;

 private:
  void write_common_fields();
  std::string head_text(const AnswerHead& head) const;

  const Settings& settings_;
  const Scoreboard& board_;
  Stats& stats_;
  std::mt19937_64 random_;
  const bool is_plain_;
  const std::string greeting_;
  Instant now_{};
  std::time_t wall_time_ = -1;  // the second that common_fields_ tells
  std::string common_fields_;   // Server, Date, X-Origin
  std::string greeting_answer_;
};

}  // namespace weir::origin
