// The origin as a process: what it prints, how it stops, what it exits with.
#include "tools/origin/origin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "tests/unit/tools/origin/client.h"
#include "tests/unit/tools/origin/dialogue.h"

namespace weir::origin {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

// run_origin() in a child whose output can be read.
class Process {
 public:
  explicit Process(const OriginOptions& options) {
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    std::fflush(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      dup2(ends[1], STDERR_FILENO);
      close(ends[0]);
      close(ends[1]);
      const int code = run_origin(options);
      std::fflush(nullptr);
      _exit(code);
    }
    close(ends[1]);
    output_ = fdopen(ends[0], "r");
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ > 0) kill(pid_, SIGKILL), exit_code();
    std::fclose(output_);
  }

  std::string line() {
    char text[512] = {};
    return std::fgets(text, sizeof text, output_) == nullptr ? std::string{} : std::string{text};
  }

  void signal(int number) const { kill(pid_, number); }

  // Waits for the end; -1 if it did not exit by itself.
  int exit_code() {
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  FILE* output_ = nullptr;
};

ListenAddress address_of(const std::string& line) {
  constexpr std::string_view words = "listening on ";
  EXPECT_TRUE(line.starts_with(words) && line.ends_with("\n")) << line;
  const auto address = parse_listen_address(line.substr(words.size(), line.size() - words.size() - 1));
  EXPECT_TRUE(address) << line;
  return address.value_or(ListenAddress{});
}

TEST(OriginProcess, SaysWhereItListensServesAndStopsOnEitherSignal) {
  for (const int number : {SIGINT, SIGTERM}) {
    Process process{{.listen = {"127.0.0.1:0", "[::1]:0"}, .name = "o1", .stats_on_exit = true}};
    for (int i = 0; i < 2; ++i) {
      Client client{address_of(process.line())};
      ASSERT_TRUE(client.say(get("/")));
      EXPECT_THAT(client.hear_answer(), EndsWith("hello from o1\n"));
    }
    process.signal(number);
    EXPECT_THAT(process.line(), HasSubstr("\"requests\":2,\"connections\":0,\"connections_total\":2,"));
    EXPECT_EQ(process.exit_code(), 0);
  }
}

TEST(OriginProcess, LoopsShareAPortAndAUnixSocket) {
  const std::string path = testing::TempDir() + "weir-origin-process-" + std::to_string(getpid()) + ".sock";
  Process process{{.listen = {"127.0.0.1:0", "unix:" + path}, .threads = 3}};
  for (int i = 0; i < 2; ++i) {
    const ListenAddress address = address_of(process.line());
    for (int k = 1; k <= 20; ++k) {
      Client client{address};
      ASSERT_TRUE(client.say(get("/") + get("/conns")));
      EXPECT_THAT(client.hear_answer(), EndsWith("hello from origin\n"));
      // Each connection may be another loop's: the answer is of all of them.
      EXPECT_EQ(body_of(client.hear_answer()), std::to_string(20 * i + k) + "\n");
    }
  }
  process.signal(SIGTERM);
  EXPECT_EQ(process.exit_code(), 0);
  EXPECT_NE(access(path.c_str(), F_OK), 0) << "the socket file is gone";
}

TEST(OriginProcess, TwoSignalsEndItAsOrderlyAsOne) {
  Process process{{.listen = {"127.0.0.1:0"}, .raw = "endless"}};
  Client deaf{address_of(process.line())};
  ASSERT_EQ(deaf.hear(1).size(), 1u);
  process.signal(SIGTERM);
  process.signal(SIGINT);
  EXPECT_EQ(process.exit_code(), 0);
}

TEST(OriginProcess, ExitCodesTellMistakesFromTakenPorts) {
  Process mistaken{{.listen = {"127.0.0.1:0"}, .raw = "mad"}};
  EXPECT_EQ(mistaken.line(), "weir origin: --raw 'mad': one of echo, discard, endless, banner, name, silent, reset\n");
  EXPECT_EQ(mistaken.exit_code(), 2);

  Process first{{.listen = {"127.0.0.1:0"}}};
  const std::string taken = address_of(first.line()).text();
  Process second{{.listen = {taken}}};
  EXPECT_EQ(second.line(), "weir origin: cannot listen on " + taken + ": Address already in use\n");
  EXPECT_EQ(second.exit_code(), 5);
}

}  // namespace
}  // namespace weir::origin
