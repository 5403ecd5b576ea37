#include "control/access_sink.h"

#include <errno.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/fsuid.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/unit/control/access_places.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

AccessLines lines_of(const std::vector<std::string>& texts) {
  AccessLines lines;
  for (const std::string& text : texts) {
    lines.begin_line() += text;
    lines.end_line();
  }
  return lines;
}

class AccessSinkTest : public ::testing::Test {
 protected:
  // As the thread of the access log does.
  static void SetUpTestSuite() { ::signal(SIGPIPE, SIG_IGN); }
  static void TearDownTestSuite() { ::signal(SIGPIPE, SIG_DFL); }

  Delivery deliver(AccessSink& sink, const std::vector<std::string>& texts, Duration patience = milliseconds{0}) {
    return sink.deliver(lines_of(texts), {clock_, clock_.now() + patience});
  }

  static std::unique_ptr<AccessSink> opened(OpenedSink sink) {
    EXPECT_TRUE(sink.ok()) << sink.error();
    return std::move(*sink);
  }

  SystemClock clock_;
  const TestFolder folder_;
};

TEST(AccessLines, KnowTheirLines) {
  AccessLines lines = lines_of({"one", "", "three"});
  EXPECT_EQ(lines.count(), 3U);
  EXPECT_EQ(lines.text(), "one\n\nthree\n");
  EXPECT_EQ(lines.line(0), "one");
  EXPECT_EQ(lines.line(1), "");
  EXPECT_EQ(lines.line(2), "three");
  const size_t within[] = {0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 3};
  for (size_t bytes = 0; bytes < std::size(within); ++bytes)
    EXPECT_EQ(lines.count_within(bytes), within[bytes]) << bytes;
  lines.clear();
  EXPECT_TRUE(lines.empty());
  EXPECT_EQ(lines.text(), "");
}

// --- files ----------------------------------------------------------------------------------------------------------

TEST_F(AccessSinkTest, AFileIsMadeWithItsModeAndAppendedTo) {
  const std::string path = folder_ / "access.log";
  const mode_t umask_before = ::umask(077);
  auto sink = opened(open_access_sink(path, 0644));
  ::umask(umask_before);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0644U);

  Delivery delivery = deliver(*sink, {"one", "two"});
  EXPECT_EQ(delivery.lines, 2U);
  EXPECT_EQ(delivery.bytes, 8U);
  EXPECT_EQ(delivery.error, 0);
  EXPECT_FALSE(delivery.reopened);
  // Somebody else appends, too; a second start does as well, and leaves the mode alone.
  std::ofstream{path, std::ios::app} << "theirs\n";
  auto second = opened(open_access_sink(path, 0600));
  deliver(*second, {"second"});
  deliver(*sink, {"three"});
  EXPECT_EQ(contents_of(path), "one\ntwo\ntheirs\nsecond\nthree\n");
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0644U);
}

TEST_F(AccessSinkTest, AFileThatWasRenamedIsMadeAnew) {
  const std::string path = folder_ / "access.log";
  auto sink = opened(open_access_sink(path, 0640));
  deliver(*sink, {"one"});
  std::filesystem::rename(path, path + ".1");
  deliver(*sink, {"two"});
  EXPECT_EQ(sink->reopen(), "");
  deliver(*sink, {"three"});
  EXPECT_EQ(contents_of(path + ".1"), "one\ntwo\n");
  EXPECT_EQ(contents_of(path), "three\n");
}

TEST_F(AccessSinkTest, AFileThatCannotBeMadeAnewIsWrittenOn) {
  std::filesystem::create_directory(folder_ / "logs");
  auto sink = opened(open_access_sink(folder_ / "logs/access.log", 0640));
  std::filesystem::rename(folder_ / "logs", folder_ / "away");
  EXPECT_THAT(sink->reopen(), HasSubstr("does not exist; create it (mkdir -p " + (folder_ / "logs")));
  EXPECT_EQ(deliver(*sink, {"one"}).lines, 1U);
  EXPECT_EQ(contents_of(folder_ / "away/access.log"), "one\n");
}

