#include "net/http1/head_writer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace weir::http1 {
namespace {

// Writes into room of exactly that size.
template <class Write>
std::string written(size_t room_size, Write write, bool* overflowed = nullptr) {
  std::vector<std::byte> room(room_size);
  HeadWriter writer(room);
  write(writer);
  if (overflowed != nullptr) *overflowed = writer.overflowed();
  return {reinterpret_cast<const char*>(room.data()), writer.size()};
}

void write_request(HeadWriter& writer) {
  writer.request_line("GET", "/a?b");
  writer.field("Host", "a.example");
  writer.field("Empty", std::string_view{});
  writer.field("Content-Length", uint64_t{0});
  writer.field("Largest", UINT64_MAX);
  writer.end_of_head();
}
constexpr std::string_view request =
    "GET /a?b HTTP/1.1\r\nHost: a.example\r\nEmpty: \r\nContent-Length: 0\r\nLargest: 18446744073709551615\r\n\r\n";

TEST(HeadWriter, WritesARequest) {
  EXPECT_EQ(written(1000, write_request), request);
}

TEST(HeadWriter, WritesAnAnswer) {
  EXPECT_EQ(written(1000, [](HeadWriter& writer) { writer.status_line(200, "OK"); }), "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(written(1000, [](HeadWriter& writer) { writer.status_line(599, ""); }), "HTTP/1.1 599 \r\n");
  EXPECT_EQ(written(1000, [](HeadWriter& writer) { writer.status_line(100, {}); }), "HTTP/1.1 100 \r\n");
}

// What fits is a beginning of the head; nothing comes behind a piece that was left out.
TEST(HeadWriter, NeverWritesBeyondItsRoom) {
  for (size_t size = 0; size <= request.size(); ++size) {
    bool overflowed = false;
    const std::string text = written(size, write_request, &overflowed);
    EXPECT_EQ(overflowed, size < request.size()) << size;
    EXPECT_EQ(text, request.substr(0, text.size())) << size;
  }
}

TEST(HeadWriterDeathTest, AStatusHasThreeDigits) {
  EXPECT_DEATH(written(100, [](HeadWriter& writer) { writer.status_line(99, "x"); }), "status");
}

}  // namespace
}  // namespace weir::http1
