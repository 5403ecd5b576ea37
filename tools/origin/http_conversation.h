// HTTP/1.0 and 1.1 as an origin speaks it: reads one request after the other, answers each as its target asks.
//
//          .------------------------------ answer complete, kept alive ----------------------.
//          v                                                                                 |
//        head --head read--> body --all of it taken--> delay --time--> answer --all written--+--> over
//          |                  ^                          ^ |                                 |
//          |                  '---- echo: body comes after the answer has begun -------------'
//          `-- nothing to take, or echo, or failing -----'
//
// A conversation (conversation.h says who calls it and when). Requests are answered in order; while one is delayed or
// being written no input is taken, so a pipelining client is held back by TCP.
#pragma once

#include <string>
#include <string_view>

#include "tools/origin/answer_body.h"
#include "tools/origin/conversation.h"
#include "tools/origin/http_site.h"
#include "tools/origin/request_body.h"
#include "tools/origin/request_head.h"
#include "tools/origin/target.h"

namespace weir::origin {

class HttpConversation final : public Conversation {
 public:
  // `proxied` is what the PROXY header said; empty without one.
  HttpConversation(HttpSite& site, std::string proxied);

  std::size_t on_input(std::string_view in, Output& out) override;
  void on_end_of_input(Output& out) override;
  void on_room(Output& out) override;
  void on_time(Output& out) override;
  void on_drain() override;

 private:
  enum class Phase : std::uint8_t { head, body, delay, answer, over };

  std::size_t take_head(std::string_view in, Output& out);
  std::size_t take_body(std::string_view in, Output& out);

  bool is_plain_greeting(const RequestHead& head) const noexcept;
  void begin_request(const RequestHead& head, Output& out);
  void choose_answer(const RequestHead& head);
  void begin_body(Output& out);
  void begin_delay(Output& out);

  void begin_answer(Output& out);
  bool fail_outright(Output& out);
  void answer_text(int status, std::string_view text, std::string_view type, Output& out);
  void answer_numbers(Output& out);
  void answer_pattern(Output& out);
  void answer_echo(Output& out);
  void write_some(Output& out);
  void dribble_one(Output& out);
  void end_of_body(Output& out);

  void write_head(int status, Framing framing, std::uint64_t length, std::string_view type, Output& out) const;
  void refuse(int status, Output& out);
  void next_request();
  void end_connection();

  HttpSite& site_;
  const std::string proxied_;

  Phase phase_ = Phase::head;
  std::size_t searched_ = 0;  // bytes of the coming head that were looked at before it was whole
  bool draining_ = false;     // the origin is stopping: no request after this one

  // Of the request being answered; meaningless in Phase::head.
  Answer answer_;
  bool is_head_ = false;  // the method, so no body in the answer
  bool is_http10_ = false;
  bool keep_alive_ = true;
  bool expects_continue_ = false;  // to be told before its body is read
  bool echoing_ = false;           // the body taken is written back
  bool cut_ = false;               // the answer breaks off where body_out_ ends
  bool echo_is_chunked_ = false;
  std::uint64_t echo_bytes_ = 0;  // of the echoed body, if not chunked
  std::string echo_text_;         // the echoed head
  RequestBody body_in_;
  AnswerBody body_out_;
};

}  // namespace weir::origin