TEST_F(AccessSinkTest, AStartSaysWhatIsWrong) {
  std::ofstream{folder_ / "file"} << "x";
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  const Fd datagrams = open_receiver(folder_ / "datagrams");
  const Fd stream = open_receiver(folder_ / "stream", SOCK_STREAM);
  ASSERT_EQ(::listen(stream.get(), 1), 0);
  const auto problem_of = [](const std::string& to) {
    const auto sink = open_access_sink(to, 0640);
    return sink.ok() ? "none" : sink.error();
  };
  EXPECT_THAT(problem_of(folder_ / "no/access.log"),
              HasSubstr("the directory " + (folder_ / "no") + " does not exist"));
  EXPECT_THAT(problem_of(folder_ / "file/access.log"), HasSubstr((folder_ / "file") + " is not a directory"));
  EXPECT_THAT(problem_of(folder_ / "."), HasSubstr("it is a directory"));
  EXPECT_THAT(problem_of(folder_ / "fifo"), HasSubstr("nobody reads this FIFO"));
  EXPECT_THAT(problem_of(folder_ / "datagrams"), HasSubstr("write `to: unix:" + (folder_ / "datagrams")));
  EXPECT_THAT(problem_of("unix:" + (folder_ / "stream")), HasSubstr("it is no datagram socket"));
  EXPECT_THAT(problem_of("unix:" + (folder_ / "file")), HasSubstr("it is no socket"));
  EXPECT_THAT(problem_of("unix:" + (folder_ / std::string(108, 'x'))), HasSubstr("1 to 107 bytes"));
  EXPECT_THAT(problem_of("unix:"), HasSubstr("1 to 107 bytes"));
}

TEST_F(AccessSinkTest, AFullDeviceTakesNothingAndIsTriedAgain) {
  auto sink = opened(open_access_sink("/dev/full", 0640));
  for (int i = 0; i < 3; ++i) {
    const Delivery delivery = deliver(*sink, {"one", "two"});
    EXPECT_EQ(delivery.lines, 0U);
    EXPECT_EQ(delivery.bytes, 0U);
    EXPECT_EQ(delivery.error, ENOSPC);
    EXPECT_FALSE(delivery.reopened);
  }
}

// --- pipes ----------------------------------------------------------------------------------------------------------

TEST_F(AccessSinkTest, ALineThatWasCutOffDoesNotSwallowTheNext) {
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  const Fd reader = open_reader(folder_ / "fifo");
  ASSERT_EQ(::fcntl(reader.get(), F_SETPIPE_SZ, 4096), 4096);
  auto sink = opened(open_access_sink(folder_ / "fifo", 0640));

  const std::string a(3000, 'a');
  const std::string b(3000, 'b');
  const Delivery delivery = deliver(*sink, {a, b, "c"});
  EXPECT_EQ(delivery.lines, 1U);
  EXPECT_EQ(delivery.bytes, 4096U);
  EXPECT_EQ(delivery.error, EAGAIN);
  EXPECT_EQ(read_available(reader.get()), a + "\n" + std::string(4096 - 3001, 'b'));

  const Delivery next = deliver(*sink, {"d"});
  EXPECT_EQ(next.lines, 1U);
  EXPECT_EQ(next.bytes, 3U);
  EXPECT_EQ(next.error, 0);
  EXPECT_EQ(read_available(reader.get()), "\nd\n");
  deliver(*sink, {"e"});
  EXPECT_EQ(read_available(reader.get()), "e\n");
}

