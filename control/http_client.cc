// HttpClient on libcurl. The one file that knows it.
#include "control/http_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <list>
#include <string_view>
#include <utility>

#include "core/base/assert.h"
#include "core/base/list.h"
#include "core/base/owner_of.h"
#include "core/base/version.h"

namespace weir {
namespace {

// Of one transfer, so that a failure can be put into words.
std::string_view phase_when_late(CURL* easy) {
  const auto reached = [&](CURLINFO when) {
    curl_off_t us = 0;
    return curl_easy_getinfo(easy, when, &us) == CURLE_OK && us > 0;
  };
  if (reached(CURLINFO_STARTTRANSFER_TIME_T)) return "the answer has not ended";
  if (reached(CURLINFO_PRETRANSFER_TIME_T)) return "no answer";
  // (CURLINFO_CONNECT_TIME is no help: it comes with the end of the handshake.)
  long port = 0;
  if (curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &port) == CURLE_OK && port > 0) {
    return "the TLS handshake has not ended";
  }
  if (reached(CURLINFO_NAMELOOKUP_TIME_T)) return "no connection";
  return "the name is not resolved";
}

std::string milliseconds(Duration time) {
  return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(time).count()) + " ms";
}

// For programs that are started while it is open: they are not to inherit it.
curl_socket_t open_socket(void* /*unused*/, curlsocktype /*purpose*/, curl_sockaddr* address) {
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
}

uint32_t poll_events(int what) {
  switch (what) {
    case CURL_POLL_IN: return POLLIN;
    case CURL_POLL_OUT: return POLLOUT;
    default: return POLLIN | POLLOUT;
  }
}

int ready_mask(const Completion& completion) {
  if (completion.failed()) return CURL_CSELECT_ERR;
  const auto events = static_cast<uint32_t>(completion.result);
  int mask = 0;
  // Libcurl reads to learn of an end.
  if ((events & (POLLIN | POLLHUP | POLLRDHUP)) != 0) mask |= CURL_CSELECT_IN;
  if ((events & POLLOUT) != 0) mask |= CURL_CSELECT_OUT;
  if ((events & (POLLERR | POLLNVAL)) != 0) mask |= CURL_CSELECT_ERR;
  return mask;
}

}  // namespace

// What is under way for a call.
struct HttpCall::Transfer {
  Transfer(HttpClient::Impl& its_client, HttpCall& its_call, HttpRequest its_request, Timer::Handler on_late)
      : client(its_client), call(its_call), request(std::move(its_request)), late(on_late) {}
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(fields);
  }

  // False if libcurl could not make it.
  bool set_up();
  HttpOutcome outcome_of(CURLcode code);

  static size_t on_head(char* data, size_t size, size_t count, void* self);
  static size_t on_body(char* data, size_t size, size_t count, void* self);

  HttpClient::Impl& client;
  HttpCall& call;
  const HttpRequest request;
  CURL* easy = nullptr;
  curl_slist* fields = nullptr;
  ListNode node;  // among the client's, from begin() on
  Timer late;     // armed from begin() on
  bool added = false;
  size_t head_bytes = 0;
  HttpAnswer answer;
  std::array<char, CURL_ERROR_SIZE> reason{};
};

struct HttpClient::Impl {
  using Transfer = HttpCall::Transfer;

  // One wait for a socket of libcurl's. It is never changed: for other events there is another one.
  struct Watch {
    Watch(Impl& its_client, curl_socket_t its_socket, uint32_t its_events)
        : client(its_client), socket(its_socket), events(its_events) {}

    Impl& client;
    const curl_socket_t socket;
    const uint32_t events;
    Op op;                 // in flight but while on_ready() is at it
    bool removed = false;  // libcurl does not want it any more; it goes with its last completion
    std::list<Watch>::iterator self;
  };

  Impl(Ring& its_ring, TimerWheel& its_wheel, const Clock& its_clock);

  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void* watch);
  static void on_ready(Op& op, const Completion& completion);
  static void on_timer(Timer& timer);
  static void on_late(Timer& timer);

  void watch(curl_socket_t socket, uint32_t events);
  void unwatch(Watch& watch);
  void act(curl_socket_t socket, int mask);
  void arm_timer();
  // Comes last: handlers do as they like.
  void tell_of_ends();
  void release(Transfer& transfer);
  void finish(Transfer& transfer, HttpOutcome outcome);

  Ring& ring;
  TimerWheel& wheel;
  const Clock& clock;
  CURLM* multi = nullptr;  // null after stop()
  std::list<Watch> watches;
  List<Transfer, &Transfer::node> transfers;
  Timer timer{on_timer};
};

