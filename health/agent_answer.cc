#include "health/agent_answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <system_error>

#include "core/base/assert.h"

namespace weir {
namespace {

constexpr std::string_view blanks = " \t";
constexpr std::string_view between_words = " \t,";
constexpr std::string_view line_ends = "\r\n";
constexpr std::string_view limit_prefix = "maxconn:";

struct DutyWord {
  std::string_view word;
  Duty duty;
};
constexpr std::array<DutyWord, 3> duty_words{{{"ready", Duty::ready}, {"drain", Duty::drain}, {"maint", Duty::maint}}};

struct HealthWord {
  std::string_view word;
  AgentHealth health;
};
constexpr std::array<HealthWord, 4> health_words{{{"up", AgentHealth::up},
                                                  {"down", AgentHealth::down},
                                                  {"fail", AgentHealth::fail},
                                                  {"stopped", AgentHealth::stopped}}};

// ASCII, whatever the locale.
char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_word(std::string_view said, std::string_view word) noexcept {
  return std::equal(said.begin(), said.end(), word.begin(), word.end(), [](char a, char b) { return lower(a) == b; });
}

// Digits and nothing else; `most` if it is more.
std::optional<uint32_t> number(std::string_view digits, uint32_t most) noexcept {
  uint32_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stopped_at, problem] = std::from_chars(digits.data(), end, value);
  if (problem == std::errc::invalid_argument || stopped_at != end) return std::nullopt;
  return problem == std::errc::result_out_of_range ? most : std::min(value, most);
}

// False if it means nothing.
bool understand(std::string_view word, AgentAnswer& answer) {
  for (const DutyWord& row : duty_words) {
    if (!same_word(word, row.word)) continue;
    answer.duty = row.duty;
    return true;
  }
  for (const HealthWord& row : health_words) {
    if (!same_word(word, row.word)) continue;
    answer.health = row.health;
    return true;
  }
  if (word.ends_with('%')) {
    const auto percent = number(word.substr(0, word.size() - 1), AgentAnswer::percent_max);
    if (percent) answer.percent = percent;
    return percent.has_value();
  }
  if (same_word(word.substr(0, limit_prefix.size()), limit_prefix)) {
    const auto limit = number(word.substr(limit_prefix.size()), std::numeric_limits<uint32_t>::max());
    if (limit) answer.connections_max = limit;
    return limit.has_value();
  }
  return false;
}

std::string_view trimmed(std::string_view text) noexcept {
  const size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace

AgentAnswer parse_agent_answer(std::string_view line) {
  AgentAnswer answer;
  line = line.substr(0, line.find_first_of(line_ends));
  // Wherever it is: HAProxy wants a blank before it, but no word has a # in it, and "down#disk" is plain enough.
  if (const size_t sharp = line.find('#'); sharp != std::string_view::npos) {
    answer.description = trimmed(line.substr(sharp + 1));
    line = line.substr(0, sharp);
  }
  for (;;) {
    line.remove_prefix(std::min(line.find_first_not_of(between_words), line.size()));
    if (line.empty()) return answer;
    const std::string_view word = line.substr(0, line.find_first_of(between_words));
    line.remove_prefix(word.size());
    if (understand(word, answer)) continue;
    if (!answer.not_understood.empty()) answer.not_understood += ' ';
    answer.not_understood += word;
  }
}

std::string_view name_of(AgentHealth health) noexcept {
  for (const HealthWord& row : health_words) {
    if (row.health == health) return row.word;
  }
  WEIR_ASSERT(false, static_cast<int>(health));
}

}  // namespace weir
