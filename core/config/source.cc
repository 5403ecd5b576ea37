#include "core/config/source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "core/base/fd.h"
#include "core/config/unicode.h"

namespace weir::config {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

constexpr size_t excerpt_bytes_max = 160;
constexpr size_t excerpt_bytes_before = 80;  // of them, when the place lies far to the right

uint32_t characters(std::string_view text) {
  uint32_t count = 0;
  for (size_t at = 0; at < text.size(); ++count) {
    const auto point = decode_utf8(text, at);
    at += point ? point->bytes : 1;
  }
  return count;
}

// `at` or the nearest byte before it that does not continue a character.
size_t character_start(std::string_view text, size_t at) {
  while (at > 0 && at < text.size() && (static_cast<uint8_t>(text[at]) & 0xc0U) == 0x80U) --at;
  return at;
}

Unreadable unreadable(int error, std::string_view what) {
  std::string fix;
  if (error == EACCES) fix = "weir needs read permission on the file and on every folder above it";
  return {error == ENOENT || error == ENOTDIR,
          {"cannot " + std::string{what} + ": " + std::generic_category().message(error), std::move(fix)}};
}

std::string hex(char32_t value, const char* format) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), format, static_cast<unsigned>(value));
  return text.data();
}

}  // namespace

Result<std::string, Unreadable> read_file(const std::string& path) {
  const Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
  if (!fd) return unreadable(errno, "open");
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return unreadable(errno, "look at");
  if (S_ISDIR(status.st_mode)) return Unreadable{false, {"is a directory, not a file", "name the file in it"}};

  // One byte more than allowed is asked for, so that a pipe that is too long is noticed as well as a file.
  std::string bytes;
  std::array<char, 64 * 1024> chunk;
  while (bytes.size() <= file_bytes_max) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(errno, "read");
    if (got == 0) break;
    bytes.append(chunk.data(), static_cast<size_t>(got));
  }
  return bytes;
}

SourceText::SourceText(std::string name, std::string_view text)
    : name_(std::move(name)), text_(text.starts_with(byte_order_mark) ? text.substr(byte_order_mark.size()) : text) {
  line_starts_.push_back(0);
  for (size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') line_starts_.push_back(i + 1);
  }
}

uint32_t SourceText::line_of(size_t offset) const noexcept {
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  return static_cast<uint32_t>(after - line_starts_.begin());
}

size_t SourceText::line_start(uint32_t number) const noexcept {
  return line_starts_[number - 1];
}

std::string_view SourceText::line(uint32_t number) const noexcept {
  const size_t start = line_start(number);
  const size_t end = number < line_starts_.size() ? line_starts_[number] - 1 : text_.size();
  std::string_view line = std::string_view{text_}.substr(start, end - start);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Diagnostic SourceText::diagnostic(size_t offset, std::string message, std::string fix) const {
  // Behind a last line that has an end, "there" is the end of that line.
  offset = std::min(offset, text_.size());
  if (offset == text_.size()) {
    while (offset > 0 && text_[offset - 1] == '\n') --offset;
  }
  const uint32_t number = line_of(offset);
  const std::string_view whole = line(number);
  const size_t at = std::min(offset - line_start(number), whole.size());

  Diagnostic result{name_, number, characters(whole.substr(0, at)) + 1, std::move(message), std::move(fix), "", 0};
  if (whole.size() <= excerpt_bytes_max) {
    result.excerpt = whole;
    result.caret = result.column;
    return result;
  }
  const size_t first = character_start(whole, at > excerpt_bytes_before ? at - excerpt_bytes_before : 0);
  const size_t end = character_start(whole, std::min(whole.size(), first + excerpt_bytes_max));
  const std::string_view before = first > 0 ? "..." : "";
  result.excerpt.append(before).append(whole.substr(first, end - first)).append(end < whole.size() ? "..." : "");
  result.caret = characters(before) + characters(whole.substr(first, at - first)) + 1;
  return result;
}

Diagnostic SourceText::diagnostic(Mistake mistake) const {
  return {name_, 0, 0, std::move(mistake.message), std::move(mistake.fix), "", 0};
}

std::vector<Diagnostic> SourceText::check_is_text() const {
  if (text_.size() > file_bytes_max) {
    return {diagnostic({"is larger than " + std::to_string(file_bytes_max / (1024 * 1024)) + " MiB",
                        "this is the most weir reads; is it the right file?"})};
  }
  std::vector<Diagnostic> found;
  bool control_seen = false;
  for (size_t at = 0; at < text_.size();) {
    const auto point = decode_utf8(text_, at);
    if (!point) {
      const auto byte = static_cast<uint8_t>(text_[at]);
      found.push_back(diagnostic(at, "the byte 0x" + hex(byte, "%02x") + " is not UTF-8", "save the file as UTF-8"));
      break;  // what follows is in the same other encoding
    }
    const char32_t c = point->value;
    const bool line_end = c == '\n' || (c == '\r' && text_.compare(at + 1, 1, "\n") == 0);
    if (is_control(c) && c != '\t' && !line_end && !control_seen) {
      found.push_back(diagnostic(at, "the control character U+" + hex(c, "%04X") + " does not belong in a text file",
                                 c == '\r' ? "end lines with a newline" : "remove it; is it the right file?"));
      control_seen = true;
    }
    at += point->bytes;
  }
  return found;
}

}  // namespace weir::config
