// Replay: drives the codec over the bytes of one connection as the proxy does, in pieces of any size, and writes down
// what it said. What was written down must not depend on the pieces; unit tests and fuzzers compare.
//
// All bytes are handed over in blocks of exactly their size, so that a sanitizer sees each one read beyond them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/http1/chunked.h"
#include "net/http1/head_parser.h"

namespace weir::http1::test {

struct ReplayOptions {
  HeadLimits limits;
  bool answers = false;               // the bytes come from an origin
  std::vector<http::Method> methods;  // what is answered, in turn; GET when there are no more
  bool eager = false;                 // asks after each piece, whether may_be_complete() or not
};

class Replay {
 public:
  explicit Replay(ReplayOptions options);

  void feed(std::string_view piece);
  // Nothing more comes. An event a line, as in tests/fixtures/http1.
  std::vector<std::string> finish();

 private:
  enum class State : uint8_t { head, counted, chunked, trailers, until_close, over };

  // Each does what the bytes that are there allow; true when that made another step possible.
  bool step(bool forced);
  bool read_head(bool forced);
  bool read_counted();
  bool read_chunks();
  bool read_trailers(bool forced);

  bool take_outcome(const HeadParse& parse);
  void begin_body(http::Framing framing, uint64_t length);
  void end_body();
  void end_message();
  http::Method answered() const;

  ReplayOptions options_;
  std::unique_ptr<http::RequestHead> request_ = std::make_unique<http::RequestHead>();
  std::unique_ptr<http::AnswerHead> answer_ = std::make_unique<http::AnswerHead>();
  std::string waiting_;    // not taken yet
  size_t seen_ = 0;        // of it, by a parser that wanted more
  std::string body_;       // since the head
  uint64_t left_ = 0;      // of a counted body
  size_t methods_at_ = 0;  // the first of options_.methods that has no final answer yet
  bool goes_on_ = true;    // after this message
  ChunkedDecoder decoder_;
  State state_ = State::head;
  std::vector<std::string> events_;
};

// All of `bytes` in one piece.
std::vector<std::string> replay(std::string_view bytes, const ReplayOptions& options);
// In pieces that end at `cuts`, which rise.
std::vector<std::string> replay(std::string_view bytes, const std::vector<size_t>& cuts, const ReplayOptions& options);

// A line with everything that a head says.
std::string describe(const http::RequestHead& head);
std::string describe(const http::AnswerHead& head);
// The head as a HeadWriter writes it.
std::string rewrite(const http::RequestHead& head);
std::string rewrite(const http::AnswerHead& head);

// Bytes as they stand in fixtures: \r \n \t \\ and \xHH. Long ones are cut short in the middle.
std::string escape(std::string_view bytes);
std::string shorten(std::string_view escaped);

}  // namespace weir::http1::test
