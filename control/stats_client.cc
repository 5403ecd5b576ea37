#include "control/stats_client.h"

#include <errno.h>

#include <algorithm>

#include "control/stats_socket.h"
#include "net/io/socket.h"

namespace weir {
namespace {

// A client that says nothing, or takes nothing of what we say, for so long is let go.
constexpr Duration idle_max = std::chrono::seconds{10};
// The moment that a client has to take its leave.
constexpr Duration leave_max = std::chrono::seconds{1};

}  // namespace

StatsClient::StatsClient(StatsSocket& socket, int fd) noexcept : socket_(socket), fd_(fd), timer_(on_timer) {}

StatsClient::~StatsClient() {
  WEIR_ASSERT(state_ == State::joining && !timer_.armed());
}

void StatsClient::begin() {
  socket_.arm(timer_, idle_max);
  receive();
}

void StatsClient::become(State next) {
  const bool legal = next == State::joining     ? state_ != State::joining
                     : next == State::answering ? state_ == State::listening
                                                : next == State::leaving && state_ == State::answering;
  WEIR_ASSERT(legal, static_cast<int>(state_) * 10 + static_cast<int>(next));
  state_ = next;
}

void StatsClient::wind_up() {
  if (state_ != State::answering) return close();
  winding_up_ = true;
  socket_.arm(timer_, leave_max);
}

void StatsClient::close() {
  if (state_ == State::joining) return;
  become(State::joining);
  socket_.wheel().cancel(timer_);
  if (receive_op_.in_flight()) socket_.ring().cancel(receive_op_);
  if (send_op_.in_flight()) socket_.ring().cancel(send_op_);
  free_if_joined();
}

void StatsClient::free_if_joined() {
  WEIR_ASSERT(state_ == State::joining);
  if (!receive_op_.in_flight() && !send_op_.in_flight()) socket_.client_joined(*this, fd_);
}

void StatsClient::on_timer(Timer& timer) {
  owner_of(timer, &StatsClient::timer_).close();
}

// --- the line -------------------------------------------------------------------------------------------------------

void StatsClient::receive() {
  socket_.ring().receive_many(receive_op_, on_received, fd_, false);
}

void StatsClient::on_received(Op& op, const Completion& completion) {
  StatsClient& client = owner_of(op, &StatsClient::receive_op_);
  Buffers& buffers = client.socket_.buffers();
  if (completion.has_buffer()) {
    const BufferId id = completion.buffer();
    buffers.received(id);
    if (completion.result > 0) {
      client.heard({reinterpret_cast<const char*>(buffers.data(id)), static_cast<size_t>(completion.result)});
    }
    buffers.give_back(id);
  }
  if (client.state_ == State::joining) {
    if (!op.in_flight()) client.free_if_joined();
    return;
  }
  if (completion.result == 0) return client.input_is_over();
  if (completion.failed()) {
    switch (completion.error()) {
      case ENOBUFS: buffers.exhausted(); break;  // there are some again by the time this is submitted
      case EINTR:
      case EAGAIN: break;
      default: return client.close();  // ECONNRESET and its like: gone
    }
  }
  if (!op.in_flight()) client.receive();
}

// Never closes: its caller goes on.
void StatsClient::heard(std::string_view bytes) {
  if (state_ != State::listening) return;  // one line, the rest is dropped
  socket_.arm(timer_, idle_max);
  const size_t end = bytes.find('\n');
  line_ += bytes.substr(0, end);
  if (line_.size() > line_bytes_max) {
    become(State::answering);
    answer_ = "Line too long: the limit is " + std::to_string(line_bytes_max) + " bytes.\n\n";
    send_piece();
  } else if (end != std::string_view::npos) {
    answer_line();
  }
}

void StatsClient::input_is_over() {
  input_ended_ = true;
  switch (state_) {
    case State::listening:
      // The end ends a line too, but not an empty one.
      if (line_.empty()) return close();
      return answer_line();
    case State::answering: return;  // it still listens
    case State::leaving: return close();
    case State::joining: WEIR_ASSERT(false);
  }
}

// --- the answers ----------------------------------------------------------------------------------------------------

void StatsClient::answer_line() {
  become(State::answering);
  commands_ = split_stats_line(line_);
  answer_next();
}

void StatsClient::answer_next() {
  if (next_command_ == commands_.size()) return leave();
  answer_ = answer_stats_command(commands_[next_command_++], socket_.view());
  answer_sent_ = 0;
  send_piece();
}

// Piece by piece, so that we see that a slow reader does read.
void StatsClient::send_piece() {
  if (!winding_up_) socket_.arm(timer_, idle_max);
  const size_t size = std::min(answer_.size() - answer_sent_, piece_bytes_max);
  socket_.ring().send(send_op_, on_sent, fd_, answer_.data() + answer_sent_, size);
}

void StatsClient::on_sent(Op& op, const Completion& completion) {
  StatsClient& client = owner_of(op, &StatsClient::send_op_);
  if (client.state_ == State::joining) return client.free_if_joined();
  WEIR_ASSERT(client.state_ == State::answering);
  if (completion.failed() && completion.error() != EINTR && completion.error() != EAGAIN) return client.close();
  if (completion.result > 0) client.answer_sent_ += static_cast<size_t>(completion.result);
  if (client.answer_sent_ < client.answer_.size()) return client.send_piece();
  client.answer_next();
}

void StatsClient::leave() {
  if (input_ended_ || winding_up_) return close();
  become(State::leaving);
  shut_down_send(fd_);
  socket_.arm(timer_, leave_max);
}

}  // namespace weir
