// HttpCheck: reads the answer to a probe's request and decides whether it is the one that was expected, as early as
// that can be known: by the status alone unless a text is expected in the body, and no later than at the first place
// where that text stands.
//
// Interim answers (1xx) are skipped, but for 101, which is an answer like any other here. Heads are read strictly, as
// those of proxied answers are; of the body, chunked or not, the first body_bytes_max bytes are looked at.
//
// Pure: bytes in, a verdict out; which verdict does not depend on how the bytes were cut. One HttpCheck reads one
// answer after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "health/text_finder.h"
#include "net/http/message.h"
#include "net/http1/chunked.h"
#include "net/http1/head_parser.h"

namespace weir {

struct StatusRange {
  uint16_t first = 200;
  uint16_t last = 399;

  bool operator==(const StatusRange&) const = default;
};

// "200-399", "204, 301-302".
std::string describe(const std::vector<StatusRange>& statuses);

struct HttpExpectation {
  std::vector<StatusRange> statuses{{}};
  std::string body{};  // may be empty: any body will do
};

class HttpCheck {
 public:
  static constexpr http1::HeadLimits head_limits{};
  static constexpr uint32_t heads_bytes_max = 4 * head_limits.head_bytes_max;  // with those of interim answers
  static constexpr uint32_t body_bytes_max = 64 * 1024;

  // `request` is the method that is being answered. `expected` outlives the check.
  HttpCheck(http::Method request, const HttpExpectation& expected);

  void begin();

  // `answer` is everything so far, and has at its beginning what it had the last time; `ended`: nothing will follow.
  // True when the verdict is there; before the end it may take more. Not called again after that, until begin().
  bool read(std::string_view answer, bool ended);

  // Of a verdict: "" when the answer is the expected one; else what is wrong with it.
  const std::string& reason() const noexcept { return reason_; }
  // The status, once it was read.
  std::optional<uint16_t> status() const noexcept { return status_; }

 private:
  enum class Place : uint8_t { head, length, chunks, until_close, decided };

  // All of these: true when it is decided.
  bool read_head(std::string_view answer);
  bool head_read(const http::AnswerHead& head);
  bool read_body(std::string_view fresh);
  bool read_chunks(std::string_view fresh);
  bool look_at(std::string_view piece);
  bool at_end(bool said_nothing);
  bool without_text();
  bool refused(http::Refusal refusal);
  bool decide(std::string reason);

  bool is_expected(uint16_t status) const noexcept;

  const http::Method request_;
  const HttpExpectation& expected_;
  Place place_ = Place::head;
  size_t taken_ = 0;        // of the answer: heads that are done, body that was looked at
  size_t seen_ = 0;         // behind that, of a head that was not complete
  uint64_t left_ = 0;       // of the body, with Place::length
  uint32_t looked_at_ = 0;  // bytes of the body
  http1::ChunkedDecoder chunks_;
  TextFinder finder_;
  std::optional<uint16_t> status_;
  std::string reason_;
};

}  // namespace weir
