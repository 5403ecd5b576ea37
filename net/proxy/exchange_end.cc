// Exchange: answers of our own, and the end.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "core/model/access_record.h"
#include "net/http/error_answer.h"
#include "net/http/request_id.h"
#include "net/proxy/exchange.h"
#include "net/proxy/field_edit.h"
#include "net/proxy/http_worker.h"
#include "net/proxy/mirror.h"
#include "net/proxy/worker.h"

namespace weir {
namespace {

uint32_t microseconds(Instant from, Instant to) noexcept {
  if (from == Instant{} || to <= from) return 0;
  const auto count = std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
  return static_cast<uint32_t>(std::min<int64_t>(count, UINT32_MAX));
}

std::string_view number(uint32_t value, Scratch& scratch) noexcept {
  const std::span<char> room = scratch.room();
  const auto written = std::to_chars(room.data(), room.data() + room.size(), value);
  return scratch.keep(static_cast<size_t>(written.ptr - room.data()));
}

}  // namespace

// --- answers of our own ---------------------------------------------------------------------------------------------

// False: nothing was put.
bool Exchange::put_own_answer(uint16_t status, std::string_view content_type, std::string_view body,
                              std::span<const http::Field> extra) {
  http::AnswerHead& head = http_.answer;
  status_ = status;
  head.status = status;
  head.reason = http::reason_of(status);
  head.minor_version = 1;
  const bool bodiless = status == 204 || status == 304;
  head.framing = bodiless ? http::Framing::none : http::Framing::length;
  head.content_length = body.size();
  head.has_content_length = !bodiless;
  head.upgrade = false;
  head.fields.clear();
  add_field(head.fields, "Date", http_.worker.http_date(), http::FieldId::date);
  if (!content_type.empty()) add_field(head.fields, "Content-Type", content_type, http::FieldId::content_type);
  for (const http::Field& field : extra) add_field(head.fields, field.name, field.value, field.id);
  add_rate_fields(head.fields);
  if (const std::string_view id = notes_.text(ExchangeNotes::request_id); !id.empty()) {
    add_field(head.fields, "X-Request-Id", id, http::FieldId::x_request_id);
  }
  apply_route_rules(head.fields, nullptr);
  if (method_ == http::Method::head) head.framing = http::Framing::none;
  client_.request_given_up();
  if (client_.put_head(head) != ExchangeClient::Put::done) return false;
  head_sent_ = true;
  Buffers& buffers = http_.worker.relay().buffers;
  while (!body.empty() && head.framing == http::Framing::length) {
    const BufferId id = buffers.take();
    if (id == no_buffer) break;  // the client will see that it is cut
    const size_t size = std::min<size_t>(body.size(), Buffers::size);
    std::memcpy(buffers.data(id), body.data(), size);
    notes_.bytes_out += size;
    client_.put_piece({id, 0, static_cast<uint16_t>(size)});
    body.remove_prefix(size);
  }
  own_answer_cut_ = !body.empty() && head.framing == http::Framing::length;
  return true;
}

// The names that most servers use, of draft-ietf-httpapi-ratelimit-headers-06.
void Exchange::add_rate_fields(http::Fields& fields) {
  if (!rate_.told) return;
  add_field(fields, "RateLimit-Limit", number(rate_.limit, http_.scratch));
  add_field(fields, "RateLimit-Remaining", number(rate_.remaining, http_.scratch));
  add_field(fields, "RateLimit-Reset", number(rate_.reset_s, http_.scratch));
}

void Exchange::put_error(uint16_t status, std::string_view name, std::string_view sentence) {
  if (is_mirror_) return;
  http_.scratch.clear();  // nobody looks any more at what was there
  // Who sees the error can name it, and the log has the same name for it.
  if (notes_.text(ExchangeNotes::request_id).empty()) {
    std::array<char, http::request_id_size> id;
    notes_.note(http_.blocks, ExchangeNotes::request_id, http::make_request_id(http_.random, id));
  }
  const std::span<char> room = http_.scratch.room();
  const uint32_t size =
      http::write_error_body(wants_html_, status, name, sentence, notes_.text(ExchangeNotes::request_id), room);
  const std::string_view body = http_.scratch.keep(size);
  std::array<http::Field, 1> extra;
  size_t extras = 0;
  if (status == 405) extra[extras++] = {"Allow", "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"};
  if (status == 503 || status == 429) {
    uint32_t seconds = rate_.retry_after_s;
    const Upstream* upstream = http_.worker.snapshot().find(upstream_);
    if (status == 503) seconds = upstream != nullptr ? upstream->resilience.retry_after_s : 1;
    extra[extras++] = {"Retry-After", number(seconds, http_.scratch)};
  }
  // Without an answer, the next one must not be taken for this one.
  if (!put_own_answer(status, http::error_content_type(wants_html_), body, std::span{extra}.first(extras))) {
    own_answer_cut_ = true;
  }
}

// --- the end --------------------------------------------------------------------------------------------------------

void Exchange::write_down(ExchangeEnd end) {
  Worker& worker = http_.worker;
  const Instant now = worker.now();
  AccessRecord record;
  record.total_us = microseconds(notes_.begun, now);
  record.time_ms = worker.unix_ms() - static_cast<int64_t>(record.total_us / 1000);
  record.bytes_in = notes_.bytes_in;
  record.bytes_out = notes_.bytes_out;
  record.queue_us = microseconds(notes_.begun, notes_.chosen);
  record.connect_us = microseconds(notes_.chosen, notes_.connected);
  record.first_byte_us = microseconds(notes_.connected, notes_.first_byte);
  record.body_us = microseconds(notes_.first_byte, now);
  record.weir_us = notes_.inside_ns / 1000;
  record.client = notes_.client;
  record.status = status_ != 0 ? status_ : exchange_end_statuses[static_cast<size_t>(end)];
  record.tries = notes_.tries;
  record.minor_version = notes_.minor_version;
  record.reused = notes_.reused;
  if (const ListenerSpec* listener = worker.snapshot().find(listener_); listener != nullptr) {
    record.listener = listener->name;
  }
  record.route = notes_.text(ExchangeNotes::route);
  record.upstream = notes_.text(ExchangeNotes::upstream);
  record.endpoint = notes_.text(ExchangeNotes::endpoint);
  record.method = notes_.text(ExchangeNotes::method);
  record.target = notes_.text(ExchangeNotes::target);
  record.host = notes_.text(ExchangeNotes::authority);
  record.user_agent = notes_.text(ExchangeNotes::user_agent);
  record.referer = notes_.text(ExchangeNotes::referer);
  record.request_id = notes_.text(ExchangeNotes::request_id);
  record.ended = exchange_end_names[static_cast<size_t>(end)].name;
  if (refusal_ != http::Refusal::none) record.refusal = http::name_of(refusal_);
  if (!push(*http_.access_log, record)) worker.counters().access_log_dropped.add();
}

// A request is in weir's hands from the beginning of a turn in which something came for it to the moment in which that
// is passed on: when the request goes up, and when the last of its answer goes down.
void Exchange::note_time_inside() {
  if (!notes_.logged) return;
  const Duration inside = http_.worker.precise_now() - http_.worker.now();
  notes_.inside_ns += static_cast<uint64_t>(std::max(inside, Duration::zero()).count());
}

void Exchange::finish(ExchangeEnd end, bool cut) {
  if (splice_.busy()) splice_.stop();
  leave_line();
  become(State::over);
  end_retrying();
  http_.worker.wheel().cancel(timer_);
  if (origin_ != nullptr) drop_origin(true);
  if (mirror_ != nullptr) mirror_->leave();
  mirror_ = nullptr;
  http_.worker.counters().exchanges_ended[static_cast<size_t>(end)].add();
  if (notes_.logged) {
    note_time_inside();
    write_down(end);
  }
  copy_.release(http_.blocks);
  notes_.release(http_.blocks);
  rules_.reset();
  http_.over(*this);
  client_.exchange_over(end, cut || own_answer_cut_);
}

}  // namespace weir
