// docs/operating/stats-socket.md and command-line.md say what the tables say: a row each, word by word.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/model/counters.h"
#include "core/model/process_state.h"
#include "tests/unit/core/config/support.h"
#include "tools/weir/exit_codes.h"

namespace weir {
namespace {

using ::testing::HasSubstr;

std::string page(const std::string& name) {
  return config::test::contents(config::test::repository() / "docs/operating" / name);
}

std::string row(std::string_view name, std::string_view sentence) {
  return "\n| `" + std::string{name} + "` | " + std::string{sentence} + " |\n";
}

TEST(StatsReference, HasEveryCommand) {
  const std::string text = page("stats-socket.md");
#define STATS_COMMAND(words, arguments, function, sentence) \
  EXPECT_THAT(text, HasSubstr(row(*(arguments) == '\0' ? (words) : words " " arguments, sentence)));
#include "control/stats_commands.def"
#undef STATS_COMMAND
}

TEST(StatsReference, HasEveryCounter) {
  const std::string text = page("stats-socket.md");
  const auto expect_row = [&](const CounterName& counter, const Counter&) {
    EXPECT_THAT(text, HasSubstr(row(counter.name, counter.help)));
  };
  WorkerCounters{}.for_each(expect_row);
  ListenerCounters{}.for_each(expect_row);
  EndpointCounters{}.for_each(expect_row);
}

TEST(StatsReference, HasEveryCloseReason) {
  const std::string text = page("stats-socket.md");
  for (const CounterName& reason : close_reason_names) EXPECT_THAT(text, HasSubstr(row(reason.name, reason.help)));
}

TEST(CommandLineReference, HasEveryExitCode) {
  const std::string text = page("command-line.md");
  for (const ExitCodeMeaning& meaning : exit_code_meanings) {
    EXPECT_THAT(text, HasSubstr("\n| " + std::to_string(static_cast<int>(meaning.code)) + " | " +
                                std::string{meaning.sentence} + " |\n"));
  }
}

}  // namespace
}  // namespace weir
