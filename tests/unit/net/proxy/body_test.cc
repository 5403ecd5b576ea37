#include "net/proxy/body.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/unit/net/proxy/room.h"

namespace weir {
namespace {

using http::Framing;
using http::Refusal;
using Step = BodySource::Step;

constexpr uint32_t trailers_max = 256;

// What came out of a BodySource, up to its last word.
struct Outcome {
  Step last = Step::need_more;
  std::string payload;
  std::string trailers;  // "name=value;" each
  std::string rest;      // what the queue kept
};

struct BodyCase {
  const char* what;
  Framing framing;
  uint64_t length;
  std::string wire;
  bool ended;
  Step last;
  std::string payload;
  std::string trailers = {};
  std::string rest = {};
  Refusal refusal = Refusal::none;
};

// NOLINTNEXTLINE(readability-identifier-naming): by this name GoogleTest asks for it
void PrintTo(const BodyCase& each, std::ostream* out) {
  *out << each.what;
}

std::vector<BodyCase> cases() {
  const std::string next = "GET /next HTTP/1.1\r\n";
  const std::string chunks = "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n";
  return {
      {"none", Framing::none, 0, next, false, Step::end, "", "", next},
      {"length 0", Framing::length, 0, next, false, Step::end, "", "", next},
      {"length", Framing::length, 11, "hello world", false, Step::end, "hello world"},
      {"length and what follows", Framing::length, 11, "hello world" + next, false, Step::end, "hello world", "", next},
      {"length, more to come", Framing::length, 12, "hello world", false, Step::need_more, "hello world"},
      {"length, cut", Framing::length, 12, "hello world", true, Step::cut, "hello world"},
      {"until close", Framing::until_close, 0, "hello world", true, Step::end, "hello world"},
      {"until close, more to come", Framing::until_close, 0, "hello world", false, Step::need_more, "hello world"},
      {"chunked", Framing::chunked, 0, chunks + "\r\n", false, Step::end, "hello world"},
      {"chunked and what follows", Framing::chunked, 0, chunks + "\r\n" + next, false, Step::end, "hello world", "",
       next},
      {"chunked, empty", Framing::chunked, 0, "0\r\n\r\n" + next, false, Step::end, "", "", next},
      {"chunked, trailers", Framing::chunked, 0, chunks + "X-Sum: 42\r\nX-B: c d\r\n\r\n" + next, false, Step::end,
       "hello world", "X-Sum=42;X-B=c d;", next},
      {"chunked, no end of trailers", Framing::chunked, 0, chunks + "X-Sum: 42\r\n", false, Step::need_more,
       "hello world", "", "X-Sum: 42\r\n"},
      {"chunked, cut in data", Framing::chunked, 0, "5\r\nhel", true, Step::cut, "hel"},
      {"chunked, cut in a size line", Framing::chunked, 0, "5\r\nhello\r\n1", true, Step::cut, "hello"},
      {"chunked, cut in trailers", Framing::chunked, 0, chunks + "X-", true, Step::cut, "hello world", "", "X-"},
      {"chunked, cut before trailers", Framing::chunked, 0, chunks, true, Step::cut, "hello world"},
  };
}

class Bodies : public testing::TestWithParam<BodyCase> {
 protected:
  // Takes all that there is.
  void take(BodySource& source, bool ended, Outcome& out) {
    for (;;) {
      BufferPiece piece;
      out.last = source.next(room_.buffers, in_, ended, piece, *trailers_);
      if (out.last != Step::piece) return;
      EXPECT_GT(piece.size, 0U);
      out.payload += text_of(room_.buffers, piece);
      room_.buffers.give_back(piece.id);
    }
  }
  void finish(BodySource& source, Outcome& out) {
    if (out.last == Step::end) {
      if (GetParam().framing == Framing::chunked) {
        for (const http::Field& field : *trailers_) {
          out.trailers += std::string{field.name} + "=" + std::string{field.value} + ";";
        }
      }
      source.trailers_taken(room_.buffers, in_);
    }
    out.rest = drained(room_.buffers, in_);
  }
  void expect(const Outcome& out, const BodySource& source, size_t cut) {
    const BodyCase& each = GetParam();
    EXPECT_EQ(out.last, each.last) << each.what << " cut at " << cut;
    EXPECT_EQ(out.payload, each.payload) << each.what << " cut at " << cut;
    EXPECT_EQ(out.trailers, each.trailers) << each.what << " cut at " << cut;
    EXPECT_EQ(out.rest, each.rest) << each.what << " cut at " << cut;
    EXPECT_EQ(source.payload(), each.payload.size());
    EXPECT_EQ(source.over(), each.last == Step::end);
    EXPECT_EQ(source.refusal(), Refusal::none);
    EXPECT_EQ(room_.buffers.in_use(), 0U) << "a buffer was lost";
  }

