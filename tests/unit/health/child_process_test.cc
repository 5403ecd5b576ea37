#include "health/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/health/probing.h"

namespace weir {
namespace {

using How = ChildEnd::How;

class ChildProcessTest : public ProbingTest, public ChildProcess::Watcher {
 protected:
  static constexpr Duration timeout = std::chrono::milliseconds{1'500};

  void SetUp() override {
    ProbingTest::SetUp();
    child = std::make_unique<ChildProcess>(context(), *this);
  }
  void TearDown() override {
    if (child) {
      child->give_up();
      EXPECT_TRUE(turn_until([&] { return child->resting(); }));
      child.reset();
    }
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "somebody was not waited for";
    EXPECT_EQ(errno, ECHILD);
    ProbingTest::TearDown();
  }

  void child_over() override {
    EXPECT_FALSE(in_begin_);
    EXPECT_TRUE(child->resting());
    over = true;
    if (on_over) on_over();
  }

  void begin(const std::vector<std::string>& command, const std::vector<std::string>& environment = {},
             std::string_view input = {}) {
    over = false;
    in_begin_ = true;
    child->begin({command, environment, input, timeout});
    in_begin_ = false;
  }
  void begin_shell(const std::string& script) { begin({"sh", "-c", script}); }
  ChildEnd end_of(const std::vector<std::string>& command, const std::vector<std::string>& environment = {},
                  std::string_view input = {}) {
    begin(command, environment, input);
    EXPECT_TRUE(turn_until([&] { return over; }));
    return child->end();
  }
  ChildEnd end_of_shell(const std::string& script) { return end_of({"sh", "-c", script}); }

  // What it wrote there, once all of it is there.
  std::string written(const std::string& file) {
    std::string text;
    EXPECT_TRUE(turn_until([&] {
      std::ostringstream all;
      all << std::ifstream{file}.rdbuf();
      text = all.str();
      return text.ends_with('\n');
    })) << file;
    return text;
  }
  static bool exists(pid_t pid) { return ::kill(pid, 0) == 0; }
  // Who has no parent left is waited for by somebody else, when that one likes.
  static bool is_running(pid_t pid) {
    std::ifstream stat{"/proc/" + std::to_string(pid) + "/stat"};
    std::string number;
    std::string name;
    std::string state;
    return static_cast<bool>(stat >> number >> name >> state) && state != "Z" && state != "X";
  }

  bool over = false;
  std::function<void()> on_over;
  const Folder folder;
  std::unique_ptr<ChildProcess> child;

 private:
  bool in_begin_ = false;
};

TEST_F(ChildProcessTest, TellsHowItEnded) {
  struct Row {
    std::string script;
    ChildEnd end;
    std::string words;
  };
  for (const Row& row :
       {Row{"exit 0", {How::exited, 0}, "exit status 0"}, Row{"exit 3", {How::exited, 3}, "exit status 3"},
        Row{"exit 255", {How::exited, 255}, "exit status 255"},
        Row{"nonsense", {How::exited, 127}, "exit status 127 (of a shell: no such command)"},
        Row{"/", {How::exited, 126}, "exit status 126 (of a shell: not executable)"},
        Row{"kill -SEGV $$", {How::signaled, SIGSEGV}, "killed by SIGSEGV"},
        Row{"kill -TERM $$", {How::signaled, SIGTERM}, "killed by SIGTERM"},
        Row{"kill -40 $$", {How::signaled, 40}, "killed by signal 40"}}) {
    const ChildEnd end = end_of_shell(row.script);
    EXPECT_EQ(end, row.end) << row.script << ": " << describe(end);
    EXPECT_EQ(describe(end), row.words);
    EXPECT_EQ(end.passed(), row.script == "exit 0");
  }
  EXPECT_EQ(describe({How::timed_out, 1'000}), "killed after 1s");
  EXPECT_EQ(describe({How::timed_out, 1'500}), "killed after 1500ms");
  EXPECT_EQ(describe({How::not_started, 12'345}), "cannot be started: error 12345");
}

TEST_F(ChildProcessTest, SaysWhyItCannotBeStarted) {
  const auto make = [&](std::string_view name, std::string_view content, mode_t mode) {
    const std::string file = folder / name;
    std::ofstream{file} << content;
    EXPECT_EQ(::chmod(file.c_str(), mode), 0);
    return file;
  };
  struct Row {
    std::string program;
    int number;
    std::string words;
  };
  for (const Row& row :
       {Row{folder / "none", ENOENT, "cannot be started: No such file or directory (ENOENT)"},
        Row{"weir-no-such-program", ENOENT, "cannot be started: No such file or directory (ENOENT)"},
        Row{make("plain", "#!/bin/sh\n", 0644), EACCES, "cannot be started: Permission denied (EACCES)"},
        Row{folder / ".", EACCES, "cannot be started: Permission denied (EACCES)"},
        Row{make("garbage", "what is this?\n", 0755), ENOEXEC, "cannot be started: Exec format error (ENOEXEC)"},
        Row{make("orphan", "#!/no/such/shell\n", 0755), ENOENT,
            "cannot be started: No such file or directory (ENOENT)"},
        Row{folder / "plain/below", ENOTDIR, "cannot be started: Not a directory (ENOTDIR)"}}) {
    const ChildEnd end = end_of({row.program});
    EXPECT_EQ(end, (ChildEnd{How::not_started, row.number})) << row.program << ": " << describe(end);
    EXPECT_EQ(describe(end), row.words);
  }
}

TEST_F(ChildProcessTest, IsTheProgramWithItsArgumentsAsTheyAre) {
  const std::string out = folder / "out";
  EXPECT_TRUE(end_of({"sh", "-c", "printf '%s|' \"$@\" > \"$0\"; echo >> \"$0\"", out, "one", "", "two words", "$HOME"})
                  .passed());
  EXPECT_EQ(written(out), "one||two words|$HOME|\n");
}

TEST_F(ChildProcessTest, HasTheGivenEnvironmentAndOurPath) {
  const std::string out = folder / "out";
  ::setenv("WEIR_TEST_OURS", "not for others", 1);
  ASSERT_NE(::getenv("PATH"), nullptr);
  EXPECT_TRUE(end_of({"env"}).passed()) << "found by our PATH";
  EXPECT_TRUE(end_of({"sh", "-c", "env > " + out}, {"WEIR_PORT=80", "X=a b=c"}).passed());
  std::string text = written(out);
  EXPECT_NE(text.find("WEIR_PORT=80\n"), std::string::npos);
  EXPECT_NE(text.find("X=a b=c\n"), std::string::npos);
  EXPECT_NE(text.find(std::string{"PATH="} + ::getenv("PATH") + "\n"), std::string::npos);
  EXPECT_EQ(text.find("WEIR_TEST_OURS"), std::string::npos);
  ::unsetenv("WEIR_TEST_OURS");

  EXPECT_TRUE(end_of({"sh", "-c", "echo $PATH > " + out}, {"PATH=/elsewhere"}).passed());
  EXPECT_EQ(written(out), "/elsewhere\n");
}

TEST_F(ChildProcessTest, HasNothingToReadAndNoOtherDescriptors) {
  const std::string out = folder / "out";
  // One that does not close on exec, as those we were started with may be.
  const Fd left_over{::open("/dev/null", O_RDONLY)};
  const Fd high{::fcntl(left_over.get(), F_DUPFD, 500)};
  // Of the shell itself, while it waits for a command whose output it reads.
  const auto of_shell = [](int fd) { return " /proc/$$/fd/" + std::to_string(fd); };
  const std::string see_three = "x=$(readlink" + of_shell(0) + of_shell(1) + of_shell(2) + ")";
  const auto see_no = [&](const Fd& fd) { return "[ ! -e" + of_shell(fd.get()) + " ]"; };
  const std::string script =
      see_no(left_over) + " && " + see_no(high) + " && " + see_three + " && echo \"$x\" > " + out;
  EXPECT_EQ(end_of_shell(script), (ChildEnd{How::exited, 0}));
  EXPECT_EQ(written(out), "/dev/null\n/dev/null\n/dev/null\n");
  EXPECT_TRUE(end_of_shell("cat > " + out + "; echo >> " + out).passed()) << "it reads the end at once";
  EXPECT_EQ(written(out), "\n");
}

TEST_F(ChildProcessTest, ReadsWhatItIsGiven) {
  const std::string out = folder / "out";
  std::string much(ChildProcess::input_bytes_max - 2, 'm');
  much += "\n\n";
  for (const std::string& input : {std::string{"{\"a\": 1}\n"}, std::string{"\0binary\n", 8}, much}) {
    EXPECT_TRUE(end_of({"sh", "-c", "cat > " + out}, {}, input).passed());
    EXPECT_EQ(written(out), input);
  }
  // Nobody has to read it.
  EXPECT_TRUE(end_of({"true"}, {}, much).passed());
}

// We block and ignore signals; what we start must not.
TEST_F(ChildProcessTest, HasSignalsAsIfFresh) {
  const std::string out = folder / "out";
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto pipe_before = ::signal(SIGPIPE, SIG_IGN);
  EXPECT_TRUE(end_of_shell("grep -E '^Sig(Blk|Ign)' /proc/self/status > " + out).passed());
  EXPECT_EQ(end_of_shell("kill -TERM $$; exit 0"), (ChildEnd{How::signaled, SIGTERM}));
  ::signal(SIGPIPE, pipe_before);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  std::istringstream text{written(out)};
  std::string name;
  uint64_t blocked = 1;
  uint64_t ignored = 1;
  text >> name >> std::hex >> blocked >> name >> ignored;
  EXPECT_EQ(blocked, 0U);
  // posix_spawn ignores the two signals that the C library keeps to itself, and sets them up itself.
  constexpr uint64_t of_the_library = uint64_t{3} << 31;
  EXPECT_EQ(ignored & ~of_the_library, 0U);
}

TEST_F(ChildProcessTest, LivesInASessionOfItsOwn) {
  const std::string out = folder / "out";
  EXPECT_TRUE(end_of_shell("echo $$ > " + out + "; cut -d' ' -f5,6 /proc/$$/stat >> " + out).passed());
  std::istringstream text{written(out)};
  pid_t pid = 0;
  pid_t group = 0;
  pid_t session = 0;
  text >> pid >> group >> session;
  EXPECT_EQ(group, pid);
  EXPECT_EQ(session, pid);
}

TEST_F(ChildProcessTest, IsKilledWhenItsTimeIsUp) {
  // Deaf to what is polite, and busy in another process.
  const std::string out = folder / "out";
  begin_shell("trap '' TERM INT HUP; tail -f /dev/null & echo $$ $! > " + out + "; wait; wait");
  std::istringstream text{written(out)};
  pid_t itself = 0;
  pid_t other = 0;
  text >> itself >> other;
  pass(timeout - step);
  EXPECT_FALSE(over);
  EXPECT_TRUE(exists(itself));
  EXPECT_TRUE(exists(other));
  pass(step);
  ASSERT_TRUE(turn_until([&] { return over; }));
  EXPECT_EQ(child->end(), (ChildEnd{How::timed_out, 1'500}));
  EXPECT_EQ(child->took(), timeout);
  EXPECT_FALSE(exists(itself));
  EXPECT_TRUE(turn_until([&] { return !is_running(other); })) << "its whole group goes";
}

TEST_F(ChildProcessTest, LeavesNobodyBehind) {
  const std::string out = folder / "out";
  begin_shell("tail -f /dev/null & echo $! > " + out + "; exit 0");
  ASSERT_TRUE(turn_until([&] { return over; }));
  EXPECT_TRUE(child->end().passed());
  const pid_t other = std::stoi(written(out));
  EXPECT_TRUE(turn_until([&] { return !is_running(other); }));
}

TEST_F(ChildProcessTest, MayBeGivenUpAtAnyPoint) {
  for (int turns = 0; turns < 6; ++turns) {
    begin({"tail", "-f", "/dev/null"});
    for (int done = 0; done < turns; ++done) turn();
    EXPECT_FALSE(over);
    child->give_up();
    child->give_up();
    ASSERT_TRUE(turn_until([&] { return over; }));
    EXPECT_EQ(child->end().how, How::given_up);
    child->give_up();  // resting: nothing happens
  }
  // Before it was told that it could not even begin.
  begin({folder / "none"});
  EXPECT_FALSE(over);
  child->give_up();
  EXPECT_TRUE(over);
  EXPECT_EQ(child->end().how, How::not_started);
}

TEST_F(ChildProcessTest, MayBeDestroyedOrBegunAnewByWhoIsTold) {
  int times = 0;
  on_over = [&] {
    if (++times == 3) return child.reset();
    child->begin({{times == 1 ? "true" : folder / "none"}, {}, {}, timeout});
  };
  begin({"false"});
  ASSERT_TRUE(turn_until([&] { return child == nullptr; }));
  EXPECT_EQ(times, 3);
}

TEST_F(ChildProcessTest, SaysThatItsStatusWasTaken) {
  const auto before = ::signal(SIGCHLD, SIG_IGN);
  const ChildEnd end = end_of({"true"});
  ::signal(SIGCHLD, before);
  // Too quick for us to see it at all, or seen and gone.
  EXPECT_TRUE(end.how == How::lost || end == (ChildEnd{How::not_started, ESRCH})) << describe(end);
}

TEST_F(ChildProcessTest, CannotBeStartedWithoutDescriptors) {
  EXPECT_TRUE(in_child([this] {
    child.reset();
    begin_anew();
    child = std::make_unique<ChildProcess>(context(), *this);
    leave_descriptors(0);
    for (const std::string_view input : {"", "input"}) {
      begin({"tail", "-f", "/dev/null"}, {}, input);
      if (over) return false;
      turn();
      if (!over || child->end() != ChildEnd{How::not_started, EMFILE}) return false;
    }
    // It was started, for want of a descriptor killed, and waited for.
    return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
  }));
}

}  // namespace
}  // namespace weir
