#include "bench/floor/relay.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include <cstdlib>
#include <iostream>
#include <utility>

#include "core/base/assert.h"

namespace weir::floor {
namespace {

constexpr uint32_t submissions = 1024;
constexpr uint32_t completions = 8192;

}  // namespace

void fail(std::string_view what, int error) {
  std::cerr << "weir_floor: " << what;
  if (error != 0) std::cerr << ": " << ::strerror(error);
  std::cerr << std::endl;
  std::exit(1);
}

Relay::Relay(Fd listener, const std::vector<sockaddr_in>& origins)
    : listener_(std::move(listener)), buffer_ring_(reinterpret_cast<io_uring_buf_ring*>(buffer_ring_memory_.data())) {
  for (const sockaddr_in& address : origins) origins_.push_back({address, {}});
  io_uring_params params{};
  params.flags =
      IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
  params.cq_entries = completions;
  if (const int result = io_uring_queue_init_params(submissions, &ring_, &params); result < 0) {
    fail("no io_uring as weir needs it (Linux 6.1, and not forbidden)", -result);
  }
  io_uring_register_ring_fd(&ring_);  // saves a look-up with each system call; it works without
  start_buffers();
}

void Relay::start_buffers() {
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<uintptr_t>(buffer_ring_);
  registration.ring_entries = buffers_count;
  if (const int result = io_uring_register_buf_ring(&ring_, &registration, 0); result < 0) {
    fail("registering buffers", -result);
  }
  io_uring_buf_ring_init(buffer_ring_);
  free_.reserve(buffers_count);
  for (uint16_t id = buffers_count; id > 0; --id) free_.push_back(static_cast<uint16_t>(id - 1));
}

void Relay::run() {
  accept();
  for (;;) {
    provide_buffers();
    const int result = io_uring_submit_and_wait(&ring_, 1);
    if (result < 0 && result != -EINTR && result != -EAGAIN && result != -EBUSY) fail("waiting", -result);
    unsigned head = 0;
    unsigned done = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      ++done;
      complete(*static_cast<Op*>(io_uring_cqe_get_data(cqe)), *cqe);
    }
    io_uring_cq_advance(&ring_, done);
  }
}

// The most recently used first, and no more than are needed: the kernel goes through all that it has, warm or not.
void Relay::provide_buffers() {
  int added = 0;
  for (; in_kernel_ < buffers_in_kernel_max; ++in_kernel_) {
    WEIR_ASSERT(!free_.empty());  // see buffers_count
    const uint16_t id = free_.back();
    free_.pop_back();
    io_uring_buf_ring_add(buffer_ring_, data(id), buffer_size, id, io_uring_buf_ring_mask(buffers_count), added++);
  }
  if (added > 0) io_uring_buf_ring_advance(buffer_ring_, added);
}

// --- operations that start ------------------------------------------------------------------------------------------

io_uring_sqe* Relay::take_sqe() {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  if (sqe == nullptr) {
    io_uring_submit(&ring_);
    sqe = io_uring_get_sqe(&ring_);
  }
  WEIR_ASSERT(sqe != nullptr);
  return sqe;
}

void Relay::start(io_uring_sqe* sqe, Op& op) {
  io_uring_sqe_set_data(sqe, &op);
  if (op.connection != nullptr) ++op.connection->ops_in_flight;
}

