#include "tools/origin/http_conversation.h"

namespace weir::origin {
namespace {

std::string echo_text(const RequestHead& head) {
  std::string text;
  text.reserve(head.method.size() + head.target.size() + head.fields.size() + 16);
  text.append(head.method).append(" ").append(head.target).append(head.is_http10 ? " HTTP/1.0" : " HTTP/1.1");
  return text.append("\r\n").append(head.fields).append("\r\n");
}

}  // namespace

HttpConversation::HttpConversation(HttpSite& site, std::string proxied) : site_(site), proxied_(std::move(proxied)) {}

// --- what comes in ---

std::size_t HttpConversation::on_input(std::string_view in, Output& out) {
  std::size_t taken = 0;
  while (wishes_.read && out.room() > 0) {
    const std::string_view rest = in.substr(taken);
    const std::size_t step = phase_ == Phase::head ? take_head(rest, out) : take_body(rest, out);
    if (step == 0) break;
    taken += step;
  }
  return taken;
}

// Between requests that is how clients leave; within one, there is nobody to answer any more.
void HttpConversation::on_end_of_input(Output&) {
  wishes_ = Wishes{.read = false, .ending = Ending::close};
  phase_ = Phase::over;
}

void HttpConversation::on_drain() {
  draining_ = true;
  keep_alive_ = false;
  if (phase_ == Phase::head && searched_ == 0) end_connection();
}

std::size_t HttpConversation::take_head(std::string_view in, Output& out) {
  if (in.empty()) return 0;
  // Old clients send a line end too many after a body, RFC 9112 section 2.2.
  if (in.starts_with("\r\n")) return 2;
  if (!may_start_request(in.front())) {
    refuse(400, out);
    return 0;
  }
  const std::size_t size = request_head_size(in, searched_);
  if (std::min(size, in.size()) > request_head_bytes_max) {
    refuse(431, out);
    return 0;
  }
  if (size == std::string_view::npos) {
    searched_ = in.size();
    return 0;
  }
  searched_ = 0;
  RequestHead head;
  if (const int refusal = read_request_head(in.substr(0, size), head)) {
    refuse(refusal, out);
    return 0;
  }
  begin_request(head, out);
  return size;
}

std::size_t HttpConversation::take_body(std::string_view in, Output& out) {
  std::size_t data_bytes_max = in.size() + 1;
  if (echoing_) {
    if (out.room() <= AnswerBody::chunk_overhead_bytes_max) return 0;
    data_bytes_max = out.room() - AnswerBody::chunk_overhead_bytes_max;
  }
  const RequestBody::Piece piece = body_in_.take(in, data_bytes_max);
  if (echoing_) body_out_.write_copy(piece.data, out);
  if (body_in_.bad()) {
    if (!echoing_) refuse(400, out);
    // An answer that has begun can only be broken off; the missing end tells the client.
    else
      end_connection();
  } else if (body_in_.done()) {
    if (answer_.subject != Subject::echo)
      begin_delay(out);
    else if (echoing_)
      end_of_body(out);
    else
      next_request();
  }
  return piece.taken;
}

// --- the request ---

bool HttpConversation::is_plain_greeting(const RequestHead& head) const noexcept {
  return site_.is_plain() && head.target == "/" && head.method == "GET" && !head.is_http10 && head.keep_alive &&
         head.body_bytes == 0 && !head.chunked && !draining_ && proxied_.empty();
}

void HttpConversation::begin_request(const RequestHead& head, Output& out) {
  if (is_plain_greeting(head)) {
    site_.stats().requests.add(1);
    out.append(site_.greeting_answer());
    return;
  }
  // A tunnel is what only a proxy makes.
  if (head.method == "CONNECT") return refuse(501, out);
  choose_answer(head);
  is_head_ = head.method == "HEAD";
  is_http10_ = head.is_http10;
  keep_alive_ = head.keep_alive && !draining_;
  expects_continue_ = head.expects_continue;
  body_in_.begin(head.chunked, head.body_bytes);
  if (answer_.subject == Subject::echo) {
    echo_text_ = echo_text(head);
    echo_is_chunked_ = head.chunked || (answer_.chunked && !head.is_http10);
    echo_bytes_ = head.body_bytes;
  }
  const bool answers_before_body = answer_.subject == Subject::echo || answer_.fail != FailMode::none;
  if (body_in_.done() || answers_before_body) {
    begin_delay(out);
  } else {
    begin_body(out);
  }
}

void HttpConversation::choose_answer(const RequestHead& head) {
  const Settings& settings = site_.settings();
  answer_ = read_target(head.target, settings.fallback);
  if (is_about_origin(answer_.subject)) {
    if (answer_.fail == FailMode::none) return;
  } else {
    site_.stats().requests.add(1);
    answer_.delay += settings.delay;
    if (answer_.fail == FailMode::none) {
      answer_.fail = settings.fail;
      answer_.fail_rate = settings.fail_rate;
    }
  }
  if (answer_.fail != FailMode::none && !site_.roll(answer_.fail_rate)) answer_.fail = FailMode::none;
}

void HttpConversation::begin_body(Output& out) {
  phase_ = Phase::body;
  wishes_.read = true;
  if (expects_continue_) out.append("HTTP/1.1 100 Continue\r\n\r\n");
}

void HttpConversation::begin_delay(Output& out) {
  if (answer_.delay == Duration::zero()) return begin_answer(out);
  phase_ = Phase::delay;
  wishes_.read = false;
  wishes_.wake = site_.now() + answer_.delay;
}

void HttpConversation::on_time(Output& out) {
  if (phase_ == Phase::answer) return dribble_one(out);
  // Answers before this one may still be on their way.
  if (out.room() == 0) {
    wishes_.produce = true;
    return;
  }
  begin_answer(out);
}

void HttpConversation::on_room(Output& out) {
  if (phase_ == Phase::delay) return begin_answer(out);
  write_some(out);
}

}  // namespace weir::origin
