#include "core/model/access_record.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "core/base/random.h"

namespace weir {
namespace {

auto figures_of(const AccessRecord& r) {
  return std::tuple{r.time_ms, r.bytes_in, r.bytes_out, r.total_us, r.queue_us, r.connect_us,    r.first_byte_us,
                    r.body_us, r.weir_us,  r.client,    r.status,   r.tries,    r.minor_version, r.reused};
}

auto texts_of(const AccessRecord& r) {
  return std::tuple{r.listener, r.route,      r.upstream, r.endpoint,   r.method, r.target,
                    r.host,     r.user_agent, r.referer,  r.request_id, r.ended,  r.refusal};
}

AccessRecord sample() {
  AccessRecord record;
  record.time_ms = 1'700'000'000'123;
  record.bytes_in = 1;
  record.bytes_out = uint64_t{1} << 40;
  record.total_us = 3;
  record.queue_us = 4;
  record.connect_us = 5;
  record.first_byte_us = 6;
  record.body_us = 7;
  record.weir_us = 8;
  record.client = PeerAddress::ipv4(0x0a000001, 4711);
  record.status = 502;
  record.tries = 3;
  record.minor_version = 0;
  record.reused = true;
  record.listener = "web";
  record.route = "api";
  record.upstream = "app";
  record.endpoint = "app-1";
  record.method = "GET";
  record.target = "/x?y=z";
  record.host = "example.com";
  record.user_agent = "curl/8";
  record.referer = "http://example.org/";
  record.request_id = "0123456789abcdef";
  record.ended = "first_byte_timeout";
  record.refusal = "host_missing";
  return record;
}

TEST(AccessRecord, TravelsWhole) {
  ByteRing ring{4096};
  const AccessRecord sent = sample();
  ASSERT_TRUE(push(ring, sent));
  const AccessRecord read = read_access_record(ring.front());
  EXPECT_EQ(figures_of(read), figures_of(sent));
  EXPECT_EQ(texts_of(read), texts_of(sent));
}

TEST(AccessRecord, MayHaveNoTexts) {
  ByteRing ring{4096};
  ASSERT_TRUE(push(ring, AccessRecord{}));
  const AccessRecord read = read_access_record(ring.front());
  EXPECT_EQ(figures_of(read), figures_of(AccessRecord{}));
  EXPECT_EQ(texts_of(read), texts_of(AccessRecord{}));
}

TEST(AccessRecord, IsSmall) {
  ByteRing ring{4096};
  ASSERT_TRUE(push(ring, sample()));
  // A million requests a second shall not be a gigabyte.
  EXPECT_LE(ring.front().size(), 256U);
}

TEST(AccessRecord, CutsLongTextsWithAMark) {
  struct Case {
    std::string text;
    std::string read;
  };
  const std::string two_bytes = "\xc3\xa9";
  const std::string four_bytes = "\xf0\x9f\x98\x80";
  const Case cases[] = {
      {std::string(4096, 'x'), std::string(4096, 'x')},
      {std::string(4097, 'x'), std::string(4093, 'x') + "..."},
      {std::string(100'000, 'x'), std::string(4093, 'x') + "..."},
      // No half of a character before the mark.
      {std::string(4092, 'x') + two_bytes + std::string(100, 'x'), std::string(4092, 'x') + "..."},
      {std::string(4091, 'x') + two_bytes + std::string(100, 'x'), std::string(4091, 'x') + two_bytes + "..."},
      {std::string(4090, 'x') + four_bytes + std::string(100, 'x'), std::string(4090, 'x') + "..."},
      // What is no UTF-8 is cut somewhere.
      {std::string(5000, '\x80'), std::string(4090, '\x80') + "..."},
  };
  for (const Case& c : cases) {
    ByteRing ring{1 << 20};
    AccessRecord record = sample();
    record.target = c.text;
    record.refusal = c.text;
    ASSERT_TRUE(push(ring, record));
    const AccessRecord read = read_access_record(ring.front());
    EXPECT_EQ(read.target, c.read);
    EXPECT_EQ(read.refusal, c.read);
    EXPECT_EQ(read.host, "example.com");
  }
}

TEST(AccessRecord, IsRefusedWithoutRoom) {
  ByteRing ring{1024};
  AccessRecord record = sample();
  int pushed = 0;
  while (push(ring, record)) ++pushed;
  EXPECT_GE(pushed, 2);
  EXPECT_LE(pushed, 1024 / 128);
  const AccessRecord read = read_access_record(ring.front());
  EXPECT_EQ(texts_of(read), texts_of(record));
  ring.pop();
  EXPECT_TRUE(push(ring, record));

  const std::string large(1000, 'x');
  record.target = large;
  while (!ring.front().empty()) ring.pop();
  EXPECT_FALSE(push(ring, record));
}

// The head of a request is at most 15 KiB, whatever its texts are: the smallest ring takes that.
TEST(AccessRecord, TheLargestHeadFitsIntoTheSmallestQueue) {
  ByteRing ring{64 * 1024};
  const std::string part(3840, 'x');
  AccessRecord record = sample();
  record.target = record.host = record.user_agent = record.referer = part;
  const std::string name(1024, 'n');
  record.listener = record.route = record.upstream = record.endpoint = name;
  EXPECT_TRUE(push(ring, record));
}

TEST(AccessRecord, ManyOfAllSizesArriveInOrder) {
  Random random(41);
  ByteRing ring{64 * 1024};
  uint64_t pushed = 0;
  uint64_t popped = 0;
  const std::string text(3000, 'x');
  for (int step = 0; step < 20'000; ++step) {
    AccessRecord record;
    record.bytes_in = pushed;
    record.target = std::string_view{text}.substr(0, pushed * 37 % text.size());
    if (random.below(3) != 0 && push(ring, record)) ++pushed;
    if (random.below(2) == 0 && !ring.front().empty()) {
      const AccessRecord read = read_access_record(ring.front());
      ASSERT_EQ(read.bytes_in, popped);
      ASSERT_EQ(read.target.size(), popped * 37 % text.size());
      ring.pop();
      ++popped;
    }
  }
  EXPECT_GT(popped, 1000U);
}

}  // namespace
}  // namespace weir
