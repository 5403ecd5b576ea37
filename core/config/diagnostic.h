// Diagnostic: one mistake of the operator, with the place and what would be right. A value that needs nothing else to
// be printed, so that it can be kept, sent over a socket or logged after the file is gone. Any thread.
//
//     weir.yaml:7:5: error: unknown key `blance`
//       7 |     blance: maglev
//         |     ^
//       help: did you mean `balance`?
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

struct Diagnostic {
  std::string file;
  uint32_t line = 0;    // from 1; 0: the file as a whole
  uint32_t column = 0;  // from 1, in characters
  std::string message;
  std::string fix;      // "": none is known
  std::string excerpt;  // the line itself, or of a long one the part around the place
  uint32_t caret = 0;   // from 1, in characters of `excerpt`

  bool operator==(const Diagnostic&) const = default;
};

// What went wrong and what would be right, where nothing knows yet at which place.
struct Mistake {
  std::string message;
  std::string fix;
  std::string where = {};  // the part of the text that is wrong, to be found again in it; "": all of it
};

// More mistakes than this in one file are not looked for: nobody reads them, and a hostile file could have millions.
inline constexpr size_t diagnostics_max = 500;
inline bool full(const std::vector<Diagnostic>& diagnostics) noexcept {
  return diagnostics.size() >= diagnostics_max;
}

// As in the picture above, ending in a newline.
std::string render(const Diagnostic& diagnostic);

// All of them with empty lines between; after the first hundred only how many more there are.
std::string render(std::span<const Diagnostic> diagnostics);

// File by file and top to bottom, as a reader of the file meets them; what is said twice is said once.
void sort_by_place(std::vector<Diagnostic>& diagnostics);

// Text that came from outside, fit to be quoted in one line of a message: bounded, control characters replaced, and "an
// empty value" where there is none.
std::string quoted(std::string_view text);

}  // namespace weir::config
