#include "control/access_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "core/model/access_record.h"
#include "tests/unit/control/access_places.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

AccessRecord record_of(uint64_t number) {
  AccessRecord record;
  record.client = PeerAddress::ipv4(0x0a000001, 4711);
  record.bytes_in = number;
  record.status = 200;
  record.method = "GET";
  record.target = "/";
  record.ended = "done";
  return record;
}

std::vector<std::string> lines_in(const std::string& path) {
  std::istringstream text{contents_of(path)};
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

// What record_of() was given.
uint64_t number_of(const std::string& line) {
  const std::string_view key = "\"bytes_in\":";
  return std::stoull(line.substr(line.find(key) + key.size()));
}

class AccessLogTest : public ::testing::Test {
 protected:
  AccessLogTest() : log_file_(::open((folder_ / "errors").c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}

  void open(const std::string& to, bool json = true) {
    AccessLogSettings settings;
    settings.to = to;
    settings.json = json;
    auto opened =
        AccessLog::open(settings, {&first_, &second_}, clock_, Log{LogLevel::debug, LogFormat::text, log_file_.get()});
    ASSERT_TRUE(opened.ok()) << opened.error();
    access_log_ = std::move(*opened);
  }
  uint64_t written() const { return access_log_->figures().lines.load(std::memory_order_relaxed); }
  uint64_t lost() const { return access_log_->figures().lost.load(std::memory_order_relaxed); }
  uint64_t bytes() const { return access_log_->figures().bytes.load(std::memory_order_relaxed); }
  uint64_t reopened() const { return access_log_->figures().reopened.load(std::memory_order_relaxed); }
  std::string errors() const { return contents_of(folder_ / "errors"); }

  SystemClock clock_;
  const TestFolder folder_;
  const Fd log_file_;
  ByteRing first_{64 * 1024};
  ByteRing second_{64 * 1024};
  std::unique_ptr<AccessLog> access_log_;
};

TEST_F(AccessLogTest, WritesLinesOfEveryRingSoon) {
  open(folder_ / "access.log");
  ASSERT_TRUE(push(first_, record_of(1)));
  ASSERT_TRUE(push(second_, record_of(2)));
  ASSERT_TRUE(eventually([&] { return written() == 2; }));
  const auto lines = lines_in(folder_ / "access.log");
  ASSERT_EQ(lines.size(), 2U);
  uint64_t sum = 0;
  for (const std::string& line : lines) sum += number_of(line);
  EXPECT_EQ(sum, 3U);
  EXPECT_EQ(bytes(), contents_of(folder_ / "access.log").size());
  EXPECT_EQ(lost(), 0U);
}

TEST_F(AccessLogTest, WritesCombinedLines) {
  open(folder_ / "access.log", false);
  ASSERT_TRUE(push(first_, record_of(1)));
  access_log_->stop();
  EXPECT_EQ(contents_of(folder_ / "access.log"),
            "10.0.0.1 - - [01/Jan/1970:00:00:00 +0000] \"GET / HTTP/1.1\" 200 0 \"-\" \"-\"\n");
}

TEST_F(AccessLogTest, WritesWhatIsLeftWhenItStops) {
  open(folder_ / "access.log");
  for (uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(push(i % 2 == 0 ? first_ : second_, record_of(i)));
  access_log_->stop();
  access_log_->stop();
  EXPECT_EQ(written(), 100U);
  EXPECT_EQ(lines_in(folder_ / "access.log").size(), 100U);
}

// Each burst is more than half of the ring, and the next one waits for its lines: if the thread looked only every tenth
// of a second, this would take four seconds.
TEST_F(AccessLogTest, IsWokenByARingThatFills) {
  open(folder_ / "access.log", false);  // short lines: a burst is one batch
  const Instant begin = clock_.now();
  uint64_t pushed = 0;
  for (int burst = 0; burst < 40; ++burst) {
    for (int i = 0; i < 300; ++i) {
      while (!push(first_, record_of(pushed))) std::this_thread::yield();
      ++pushed;
    }
    // What may stay in the ring is less than half of it: 227 records of 144 bytes.
    ASSERT_TRUE(eventually([&] { return written() + 240 >= pushed; }));
  }
  EXPECT_LT(clock_.now() - begin, seconds{2});
}

// More than the rings hold, as fast as two threads can: everything arrives, in the order of its worker.
TEST_F(AccessLogTest, KeepsUpWithTwoWorkers) {
  open(folder_ / "access.log");
  constexpr uint64_t count = 100 * 64 * 1024 / 232;  // bytes of a record, with its prefix
  const auto produce = [](ByteRing& ring, uint64_t parity) {
    const std::string target(64, '/');
    for (uint64_t i = 0; i < count; ++i) {
      AccessRecord record = record_of(2 * i + parity);
      record.target = target;
      while (!push(ring, record)) std::this_thread::yield();
    }
  };
  std::thread one{produce, std::ref(first_), 0};
  std::thread two{produce, std::ref(second_), 1};
  one.join();
  two.join();
  access_log_->stop();
  EXPECT_EQ(written(), 2 * count);
  uint64_t next[] = {0, 1};
  uint64_t wrong = 0;
  for (const std::string& line : lines_in(folder_ / "access.log")) {
    const auto number = number_of(line);
    wrong += number == next[number % 2] ? 0U : 1U;
    next[number % 2] += 2;
  }
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(next[0] + next[1], 4 * count + 1);
}

TEST_F(AccessLogTest, IsReopenedAfterARename) {
  const std::string path = folder_ / "access.log";
  open(path);
  ASSERT_TRUE(push(first_, record_of(1)));
  ASSERT_TRUE(eventually([&] { return written() == 1; }));
  std::filesystem::rename(path, path + ".1");
  access_log_->reopen();
  ASSERT_TRUE(eventually([&] { return reopened() == 1; }));
  ASSERT_TRUE(push(first_, record_of(2)));
  access_log_->stop();
  ASSERT_EQ(lines_in(path).size(), 1U);
  EXPECT_THAT(lines_in(path)[0], HasSubstr("\"bytes_in\":2,"));
  ASSERT_EQ(lines_in(path + ".1").size(), 1U);
  EXPECT_THAT(lines_in(path + ".1")[0], HasSubstr("\"bytes_in\":1,"));
  EXPECT_THAT(errors(), HasSubstr("info  access_log: reopened to=" + path));
}

TEST_F(AccessLogTest, SaysWhenItCannotBeReopened) {
  std::filesystem::create_directory(folder_ / "logs");
  open(folder_ / "logs/access.log");
  std::filesystem::rename(folder_ / "logs", folder_ / "away");
  access_log_->reopen();
  ASSERT_TRUE(eventually([&] { return !errors().empty(); }));
  EXPECT_THAT(errors(), HasSubstr("error access_log: not reopened, the old one is written on"));
  ASSERT_TRUE(push(first_, record_of(1)));
  access_log_->stop();
  EXPECT_EQ(lines_in(folder_ / "away/access.log").size(), 1U);
  EXPECT_EQ(reopened(), 0U);
}

TEST_F(AccessLogTest, CountsWhatAFullDeviceLosesAndSaysSoOnce) {
  open("/dev/full");
  for (uint64_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(push(first_, record_of(i)));
    ASSERT_TRUE(eventually([&] { return lost() == i + 1; }));
  }
  ASSERT_TRUE(eventually([&] { return !errors().empty(); }));
  EXPECT_THAT(errors(), HasSubstr("error access_log: lines are lost to=/dev/full lines=1 reason="));
  EXPECT_THAT(errors(), HasSubstr("no space is left on its disk; make room there"));
  // The others are within ten seconds of it.
  std::string text = errors();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  // The last word has the rest.
  access_log_->stop();
  EXPECT_THAT(errors(), HasSubstr("lines=4 reason="));
  EXPECT_EQ(written(), 0U);
  EXPECT_EQ(bytes(), 0U);
}

TEST_F(AccessLogTest, SaysWhenLinesAreWrittenAgain) {
  open("unix:" + (folder_ / "log"));
  ASSERT_TRUE(push(first_, record_of(1)));
  ASSERT_TRUE(eventually([&] { return errors().find("lines are lost") != std::string::npos; }));
  EXPECT_THAT(errors(), Not(HasSubstr("written again")));
  const Fd receiver = open_receiver(folder_ / "log");
  ASSERT_TRUE(push(first_, record_of(2)));
  ASSERT_TRUE(eventually([&] { return errors().find("lines are written again") != std::string::npos; }));
  EXPECT_THAT(receive(receiver), HasSubstr("\"bytes_in\":2,"));
  EXPECT_EQ(reopened(), 1U);
  EXPECT_EQ(lost(), 1U);
}

// Nobody reads the pipe, and both rings are full: the end does not wait for it, and every line is accounted for.
TEST_F(AccessLogTest, StopsInTimeWhenAPipeIsBlocked) {
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  const Fd reader = open_reader(folder_ / "fifo");
  ASSERT_EQ(::fcntl(reader.get(), F_SETPIPE_SZ, 4096), 4096);
  open(folder_ / "fifo");
  uint64_t pushed = 0;
  const Instant until = clock_.now() + milliseconds{300};
  while (clock_.now() < until) {
    pushed += push(first_, record_of(pushed)) ? 1U : 0U;
    pushed += push(second_, record_of(pushed)) ? 1U : 0U;
  }
  const Instant begin = clock_.now();
  access_log_->stop();
  EXPECT_LT(clock_.now() - begin, seconds{1});
  EXPECT_EQ(written() + lost(), pushed);
  EXPECT_GT(written(), 0U);
  EXPECT_TRUE(first_.front().empty());
  EXPECT_TRUE(second_.front().empty());
  EXPECT_THAT(errors(), HasSubstr("its reader is too slow"));
}

TEST_F(AccessLogTest, AReaderThatGoesAwayDoesNotEndTheProcess) {
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  Fd reader = open_reader(folder_ / "fifo");
  open(folder_ / "fifo");
  reader.reset();
  ASSERT_TRUE(push(first_, record_of(1)));
  ASSERT_TRUE(eventually([&] { return lost() == 1; }));
  reader = open_reader(folder_ / "fifo");
  ASSERT_TRUE(push(first_, record_of(2)));
  ASSERT_TRUE(eventually([&] { return written() == 1; }));
  EXPECT_THAT(read_available(reader.get()), HasSubstr("\"bytes_in\":2,"));
}

TEST_F(AccessLogTest, IsRefusedWithASentence) {
  AccessLogSettings settings;
  settings.to = folder_ / "no/access.log";
  const auto opened = AccessLog::open(settings, {&first_}, clock_, Log{});
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.error(), HasSubstr("access log " + (folder_ / "no/access.log") + ": the directory "));
}

}  // namespace
}  // namespace weir
