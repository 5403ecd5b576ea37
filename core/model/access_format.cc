#include "core/model/access_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "core/base/log.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 24> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  out.append(text.data(), end);
}

// With zeros before it.
void append_digits(std::string& out, unsigned number, unsigned digits) {
  std::array<char, 4> text{};
  for (unsigned i = digits; i-- > 0; number /= 10) text[i] = static_cast<char>('0' + number % 10);
  out.append(text.data(), digits);
}

// A time in UTC, taken apart.
struct Moment {
  // Years that have four digits: a clock may be set to anything.
  static constexpr int64_t ms_max = 253'402'300'799'999;

  explicit Moment(int64_t time_ms)
      : Moment(std::chrono::sys_time<std::chrono::milliseconds>{
            std::chrono::milliseconds{std::clamp<int64_t>(time_ms, 0, ms_max)}}) {}
  explicit Moment(std::chrono::sys_time<std::chrono::milliseconds> time)
      : date(std::chrono::floor<std::chrono::days>(time)), clock(time - std::chrono::floor<std::chrono::days>(time)) {}

  unsigned year() const { return static_cast<unsigned>(static_cast<int>(date.year())); }
  unsigned month() const { return static_cast<unsigned>(date.month()); }
  unsigned day() const { return static_cast<unsigned>(date.day()); }
  unsigned milliseconds() const { return static_cast<unsigned>(clock.subseconds().count()); }

  // "12:00:00"
  void append_clock(std::string& out) const {
    append_digits(out, static_cast<unsigned>(clock.hours().count()), 2);
    out += ':';
    append_digits(out, static_cast<unsigned>(clock.minutes().count()), 2);
    out += ':';
    append_digits(out, static_cast<unsigned>(clock.seconds().count()), 2);
  }

  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::milliseconds> clock;
};

// "2026-11-20T12:00:00.123Z" (RFC 3339).
void append_time(std::string& out, const Moment& moment) {
  append_digits(out, moment.year(), 4);
  out += '-';
  append_digits(out, moment.month(), 2);
  out += '-';
  append_digits(out, moment.day(), 2);
  out += 'T';
  moment.append_clock(out);
  out += '.';
  append_digits(out, moment.milliseconds(), 3);
  out += 'Z';
}

// "10/Oct/2000:13:55:36 +0000"
void append_combined_time(std::string& out, const Moment& moment) {
  append_digits(out, moment.day(), 2);
  out += '/';
  out += months[moment.month() - 1];
  out += '/';
  append_digits(out, moment.year(), 4);
  out += ':';
  moment.append_clock(out);
  out += " +0000";
}

class JsonLine {
 public:
  explicit JsonLine(std::string& out) : out_(out) { out_ += '{'; }

  void text(std::string_view name, std::string_view value) {
    key(name);
    out_ += '"';
    append_json_escaped(out_, value);
    out_ += '"';
  }
  template <class Number>
  void number(std::string_view name, Number value) {
    key(name);
    append_number(out_, value);
  }
  void truth(std::string_view name, bool value) {
    key(name);
    out_ += value ? "true" : "false";
  }
  void time(std::string_view name, const Moment& moment) {
    key(name);
    out_ += '"';
    append_time(out_, moment);
    out_ += '"';
  }
  void end() { out_ += '}'; }

 private:
  void key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += name;
    out_ += "\":";
  }

  std::string& out_;
  bool first_ = true;
};

void append_marked(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= ' ' && byte <= '~' && c != '"' && c != '\\') {
      out += c;
      continue;
    }
    out += "\\x";
    out += digits[byte >> 4U];
    out += digits[byte & 0xfU];
  }
}

void append_in_quotes(std::string& out, std::string_view text) {
  out += " \"";
  append_marked(out, text.empty() ? "-" : text);
  out += '"';
}

}  // namespace

void append_access_json(std::string& out, const AccessRecord& record) {
  JsonLine line{out};
  line.time("time", Moment{record.time_ms});
  line.text("request_id", record.request_id);
  line.text("client", record.client.host());
  line.text("listener", record.listener);
  line.text("route", record.route);
  line.text("upstream", record.upstream);
  line.text("endpoint", record.endpoint);
  line.text("method", record.method);
  line.text("host", record.host);
  line.text("target", record.target);
  line.text("protocol", record.minor_version == 0 ? "HTTP/1.0" : "HTTP/1.1");
  line.number("status", record.status);
  line.number("bytes_in", record.bytes_in);
  line.number("bytes_out", record.bytes_out);
  line.text("user_agent", record.user_agent);
  line.text("referer", record.referer);
  line.number("tries", record.tries);
  line.truth("reused", record.reused);
  line.text("end", record.ended);
  if (!record.refusal.empty()) line.text("refusal", record.refusal);
  line.number("total_us", record.total_us);
  line.number("queue_us", record.queue_us);
  line.number("connect_us", record.connect_us);
  line.number("first_byte_us", record.first_byte_us);
  line.number("body_us", record.body_us);
  line.number("weir_us", record.weir_us);
  line.end();
}

void append_access_combined(std::string& out, const AccessRecord& record) {
  out += record.client.host();
  out += " - - [";
  append_combined_time(out, Moment{record.time_ms});
  out += "] \"";
  if (record.method.empty() && record.target.empty()) {
    out += '-';  // what came was no request line
  } else {
    append_marked(out, record.method);
    out += ' ';
    append_marked(out, record.target);
    out += record.minor_version == 0 ? " HTTP/1.0" : " HTTP/1.1";
  }
  out += "\" ";
  append_number(out, record.status);
  out += ' ';
  append_number(out, record.bytes_out);
  append_in_quotes(out, record.referer);
  append_in_quotes(out, record.user_agent);
}

}  // namespace weir
