// How HttpConversation answers; http_conversation.cc has what leads to it.

#include <limits>

#include "tools/origin/http_conversation.h"
#include "tools/origin/status_text.h"

namespace weir::origin {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t without_end = std::numeric_limits<std::uint64_t>::max();

constexpr std::string_view text_type = "text/plain";
constexpr std::string_view pattern_type = "application/octet-stream";
constexpr std::string_view json_type = "application/json";

// Where an endless answer breaks off when half an answer is asked for.
constexpr std::uint64_t half_of_endless_bytes = 64 * 1024;

// A zero byte, bytes no text has, and nothing that could be a status line.
constexpr std::string_view garbage = "\x00\xff\xfe\x16\x03\x01 this is not HTTP\r\n\r\n\x80\x81"sv;

// A 205 may have a body by its framing but must leave it empty, RFC 9110 section 15.3.6.
std::string plain_text(int status) {
  return status == 205 ? std::string{} : std::to_string(status) + " " + std::string{status_text(status)} + "\n";
}

}  // namespace

// --- the answer ---

void HttpConversation::begin_answer(Output& out) {
  phase_ = Phase::answer;
  wishes_.read = false;
  wishes_.produce = false;
  if (fail_outright(out)) return;
  cut_ = answer_.fail == FailMode::half;
  switch (answer_.subject) {
    case Subject::hello: return answer_text(200, site_.greeting(), text_type, out);
    case Subject::status: return answer_text(answer_.status, plain_text(answer_.status), text_type, out);
    case Subject::complaint: return answer_text(answer_.status, answer_.complaint, text_type, out);
    case Subject::health:
      return answer_text(site_.settings().health_status, plain_text(site_.settings().health_status), text_type, out);
    case Subject::count:
    case Subject::conns:
    case Subject::stats: return answer_numbers(out);
    case Subject::pattern:
    case Subject::dribble:
    case Subject::endless: return answer_pattern(out);
    case Subject::echo: return answer_echo(out);
  }
}

bool HttpConversation::fail_outright(Output& out) {
  switch (answer_.fail) {
    case FailMode::none:
    case FailMode::half: return false;
    case FailMode::reset:
      end_connection();
      wishes_.ending = Ending::reset;
      return true;
    case FailMode::garbage: out.append(garbage); [[fallthrough]];
    case FailMode::close: end_connection(); return true;
  }
  return false;
}

void HttpConversation::answer_text(int status, std::string_view text, std::string_view type, Output& out) {
  const bool has_body = status_has_body(status);
  write_head(status, has_body ? Framing::length : Framing::no_body, text.size(), type, out);
  if (has_body && !is_head_) out.append(cut_ ? text.substr(0, text.size() / 2) : text);
  if (cut_) return end_connection();
  next_request();
}

void HttpConversation::answer_numbers(Output& out) {
  const Scoreboard& board = site_.board();
  if (answer_.subject == Subject::stats) {
    return answer_text(200, board.json(site_.settings().name) + "\n", json_type, out);
  }
  const auto count = board.sum(answer_.subject == Subject::count ? &Stats::requests : &Stats::connections);
  answer_text(200, std::to_string(count) + "\n", text_type, out);
}

void HttpConversation::answer_pattern(Output& out) {
  const bool endless = answer_.subject == Subject::endless;
  const bool chunked = !is_http10_ && (endless || answer_.chunked);
  if (endless && !chunked) keep_alive_ = false;
  write_head(200,
             chunked   ? Framing::chunked
             : endless ? Framing::until_close
                       : Framing::length,
             answer_.bytes, pattern_type, out);
  if (is_head_) return next_request();
  const std::uint64_t half = endless ? half_of_endless_bytes : answer_.bytes / 2;
  body_out_.begin(cut_ ? half : endless ? without_end : answer_.bytes, chunked);
  if (answer_.subject == Subject::dribble && body_out_.left() > 0) {
    wishes_.wake = site_.now() + answer_.every;
  } else {
    write_some(out);
  }
}

void HttpConversation::answer_echo(Output& out) {
  if (!body_in_.done()) begin_body(out);
  write_head(200, echo_is_chunked_ ? Framing::chunked : Framing::length, echo_text_.size() + echo_bytes_, text_type,
             out);
  if (cut_) {
    if (!is_head_) out.append(std::string_view{echo_text_}.substr(0, echo_text_.size() / 2));
    return end_connection();
  }
  if (!is_head_) {
    body_out_.begin(echo_is_chunked_ ? without_end : echo_text_.size() + echo_bytes_, echo_is_chunked_);
    body_out_.write_copy(echo_text_, out);
    echoing_ = !body_in_.done();
  }
  echo_text_ = std::string{};
  if (!body_in_.done()) return;  // take_body() goes on
  if (is_head_) return next_request();
  end_of_body(out);
}

void HttpConversation::write_some(Output& out) {
  // An echo comes here only when its end had to wait.
  if (answer_.subject == Subject::echo) return end_of_body(out);
  body_out_.write_pattern(without_end, out);
  if (body_out_.left() == 0) return end_of_body(out);
  wishes_.produce = true;
}

void HttpConversation::dribble_one(Output& out) {
  // A client that does not even take single bytes misses this beat.
  if (out.room() > 0) body_out_.write_pattern(1, out);
  if (body_out_.left() == 0) return end_of_body(out);
  wishes_.wake = site_.now() + answer_.every;
}

void HttpConversation::end_of_body(Output& out) {
  if (cut_) return end_connection();
  if (!body_out_.write_end(out)) {
    phase_ = Phase::answer;
    wishes_.read = false;
    wishes_.produce = true;
    return;
  }
  next_request();
}

// --- around it ---

void HttpConversation::write_head(int status, Framing framing, std::uint64_t length, std::string_view type,
                                  Output& out) const {
  site_.write_head({.status = status,
                    .framing = framing,
                    .length = length,
                    .type = type,
                    .is_http10 = is_http10_,
                    .keep_alive = keep_alive_,
                    .proxied = proxied_},
                   out);
}

void HttpConversation::refuse(int status, Output& out) {
  keep_alive_ = false;
  const std::string text = plain_text(status);
  write_head(status, Framing::length, text.size(), text_type, out);
  out.append(text);
  end_connection();
  wishes_.ending = Ending::linger;
}

void HttpConversation::next_request() {
  if (!keep_alive_) return end_connection();
  phase_ = Phase::head;
  echoing_ = false;
  cut_ = false;
  wishes_.read = true;
  wishes_.produce = false;
}

void HttpConversation::end_connection() {
  phase_ = Phase::over;
  wishes_ = Wishes{.read = false, .ending = body_in_.done() ? Ending::close : Ending::linger};
}

}  // namespace weir::origin
