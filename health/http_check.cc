#include "health/http_check.h"

#include <algorithm>
#include <span>
#include <utility>

#include "core/base/assert.h"
#include "health/in_quotes.h"

namespace weir {

std::string describe(const std::vector<StatusRange>& statuses) {
  std::string text;
  for (const StatusRange& range : statuses) {
    if (!text.empty()) text += ", ";
    text += std::to_string(range.first);
    if (range.last != range.first) text += "-" + std::to_string(range.last);
  }
  return text;
}

HttpCheck::HttpCheck(http::Method request, const HttpExpectation& expected)
    : request_(request), expected_(expected), finder_(expected.body) {
  WEIR_ASSERT(!expected.statuses.empty());
}

void HttpCheck::begin() {
  place_ = Place::head;
  taken_ = 0;
  seen_ = 0;
  left_ = 0;
  looked_at_ = 0;
  chunks_ = {};
  finder_.begin();
  status_.reset();
  reason_.clear();
}

bool HttpCheck::read(std::string_view answer, bool ended) {
  WEIR_ASSERT(place_ != Place::decided);
  if (place_ == Place::head && read_head(answer)) return true;
  if (place_ != Place::head && read_body(answer.substr(taken_))) return true;
  taken_ = place_ == Place::head ? taken_ : answer.size();
  return ended && at_end(answer.empty());
}

bool HttpCheck::at_end(bool said_nothing) {
  if (place_ == Place::until_close) return without_text();
  if (said_nothing) return decide("closed before it had answered");
  if (place_ == Place::head) return decide("closed in the middle of the answer's head");
  return decide("closed in the middle of the body, which did not contain " + in_quotes(expected_.body) + " so far");
}

// --- the head -------------------------------------------------------------------------------------------------------

// Interim answers and the final one.
bool HttpCheck::read_head(std::string_view answer) {
  while (place_ == Place::head) {
    const std::string_view rest = answer.substr(taken_);
    if (!http1::may_be_complete(rest, seen_, head_limits)) break;
    http::AnswerHead head;
    const http1::HeadParse parse = http1::parse_answer(rest, head_limits, request_, head);
    if (parse.status == http1::HeadParse::Status::refused) return refused(parse.refusal);
    seen_ = rest.size();
    if (parse.status == http1::HeadParse::Status::need_more) break;
    taken_ += parse.size;
    seen_ = 0;
    constexpr uint16_t switching_protocols = 101;
    if (!head.interim() || head.status == switching_protocols) return head_read(head);
    if (taken_ > heads_bytes_max) return decide("too many interim answers");
  }
  return false;
}

bool HttpCheck::head_read(const http::AnswerHead& head) {
  status_ = head.status;
  if (!is_expected(head.status)) {
    return decide("status " + std::to_string(head.status) + ", expected " + describe(expected_.statuses));
  }
  if (expected_.body.empty()) return decide("");
  switch (head.framing) {
    case http::Framing::none: return decide("there is no body, which should contain " + in_quotes(expected_.body));
    case http::Framing::length:
      left_ = head.content_length;
      place_ = Place::length;
      return left_ == 0 && without_text();
    case http::Framing::chunked: place_ = Place::chunks; return false;
    case http::Framing::until_close: place_ = Place::until_close; return false;
  }
  WEIR_ASSERT(false, static_cast<int>(head.framing));
}

bool HttpCheck::is_expected(uint16_t status) const noexcept {
  return std::any_of(expected_.statuses.begin(), expected_.statuses.end(),
                     [&](const StatusRange& range) { return status >= range.first && status <= range.last; });
}

// --- the body -------------------------------------------------------------------------------------------------------

bool HttpCheck::read_body(std::string_view fresh) {
  switch (place_) {
    case Place::chunks: return read_chunks(fresh);
    case Place::until_close: return look_at(fresh);
    case Place::length: {
      const std::string_view body = fresh.substr(0, left_);
      left_ -= body.size();
      return look_at(body) || (left_ == 0 && without_text());
    }
    case Place::head:
    case Place::decided: break;
  }
  WEIR_ASSERT(false, static_cast<int>(place_));
}

bool HttpCheck::read_chunks(std::string_view fresh) {
  std::string bytes{fresh};  // the decoder works in place
  const http1::ChunkedDecoder::Step step = chunks_.decode(std::as_writable_bytes(std::span{bytes}));
  if (look_at(std::string_view{bytes}.substr(0, step.payload))) return true;
  switch (step.status) {
    case http1::ChunkedDecoder::Step::Status::need_more: return false;
    case http1::ChunkedDecoder::Step::Status::last: return without_text();
    case http1::ChunkedDecoder::Step::Status::refused: return refused(step.refusal);
  }
  WEIR_ASSERT(false, static_cast<int>(step.status));
}

bool HttpCheck::look_at(std::string_view piece) {
  piece = piece.substr(0, body_bytes_max - looked_at_);
  looked_at_ += static_cast<uint32_t>(piece.size());
  if (finder_.ends_in(piece)) return decide("");
  if (looked_at_ < body_bytes_max) return false;
  return decide("the first " + std::to_string(body_bytes_max / 1024) + " KiB of the body do not contain " +
                in_quotes(expected_.body));
}

// --- verdicts -------------------------------------------------------------------------------------------------------

bool HttpCheck::without_text() {
  return decide("the body does not contain " + in_quotes(expected_.body));
}

bool HttpCheck::refused(http::Refusal refusal) {
  return decide("not an answer of HTTP/1: " + std::string{http::sentence_of(refusal)});
}

bool HttpCheck::decide(std::string reason) {
  reason_ = std::move(reason);
  place_ = Place::decided;
  return true;
}

}  // namespace weir