// --- one transfer ---------------------------------------------------------------------------------------------------

size_t HttpCall::Transfer::on_head(char* /*data*/, size_t size, size_t count, void* self) {
  Transfer& transfer = *static_cast<Transfer*>(self);
  transfer.head_bytes += size * count;
  return transfer.head_bytes <= HttpClient::head_bytes_max ? size * count : 0;
}

size_t HttpCall::Transfer::on_body(char* data, size_t size, size_t count, void* self) {
  Transfer& transfer = *static_cast<Transfer*>(self);
  std::string& body = transfer.answer.body;
  const size_t room = transfer.request.answer_bytes_max - body.size();
  const size_t bytes = size * count;
  body.append(data, std::min(room, bytes));
  transfer.answer.cut = bytes > room;
  return transfer.answer.cut ? 0 : bytes;  // less than it has given ends it
}

bool HttpCall::Transfer::set_up() {
  easy = curl_easy_init();
  if (easy == nullptr) return false;
  bool fine = true;
  const auto set = [&](CURLoption option, auto value) {
    fine = curl_easy_setopt(easy, option, value) == CURLE_OK && fine;
  };
  const auto add_field = [&](const char* field) {
    curl_slist* const longer = curl_slist_append(fields, field);
    fine = longer != nullptr && fine;
    if (longer != nullptr) fields = longer;
  };
  for (const std::string& field : request.fields) add_field(field.c_str());
  add_field("Expect:");  // takes away the question whether a long body is welcome, and the wait for its answer

  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_ERRORBUFFER, reason.data());
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  // A few calls a minute are not worth a connection that nobody looks after between them.
  set(CURLOPT_FORBID_REUSE, 1L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOSIGNAL, 1L);
  // A call may end while its name is being resolved. Without this, libcurl would then wait for the resolver.
  set(CURLOPT_QUICK_EXIT, 1L);
  // Our timer is the one that counts; this is only to keep libcurl's own, usual five minutes, out of its way.
  const auto timeout_ms = std::chrono::ceil<std::chrono::milliseconds>(request.timeout).count();
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(2 * timeout_ms));
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!request.ca.empty()) {
    set(CURLOPT_CAINFO, request.ca.c_str());
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  set(CURLOPT_OPENSOCKETFUNCTION, open_socket);
  set(CURLOPT_USERAGENT, ("weir/" + std::string{version}).c_str());  // it is copied
  set(CURLOPT_HTTPHEADER, fields);
  set(CURLOPT_HEADERFUNCTION, on_head);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, on_body);
  set(CURLOPT_WRITEDATA, this);
  if (request.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (request.method == "POST" || !request.body.empty()) {
    set(CURLOPT_POSTFIELDS, request.body.data());  // stays where it is
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  return fine;
}

HttpOutcome HttpCall::Transfer::outcome_of(CURLcode code) {
  if (head_bytes > HttpClient::head_bytes_max) return std::string{"the head of its answer is too long"};
  if (code != CURLE_OK && !answer.cut) {
    return std::string{reason.front() != '\0' ? reason.data() : curl_easy_strerror(code)};
  }
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return std::move(answer);
}

// --- libcurl and the loop -------------------------------------------------------------------------------------------

HttpClient::Impl::Impl(Ring& its_ring, TimerWheel& its_wheel, const Clock& its_clock)
    : ring(its_ring), wheel(its_wheel), clock(its_clock), multi(curl_multi_init()) {
  WEIR_ASSERT(multi != nullptr);
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(idle_connections_max));
}

// Called from within libcurl, which must not be called back from here.
int HttpClient::Impl::on_socket(CURL* /*easy*/, curl_socket_t socket, int what, void* self, void* watch) {
  Impl& client = *static_cast<Impl*>(self);
  if (watch != nullptr) client.unwatch(*static_cast<Watch*>(watch));
  if (what == CURL_POLL_REMOVE || what == CURL_POLL_NONE) {
    // Null while it is being taken down: then there is nothing to remember either.
    if (watch != nullptr && client.multi != nullptr) curl_multi_assign(client.multi, socket, nullptr);
  } else {
    client.watch(socket, poll_events(what));
  }
  return 0;
}

void HttpClient::Impl::watch(curl_socket_t socket, uint32_t events) {
  Watch& fresh = watches.emplace_back(*this, socket, events);
  fresh.self = std::prev(watches.end());
  curl_multi_assign(multi, socket, &fresh);
  ring.poll(fresh.op, on_ready, socket, events);
}

void HttpClient::Impl::unwatch(Watch& watch) {
  watch.removed = true;
  if (watch.op.in_flight()) ring.cancel(watch.op);
}