TEST_F(AccessSinkTest, AReaderThatGoesAwayMayComeBack) {
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  Fd reader = open_reader(folder_ / "fifo");
  auto sink = opened(open_access_sink(folder_ / "fifo", 0640));
  reader.reset();
  EXPECT_EQ(deliver(*sink, {"one"}).error, EPIPE);
  EXPECT_EQ(deliver(*sink, {"two"}).error, ENXIO);
  reader = open_reader(folder_ / "fifo");
  const Delivery delivery = deliver(*sink, {"three"});
  EXPECT_EQ(delivery.lines, 1U);
  EXPECT_TRUE(delivery.reopened);
  EXPECT_EQ(read_available(reader.get()), "three\n");
}

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    reader.reset(ends[0]);
    writer.reset(ends[1]);
    EXPECT_EQ(::fcntl(writer.get(), F_SETPIPE_SZ, 4096), 4096);
  }
  Fd reader;
  Fd writer;
};

TEST_F(AccessSinkTest, ABlockingPipeIsNotWaitedFor) {
  const Pipe pipe;
  auto sink = opened(open_descriptor_sink(pipe.writer.get(), "stdout"));
  EXPECT_EQ(deliver(*sink, {std::string(3000, 'a'), std::string(3000, 'b')}, milliseconds{5}).error, EAGAIN);
  EXPECT_EQ(deliver(*sink, {"c"}, milliseconds{5}).error, EAGAIN);
  // Whoever shares it with us still has a pipe that waits.
  EXPECT_EQ(::fcntl(pipe.writer.get(), F_GETFL) & O_NONBLOCK, 0);
}

// Where /proc does not let us open it anew, as with a pipe of another user, poll(2) says how much it takes.
TEST_F(AccessSinkTest, ABlockingPipeOfSomebodyElseIsNotWaitedFor) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can lose its permissions here";
  const Pipe pipe;
  ASSERT_EQ(::fcntl(pipe.writer.get(), F_SETPIPE_SZ, 8192), 8192);
  ::setfsuid(65534);
  auto sink = opened(open_descriptor_sink(pipe.writer.get(), "stdout"));
  ::setfsuid(0);
  const Delivery delivery = deliver(*sink, {std::string(5000, 'a'), std::string(5000, 'b')}, milliseconds{5});
  EXPECT_EQ(delivery.lines, 1U);
  EXPECT_EQ(delivery.bytes, 8192U);
  EXPECT_EQ(delivery.error, EAGAIN);
  EXPECT_EQ(read_available(pipe.reader.get()).size(), 8192U);
  EXPECT_EQ(deliver(*sink, {"c"}).lines, 1U);
  EXPECT_EQ(read_available(pipe.reader.get()), "\nc\n");
}

TEST_F(AccessSinkTest, APipeWithoutReaderIsAnError) {
  Pipe pipe;
  auto sink = opened(open_descriptor_sink(pipe.writer.get(), "stdout"));
  pipe.reader.reset();
  EXPECT_EQ(deliver(*sink, {"one"}).error, EPIPE);
  EXPECT_EQ(deliver(*sink, {"two"}).lines, 0U);
}

