#include "net/proxy/score.h"

#include <charconv>

namespace weir {

std::optional<double> read_score(std::string_view text) noexcept {
  double score = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), score, std::chars_format::fixed);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view rest{end, static_cast<size_t>(text.data() + text.size() - end)};
  if (rest == "%") score /= 100;
  if ((!rest.empty() && rest != "%") || !(score >= 0 && score <= 1)) return std::nullopt;
  return score;
}

}  // namespace weir
