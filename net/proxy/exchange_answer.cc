// Exchange: the origin's answer on its way to the client.
#include <algorithm>

#include "net/proxy/count_status.h"
#include "net/proxy/exchange.h"
#include "net/proxy/head_limits.h"
#include "net/proxy/http_worker.h"
#include "net/proxy/origin_connection.h"
#include "net/proxy/score.h"
#include "net/proxy/worker.h"

namespace weir {
namespace {

// More interim answers than any sane origin sends to one request.
constexpr uint8_t interims_max = 32;

// What an idle socket takes in one go, whatever its settings.
constexpr uint32_t short_request_max = 4096;

}  // namespace

// --- receiving it ---------------------------------------------------------------------------------------------------

void Exchange::origin_received() {
  // It speaks although nothing was asked: whatever that is, it is no answer to this request.
  // (A short request is handed to the kernel at once, so what is told before that has come before it.)
  const bool unasked = never_delivered() || (!up_begun_ && up_over_ && copy_.size() <= short_request_max);
  if (state_ == State::waiting && unasked && !origin_->io().in().empty()) {
    return origin_->reused() ? try_failed(Cause::closed) : fail(ExchangeEnd::answer_malformed);
  }
  if (state_ == State::waiting || state_ == State::answering) pump_down();
}

void Exchange::lent_socket_is_quiet() {
  if (state_ == State::tunneling) return begin_tunnel();
  if (splice_.busy() && splice_.upward()) return pump_up();
  if (splice_.busy()) pump_down();
}

// Moves on with what has come from the origin, as far as the client takes it.
void Exchange::pump_down() {
  while (state_ == State::waiting) {
    if (!read_head()) return;
  }
  if (state_ == State::answering && !(splice_.moving() && !splice_.upward())) pass_body();
}

// Origins are believed as little as clients.
HttpLimits Exchange::limits() const {
  const ListenerSpec* listener = http_.worker.snapshot().find(listener_);
  return listener != nullptr && listener->http != nullptr ? listener->http->limits : HttpLimits{};
}

// What the head of an answer tells pickers about who sent it.
void Exchange::note_answer(const http::AnswerHead& head, const Upstream& upstream) {
  const Instant now = http_.worker.now();
  const Duration decay = upstream.picker_options.latency_decay;
  LatencyEstimate& latency = lease_.state().at(http_.worker.index()).latency;
  const Duration sample = notes_.first_byte - notes_.asked;
  EndpointCounters& counters = lease_.state().counters(http_.worker.index());
  const Duration slow = upstream.resilience.breaker.slow;
  const bool too_slow = slow > Duration::zero() && sample > slow;
  if (too_slow) counters.answers_slow.add();
  upstream.state->at(http_.worker.index()).latency.add(static_cast<uint64_t>(std::max<int64_t>(sample.count(), 0)));
  if (head.status >= 500) {
    latency.error(sample, now, decay);
  } else {
    latency.add(sample, now, decay);
  }
  // A breaker that opens for what is slow is not closed by it.
  const bool bad = head.status >= 500 || (too_slow && lease_.on_trial());
  const Outcome outcome = bad ? Outcome::bad : Outcome::good;
  note_outcome(lease_, upstream, http_.worker.index(), now, outcome);

  if (upstream.score_header.empty()) return;
  if (const http::Field* field = head.fields.find(upstream.score_header)) {
    if (const auto score = read_score(field->value)) lease_.state().reported.report(*score, now);
  }
}

// Of an answer that has begun, and is not what it should be.
void Exchange::note_broken_answer(Counter EndpointCounters::*counter) {
  Worker& worker = http_.worker;
  (lease_.state().counters(worker.index()).*counter).add();
  const Upstream* upstream = worker.snapshot().find(upstream_);
  if (upstream == nullptr) return;
  // One of status 500 was no success before.
  const bool seemed_good = head_sent_ && status_ < 500;
  note_outcome(lease_, *upstream, worker.index(), worker.now(), seemed_good ? Outcome::spoiled : Outcome::bad);
}

// One head, interim or final. False: nothing more can be done for now.
bool Exchange::read_head() {
  Connection& io = origin_->io();
  BufferQueue& in = io.in();
  Buffers& buffers = http_.worker.relay().buffers;
  if (in.empty()) {
    if (io.ended()) try_failed(up_dead_ ? Cause::reset : Cause::closed);
    return false;
  }
  if (!client_.can_take()) return false;
  if (notes_.first_byte == Instant{}) notes_.first_byte = http_.worker.now();
  in.gather(buffers);
  const std::string_view bytes{reinterpret_cast<const char*>(in.front(buffers)), in.front_size(buffers)};
  const http1::HeadLimits head_limits = head_limits_of(limits());
  if (http1::may_be_complete(bytes, seen_, head_limits)) {
    const auto parsed = http1::parse_answer(bytes, head_limits, method_, http_.answer);
    if (parsed.status == http1::HeadParse::Status::done) {
      seen_ = 0;
      return http_.answer.interim() && http_.answer.status != 101 ? take_interim(parsed.size) : take_head(parsed.size);
    }
    if (parsed.status == http1::HeadParse::Status::refused) {
      refusal_ = parsed.refusal;
      note_broken_answer(&EndpointCounters::answers_malformed);
      fail(ExchangeEnd::answer_malformed);
      return false;
    }
  }
  seen_ = static_cast<uint32_t>(bytes.size());
  if (io.ended()) {
    refusal_ = http::Refusal::status_line_malformed;
    note_broken_answer(&EndpointCounters::answers_malformed);
    fail(ExchangeEnd::answer_malformed);
  } else {
    io.taken();
  }
  return false;
}

bool Exchange::take_interim(uint32_t size) {
  lease_.state().counters(http_.worker.index()).answers_1xx.add();
  if (++interims_ > interims_max) {
    note_broken_answer(&EndpointCounters::answers_malformed);
    fail(ExchangeEnd::answer_malformed);
    return false;
  }
  lease_.state().counters(http_.worker.index()).bytes_down.add(size);
  if (accepts_interim_) client_.put_interim(http_.answer);
  origin_->io().in().consume(http_.worker.relay().buffers, size);
  origin_->io().taken();
  return state_ == State::waiting;
}

// The final head (or 101). True as long as there is something to do.
bool Exchange::take_head(uint32_t size) {
  Worker& worker = http_.worker;
  http::AnswerHead& head = http_.answer;
  const Upstream* upstream = worker.snapshot().find(upstream_);
  const bool switches = head.status == 101;
  const bool connects = method_ == http::Method::connect && head.status / 100 == 2;
  // Nobody may switch before the request is complete (RFC 9110 section 7.8): what of its body is still to come would be
  // the tunnel's first bytes.
  const bool asked_for = !switches || (upgrade_ && head.upgrade && method_ != http::Method::connect);
  if (!asked_for || ((switches || connects) && !up_over_)) {
    note_broken_answer(&EndpointCounters::answers_malformed);
    fail(ExchangeEnd::answer_malformed);
    return false;
  }
  count_status(lease_.state().counters(worker.index()), head.status);
  end_retrying();
  if (upstream != nullptr) note_answer(head, *upstream);
  if (upstream != nullptr && !is_mirror_) {
    const auto& statuses = upstream->http.retry.on_statuses;
    if (std::find(statuses.begin(), statuses.end(), head.status) != statuses.end() && retry(Cause::status)) {
      return false;  // there is another connection now, if any
    }
  }
  lease_.state().counters(worker.index()).bytes_down.add(size);
  status_ = head.status;
  origin_may_go_on_ = head.keep_alive && head.framing != http::Framing::until_close;
  const http::Framing framing = head.framing;
  const uint64_t length = head.content_length;
  http_.scratch.clear();
  edit_answer(head, upstream);
  if (const auto put = client_.put_head(head); put != ExchangeClient::Put::done) {
    fail(put == ExchangeClient::Put::no_buffers ? ExchangeEnd::no_buffers : ExchangeEnd::answer_too_large);
    return false;
  }
  head_sent_ = true;
  copy_.release(http_.blocks);
  replayable_ = false;
  origin_->io().in().consume(worker.relay().buffers, size);
  if (switches || connects) {
    become(State::tunneling);
    // For so long may the client take to read that head.
    wait_for_body();
    begin_tunnel();
    return false;
  }
  down_.begin(framing, length, limits().trailer_bytes_max);
  become(State::answering);
  wait_for_body();
  return true;
}

// --- its body -------------------------------------------------------------------------------------------------------

void Exchange::pass_body() {
  Connection& io = origin_->io();
  Buffers& buffers = http_.worker.relay().buffers;
  bool moved = false;
  while (client_.can_take()) {
    BufferPiece piece;
    const BodySource::Step step = down_.next(buffers, io.in(), io.ended(), piece, http_.trailers);
    switch (step) {
      case BodySource::Step::piece:
        lease_.state().counters(http_.worker.index()).bytes_down.add(piece.size);
        notes_.bytes_out += piece.size;
        client_.put_piece(piece);
        moved = true;
        if (down_.over()) break;
        continue;
      case BodySource::Step::end: break;
      case BodySource::Step::need_more:
        if (moved) wait_for_body();
        io.taken();
        splice_if_worth_it();
        return;
      case BodySource::Step::refused:
        refusal_ = down_.refusal();
        note_broken_answer(&EndpointCounters::answers_malformed);
        return fail(ExchangeEnd::answer_broken);
      case BodySource::Step::cut:
        note_broken_answer(&EndpointCounters::answers_cut);
        return fail(ExchangeEnd::answer_cut);
      case BodySource::Step::no_buffers: return fail(ExchangeEnd::no_buffers);
    }
    const bool with_trailers = step == BodySource::Step::end;
    if (!client_.put_end(with_trailers ? &http_.trailers : nullptr)) return fail(ExchangeEnd::no_buffers);
    if (with_trailers) down_.trailers_taken(buffers, io.in());
    if (status_ < 500) lease_.state().gate.completed();
    let_origin_go();
    return finish(ExchangeEnd::done, false);
  }
  if (moved) wait_for_body();
  io.taken();
}

void Exchange::wait_for_body() {
  const Upstream* upstream = http_.worker.snapshot().find(upstream_);
  arm(upstream != nullptr ? http_.worker.now() + upstream->http.body_timeout : Instant::max());
}

}  // namespace weir