TEST_F(AccessSinkTest, AFileAsStdoutIsWrittenWhereItIs) {
  const Fd file{::open((folder_ / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
  ASSERT_EQ(::write(file.get(), "before\n", 7), 7);
  auto sink = opened(open_descriptor_sink(file.get(), "stdout"));
  EXPECT_EQ(deliver(*sink, {"one"}).lines, 1U);
  EXPECT_EQ(sink->reopen(), "");
  ASSERT_EQ(::write(file.get(), "after\n", 6), 6);
  EXPECT_EQ(deliver(*sink, {"two"}).lines, 1U);
  EXPECT_EQ(contents_of(folder_ / "out"), "before\none\nafter\ntwo\n");
}

TEST_F(AccessSinkTest, ASocketAsStdoutIsNotWaitedFor) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  Fd reader{ends[0]};
  const Fd writer{ends[1]};
  auto sink = opened(open_descriptor_sink(writer.get(), "stdout"));
  EXPECT_EQ(deliver(*sink, {"one"}).lines, 1U);
  EXPECT_EQ(read_available(reader.get()), "one\n");
  EXPECT_EQ(deliver(*sink, {std::string(4 << 20, 'x')}, milliseconds{5}).error, EAGAIN);
  reader.reset();
  EXPECT_EQ(deliver(*sink, {"two"}).lines, 0U);
}

TEST_F(AccessSinkTest, ADescriptorThatIsNotOpenIsRefused) {
  const auto sink = open_descriptor_sink(-1, "stdout");
  ASSERT_FALSE(sink.ok());
  EXPECT_THAT(sink.error(), HasSubstr("access log stdout: "));
}

// --- datagrams ------------------------------------------------------------------------------------------------------

TEST_F(AccessSinkTest, EachLineIsADatagram) {
  const Fd receiver = open_receiver(folder_ / "log");
  auto plain = opened(open_access_sink("unix:" + (folder_ / "log"), 0640));
  auto prefixed = opened(open_datagram_sink(folder_ / "log", "<134>weir: "));
  EXPECT_EQ(deliver(*plain, {"one", "two"}).bytes, 6U);
  const Delivery delivery = deliver(*prefixed, {"three"});
  EXPECT_EQ(delivery.lines, 1U);
  EXPECT_EQ(delivery.bytes, 16U);
  for (const char* expected : {"one", "two", "<134>weir: three", ""}) EXPECT_EQ(receive(receiver), expected);
}

TEST_F(AccessSinkTest, AReceiverMayComeLateAndBeStartedAnew) {
  auto sink = opened(open_datagram_sink(folder_ / "log", ""));
  EXPECT_EQ(deliver(*sink, {"one"}).error, ENOENT);
  EXPECT_THAT(sink->reopen(), HasSubstr("nobody receives there"));
  Fd receiver = open_receiver(folder_ / "log");
  EXPECT_EQ(deliver(*sink, {"two", "three"}).lines, 2U);
  EXPECT_EQ(receive(receiver), "two");

  receiver.reset();
  EXPECT_EQ(deliver(*sink, {"four"}).error, ECONNREFUSED);
  std::filesystem::remove(folder_ / "log");
  receiver = open_receiver(folder_ / "log");
  Delivery delivery = deliver(*sink, {"five"});
  EXPECT_EQ(delivery.lines, 1U);
  EXPECT_TRUE(delivery.reopened);
  EXPECT_EQ(receive(receiver), "five");

  // Between two batches: nothing is lost.
  receiver.reset();
  std::filesystem::remove(folder_ / "log");
  receiver = open_receiver(folder_ / "log");
  delivery = deliver(*sink, {"six", "seven"});
  EXPECT_EQ(delivery.lines, 2U);
  EXPECT_EQ(delivery.error, 0);
  EXPECT_EQ(receive(receiver), "six");
  EXPECT_EQ(receive(receiver), "seven");
}

TEST_F(AccessSinkTest, AReceiverThatIsFullIsNotWaitedFor) {
  const Fd receiver = open_receiver(folder_ / "log");
  auto sink = opened(open_datagram_sink(folder_ / "log", ""));
  const std::vector<std::string> many(10'000, std::string(100, 'x'));
  const Delivery delivery = deliver(*sink, many, milliseconds{5});
  EXPECT_EQ(delivery.error, EAGAIN);
  EXPECT_GT(delivery.lines, 0U);
  EXPECT_LT(delivery.lines, many.size());
  size_t received = 0;
  while (!receive(receiver).empty()) ++received;
  EXPECT_EQ(received, delivery.lines);
  EXPECT_EQ(deliver(*sink, {"later"}).lines, 1U);
}

TEST_F(AccessSinkTest, ALineThatNoDatagramHoldsIsLostAlone) {
  const Fd receiver = open_receiver(folder_ / "log");
  auto sink = opened(open_datagram_sink(folder_ / "log", ""));
  const Delivery delivery = deliver(*sink, {"one", std::string(8 << 20, 'x'), "three"});
  EXPECT_EQ(delivery.lines, 2U);
  EXPECT_EQ(delivery.error, EMSGSIZE);
  EXPECT_EQ(receive(receiver), "one");
  EXPECT_EQ(receive(receiver), "three");
}

}  // namespace
}  // namespace weir
