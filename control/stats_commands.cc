#include "control/stats_commands.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "control/balance_commands.h"
#include "control/health_commands.h"
#include "control/stats_report.h"
#include "core/config/diagnostic.h"
#include "core/config/suggest.h"

namespace weir {
namespace {

using Arguments = StatsArguments;
using Answer = StatsAnswer;

std::string command_list(std::string_view prefix);

// `text` without arguments, `json` when that is asked for.
template <class Text, class Json>
Answer text_or_json(Arguments arguments, const Text& text, const Json& json) {
  if (arguments.empty()) return text();
  if (arguments.size() == 1 && arguments[0] == "json") return json();
  return std::nullopt;
}

Answer show_info(const StatsView& view, Arguments arguments) {
  return text_or_json(
      arguments, [&] { return info_text(view, read_process_usage()); },
      [&] { return info_json(view, read_process_usage()); });
}

Answer show_stat(const StatsView& view, Arguments arguments) {
  return text_or_json(
      arguments, [&] { return stat_csv(view); }, [&] { return stat_json(view); });
}

Answer show_activity(const StatsView& view, Arguments arguments) {
  if (!arguments.empty()) return std::nullopt;
  return activity_text(view);
}

Answer show_version(const StatsView&, Arguments arguments) {
  return text_or_json(arguments, version_text, version_json);
}

std::string joined(Arguments words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

Answer help(const StatsView&, Arguments arguments) {
  const std::string list = command_list(joined(arguments));
  if (list.empty()) return std::nullopt;
  return "The following commands are valid:\n" + list;
}

struct Command {
  std::string_view words;
  std::string_view arguments;
  Answer (*answer)(const StatsView&, Arguments);
  std::string_view sentence;
};

constexpr std::array commands{
#define STATS_COMMAND(words, arguments, function, sentence) Command{words, arguments, function, sentence},
#include "control/stats_commands.def"
#undef STATS_COMMAND
};

constexpr size_t sentence_column = 42;

std::string usage_of(const Command& command) {
  std::string usage{command.words};
  if (!command.arguments.empty()) usage.append(" ").append(command.arguments);
  return usage;
}

std::string command_list(std::string_view prefix) {
  std::string list;
  for (const Command& command : commands) {
    if (!command.words.starts_with(prefix)) continue;
    std::string line = "  " + usage_of(command);
    line.resize(std::max(line.size() + 1, sentence_column), ' ');
    list.append(line).append(": ").append(command.sentence).append("\n");
  }
  return list;
}

// How many words of `words` the command's own are; 0 if they are not there.
size_t matching_words(const Command& command, Arguments words) {
  const auto count = static_cast<size_t>(std::count(command.words.begin(), command.words.end(), ' ')) + 1;
  return words.size() >= count && joined(words.first(count)) == command.words ? count : 0;
}

std::string refuse_command(Arguments words) {
  std::string answer{stats_refusal};
  if (words.empty()) {
    answer += "command. Please enter one of the following commands only:\n";
    return answer + command_list("");
  }
  std::array<std::string_view, commands.size()> known;
  std::transform(commands.begin(), commands.end(), known.begin(), [](const Command& command) { return command.words; });
  // The words that could be a command; what comes behind them are arguments.
  const std::string said = joined(words.first(std::min<size_t>(words.size(), 2)));
  answer += "command: " + config::quoted(said);
  std::optional<std::string_view> meant = config::suggest(said, known);
  if (!meant) meant = config::suggest(words[0], known);
  if (meant) answer += "; did you mean `" + std::string{*meant} + "`?";
  return answer + "\nThe following commands are valid:\n" + command_list("");
}

std::string refuse_arguments(const Command& command, Arguments arguments) {
  return std::string{stats_refusal} + "argument " + config::quoted(joined(arguments)) + " of `" +
         std::string{command.words} + "`; it is used so: " + usage_of(command) + "\n";
}

std::string answer_words(Arguments words, const StatsView& view) {
  for (const Command& command : commands) {
    const size_t count = matching_words(command, words);
    if (count == 0) continue;
    const Arguments arguments = words.subspan(count);
    Answer answer = command.answer(view, arguments);
    return answer ? *std::move(answer) : refuse_arguments(command, arguments);
  }
  return refuse_command(words);
}

}  // namespace

std::vector<StatsWords> split_stats_line(std::string_view line) {
  std::vector<StatsWords> commands_said;
  StatsWords words;
  std::string word;
  bool in_word = false;  // an escaped character makes a word, be it a space
  const auto end_word = [&] {
    if (in_word) words.push_back(std::move(word));
    word.clear();
    in_word = false;
  };
  const auto end_command = [&] {
    end_word();
    if (!words.empty()) commands_said.push_back(std::move(words));
    words.clear();
  };
  for (size_t i = 0; i < line.size(); ++i) {
    const bool escaped = line[i] == '\\' && i + 1 < line.size();
    if (escaped) ++i;
    if (!escaped && line[i] == ';') {
      end_command();
    } else if (!escaped && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r')) {
      end_word();
    } else {
      word += line[i];
      in_word = true;
    }
  }
  end_command();
  if (commands_said.empty()) commands_said.emplace_back();
  return commands_said;
}

std::string answer_stats_command(const StatsWords& command, const StatsView& view) {
  return answer_words(command, view) + "\n";
}

}  // namespace weir
