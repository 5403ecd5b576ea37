// Exchange: one HTTP request and its answer, from the request's head to the last byte of the answer, retries included.
//
//                 no route, redirect, fixed answer
//     routing --------------------------------------------------------------------------.
//        | upstream                                                                      |
//        v                                                                               v
//     choosing --idle connection--> waiting --head of the answer--> answering --end--> over
//   (or in line)
//      |  ^  |                       ^   |                             |                 ^
//      |  |  '--none--> dialing -----'   |                             '-101, CONNECT--> tunneling
//      |  |                |             |
//      |  '----- refused, silent, reset, too late: the next endpoint, if that is safe and there are tries left
//      '--- nobody is left, or the time: an answer of our own ---> over
//
// Choosing may take a while: if all endpoints are full it waits in line for a place. While it waits for an answer that
// takes longer than most, a Hedge may ask another endpoint, too; whoever answers first is the origin from then on.
//
// It knows the client by the interface ExchangeClient, and no protocol version there. What it must remember while it
// waits (the request, for another try; who asked for what, for the log) lies in Blocks, so that a waiting exchange
// holds no buffer. It keeps no pointer into a Snapshot from one turn to the next: upstream and listener are looked up
// again by id. In a slab of its worker; touched by that worker's thread alone.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/base/clock.h"
#include "core/base/list.h"
#include "core/base/timer_wheel.h"
#include "core/model/lease.h"
#include "core/model/listener.h"
#include "core/model/picker.h"
#include "core/model/upstream.h"
#include "net/proxy/blocks.h"
#include "net/proxy/body.h"
#include "net/proxy/body_splice.h"
#include "net/proxy/choose.h"
#include "net/proxy/exchange_client.h"
#include "net/proxy/exchange_notes.h"
#include "net/proxy/origin_user.h"
#include "net/proxy/rate_check.h"
#include "net/proxy/waiting_line.h"

namespace weir {

class Hedge;
class HttpWorker;
class Mirror;
class OriginConnection;
class Tunnel;
class RequestContext;

class Exchange final : public OriginUser, public Waiter {
 public:
  Exchange(HttpWorker& http, ExchangeClient& client, const ListenerSpec& listener) noexcept;
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // --- by the client's side

  // Takes up the request in HttpWorker::request. `peer` is who is connected.
  // `first_byte` of it came then.
  void begin(const PeerAddress& peer, Instant first_byte);
  // The same for one that was not understood: it is answered and written down.
  void begin_refused(const PeerAddress& peer, http::Refusal refusal, bool head_known);
  // Takes up a request whose head is built already (a mirror's).
  void begin_copy(UpstreamId upstream, std::span<const std::byte> head, http::Method method, http::Framing framing);
  // No head came in time.
  void begin_timed_out(const PeerAddress& peer, Instant first_byte);
  // More of the request's body may be there, or its end.
  void request_more();
  // The client takes more of the answer.
  void answer_room();
  // The client is gone, or has to go: nothing more is told to it.
  void abort(ExchangeEnd end);
  // The request's body did not come in time.
  void fail(ExchangeEnd end);

  bool answering() const noexcept { return head_sent_; }
  // Bytes are there for the client, or for the origin, and it does not take them.
  bool blocked_by_client() const noexcept { return splice_.blocked_by_sink() && !splice_.upward(); }
  bool blocked_by_origin() const noexcept;
  bool tunneling() const noexcept { return state_ == State::tunneling; }
  bool holds_buffers() const noexcept;

  // --- by the connection to the origin

  void origin_connected() override;
  void origin_unreachable(int error) override;
  void origin_received() override;
  void origin_sent() override;
  void origin_failed(bool sending, int error) override;
  void origin_is_quiet() override { lent_socket_is_quiet(); }

  // --- by its hedge

  UpstreamId upstream() const noexcept { return upstream_; }
  // Writes the request down for a connection; false if there are not enough buffers.
  bool put_copy(OriginConnection& origin);
  void hedge_answers();
  void hedge_failed();

  // --- by what carries bytes for it

  // A socket that is to be lent (the client's or the origin's) receives nothing any more.
  void lent_socket_is_quiet();
  void tunnel_ended();
  void tunnel_moved(bool up, uint64_t bytes);
  void splice_moved(uint64_t bytes);
  // Taken from the source, and to be had by nobody.
  void splice_lost(uint64_t bytes);
  void splice_ended(BodySplice::End end, int error);

  // Nothing of it is in flight.
  bool may_be_freed() const noexcept { return splice_.stopped(); }

  ListNode node;  // in the worker's list of those that are over

 private:
  enum class State : uint8_t { routing, choosing, dialing, waiting, answering, tunneling, over };
  // Why a try failed.
  enum class Cause : uint8_t { unreachable, connect_timeout, closed, reset, first_byte_timeout, status };

  static void on_timer(Timer& timer);
  void become(State next);

  // Waiter
  bool turn_came() override;
  void displaced() override { fail(ExchangeEnd::queue_displaced); }

  // exchange.cc: what happens to a request before an origin is asked
  bool within_rates(const RequestContext& context, std::span<const RateLimit> limits);
  void find_priority(const RequestContext& context, const Route& route);
  void follow_route(RequestContext& context);
  uint64_t key_from(const RequestContext& context, const KeySource& source);
  bool choose_upstream(RequestContext& context, const Route& route);
  void redirect(RequestContext& context, const Route& route);
  void fixed_answer(const Route& route);
  void answer_here(uint16_t status, std::string_view content_type, std::string_view body,
                   std::span<const http::Field> extra = {});
  bool remember_request(RequestContext& context, const Route& route);
  void find_sticky(RequestContext& context, const Upstream& upstream);
  void take_notes(RequestContext& context);
  void note_facts(const RequestContext& context);

