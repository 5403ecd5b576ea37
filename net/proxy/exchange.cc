#include "net/proxy/exchange.h"

#include "core/balance/key.h"
#include "net/http/accept.h"
#include "net/proxy/http_worker.h"
#include "net/proxy/origin_connection.h"
#include "net/proxy/request_context.h"
#include "net/proxy/request_head.h"
#include "net/proxy/tunnel.h"
#include "net/proxy/worker.h"

namespace weir {

Exchange::Exchange(HttpWorker& http, ExchangeClient& client, const ListenerSpec& listener) noexcept
    : http_(http), client_(client), listener_(listener.id), timer_(on_timer) {
  notes_.begun = http.worker.now();
  notes_.logged = listener.http->access_log && http.access_log != nullptr;
  http.worker.counters().exchanges.add();
}

Exchange::~Exchange() {
  WEIR_ASSERT(state_ == State::over && origin_ == nullptr && tunnel_ == nullptr && mirror_ == nullptr);
  WEIR_ASSERT(hedge_ == nullptr && !pending_ && !retrying_ && !in_line());
}

void Exchange::become(State next) {
  const bool legal = [&] {
    switch (next) {
      case State::routing: return false;
      case State::choosing: return state_ == State::routing || state_ == State::dialing || state_ == State::waiting;
      case State::dialing: return state_ == State::choosing;
      case State::waiting: return state_ == State::choosing || state_ == State::dialing;
      case State::answering: return state_ == State::waiting;
      case State::tunneling: return state_ == State::waiting;
      case State::over: return state_ != State::over;
    }
    return false;
  }();
  WEIR_ASSERT(legal, static_cast<int>(state_) * 10 + static_cast<int>(next));
  state_ = next;
  if (next != State::choosing && next != State::dialing) end_pending();
  if (next != State::waiting) drop_hedge();
}

// --- taking up a request --------------------------------------------------------------------------------------------

void Exchange::begin(const PeerAddress& peer, Instant first_byte) {
  notes_.begun = first_byte;
  const ListenerSpec* listener = http_.worker.snapshot().find(listener_);
  WEIR_ASSERT(listener != nullptr && listener->http != nullptr);
  http_.scratch.clear();
  RequestContext context{http_, *listener, http_.request, peer};
  const http::RequestHead& head = context.head;
  method_ = head.method;
  notes_.client = context.from;
  notes_.minor_version = head.minor_version;
  accepts_interim_ = head.minor_version >= 1;
  if (const http::Field* accept = head.fields.find(http::FieldId::accept); accept != nullptr) {
    wants_html_ = http::prefers_html(accept->value);
  }
  take_notes(context);

  if (listener->filter != nullptr && !listener->filter->admits(context.from)) {
    listener->state->counters(http_.worker.index()).denied.add();
    return fail(ExchangeEnd::denied);
  }
  if (!within_rates(context, listener->rate_limits)) return fail(ExchangeEnd::rate_limited);
  if (head.method == http::Method::trace || (head.method == http::Method::connect && !context.policy.allow_connect)) {
    return fail(ExchangeEnd::method_not_allowed);
  }
  // Who asks for the next proxy alone (RFC 9110 section 7.6.2) has found it.
  const http::Field* hops = head.fields.find(http::FieldId::max_forwards);
  if (head.method == http::Method::options && hops != nullptr && hops->value == "0") {
    return answer_here(204, {}, {});
  }
  follow_route(context);
}

void Exchange::begin_refused(const PeerAddress& peer, http::Refusal refusal, bool head_known) {
  http_.scratch.clear();
  notes_.client = peer;
  refusal_ = refusal;
  if (head_known) {
    method_ = http_.request.method;
    notes_.note(http_.blocks, ExchangeNotes::method, http_.request.method_text);
    notes_.note(http_.blocks, ExchangeNotes::target, http_.request.target);
  }
  put_error(http::status_of(refusal), http::name_of(refusal), http::sentence_of(refusal));
  finish(ExchangeEnd::refused, false);
}

void Exchange::begin_timed_out(const PeerAddress& peer, Instant first_byte) {
  http_.scratch.clear();
  notes_.begun = first_byte;
  notes_.client = peer;
  fail(ExchangeEnd::header_timeout);
}

void Exchange::begin_copy(UpstreamId upstream, std::span<const std::byte> head, http::Method method,
                          http::Framing framing) {
  is_mirror_ = true;
  notes_.logged = false;
  method_ = method;
  upstream_ = upstream;
  up_.begin(framing);
  if (!copy_.append(http_.blocks, head)) return fail(ExchangeEnd::no_buffers);
  become(State::choosing);
  try_next();
}

void Exchange::take_notes(RequestContext& context) {
  Blocks& blocks = http_.blocks;
  notes_.note(blocks, ExchangeNotes::request_id, context.facts.request_id);
  if (!notes_.logged) return;
  notes_.note(blocks, ExchangeNotes::method, context.head.method_text);
  notes_.note(blocks, ExchangeNotes::authority, context.head.authority);
  notes_.note(blocks, ExchangeNotes::target, context.head.target);
  if (const http::Field* field = context.head.fields.find(http::FieldId::user_agent); field != nullptr) {
    notes_.note(blocks, ExchangeNotes::user_agent, field->value);
  }
  if (const http::Field* field = context.head.fields.find(http::FieldId::referer); field != nullptr) {
    notes_.note(blocks, ExchangeNotes::referer, field->value);
  }
}

// Templates in rules for the answer speak of the request.
void Exchange::note_facts(const RequestContext& context) {
  Blocks& blocks = http_.blocks;
  if (!notes_.logged) {
    notes_.note(blocks, ExchangeNotes::method, context.head.method_text);
    notes_.note(blocks, ExchangeNotes::authority, context.head.authority);
  }
  notes_.note(blocks, ExchangeNotes::host, context.facts.host);
  notes_.note(blocks, ExchangeNotes::path, context.facts.path);
  notes_.note(blocks, ExchangeNotes::query, context.facts.query);
  notes_.has_query = context.facts.has_query;
  notes_.secure = context.facts.scheme == "https";
}

// --- routing --------------------------------------------------------------------------------------------------------

void Exchange::follow_route(RequestContext& context) {
  const HttpListener& policy = context.policy;
  const uint32_t found = policy.router != nullptr ? policy.router->match(context) : no_route;
  const std::shared_ptr<const Route>& route = found != no_route ? policy.routes[found] : policy.otherwise;
  if (route == nullptr) return fail(ExchangeEnd::unrouted);
  context.facts.route = route->name;
  if (notes_.logged) notes_.note(http_.blocks, ExchangeNotes::route, route->name);
  if (!route->answer_rules.empty()) {
    rules_ = route;
    note_facts(context);
  }

  if (!within_rates(context, route->rate_limits)) return fail(ExchangeEnd::rate_limited);
  if (route->redirect != nullptr) return redirect(context, *route);
  if (route->answer != nullptr) return fixed_answer(*route);
  find_priority(context, *route);
  if (http_.worker.sheds(priority_)) return fail(ExchangeEnd::shed);
  if (!choose_upstream(context, *route)) return fail(ExchangeEnd::no_upstream);
  if (!begin_pending(*http_.worker.snapshot().find(upstream_))) return fail(ExchangeEnd::too_many_pending);
  if (!remember_request(context, *route)) return;
  client_.head_taken();
  become(State::choosing);
  if (route->has_mirror && http_.random.below(1'000'000) < route->mirror_parts) {
    mirror_ = Mirror::begin(http_, context.listener, route->mirror, copy_, method_, up_.framing());
  }
  try_next();
}

void Exchange::redirect(RequestContext& context, const Route& route) {
  const std::string_view location = expand(route.redirect->location, context.facts, http_.scratch);
  const std::array extra{http::Field{"Location", location, http::FieldId::location}};
  answer_here(route.redirect->status, {}, {}, extra);
}

void Exchange::fixed_answer(const Route& route) {
  answer_here(route.answer->status, route.answer->content_type, route.answer->body);
}

void Exchange::answer_here(uint16_t status, std::string_view content_type, std::string_view body,
                           std::span<const http::Field> extra) {
  if (!put_own_answer(status, content_type, body, extra)) return fail(ExchangeEnd::head_too_large);
  finish(ExchangeEnd::answered_here, false);
}

bool Exchange::within_rates(const RequestContext& context, std::span<const RateLimit> limits) {
  if (limits.empty()) return true;
  const RateCheck check = check_rates(limits, context, http_.worker.now(), rate_);
  if (check.over) context.listener.state->counters(http_.worker.index()).rate_limited.add();
  return check.admitted;
}

// The request's own word counts before the route's, where the listener believes it.
void Exchange::find_priority(const RequestContext& context, const Route& route) {
  priority_ = route.priority.value_or(context.listener.priority);
  if (context.policy.priority_header.empty()) return;
  const http::Field* field = context.head.fields.find(context.policy.priority_header);
  if (field == nullptr || field->value.size() != 1 || field->value[0] < '0' || field->value[0] > '9') return;
  priority_ = static_cast<Priority>(field->value[0] - '0');
}

bool Exchange::choose_upstream(RequestContext& context, const Route& route) {
  WEIR_ASSERT(!route.split.empty());
  upstream_ = route.split[0].upstream;
  if (route.split.size() > 1) {
    uint64_t total = 0;
    for (const SplitTarget& target : route.split) total += target.weight;
    uint64_t at = key_from(context, route.split_key) % total;
    for (const SplitTarget& target : route.split) {
      upstream_ = target.upstream;
      if (at < target.weight) break;
      at -= target.weight;
    }
  }
  const Upstream* upstream = http_.worker.snapshot().find(upstream_);
  if (upstream == nullptr) return false;
  context.facts.upstream = upstream->name;
  if (notes_.logged || rules_ != nullptr) notes_.note(http_.blocks, ExchangeNotes::upstream, upstream->name);
  if (upstream->picker->wants_key()) key_ = key_from(context, upstream->hash_by);
  const ZoneMap* zones = http_.worker.snapshot().zones.get();
  if (upstream->picker->wants_zone() && zones != nullptr) zone_ = zones->zone_of(context.from);
  find_sticky(context, *upstream);
  const Duration whole = route.request_timeout_ms > 0 ? Duration{std::chrono::milliseconds{route.request_timeout_ms}}
                                                      : upstream->http.request_timeout;
  if (whole > Duration::zero()) request_end_ = notes_.begun + whole;
  http_.worker.retry_budget(upstream_).request(upstream->http.retry);
  if (upstream->resilience.hedge.percentile > 0) http_.worker.hedging(upstream_).request(upstream->resilience.hedge);
  return true;
}

// What a split or a pick goes by.
uint64_t Exchange::key_from(const RequestContext& context, const KeySource& source) {
  if (source.kind == KeySource::Kind::client_ip) return key_of(context.from);
  if (source.kind == KeySource::Kind::client_address) return key_of_address(context.from);
  std::string_view value;
  if (context.value_of(source, value)) return key_of(value);
  return http_.random.next();  // by choice, or because the request does not say
}

// Writes down what the origin will get, before the client's bytes are gone.
bool Exchange::remember_request(RequestContext& context, const Route& route) {
  const Upstream& upstream = *http_.worker.snapshot().find(upstream_);
  up_.begin(context.head.framing);
  up_over_ = context.head.framing == http::Framing::none;
  std::array<std::byte, Blocks::size_max> out;
  const uint32_t size = write_request_head(http_, context, route, upstream.http.sticky, out);
  upgrade_ = context.head.upgrade || method_ == http::Method::connect;
  if (size == 0) {
    fail(ExchangeEnd::head_too_large);
    return false;
  }
  if (copy_.append(http_.blocks, std::span{out}.first(size))) return true;
  fail(ExchangeEnd::no_buffers);
  return false;
}

// --- stickiness -----------------------------------------------------------------------------------------------------

void Exchange::find_sticky(RequestContext& context, const Upstream& upstream) {
  const StickyPolicy& sticky = upstream.http.sticky;
  std::string_view value;
  switch (sticky.kind) {
    case StickyPolicy::Kind::off: return;
    case StickyPolicy::Kind::cookie:
      if (context.cookie(sticky.cookie_name, value)) {
        for (uint32_t i = 0; i < sticky.tokens.size(); ++i) {
          if (sticky.tokens[i] == value) sticky_index_ = i;
        }
      }
      return;
    case StickyPolicy::Kind::learned:
      if (!context.value_of(sticky.source, value)) return;
      sticky_key_ = key_of(value);
      break;
    case StickyPolicy::Kind::client_ip: sticky_key_ = key_of(context.from); break;
  }
  const auto endpoint = sticky.table->find(sticky_key_, http_.worker.now());
  if (!endpoint) return;
  for (uint32_t i = 0; i < upstream.endpoints.size(); ++i) {
    if (upstream.endpoints[i].id == *endpoint) sticky_index_ = i;
  }
}

// --- what the client does -------------------------------------------------------------------------------------------

void Exchange::request_more() {
  if (state_ == State::over || state_ == State::routing) return;
  if (state_ == State::waiting || state_ == State::answering) pump_up();
}

void Exchange::answer_room() {
  if (state_ == State::answering || state_ == State::waiting) return pump_down();
  if (state_ == State::tunneling) begin_tunnel();
}

void Exchange::abort(ExchangeEnd end) {
  if (state_ == State::over) return;
  if (tunnel_ != nullptr) {
    tunnel_->stop();
    return;
  }
  drop_origin(true);
  finish(end, true);
}

void Exchange::fail(ExchangeEnd end) {
  if (state_ == State::over) return;
  drop_origin(true);
  if (head_sent_) return finish(end, true);
  const auto index = static_cast<size_t>(end);
  const CounterName& name = exchange_end_names[index];
  put_error(exchange_end_statuses[index], name.name, name.help);
  finish(end, false);
}

bool Exchange::blocked_by_origin() const noexcept {
  if (splice_.moving() && splice_.upward()) return splice_.blocked_by_sink();
  return origin_ == nullptr || state_ == State::dialing || origin_->io().congested();
}

bool Exchange::holds_buffers() const noexcept {
  if (tunnel_ != nullptr) return tunnel_->holds_buffers();
  return origin_ != nullptr && (!origin_->io().in().empty() || !origin_->io().out().empty());
}

// --- time -----------------------------------------------------------------------------------------------------------

void Exchange::arm(Instant phase_end) {
  phase_end_ = phase_end;
  const Instant due = std::min({phase_end_, request_end_, hedge_at_});
  if (due == Instant::max()) return http_.worker.wheel().cancel(timer_);
  // Moved forward only when it fires.
  if (!timer_.armed() || timer_.deadline() > due) http_.worker.wheel().arm(timer_, due);
}

void Exchange::on_timer(Timer& timer) {
  Exchange& exchange = owner_of(timer, &Exchange::timer_);
  const Instant now = exchange.http_.worker.now();
  if (now >= std::min(exchange.phase_end_, exchange.request_end_)) return exchange.time_is_up();
  if (now >= exchange.hedge_at_) exchange.begin_hedge();
  exchange.arm(exchange.phase_end_);
}

}  // namespace weir