  RelayRoom room_;
  BufferQueue in_;
  std::unique_ptr<http::Fields> trailers_ = std::make_unique<http::Fields>();
};

// As it may arrive: first one part, which is taken, then the other.
TEST_P(Bodies, ArriveInTwoPartsCutAtEveryByte) {
  const BodyCase& each = GetParam();
  for (size_t cut = 0; cut <= each.wire.size(); ++cut) {
    BodySource source;
    source.begin(each.framing, each.length, trailers_max);
    Outcome out;
    for (const std::string& part : {each.wire.substr(0, cut), each.wire.substr(cut)}) {
      if (!part.empty()) in_.push(room_.buffers, piece_of(room_.buffers, part));
      if (out.last != Step::end) take(source, false, out);
    }
    if (each.ended) take(source, true, out);
    finish(source, out);
    expect(out, source, cut);
  }
}

// As it may lie in buffers when somebody looks at last.
TEST_P(Bodies, LieInTwoBuffersCutAtEveryByte) {
  const BodyCase& each = GetParam();
  for (size_t cut = 0; cut <= each.wire.size(); ++cut) {
    BodySource source;
    source.begin(each.framing, each.length, trailers_max);
    Outcome out;
    // From behind and to the front, where small pieces are not joined.
    for (const std::string& part : {each.wire.substr(cut), each.wire.substr(0, cut)}) {
      if (!part.empty()) {
        in_.push_front(room_.buffers, piece_of(room_.buffers, part).id, static_cast<uint32_t>(part.size()));
      }
    }
    take(source, each.ended, out);
    finish(source, out);
    expect(out, source, cut);
  }
}

TEST_P(Bodies, LieInBuffersOfOneByte) {
  const BodyCase& each = GetParam();
  BodySource source;
  source.begin(each.framing, each.length, trailers_max);
  Outcome out;
  for (size_t i = each.wire.size(); i-- > 0;) {
    in_.push_front(room_.buffers, piece_of(room_.buffers, each.wire.substr(i, 1)).id, 1);
  }
  take(source, each.ended, out);
  finish(source, out);
  expect(out, source, 1);
}

INSTANTIATE_TEST_SUITE_P(Framings, Bodies, testing::ValuesIn(cases()));

class Source : public testing::Test {
 protected:
  Step next(bool ended = false) { return source_.next(room_.buffers, in_, ended, piece_, *trailers_); }
  void push(std::string_view text) { in_.push(room_.buffers, piece_of(room_.buffers, text)); }
  void TearDown() override {
    in_.clear(room_.buffers);
    EXPECT_EQ(room_.buffers.in_use(), 0U);
  }

