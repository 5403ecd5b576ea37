#include "tools/origin/http_site.h"

#include <array>

#include "tools/origin/status_text.h"

namespace weir::origin {
namespace {

// IMF-fixdate, RFC 9110 section 5.6.7. strftime() would ask the locale for the names.
std::string date_text(std::time_t wall_time) {
  constexpr std::array days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  gmtime_r(&wall_time, &utc);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday, months[static_cast<std::size_t>(utc.tm_mon)],
                utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return text.data();
}

}  // namespace

HttpSite::HttpSite(const Settings& settings, const Scoreboard& board, Stats& stats, std::uint64_t seed)
    : settings_(settings),
      board_(board),
      stats_(stats),
      random_(seed),
      is_plain_(!settings.fallback && settings.delay == Duration::zero() && settings.fail == FailMode::none),
      greeting_("hello from " + settings.name + "\n") {}

void HttpSite::tick(Instant now, std::time_t wall_time) {
  now_ = now;
  if (wall_time == wall_time_) return;
  wall_time_ = wall_time;
  write_common_fields();
}

void HttpSite::write_common_fields() {
  common_fields_ =
      "\r\nServer: weir-origin\r\nDate: " + date_text(wall_time_) + "\r\nX-Origin: " + settings_.name + "\r\n";
  AnswerHead head;
  head.length = greeting_.size();
  greeting_answer_ = head_text(head) + greeting_;
}

void HttpSite::write_head(const AnswerHead& head, Output& out) const {
  out.append(head_text(head));
}

std::string HttpSite::head_text(const AnswerHead& head) const {
  std::string text;
  text.reserve(common_fields_.size() + head.proxied.size() + 160);
  text.append("HTTP/1.1 ").append(std::to_string(head.status)).append(" ").append(status_text(head.status));
  text.append(common_fields_);
  if (!head.proxied.empty()) text.append("X-Proxy: ").append(head.proxied).append("\r\n");
  if (head.framing != Framing::no_body) text.append("Content-Type: ").append(head.type).append("\r\n");
  if (head.framing == Framing::length) {
    text.append("Content-Length: ").append(std::to_string(head.length)).append("\r\n");
  } else if (head.framing == Framing::chunked) {
    text.append("Transfer-Encoding: chunked\r\n");
  }
  if (!head.keep_alive) {
    text.append("Connection: close\r\n");
  } else if (head.is_http10) {
    text.append("Connection: keep-alive\r\n");
  }
  return text.append("\r\n");
}

}  // namespace weir::origin
