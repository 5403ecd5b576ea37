#include "tests/unit/net/http1/replay.h"

#include <algorithm>
#include <span>
#include <utility>

#include "net/http1/head_writer.h"

namespace weir::http1::test {

using http::Framing;

namespace {

void describe_field(std::string& line, const http::Field& field) {
  line.append(field.hop ? " | ~" : " | ").append(field.name).append(":");
  if (!field.value.empty()) line.append(" ").append(shorten(escape(field.value)));
}

}  // namespace

Replay::Replay(ReplayOptions options) : options_(std::move(options)) {}

void Replay::feed(std::string_view piece) {
  waiting_.append(piece);
  while (step(options_.eager)) {
  }
}

std::vector<std::string> Replay::finish() {
  while (step(true)) {
  }
  const bool partial = state_ == State::counted || state_ == State::chunked;
  if (state_ == State::until_close || (partial && !body_.empty())) end_body();
  if (partial || state_ == State::trailers || (state_ == State::head && !waiting_.empty()))
    events_.emplace_back("more");
  return events_;
}

bool Replay::step(bool forced) {
  switch (state_) {
    case State::head: return read_head(forced);
    case State::counted: return read_counted();
    case State::chunked: return read_chunks();
    case State::trailers: return read_trailers(forced);
    case State::until_close: body_.append(std::exchange(waiting_, {})); return false;
    case State::over: return false;
  }
  return false;
}

http::Method Replay::answered() const {
  return methods_at_ < options_.methods.size() ? options_.methods[methods_at_] : http::Method::get;
}

// True when the parse is done.
bool Replay::take_outcome(const HeadParse& parse) {
  seen_ = waiting_.size();
  if (parse.status == HeadParse::Status::refused) {
    events_.push_back("refused " + std::string{name_of(parse.refusal)});
    state_ = State::over;
  }
  return parse.status == HeadParse::Status::done;
}

bool Replay::read_head(bool forced) {
  if (waiting_.empty() || !(forced || may_be_complete(waiting_, seen_, options_.limits))) return false;
  const std::vector<char> bytes(waiting_.begin(), waiting_.end());
  const std::string_view view{bytes.data(), bytes.size()};
  HeadParse parse;
  if (options_.answers) {
    parse = parse_answer(view, options_.limits, answered(), *answer_);
    if (!take_outcome(parse)) return false;
    events_.push_back(describe(*answer_));
    if (!answer_->interim() || answer_->status == 101) ++methods_at_;
    goes_on_ = answer_->keep_alive && answer_->status != 101;
    begin_body(answer_->framing, answer_->content_length);
  } else {
    parse = parse_request(view, options_.limits, *request_);
    if (!take_outcome(parse)) return false;
    events_.push_back(describe(*request_));
    goes_on_ = request_->keep_alive;
    begin_body(request_->framing, request_->content_length);
  }
  waiting_.erase(0, parse.size);
  seen_ = 0;
  return true;
}

void Replay::begin_body(Framing framing, uint64_t length) {
  body_.clear();
  left_ = length;
  decoder_ = {};
  switch (framing) {
    case Framing::none: end_message(); break;
    case Framing::length: state_ = State::counted; break;
    case Framing::chunked: state_ = State::chunked; break;
    case Framing::until_close: state_ = State::until_close; break;
  }
}

void Replay::end_body() {
  events_.push_back(body_.empty() ? "body" : "body " + shorten(escape(body_)));
}

void Replay::end_message() {
  state_ = goes_on_ ? State::head : State::over;
}

bool Replay::read_counted() {
  const auto count = static_cast<size_t>(std::min<uint64_t>(left_, waiting_.size()));
  body_.append(waiting_, 0, count);
  waiting_.erase(0, count);
  left_ -= count;
  if (left_ != 0) return false;
  end_body();
  end_message();
  return true;
}

bool Replay::read_chunks() {
  if (waiting_.empty()) return false;
  std::vector<char> piece(waiting_.begin(), waiting_.end());
  const auto step = decoder_.decode(std::as_writable_bytes(std::span{piece}));
  WEIR_ASSERT(step.consumed <= piece.size() && step.payload <= step.consumed, step.payload);
  body_.append(piece.data(), step.payload);
  switch (step.status) {
    case ChunkedDecoder::Step::Status::need_more:
      WEIR_ASSERT(step.consumed == piece.size(), step.consumed);
      waiting_.clear();
      return false;
    case ChunkedDecoder::Step::Status::refused:
      events_.push_back("refused " + std::string{name_of(step.refusal)});
      state_ = State::over;
      return false;
    case ChunkedDecoder::Step::Status::last: break;
  }
  waiting_.erase(0, step.consumed);
  seen_ = 0;
  end_body();
  state_ = State::trailers;
  return true;
}

bool Replay::read_trailers(bool forced) {
  if (waiting_.empty() || !(forced || may_be_complete(waiting_, seen_, options_.limits))) return false;
  const std::vector<char> bytes(waiting_.begin(), waiting_.end());
  http::Fields& fields = request_->fields;  // is free again
  const HeadParse parse = parse_trailers({bytes.data(), bytes.size()}, options_.limits, fields);
  if (!take_outcome(parse)) return false;
  std::string event = "trailers";
  for (const http::Field& field : fields) {
    describe_field(event, field);
  }
  if (parse.size > 2) events_.push_back(event);
  waiting_.erase(0, parse.size);
  seen_ = 0;
  end_message();
  return true;
}

std::vector<std::string> replay(std::string_view bytes, const ReplayOptions& options) {
  return replay(bytes, {}, options);
}

std::vector<std::string> replay(std::string_view bytes, const std::vector<size_t>& cuts, const ReplayOptions& options) {
  Replay replay(options);
  size_t at = 0;
  for (const size_t cut : cuts) {
    replay.feed(bytes.substr(at, cut - at));
    at = cut;
  }
  replay.feed(bytes.substr(at));
  return replay.finish();
}

// --- what is written down
// ----------------------------------------------------------------------------------------------

namespace {

std::string_view form_of(http::TargetForm form) {
  switch (form) {
    case http::TargetForm::origin: return "";
    case http::TargetForm::absolute: return " absolute";
    case http::TargetForm::authority: return " authority";
    case http::TargetForm::asterisk: return " asterisk";
  }
  return " ?";
}

void flag(std::string& line, bool is_set, std::string_view text) {
  if (is_set) line.append(" ").append(text);
}

}  // namespace

std::string describe(const http::RequestHead& head) {
  std::string line = "request ";
  line.append(head.method_text).append(" ").append(head.path.empty() ? "-" : shorten(head.path));
  if (head.has_query) line.append(" query=").append(head.query);
  if (!head.authority.empty()) line.append(" at ").append(head.authority);
  if (head.host != head.authority) line.append(" host=").append(head.host);
  line.append(form_of(head.form));
  flag(line, (head.method == http::Method::other) != (http::method_of(head.method_text) == http::Method::other), "?");
  flag(line, head.minor_version == 0, "1.0");
  if (head.framing == Framing::length) line.append(" length=").append(std::to_string(head.content_length));
  flag(line, head.framing == Framing::chunked, "chunked");
  flag(line, !head.keep_alive, "close");
  flag(line, head.upgrade, "upgrade");
  flag(line, head.expects_continue, "expects-continue");
  flag(line, head.accepts_trailers, "accepts-trailers");
  for (const http::Field& field : head.fields) describe_field(line, field);
  return line;
}

std::string describe(const http::AnswerHead& head) {
  std::string line = "answer " + std::to_string(head.status);
  if (!head.reason.empty()) line.append(" \"").append(shorten(escape(head.reason))).append("\"");
  flag(line, head.minor_version == 0, "1.0");
  if (head.has_content_length) {
    line.append(head.framing == Framing::length ? " length=" : " announces=")
        .append(std::to_string(head.content_length));
  }
  flag(line, head.framing == Framing::chunked, "chunked");
  flag(line, head.framing == Framing::until_close, "until-close");
  // A body until the connection closes says both, or there is a mistake.
  if (head.framing != Framing::until_close) flag(line, !head.keep_alive, "close");
  flag(line, head.framing == Framing::until_close && head.keep_alive, "keeps-alive?");
  flag(line, head.upgrade, "upgrade");
  for (const http::Field& field : head.fields) describe_field(line, field);
  return line;
}

namespace {

template <class WriteLine>
std::string write_head(const http::Fields& fields, WriteLine write_line) {
  std::vector<std::byte> room(32 * 1024);
  HeadWriter writer(room);
  write_line(writer);
  for (const http::Field& field : fields) writer.field(field.name, field.value);
  writer.end_of_head();
  WEIR_ASSERT(!writer.overflowed());
  return {reinterpret_cast<const char*>(room.data()), writer.size()};
}

}  // namespace

std::string rewrite(const http::RequestHead& head) {
  std::string text =
      write_head(head.fields, [&](HeadWriter& writer) { writer.request_line(head.method_text, head.target); });
  if (head.minor_version == 0) text[head.method_text.size() + head.target.size() + 9] = '0';
  return text;
}

std::string rewrite(const http::AnswerHead& head) {
  std::string text = write_head(head.fields, [&](HeadWriter& writer) { writer.status_line(head.status, head.reason); });
  if (head.minor_version == 0) text[7] = '0';
  return text;
}

std::string escape(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    switch (c) {
      case '\r': text += "\\r"; break;
      case '\n': text += "\\n"; break;
      case '\t': text += "\\t"; break;
      case '\\': text += "\\\\"; break;
      default:
        if (byte >= 0x20 && byte < 0x7f) {
          text += c;
        } else {
          text.append("\\x").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
        }
    }
  }
  return text;
}

std::string shorten(std::string_view escaped) {
  if (escaped.size() <= 80) return std::string{escaped};
  return std::string{escaped.substr(0, 20)} + "...(" + std::to_string(escaped.size()) + ")..." +
         std::string{escaped.substr(escaped.size() - 20)};
}

}  // namespace weir::http1::test
