// docs/operating/stats-socket.md and command-line.md say what the tables in the code say: a row each, word by word.
#include <gtest/gtest.h>

#include <string>

#include "core/model/counters.h"
#include "core/model/process_state.h"
#include "tests/unit/core/config/support.h"
#include "tools/weir/exit_codes.h"

namespace weir {
namespace {

// A page of docs/operating, and what its tables should hold.
class Page {
 public:
  explicit Page(std::string name)
      : name_(std::move(name)), text_(config::test::contents(config::test::repository() / "docs/operating" / name_)) {}

  void expect_row(std::string_view first, std::string_view second) const {
    const std::string row = "| " + std::string{first} + " | " + std::string{second} + " |";
    EXPECT_NE(text_.find("\n" + row + "\n"), std::string::npos) << "docs/operating/" << name_ << " lacks\n" << row;
  }

 private:
  std::string name_;
  std::string text_;
};

std::string code(std::string_view word) {
  return "`" + std::string{word} + "`";
}

TEST(StatsReference, HasEveryCommand) {
  const Page page{"stats-socket.md"};
#define STATS_COMMAND(words, arguments, function, sentence) \
  page.expect_row(code(*(arguments) == '\0' ? (words) : words " " arguments), sentence);
#include "control/stats_commands.def"
#undef STATS_COMMAND
}

TEST(StatsReference, HasEveryCounter) {
  const Page page{"stats-socket.md"};
  const auto expect_row = [&](const CounterName& counter, const Counter&) {
    page.expect_row(code(counter.name), counter.help);
  };
  WorkerCounters{}.for_each(expect_row);
  ListenerCounters{}.for_each(expect_row);
  EndpointCounters{}.for_each(expect_row);
  UpstreamCounters{}.for_each(expect_row);
}

TEST(StatsReference, HasEveryCloseReason) {
  const Page page{"stats-socket.md"};
  for (const CounterName& reason : close_reason_names) page.expect_row(code(reason.name), reason.help);
}

TEST(StatsReference, HasEveryEndOfAnExchange) {
  const Page page{"stats-socket.md"};
  for (const CounterName& end : exchange_end_names) page.expect_row(code(end.name), end.help);
}

TEST(StatsReference, HasEveryGauge) {
  const Page page{"stats-socket.md"};
#define WORKER_GAUGE(name, member, text) page.expect_row(code(#name), text);
#include "control/stats_gauges.def"
#undef WORKER_GAUGE
}

TEST(CommandLineReference, HasEveryExitCode) {
  const Page page{"command-line.md"};
  for (const ExitCodeMeaning& meaning : exit_code_meanings) {
    page.expect_row(std::to_string(static_cast<int>(meaning.code)), meaning.sentence);
  }
}

}  // namespace
}  // namespace weir
