#include "net/http1/chunked.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/random.h"

namespace weir::http1 {
namespace {

using Status = ChunkedDecoder::Step::Status;

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span{text});
  return {bytes.begin(), bytes.end()};
}
std::string text_of(const std::vector<std::byte>& bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

std::string chunk(std::string_view data) {
  std::vector<std::byte> room(chunk_prefix_max + data.size() + chunk_suffix);
  std::byte* const at = room.data() + chunk_prefix_max;
  std::memcpy(at, data.data(), data.size());
  const uint32_t prefix = write_chunk_prefix(at, static_cast<uint32_t>(data.size()));
  write_chunk_suffix(at + data.size());
  return {reinterpret_cast<const char*>(at - prefix), prefix + data.size() + chunk_suffix};
}

TEST(ChunkedDecoder, MovesTheBodyToTheBeginning) {
  ChunkedDecoder decoder;
  auto piece = bytes_of("3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nrest");
  const auto step = decoder.decode(piece);
  EXPECT_EQ(step.status, Status::last);
  EXPECT_EQ(text_of(piece, step.payload), "abcde");
  EXPECT_EQ(step.consumed, piece.size() - 4);
}

TEST(ChunkedDecoder, ReadsAllOfAPieceThatIsNotTheLast) {
  ChunkedDecoder decoder;
  auto first = bytes_of("a\r\n01234");
  auto step = decoder.decode(first);
  EXPECT_EQ(step.status, Status::need_more);
  EXPECT_EQ(step.consumed, first.size());
  EXPECT_EQ(text_of(first, step.payload), "01234");
  step = decoder.decode({});
  EXPECT_EQ(step.status, Status::need_more);
  EXPECT_EQ(step.consumed, 0U);
  auto second = bytes_of("56789\r\n0\r\n");
  step = decoder.decode(second);
  EXPECT_EQ(step.status, Status::last);
  EXPECT_EQ(text_of(second, step.payload), "56789");
}

// What came before the offence is body; the offending byte is not consumed.
TEST(ChunkedDecoder, StopsAtTheOffence) {
  ChunkedDecoder decoder;
  auto piece = bytes_of("2\r\nok\r\nx");
  const auto step = decoder.decode(piece);
  EXPECT_EQ(step.status, Status::refused);
  EXPECT_EQ(step.refusal, http::Refusal::chunk_size_malformed);
  EXPECT_EQ(text_of(piece, step.payload), "ok");
  EXPECT_EQ(step.consumed, 7U);
}

// A body that is already where it belongs is not moved; a decoder that is used up begins anew when it is assigned.
TEST(ChunkedDecoder, BeginsAnew) {
  ChunkedDecoder decoder;
  auto piece = bytes_of("0\r\n");
  EXPECT_EQ(decoder.decode(piece).status, Status::last);
  decoder = {};
  auto next = bytes_of("1\r\nx\r\n0\r\n");
  const auto step = decoder.decode(next);
  EXPECT_EQ(step.status, Status::last);
  EXPECT_EQ(text_of(next, step.payload), "x");
}

TEST(ChunkedWriter, WritesSizesAsShortAsTheyGo) {
  EXPECT_EQ(chunk("x"), "1\r\nx\r\n");
  EXPECT_EQ(chunk(std::string(15, 'x')).substr(0, 3), "f\r\n");
  EXPECT_EQ(chunk(std::string(16, 'x')).substr(0, 4), "10\r\n");
  EXPECT_EQ(chunk(std::string(0xabcde, 'x')).substr(0, 7), "abcde\r\n");
  std::vector<std::byte> room(chunk_prefix_max);
  EXPECT_EQ(write_chunk_prefix(room.data() + room.size(), 0xffffffff), chunk_prefix_max);
  EXPECT_EQ(text_of(room, room.size()), "ffffffff\r\n");
}

TEST(ChunkedWriterDeathTest, NoChunkIsEmpty) {
  std::vector<std::byte> room(chunk_prefix_max);
  EXPECT_DEATH(write_chunk_prefix(room.data() + room.size(), 0), "size != 0");
}

TEST(Chunked, WhatIsWrittenIsReadInPiecesOfAnySize) {
  Random random(4);
  for (int round = 0; round < 2000; ++round) {
    std::string body;
    std::string coded;
    for (uint64_t chunks = random.below(6); chunks != 0; --chunks) {
      std::string data(1 + random.below(40), '\0');
      for (char& c : data) c = static_cast<char>(random.next());
      body += data;
      coded += chunk(data);
    }
    coded += "0\r\n";
    ChunkedDecoder decoder;
    std::string decoded;
    for (size_t at = 0; at < coded.size();) {
      const size_t size = std::min(coded.size() - at, 1 + random.below(30));
      auto piece = bytes_of(std::string_view{coded}.substr(at, size));
      const auto step = decoder.decode(piece);
      at += size;
      ASSERT_EQ(step.consumed, size);
      ASSERT_EQ(step.status, at == coded.size() ? Status::last : Status::need_more);
      decoded += text_of(piece, step.payload);
    }
    ASSERT_EQ(decoded, body);
  }
}

}  // namespace
}  // namespace weir::http1
