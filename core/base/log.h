// Log: lines for the operator, as text for eyes or as JSON for machines, one write(2) each.
//
// Used by the control thread and at start and stop. Workers never log: they send events to the control thread, which
// does. Any thread may call it: a Log does not change after it was made, and a line is written in one piece.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace weir {

enum class LogLevel : uint8_t { debug, info, warn, error };
enum class LogFormat : uint8_t { text, json };

struct LogField {
  std::string_view key;
  std::variant<std::string_view, int64_t, uint64_t, double, bool> value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string_view{v}) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(std::string_view{v}) {}
  template <class T>
  LogField(std::string_view k, T v) : key(k) {
    if constexpr (std::is_same_v<T, bool>) {
      value = v;
    } else if constexpr (std::is_floating_point_v<T>) {
      value = static_cast<double>(v);
    } else if constexpr (std::is_signed_v<T>) {
      value = static_cast<int64_t>(v);
    } else {
      value = static_cast<uint64_t>(v);
    }
  }
};

class Log {
 public:
  explicit Log(LogLevel level = LogLevel::info, LogFormat format = LogFormat::text, int fd = 2) noexcept
      : level_(level), format_(format), fd_(fd) {}

  bool enabled(LogLevel level) const noexcept { return level >= level_; }
  // `area` is the room it comes from ("control", "listener"), `message` a sentence without its values.
  void write(LogLevel level, std::string_view area, std::string_view message,
             std::initializer_list<LogField> fields = {}) const;

  // Text of several lines that is for eyes in every format (a report of mistakes), as it is.
  void print(std::string_view text) const;

  void debug(std::string_view area, std::string_view message, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::debug, area, message, fields);
  }
  void info(std::string_view area, std::string_view message, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::info, area, message, fields);
  }
  void warn(std::string_view area, std::string_view message, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::warn, area, message, fields);
  }
  void error(std::string_view area, std::string_view message, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::error, area, message, fields);
  }

 private:
  LogLevel level_;
  LogFormat format_;
  int fd_;
};

// The line as it would be written, without the newline, at that time since 1970 (tests hand in a fixed one).
std::string format_log_line(LogFormat format, std::chrono::milliseconds since_epoch, LogLevel level,
                            std::string_view area, std::string_view message, std::initializer_list<LogField> fields);

// Appends `text` with JSON's escapes (without the quotes). Always valid UTF-8: what is not becomes U+FFFD.
void append_json_escaped(std::string& out, std::string_view text);

}  // namespace weir