void Relay::accept() {
  io_uring_sqe* sqe = take_sqe();
  io_uring_prep_multishot_accept(sqe, listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  start(sqe, accepting_);
}

void Relay::connect(Connection& connection) {
  const sockaddr_in& address = origins_[connection.origin].address;
  connection.sending.kind = Op::Kind::connect;
  io_uring_sqe* sqe = take_sqe();
  io_uring_prep_connect(sqe, connection.fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  start(sqe, connection.sending);
}

void Relay::receive(Connection& connection) {
  io_uring_sqe* sqe = take_sqe();
  io_uring_prep_recv_multishot(sqe, connection.fd.get(), nullptr, 0, 0);
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = 0;
  start(sqe, connection.receiving);
}

void Relay::send(Connection& connection) {
  connection.sending.kind = Op::Kind::send;
  io_uring_sqe* sqe = take_sqe();
  io_uring_prep_send(sqe, connection.fd.get(), data(connection.buffer_sending), connection.bytes_sending,
                     MSG_NOSIGNAL | MSG_WAITALL);
  start(sqe, connection.sending);
}

// --- operations that are done ---------------------------------------------------------------------------------------

void Relay::complete(Op& op, const io_uring_cqe& cqe) {
  if (op.connection == nullptr) return accepted(cqe);
  Connection& connection = *op.connection;
  if ((cqe.flags & IORING_CQE_F_MORE) == 0) --connection.ops_in_flight;
  switch (op.kind) {
    case Op::Kind::accept: break;  // has no connection
    case Op::Kind::connect: connected(connection, cqe.res); break;
    case Op::Kind::receive: received(connection, cqe); break;
    case Op::Kind::send: sent(connection, cqe.res); break;
  }
  if (connection.ending && connection.ops_in_flight == 0) connections_.destroy(connection);
}

void Relay::accepted(const io_uring_cqe& cqe) {
  // That a client left while it waited is nobody's fault.
  if (cqe.res < 0 && cqe.res != -ECONNABORTED) fail("accept", -cqe.res);
  if (cqe.res >= 0) {
    if (++clients_ > clients_max) fail("more clients at once than there is room for");
    receive(open(cqe.res, Connection::of_client));
  }
  if ((cqe.flags & IORING_CQE_F_MORE) == 0) accept();
}

void Relay::connected(Connection& connection, int result) {
  if (result < 0) fail("connecting to an origin", -result);
  receive(connection);
  send(connection);
}

void Relay::received(Connection& connection, const io_uring_cqe& cqe) {
  if ((cqe.flags & IORING_CQE_F_BUFFER) != 0) {
    const auto buffer = static_cast<uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
    --in_kernel_;
    if (cqe.res <= 0 || connection.ending) {
      free_.push_back(buffer);
    } else if (connection.is_client()) {
      ask(connection, buffer, static_cast<uint32_t>(cqe.res));
    } else {
      answer(connection, buffer, static_cast<uint32_t>(cqe.res));
    }
  }
  if ((cqe.flags & IORING_CQE_F_MORE) != 0 || connection.ending) return;
  // The kernel may stop repeating for reasons of its own; one that found no buffer starts after there are some again.
  if (cqe.res > 0 || cqe.res == -ENOBUFS) return receive(connection);
  end(connection);
}

void Relay::sent(Connection& connection, int result) {
  free_.push_back(std::exchange(connection.buffer_sending, Connection::no_buffer));
  // Short only after an error, and then the peer has gone.
  if (result != static_cast<int>(connection.bytes_sending)) end(connection);
}

// --- requests and answers -------------------------------------------------------------------------------------------

void Relay::ask(Connection& client, uint16_t buffer, uint32_t bytes) {
  if (client.partner != nullptr || client.is_sending()) {
    fail("a client sent its request in pieces, or another one before it had the answer");
  }
  const uint32_t index = next_origin_;
  next_origin_ = (index + 1) % static_cast<uint32_t>(origins_.size());
  std::vector<Connection*>& idle = origins_[index].idle;
  const bool is_new = idle.empty();
  if (is_new) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    if (fd < 0 || ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) fail("socket", errno);
    idle.push_back(&open(fd, index));
  }
  Connection& connection = *idle.back();
  idle.pop_back();
  connection.buffer_sending = buffer;
  connection.bytes_sending = bytes;
  connection.owes_answer = true;
  connection.partner = &client;
  client.partner = &connection;
  if (is_new) {
    connect(connection);
  } else {
    send(connection);
  }
}

void Relay::answer(Connection& connection, uint16_t buffer, uint32_t bytes) {
  if (!connection.owes_answer) fail("an answer came in pieces: it is too large, or its origin writes it bit by bit");
  if (connection.is_sending()) fail("an origin answered before it had the request");
  connection.owes_answer = false;
  origins_[connection.origin].idle.push_back(&connection);
  Connection* client = std::exchange(connection.partner, nullptr);
  if (client == nullptr) return free_.push_back(buffer);
  client->partner = nullptr;
  client->buffer_sending = buffer;
  client->bytes_sending = bytes;
  send(*client);
}

Connection& Relay::open(int fd, uint32_t origin) {
  Connection* connection = connections_.create(fd, origin);
  if (connection == nullptr) fail("more connections at once than there is room for");
  return *connection;
}

// What is in flight comes back by itself once both directions are shut down.
void Relay::end(Connection& connection) {
  if (connection.ending) return;
  connection.ending = true;
  ::shutdown(connection.fd.get(), SHUT_RDWR);
  if (connection.is_client()) {
    --clients_;
  } else {
    std::erase(origins_[connection.origin].idle, &connection);
  }
  Connection* partner = std::exchange(connection.partner, nullptr);
  if (partner == nullptr) return;
  partner->partner = nullptr;
  // An origin goes on and answers nobody. A client would wait forever.
  if (partner->is_client()) end(*partner);
}

}  // namespace weir::floor
