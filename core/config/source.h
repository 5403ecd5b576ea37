// SourceText: the text of one file with its name, and where in it a byte offset lies, as line and column for people.
//
// Immutable; owned by whoever parses. `open` reads the file, within a bound, and refuses what is no text: then every
// later step may take for granted that it looks at UTF-8 without control characters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/diagnostic.h"

namespace weir::config {

inline constexpr size_t file_bytes_max = size_t{4} * 1024 * 1024;

// The bytes of a file, or why not. The bool of `Missing` tells a file that is not there from one that cannot be read.
struct Unreadable {
  bool missing = false;
  Mistake mistake;
};
Result<std::string, Unreadable> read_file(const std::string& path);

class SourceText {
 public:
  // A byte order mark is taken off; offsets count from behind it.
  SourceText(std::string name, std::string_view text);

  const std::string& name() const noexcept { return name_; }
  const std::string& text() const noexcept { return text_; }

  // The line at `number` (from 1) without its end.
  std::string_view line(uint32_t number) const noexcept;
  size_t line_start(uint32_t number) const noexcept;
  uint32_t line_of(size_t offset) const noexcept;

  Diagnostic diagnostic(size_t offset, std::string message, std::string fix) const;
  Diagnostic diagnostic(Mistake mistake) const;  // about the file as a whole

  // Too large, not UTF-8, or with control characters: one diagnostic for the first such place of each sort.
  std::vector<Diagnostic> check_is_text() const;

 private:
  std::string name_;
  std::string text_;
  std::vector<size_t> line_starts_;
};

}  // namespace weir::config
