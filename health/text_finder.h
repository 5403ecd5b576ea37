// TextFinder: looks for a text in bytes that come in pieces, and finds it also where it was cut.
//
// Pure. It keeps as many bytes as the text has, less one.
#pragma once

#include <string>
#include <string_view>

namespace weir {

class TextFinder {
 public:
  // `text` is not empty (or nothing is ever looked for) and outlives the finder.
  explicit TextFinder(std::string_view text) noexcept : text_(text) {}

  void begin() noexcept { tail_.clear(); }
  // The next bytes. True if the text ends among them.
  bool ends_in(std::string_view piece);

 private:
  const std::string_view text_;
  std::string tail_;  // the last bytes, fewer than the text has
};

}  // namespace weir