void HttpClient::Impl::on_ready(Op& op, const Completion& completion) {
  Watch& watch = owner_of(op, &Watch::op);
  Impl& client = watch.client;
  if (!watch.removed) client.act(watch.socket, ready_mask(completion));
  if (watch.removed) {
    client.watches.erase(watch.self);
  } else {
    client.ring.poll(op, on_ready, watch.socket, watch.events);
  }
  client.arm_timer();
  client.tell_of_ends();
}

void HttpClient::Impl::on_timer(Timer& timer) {
  Impl& client = owner_of(timer, &Impl::timer);
  client.act(CURL_SOCKET_TIMEOUT, 0);
  client.arm_timer();
  client.tell_of_ends();
}

void HttpClient::Impl::act(curl_socket_t socket, int mask) {
  int running = 0;
  // What goes wrong with a transfer is said with its end; for all else there is the time limit.
  curl_multi_socket_action(multi, socket, mask, &running);
}

// Asked for instead of told by a callback: libcurl tells only of changes, and a timer that fires too early by its own
// clock is none.
void HttpClient::Impl::arm_timer() {
  if (multi == nullptr) return;
  long wait_ms = -1;
  curl_multi_timeout(multi, &wait_ms);
  if (wait_ms < 0) {
    wheel.cancel(timer);
  } else {
    wheel.arm(timer, clock.now() + std::chrono::milliseconds{wait_ms});
  }
}

void HttpClient::Impl::tell_of_ends() {
  int left = 0;
  // A handler may begin, cancel and stop, so everything is looked at anew after each.
  while (multi != nullptr) {
    const CURLMsg* const message = curl_multi_info_read(multi, &left);
    if (message == nullptr) return;
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    char* owner = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
    Transfer& transfer = *reinterpret_cast<Transfer*>(owner);
    finish(transfer, transfer.outcome_of(code));
  }
}

void HttpClient::Impl::on_late(Timer& timer) {
  Transfer& transfer = owner_of(timer, &Transfer::late);
  Impl& client = transfer.client;
  if (!transfer.added) return client.finish(transfer, std::string{"libcurl cannot begin it"});
  std::string reason{phase_when_late(transfer.easy)};
  client.finish(transfer, reason + " after " + milliseconds(transfer.request.timeout));
}

void HttpClient::Impl::release(Transfer& transfer) {
  transfer.call.transfer_ = nullptr;
  wheel.cancel(transfer.late);
  if (transfer.added) curl_multi_remove_handle(multi, transfer.easy);
  transfers.remove(transfer);
  delete &transfer;
  arm_timer();
}

void HttpClient::Impl::finish(Transfer& transfer, HttpOutcome outcome) {
  HttpCall& call = transfer.call;
  call.outcome_ = std::move(outcome);
  release(transfer);
  call.handler_(call);
}

// --- the client -----------------------------------------------------------------------------------------------------

void HttpClient::prepare_process() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  WEIR_ASSERT(ready == CURLE_OK, ready);
}

HttpClient::HttpClient(Ring& ring, TimerWheel& wheel, const Clock& clock) {
  prepare_process();
  impl_ = std::make_unique<Impl>(ring, wheel, clock);
}

HttpClient::~HttpClient() {
  WEIR_ASSERT(stopped());
}

void HttpClient::begin(HttpCall& call, HttpRequest request) {
  WEIR_ASSERT(impl_->multi != nullptr && !call.under_way());
  const Instant now = impl_->clock.now();
  auto transfer = std::make_unique<HttpCall::Transfer>(*impl_, call, std::move(request), Impl::on_late);
  transfer->added = transfer->set_up() && curl_multi_add_handle(impl_->multi, transfer->easy) == CURLM_OK;
  // If it could not be begun, the wheel's next turn says so.
  impl_->wheel.arm(transfer->late, transfer->added ? now + transfer->request.timeout : now);
  impl_->transfers.push_back(*transfer);
  call.transfer_ = transfer.release();
  impl_->arm_timer();
}

void HttpClient::cancel(HttpCall& call) {
  if (call.under_way()) impl_->release(*call.transfer_);
}

void HttpClient::stop() {
  if (impl_->multi == nullptr) return;
  impl_->transfers.for_each([this](HttpCall::Transfer& transfer) { impl_->release(transfer); });
  impl_->wheel.cancel(impl_->timer);
  curl_multi_cleanup(std::exchange(impl_->multi, nullptr));
  for (Impl::Watch& watch : impl_->watches) impl_->unwatch(watch);
}

bool HttpClient::stopped() const noexcept {
  return impl_->multi == nullptr && impl_->watches.empty();
}

}  // namespace weir