  RelayRoom room_{64};
  BufferQueue in_;
  BodySource source_;
  BufferPiece piece_;
  std::unique_ptr<http::Fields> trailers_ = std::make_unique<http::Fields>();
};

struct RefusedCase {
  const char* wire;
  Refusal refusal;
};

TEST_F(Source, RefusesWhatIsMalformed) {
  for (const auto& [wire, refusal] :
       {RefusedCase{"x\r\n", Refusal::chunk_size_malformed}, RefusedCase{"5\nhello", Refusal::bare_lf},
        RefusedCase{"5\r\nhelloworld", Refusal::chunk_end_malformed},
        RefusedCase{"fffffffffffffffff\r\n", Refusal::chunk_size_too_large},
        RefusedCase{"0\r\nno colon\r\n\r\n", Refusal::trailer_malformed}}) {
    source_.begin(Framing::chunked, 0, trailers_max);
    push(wire);
    Step step = next();
    if (step == Step::piece) {
      room_.buffers.give_back(piece_.id);
      step = next();
    }
    EXPECT_EQ(step, Step::refused) << wire;
    EXPECT_EQ(source_.refusal(), refusal) << wire;
    EXPECT_FALSE(source_.over());
    in_.clear(room_.buffers);
  }
}

TEST_F(Source, RefusesTrailersBeyondTheirBytes) {
  source_.begin(Framing::chunked, 0, 64);
  push("0\r\nX-Long: " + std::string(80, 'x'));
  EXPECT_EQ(next(), Step::refused) << "without waiting for their end";
  EXPECT_EQ(source_.refusal(), Refusal::trailer_too_large);
}

TEST_F(Source, HandsOutWholeBuffersWithoutCopying) {
  for (const Framing framing : {Framing::length, Framing::until_close, Framing::chunked}) {
    const std::string wire =
        framing == Framing::chunked ? "3000\r\n" + std::string(0x3000, 'x') + "\r\n" : std::string(Buffers::size, 'x');
    source_.begin(framing, 1 << 20, trailers_max);
    const BufferPiece filled = piece_of(room_.buffers, wire);
    in_.push(room_.buffers, filled);
    const std::byte* there = room_.buffers.data(filled.id);
    ASSERT_EQ(next(), Step::piece);
    EXPECT_EQ(piece_.id, filled.id) << "the buffer itself goes on";
    EXPECT_EQ(room_.buffers.data(piece_.id), there);
    EXPECT_EQ(room_.buffers.in_use(), 1U);
    room_.buffers.give_back(piece_.id);
  }
}

TEST_F(Source, LeavesWhatFollowsInItsBuffer) {
  source_.begin(Framing::length, 100, trailers_max);
  const BufferPiece filled = piece_of(room_.buffers, std::string(100, 'b') + "GET / HTTP/1.1");
  in_.push(room_.buffers, filled);
  ASSERT_EQ(next(), Step::piece);
  EXPECT_NE(piece_.id, filled.id);
  EXPECT_EQ(piece_.size, 100U);
  EXPECT_TRUE(source_.over());
  EXPECT_EQ(in_.front(room_.buffers), room_.buffers.data(filled.id) + 100) << "it was not moved";
  room_.buffers.give_back(piece_.id);
}

TEST_F(Source, KnowsWhatIsLeft) {
  source_.begin(Framing::length, 1000, trailers_max);
  EXPECT_EQ(source_.left(), 1000U);
  push(std::string(300, 'x'));
  ASSERT_EQ(next(), Step::piece);
  room_.buffers.give_back(piece_.id);
  EXPECT_EQ(source_.left(), 700U);
  source_.skip(699);
  EXPECT_EQ(source_.left(), 1U);
  EXPECT_FALSE(source_.over());
  source_.skip(1);
  EXPECT_TRUE(source_.over());
  EXPECT_EQ(source_.payload(), 1000U);
  EXPECT_EQ(next(), Step::end);
  source_.begin(Framing::chunked, 0, trailers_max);
  EXPECT_EQ(source_.left(), 0U) << "nobody knows";
}

TEST_F(Source, BeginsAnewAfterABody) {
  source_.begin(Framing::chunked, 0, trailers_max);
  push("3\r\nab");
  ASSERT_EQ(next(), Step::piece);
  room_.buffers.give_back(piece_.id);
  source_.begin(Framing::chunked, 0, trailers_max);
  push("1\r\nx\r\n0\r\n\r\n");
  ASSERT_EQ(next(), Step::piece);
  EXPECT_EQ(text_of(room_.buffers, piece_), "x");
  room_.buffers.give_back(piece_.id);
  EXPECT_EQ(next(), Step::end);
  source_.trailers_taken(room_.buffers, in_);
  EXPECT_EQ(source_.payload(), 1U);
}

// The Fields are shared by all messages of a worker: what is left of another one's is not of this one.
TEST_F(Source, ABodyWithoutTrailersHasNone) {
  for (const Framing framing : {Framing::none, Framing::length, Framing::until_close, Framing::chunked}) {
    trailers_->clear();
    trailers_->add({"X-Secret", "of somebody else"});
    source_.begin(framing, 0, trailers_max);
    if (framing == Framing::chunked) push("0\r\n\r\n");
    ASSERT_EQ(next(true), Step::end);
    EXPECT_EQ(trailers_->count(), 0U) << static_cast<int>(framing);
    source_.trailers_taken(room_.buffers, in_);
  }
}

// A body that could not be parted from what follows it ends there: its payload must never be read as anything else.
TEST_F(Source, WithoutABufferItCannotBeGoneOnWith) {
  for (const Framing framing : {Framing::length, Framing::chunked}) {
    SCOPED_TRACE(static_cast<int>(framing));
    const std::string payload = "\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    ASSERT_EQ(payload.size(), 0x25U);
    source_.begin(framing, payload.size(), trailers_max);
    push(framing == Framing::chunked ? "25\r\n" + payload + "\r\n0\r\n\r\nGET / HTTP/1.1\r\n" : payload + "GET /");
    std::vector<BufferId> taken;
    for (BufferId id = room_.buffers.take(); id != no_buffer; id = room_.buffers.take()) taken.push_back(id);
    EXPECT_EQ(next(), Step::no_buffers);
    for (const BufferId id : taken) room_.buffers.give_back(id);
    const Step step = next();
    EXPECT_NE(step, Step::end) << "what is payload was taken for trailers";
    EXPECT_FALSE(framing == Framing::chunked && source_.over());
    if (step == Step::piece) {
      EXPECT_EQ(text_of(room_.buffers, piece_), payload);
      room_.buffers.give_back(piece_.id);
    }
    in_.clear(room_.buffers);
  }
}

// --- the sink -------------------------------------------------------------------------------------------------------

class Sink : public testing::Test {
 protected:
  // What a strict reader makes of chunked bytes: payload, and the trailer section as it stands there.
  static std::pair<std::string, std::string> decode(std::string wire) {
    http1::ChunkedDecoder decoder;
    const auto step = decoder.decode({reinterpret_cast<std::byte*>(wire.data()), wire.size()});
    EXPECT_NE(step.status, http1::ChunkedDecoder::Step::Status::refused);
    return {wire.substr(0, step.payload), wire.substr(step.consumed)};
  }

