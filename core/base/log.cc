#include "core/base/log.h"

#include <time.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>

namespace weir {
namespace {

constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warn", "error"};

std::string utc_time(std::chrono::milliseconds since_epoch) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const auto seconds = static_cast<time_t>(whole.count());
  const auto millis = static_cast<unsigned>((since_epoch - whole).count());
  tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const size_t length = strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03uZ", millis);
  return std::string{text.data(), length} + fraction.data();
}

// How many bytes the well-formed UTF-8 sequence takes that `text` begins with; 0 if it begins with none (RFC 3629, 4).
size_t sequence_length(std::string_view text) {
  auto byte = [&](size_t at) -> unsigned { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U; };
  auto follows = [&](size_t at) { return (byte(at) & 0xc0U) == 0x80U; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const bool overlong = lead == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = lead == 0xed && byte(1) > 0x9f;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const bool overlong = lead == 0xf0 && byte(1) < 0x90;
    const bool beyond = lead == 0xf4 && byte(1) > 0x8f;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

// What would break a line or a terminal is written as JSON writes it, in text too; what is no UTF-8, as U+FFFD.
// `quoted`: the text stands in quotes, so quotes and backslashes are marked.
void append_escaped(std::string& out, std::string_view text, bool quoted) {
  while (!text.empty()) {
    const size_t length = sequence_length(text);
    const char c = text.front();
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else if (length > 1) {
      out += text.substr(0, length);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x", static_cast<unsigned>(c));
      out += escaped.data();
    } else {
      if (quoted && (c == '"' || c == '\\')) out += '\\';
      out += c;
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

// A value in text needs quotes as soon as a reader could not tell where it ends.
bool needs_quotes(std::string_view text) {
  return text.empty() || text.find_first_of(" \"=\n\t\\") != std::string_view::npos;
}

void append_value(std::string& out, const LogField& field, LogFormat format) {
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::string_view>) {
          const bool quoted = format == LogFormat::json || needs_quotes(value);
          if (quoted) out += '"';
          append_escaped(out, value, quoted);
          if (quoted) out += '"';
        } else if constexpr (std::is_same_v<T, bool>) {
          out += value ? "true" : "false";
        } else if constexpr (std::is_same_v<T, double>) {
          std::array<char, 32> text{};
          std::snprintf(text.data(), text.size(), "%.6g", value);
          // JSON has no word for infinity, nor for what is not a number.
          out += std::isfinite(value) || format == LogFormat::text ? text.data() : "null";
        } else {
          out += std::to_string(value);
        }
      },
      field.value);
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  append_escaped(out, text, true);
}

std::string format_log_line(LogFormat format, std::chrono::milliseconds since_epoch, LogLevel level,
                            std::string_view area, std::string_view message, std::initializer_list<LogField> fields) {
  const std::string_view level_name = level_names[static_cast<size_t>(level)];
  std::string line;
  if (format == LogFormat::json) {
    line += R"({"time":")" + utc_time(since_epoch) + R"(","level":")";
    line += level_name;
    line += R"(","area":")";
    append_json_escaped(line, area);
    line += R"(","message":")";
    append_json_escaped(line, message);
    line += '"';
    for (const LogField& field : fields) {
      line += ",\"";
      append_json_escaped(line, field.key);
      line += "\":";
      append_value(line, field, format);
    }
    line += '}';
    return line;
  }
  line += utc_time(since_epoch);
  line += ' ';
  line += level_name;
  line.append(6 - level_name.size(), ' ');
  append_escaped(line, area, false);
  line += ": ";
  append_escaped(line, message, false);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, field, format);
  }
  return line;
}

void Log::write(LogLevel level, std::string_view area, std::string_view message,
                std::initializer_list<LogField> fields) const {
  if (!enabled(level)) return;
  timespec ts{};
  clock_gettime(CLOCK_REALTIME, &ts);
  const auto now = std::chrono::seconds{ts.tv_sec} + std::chrono::nanoseconds{ts.tv_nsec};
  print(format_log_line(format_, std::chrono::floor<std::chrono::milliseconds>(now), level, area, message, fields));
}

void Log::print(std::string_view text) const {
  std::string out{text};
  if (!out.ends_with('\n')) out += '\n';
  // A log that cannot be written must not stop the balancer: what the kernel does not take is lost.
  [[maybe_unused]] const ssize_t written = ::write(fd_, out.data(), out.size());
}

}  // namespace weir