  // exchange_origin.cc: reaching an origin
  void try_next();
  Choice choose(const Upstream& upstream);
  bool wait_in_line(const Upstream& upstream);
  void nobody(const Upstream& upstream, const Choice& choice);
  void ask(const Upstream& upstream, Choice choice);
  bool begin_pending(const Upstream& upstream);
  void end_pending() noexcept;
  bool begin_retrying(const Upstream& upstream);
  void end_retrying() noexcept;
  void note_failure(Cause cause);

  // exchange_hedge.cc: asking another endpoint as well
  void plan_hedge();
  void begin_hedge();
  void take_hedge();
  void note_overtaken();
  void drop_hedge();
  void send_request();
  bool put_proxy_header();
  void pump_up();
  void send_up(BufferPiece piece);
  void splice_up_if_worth_it();
  void try_failed(Cause cause);
  bool retry(Cause cause);
  bool may_retry(Cause cause, const Upstream& upstream);
  bool never_delivered() const;
  void drop_origin(bool reset);
  void end_lease();
  void let_origin_go();
  void wait_for_first_byte();
  void arm(Instant phase_end);
  void time_is_up();

  // exchange_answer.cc: its answer
  void pump_down();
  HttpLimits limits() const;
  bool read_head();
  bool take_interim(uint32_t size);
  bool take_head(uint32_t size);
  void edit_answer(http::AnswerHead& head, const Upstream* upstream);
  void stick(http::AnswerHead& head, const Upstream& upstream);
  void pass_body();
  void wait_for_body();
  void splice_if_worth_it();
  void apply_route_rules(http::Fields& fields, const Upstream* upstream);
  void note_broken_answer(Counter EndpointCounters::*counter);
  void note_answer(const http::AnswerHead& head, const Upstream& upstream);
  bool put_own_answer(uint16_t status, std::string_view content_type, std::string_view body,
                      std::span<const http::Field> extra = {});
  void add_rate_fields(http::Fields& fields);
  void put_error(uint16_t status, std::string_view name, std::string_view sentence);
  void begin_tunnel();
  void finish(ExchangeEnd end, bool cut);
  void note_time_inside();
  void write_down(ExchangeEnd end);

  HttpWorker& http_;
  ExchangeClient& client_;
  OriginConnection* origin_ = nullptr;
  Tunnel* tunnel_ = nullptr;
  Mirror* mirror_ = nullptr;
  Hedge* hedge_ = nullptr;
  Lease lease_;
  ListenerId listener_;
  UpstreamId upstream_ = no_upstream;
  EndpointId endpoint_{};
  State state_ = State::routing;
  http::Method method_ = http::Method::other;
  http::Refusal refusal_ = http::Refusal::none;
  ExchangeEnd last_failure_ = ExchangeEnd::no_endpoint;  // of the last try
  bool replayable_ : 1 = true;                           // copy_ holds all that was sent up so far
  bool head_sent_ : 1 = false;                           // of the answer, to the client
  bool wants_html_ : 1 = false;
  bool upgrade_ : 1 = false;         // the request asks for one
  bool up_over_ : 1 = false;         // the request was passed on to its end
  bool up_begun_ : 1 = false;        // some of it has been handed to the kernel for this try
  bool up_dead_ : 1 = false;         // the origin takes no more of it
  bool speaks_proxy_ : 1 = false;    // the connection begins with a PROXY header
  bool no_splice_ : 1 = false;       // there was no pipe
  bool own_answer_cut_ : 1 = false;  // there were not enough buffers for it
  bool fresh_only_ : 1 = false;      // the next try is not to use an idle connection
  bool set_cookie_ : 1 = false;      // the client is told where it sticks
  bool is_mirror_ : 1 = false;
  bool origin_may_go_on_ : 1 = false;
  bool accepts_interim_ : 1 = false;
  bool without_descriptor_ : 1 = false;  // choosing, and there was none to dial with
  bool pending_ : 1 = false;             // counted by the upstream among those without a connection
  bool retrying_ : 1 = false;            // and among those that are tried again
  Priority priority_ = priority_usual;
  uint8_t retries_ = 0;
  uint8_t interims_ = 0;
  uint16_t status_ = 0;  // of the answer
  uint32_t seen_ = 0;    // bytes of an unfinished head of an answer that were looked at
  uint32_t sticky_index_ = no_endpoint;
  ZoneId zone_ = no_zone;
  uint64_t key_ = 0;
  uint64_t sticky_key_ = 0;
  TriedEndpoints tried_;
  Block copy_;
  ExchangeNotes notes_;
  BodySink up_;
  BodySource down_;
  BodySplice splice_{*this};
  std::shared_ptr<const Route> rules_;  // only if it has rules for the answer
  Timer timer_;
  RateTold rate_;
  Instant hedge_at_ = Instant::max();     // when another endpoint is to be asked, too
  Instant phase_end_ = Instant::max();    // when the present wait is over
  Instant request_end_ = Instant::max();  // when all of it is
};

}  // namespace weir
