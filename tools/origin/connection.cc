#include "tools/origin/connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "tools/origin/http_conversation.h"
#include "tools/origin/proxy_header.h"
#include "tools/origin/raw_conversation.h"

namespace weir::origin {
namespace {

constexpr Duration linger_max = std::chrono::seconds{2};

// A connection that always has something to do gives way to the others after this many steps.
constexpr int steps_per_turn_max = 16;

// Where the small rest of a once large input may stay.
constexpr std::size_t kept_capacity_max = 4 * 1024;

bool would_block(int error) noexcept {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

Connection::Connection(Fd fd, HttpSite& site, char* scratch) : fd_(std::move(fd)), site_(site), scratch_(scratch) {
  site_.stats().connections.add(1);
  if (!site_.settings().proxy_protocol) begin_talk({});
}

Connection::~Connection() {
  site_.stats().closed.add(1);
}

void Connection::begin_talk(std::string proxied) {
  if (site_.settings().raw == RawMode::none) {
    conversation_ = std::make_unique<HttpConversation>(site_, std::move(proxied));
  } else {
    conversation_ = make_raw_conversation(site_.settings(), proxied);
  }
}

// --- what the loop calls ---

Connection::Verdict Connection::start() {
  return advance();
}

Connection::Verdict Connection::on_events(std::uint32_t events) {
  if ((events & EPOLLERR) != 0) return Verdict::over;
  // A UNIX client that closed may have left bytes to read first.
  if ((events & EPOLLHUP) != 0 && (interest() & EPOLLIN) == 0) return Verdict::over;
  if ((events & EPOLLIN) != 0 && receive() == Verdict::over) return Verdict::over;
  return advance();
}

Connection::Verdict Connection::on_time() {
  if (linger_until_) return Verdict::over;
  conversation_->forget_wake();
  conversation_->on_time(out_);
  return advance();
}

Connection::Verdict Connection::drain() {
  if (!conversation_) return Verdict::over;
  if (linger_until_ || conversation_->wishes().ending != Ending::none) return Verdict::goes_on;
  conversation_->on_drain();
  return advance();
}

std::uint32_t Connection::interest() const noexcept {
  if (linger_until_) return EPOLLIN;
  if (!out_.empty() || has_turn_left_) return EPOLLOUT;
  const bool reads = !end_of_input_ && (!conversation_ || conversation_->wishes().read);
  return reads ? EPOLLIN : 0u;
}

std::optional<Instant> Connection::wake() const noexcept {
  if (linger_until_) return linger_until_;
  return conversation_ ? conversation_->wishes().wake : std::nullopt;
}

// --- input ---

Connection::Verdict Connection::receive() {
  const ssize_t got = recv(fd_.get(), scratch_, scratch_bytes, 0);
  if (got < 0) return would_block(errno) ? Verdict::goes_on : Verdict::over;
  if (got == 0) {
    if (linger_until_ || !conversation_) return Verdict::over;
    end_of_input_ = true;
    conversation_->on_end_of_input(out_);
    return Verdict::goes_on;
  }
  site_.stats().bytes_in.add(static_cast<std::uint64_t>(got));
  if (linger_until_) return Verdict::goes_on;
  return deliver({scratch_, static_cast<std::size_t>(got)}) ? Verdict::goes_on : Verdict::over;
}

// Most of the time all of it is taken from where it was received. False if the connection has to end at once.
bool Connection::deliver(std::string_view fresh) {
  if (!in_.empty()) {
    in_.append(fresh);
    return offer_rest() != Progress::failed;
  }
  const auto taken = take(fresh);
  if (taken) in_.assign(fresh.substr(*taken));
  return taken.has_value();
}

Connection::Progress Connection::offer_rest() {
  const auto taken = take(in_);
  if (!taken) return Progress::failed;
  in_.erase(0, *taken);
  if (in_.size() < kept_capacity_max && in_.capacity() > kept_capacity_max) in_.shrink_to_fit();
  return *taken > 0 ? Progress::made : Progress::none;
}

// How many bytes are done with; nothing if the PROXY header is bad.
std::optional<std::size_t> Connection::take(std::string_view in) {
  std::size_t header_size = 0;
  if (!conversation_) {
    ProxyHeader header = read_proxy_header(in);
    if (header.state == ProxyHeader::State::bad) return std::nullopt;
    if (header.state == ProxyHeader::State::incomplete) return 0;
    begin_talk(std::move(header.description));
    header_size = header.size;
  }
  const Wishes& wishes = conversation_->wishes();
  if (!wishes.read || wishes.produce) return header_size;
  return header_size + conversation_->on_input(in.substr(header_size), out_);
}

// --- the steps between input and output ---

Connection::Verdict Connection::advance() {
  has_turn_left_ = false;
  for (int step = 0; step < steps_per_turn_max; ++step) {
    const Flushed flushed = flush();
    if (flushed == Flushed::broken) return Verdict::over;
    if (flushed == Flushed::blocked || !conversation_ || linger_until_) return Verdict::goes_on;
    const Wishes& wishes = conversation_->wishes();
    if (wishes.ending != Ending::none) return end(wishes.ending);
    if (wishes.produce) {
      conversation_->on_room(out_);
    } else if (wishes.read && !in_.empty()) {
      const Progress progress = offer_rest();
      if (progress == Progress::none && out_.empty() && wishes.ending == Ending::none) return Verdict::goes_on;
    } else {
      return Verdict::goes_on;
    }
  }
  has_turn_left_ = true;
  return Verdict::goes_on;
}

Connection::Flushed Connection::flush() {
  while (!out_.empty()) {
    auto pieces = out_.pieces();
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces[1].iov_len == 0 ? 1 : 2;
    const std::size_t offered = pieces[0].iov_len + pieces[1].iov_len;
    const ssize_t sent = sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0) return would_block(errno) ? Flushed::blocked : Flushed::broken;
    site_.stats().bytes_out.add(static_cast<std::uint64_t>(sent));
    out_.drop(static_cast<std::size_t>(sent));
    // The socket's buffer is full: asking again would only be told so.
    if (static_cast<std::size_t>(sent) < offered) return Flushed::blocked;
  }
  return Flushed::all;
}

// --- the end ---

Connection::Verdict Connection::end(Ending ending) {
  if (ending == Ending::reset) {
    const struct linger at_once { .l_onoff = 1, .l_linger = 0 };
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    return Verdict::over;
  }
  // Closing over unread bytes makes the kernel send an RST, which can overtake the answer.
  if (ending == Ending::linger || !in_.empty()) return linger();
  return Verdict::over;
}

Connection::Verdict Connection::linger() {
  if (end_of_input_ || shutdown(fd_.get(), SHUT_WR) != 0) return Verdict::over;
  linger_until_ = site_.now() + linger_max;
  in_.clear();
  return Verdict::goes_on;
}

}  // namespace weir::origin
