#include "tools/origin/request_body.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::origin {
namespace {

// Feeds `in` in pieces of `step` bytes, as a connection would: what is not taken is offered again.
struct Reading {
  std::string data;
  std::string rest;
  bool done;
  bool bad;
};

Reading read(bool chunked, std::uint64_t body_bytes, std::string_view in, std::size_t step) {
  RequestBody body;
  body.begin(chunked, body_bytes);
  Reading reading{};
  while (!body.done() && !body.bad()) {
    const RequestBody::Piece piece = body.take(reading.rest, 3);
    reading.data += piece.data;
    reading.rest.erase(0, piece.taken);
    if (piece.taken > 0 || body.bad()) continue;
    if (in.empty()) break;
    reading.rest += in.substr(0, step);
    in.remove_prefix(std::min(step, in.size()));
  }
  reading.rest += in;
  reading.done = body.done();
  reading.bad = body.bad();
  return reading;
}

TEST(OriginRequestBody, CountedBodiesEndAfterTheirBytes) {
  for (const std::size_t step : {1u, 2u, 7u, 100u}) {
    const Reading reading = read(false, 5, "helloGET /", step);
    EXPECT_EQ(reading.data, "hello");
    EXPECT_EQ(reading.rest, "GET /");
    EXPECT_TRUE(reading.done);
  }
  EXPECT_TRUE(read(false, 0, "GET", 1).done);
  EXPECT_FALSE(read(false, 5, "hell", 1).done);
}

TEST(OriginRequestBody, ChunksArePeeledHoweverTheyArrive) {
  const std::string in = "5\r\nhello\r\nA;name=\"x\"\r\n, chunked!\r\n000\r\nTrailer: 1\r\nOther: 2\r\n\r\nGET /";
  for (std::size_t step = 1; step < in.size(); ++step) {
    const Reading reading = read(true, 0, in, step);
    ASSERT_TRUE(reading.done) << step;
    EXPECT_EQ(reading.data, "hello, chunked!");
    EXPECT_EQ(reading.rest, "GET /");
  }
}

TEST(OriginRequestBody, BadFramingIsNoticed) {
  const std::string rows[] = {
      "\r\n",
      "g\r\n",
      "-1\r\n",
      "0x5\r\nhello\r\n",
      "5\r\nhelloX\r\n",
      " 5\r\n",
      "5\r\nhell\r\n0\r\n\r\n",
      "10000000000000000\r\n",
      std::string(5000, '0') + "\r\n",
      "0\r\n" + std::string(5000, 'x'),
      "0\r\n" +
          [] {
            std::string lines;
            for (int i = 0; i < 20; ++i) lines += std::string(1000, 't') + "\r\n";
            return lines;
          }(),
  };
  for (const std::string& row : rows) EXPECT_TRUE(read(true, 0, row, 64).bad) << row.substr(0, 40);
}

TEST(OriginRequestBody, APieceIsNeverLongerThanAskedFor) {
  RequestBody body;
  body.begin(false, 1000);
  EXPECT_EQ(body.take(std::string(500, 'x'), 64).data.size(), 64u);
}

}  // namespace
}  // namespace weir::origin
