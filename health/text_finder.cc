#include "health/text_finder.h"

#include <algorithm>

namespace weir {

bool TextFinder::ends_in(std::string_view piece) {
  if (text_.empty()) return true;
  const size_t kept_max = text_.size() - 1;
  // Across the cut: what is left of before, and as much of the piece as could belong to the same text.
  const size_t before = tail_.size();
  tail_ += piece.substr(0, kept_max);
  if (before > 0 && tail_.find(text_) != std::string::npos) return true;
  if (piece.find(text_) != std::string_view::npos) return true;
  if (piece.size() >= kept_max) {
    tail_ = piece.substr(piece.size() - kept_max);
  } else if (tail_.size() > kept_max) {
    tail_.erase(0, tail_.size() - kept_max);
  }
  return false;
}

}  // namespace weir
