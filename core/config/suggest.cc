#include "core/config/suggest.h"

#include <algorithm>
#include <vector>

namespace weir::config {
namespace {

// Longer words are no typo of anything; it also bounds the quadratic work below.
constexpr size_t word_length_max = 64;
constexpr size_t candidates_listed_max = 16;

std::string folded(std::string_view word) {
  std::string result{word};
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-') c = '_';
  }
  return result;
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the classic table: row i holds the distances of a's first i characters to every prefix of b.
  std::vector<size_t> before_last(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, substituted});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::optional<std::string_view> suggest(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.empty() || word.size() > word_length_max) return std::nullopt;
  const std::string wanted = folded(word);
  std::optional<std::string_view> best;
  size_t best_distance = 0;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > word_length_max) continue;
    const size_t distance = edit_distance(wanted, folded(candidate));
    // A third of the letters may be wrong; more is another word.
    const size_t distance_max = std::max<size_t>(1, std::max(wanted.size(), candidate.size()) / 3);
    if (distance > distance_max || distance >= candidate.size()) continue;
    if (!best || distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  if (const auto best = suggest(word, candidates)) return "did you mean `" + std::string{*best} + "`?";
  std::string list;
  for (size_t i = 0; i < std::min(candidates.size(), candidates_listed_max); ++i) {
    list += (i == 0 ? "`" : ", `") + std::string{candidates[i]} + "`";
  }
  if (candidates.size() > candidates_listed_max) list += ", ...";
  return list.empty() ? "" : "known here: " + list;
}

}  // namespace weir::config