  RelayRoom room_{64};
  BodySink sink_;
};

TEST_F(Sink, FramesWhereThePieceLies) {
  sink_.begin(Framing::chunked);
  struct Place {
    size_t size;
    int16_t offset;
  };
  const int16_t last = Buffers::size - 1;
  for (const auto& [size, offset] :
       {Place{1, 0}, Place{1, 1}, Place{1, last}, Place{15, 3}, Place{16, 7}, Place{255, 0}, Place{4096, 17},
        Place{Buffers::size - 1, 1}, Place{Buffers::size, 0}}) {
    SCOPED_TRACE(size);
    const std::string text = patterned(size, static_cast<unsigned>(size));
    BufferPiece piece = piece_of(room_.buffers, text, offset);
    const BufferId neighbour = room_.buffers.take();
    std::fill_n(room_.buffers.data(neighbour), Buffers::size, std::byte{0x5a});
    const BufferId id = piece.id;
    sink_.frame(room_.buffers, piece);
    EXPECT_EQ(piece.id, id);
    EXPECT_LT(piece.offset, offset);
    EXPECT_GE(piece.offset, offset - static_cast<int>(Buffers::headroom));
    const auto [payload, rest] = decode(text_of(room_.buffers, piece));
    EXPECT_EQ(payload, text);
    EXPECT_EQ(rest, "");
    for (uint32_t i = 0; i < Buffers::size; ++i) {
      ASSERT_EQ(room_.buffers.data(neighbour)[i], std::byte{0x5a}) << "the next buffer was written to";
    }
    room_.buffers.give_back(neighbour);
    room_.buffers.give_back(id);
  }
}

TEST_F(Sink, OtherFramingsAddNothing) {
  for (const Framing framing : {Framing::none, Framing::length, Framing::until_close}) {
    sink_.begin(framing);
    BufferPiece piece = piece_of(room_.buffers, "hello", 3);
    sink_.frame(room_.buffers, piece);
    EXPECT_EQ(piece.offset, 3);
    EXPECT_EQ(text_of(room_.buffers, piece), "hello");
    room_.buffers.give_back(piece.id);
  }
}

TEST_F(Sink, EndsWithAndWithoutTrailers) {
  sink_.begin(Framing::chunked);
  BufferPiece piece;
  ASSERT_TRUE(sink_.end(room_.buffers, piece, nullptr));
  EXPECT_EQ(text_of(room_.buffers, piece), "0\r\n\r\n");
  room_.buffers.give_back(piece.id);

  auto trailers = std::make_unique<http::Fields>();
  ASSERT_TRUE(sink_.end(room_.buffers, piece, trailers.get()));
  EXPECT_EQ(text_of(room_.buffers, piece), "0\r\n\r\n");
  room_.buffers.give_back(piece.id);

  trailers->add({"X-Sum", "42"});
  trailers->add({"X-B", ""});
  ASSERT_TRUE(sink_.end(room_.buffers, piece, trailers.get()));
  EXPECT_EQ(text_of(room_.buffers, piece), "0\r\nX-Sum: 42\r\nX-B: \r\n\r\n");
  room_.buffers.give_back(piece.id);
}

TEST_F(Sink, SaysWhenNoBufferIsFreeForTheEnd) {
  sink_.begin(Framing::chunked);
  std::vector<BufferId> taken;
  for (BufferId id = room_.buffers.take(); id != no_buffer; id = room_.buffers.take()) taken.push_back(id);
  BufferPiece piece;
  EXPECT_FALSE(sink_.end(room_.buffers, piece, nullptr));
  for (const BufferId id : taken) room_.buffers.give_back(id);
}

// What a sink has framed, a source takes apart, over a queue as it is sent.
TEST_F(Sink, WhatItWritesASourceReads) {
  sink_.begin(Framing::chunked);
  std::string sent;
  BufferQueue wire;
  for (unsigned i = 0; i < 40; ++i) {
    const std::string text = patterned((i * 997) % Buffers::size + 1, i);
    sent += text;
    BufferPiece piece = piece_of(room_.buffers, text);
    sink_.frame(room_.buffers, piece);
    wire.push(room_.buffers, piece);
  }
  BufferPiece piece;
  ASSERT_TRUE(sink_.end(room_.buffers, piece, nullptr));
  wire.push(room_.buffers, piece);
  BodySource source;
  source.begin(Framing::chunked, 0, trailers_max);
  auto trailers = std::make_unique<http::Fields>();
  std::string received;
  Step step = source.next(room_.buffers, wire, false, piece, *trailers);
  for (; step == Step::piece; step = source.next(room_.buffers, wire, false, piece, *trailers)) {
    received += text_of(room_.buffers, piece);
    room_.buffers.give_back(piece.id);
  }
  EXPECT_EQ(step, Step::end);
  EXPECT_TRUE(received == sent);
  source.trailers_taken(room_.buffers, wire);
  EXPECT_TRUE(wire.empty());
  EXPECT_EQ(room_.buffers.in_use(), 0U);
}

}  // namespace
}  // namespace weir
