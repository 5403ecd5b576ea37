// Relay: what a proxy of small requests over an io_uring costs when it does nothing else. An HTTP proxy on a ring does
// the same work and more, so the distance to this is what HTTP costs it.
//
// It knows nothing of HTTP but this: what one read of a client brings is one request, what one read of an origin brings
// is the whole answer, and an origin connection serves anybody once it has answered.
//
//   client --request--> a connection to the next origin: an idle one, or a new one
//   client <--answer--- which is idle again from then on
//
// So it is right for small requests, one at a time, with small answers, and for nothing else. Where it sees that this
// does not hold it says so and ends the process: a figure of something broken is worse than none.
//
// One thread makes it, runs it, and owns everything. It uses the ring as net/io does: one system call per turn,
// receives that repeat, buffers of which the same few warm ones go around. Always true: a connection that is not ending
// has a receive or a connect in flight.
#pragma once

#include <liburing.h>
#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/fd.h"
#include "core/base/slab.h"

namespace weir::floor {

// Says what is wrong, with the errno if there is one, and ends the process.
[[noreturn]] void fail(std::string_view what, int error = 0);

struct Connection;

// One operation in flight; its address is the user_data.
struct Op {
  enum class Kind : uint8_t { accept, connect, receive, send };
  Kind kind;
  Connection* connection;  // none: the listening socket
};

struct Connection {
  static constexpr uint32_t of_client = UINT32_MAX;
  static constexpr uint16_t no_buffer = UINT16_MAX;

  Connection(int socket, uint32_t origin_index) : fd(socket), origin(origin_index) {}
  bool is_client() const noexcept { return origin == of_client; }
  bool is_sending() const noexcept { return buffer_sending != no_buffer; }

  Fd fd;
  uint32_t origin;  // which one it leads to, or of_client
  Op receiving{Op::Kind::receive, this};
  Op sending{Op::Kind::send, this};  // also of the connect, whose request waits in buffer_sending
  // Of a client: who will answer it. Of an origin: whom it will answer, unless that one has gone.
  Connection* partner = nullptr;
  uint32_t bytes_sending = 0;
  uint16_t buffer_sending = no_buffer;
  uint8_t ops_in_flight = 0;
  bool owes_answer = false;  // an origin that was asked
  bool ending = false;       // nothing new starts; freed once ops_in_flight is 0
};

class Relay {
 public:
  Relay(Fd listener, const std::vector<sockaddr_in>& origins);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  [[noreturn]] void run();

  static constexpr uint32_t clients_max = 512;

 private:
  struct Origin {
    sockaddr_in address;
    std::vector<Connection*> idle;
  };

  static constexpr uint32_t connections_max = 4 * clients_max;  // with those to the origins, and those that are ending
  static constexpr uint32_t buffer_size = 16 * 1024;
  // As in net/io/buffers.h: equal offsets of two buffers are not to share a cache set.
  static constexpr uint32_t buffer_stride = buffer_size + 3 * 64;
  static constexpr uint16_t buffers_count = 2048;  // a power of two
  static constexpr uint16_t buffers_in_kernel_max = 128;
  // A client holds a buffer with its request or its answer, and may leave one of each behind when it goes.
  static_assert(buffers_count >= 3 * clients_max + buffers_in_kernel_max);

  std::byte* data(uint16_t buffer) noexcept { return memory_.data() + std::size_t{buffer} * buffer_stride; }
  void start_buffers();
  void provide_buffers();

  io_uring_sqe* take_sqe();
  static void start(io_uring_sqe* sqe, Op& op);
  void accept();
  void connect(Connection& connection);
  void receive(Connection& connection);
  void send(Connection& connection);

  void complete(Op& op, const io_uring_cqe& cqe);
  void accepted(const io_uring_cqe& cqe);
  void connected(Connection& connection, int result);
  void received(Connection& connection, const io_uring_cqe& cqe);
  void sent(Connection& connection, int result);

  void ask(Connection& client, uint16_t buffer, uint32_t bytes);
  void answer(Connection& connection, uint16_t buffer, uint32_t bytes);
  Connection& open(int fd, uint32_t origin);
  void end(Connection& connection);

  io_uring ring_{};
  Fd listener_;
  Op accepting_{Op::Kind::accept, nullptr};
  std::vector<Origin> origins_;
  uint32_t next_origin_ = 0;
  uint32_t clients_ = 0;
  Slab<Connection> connections_{connections_max};
  Reservation memory_{std::size_t{buffers_count} * buffer_stride};
  Reservation buffer_ring_memory_{std::size_t{buffers_count} * sizeof(io_uring_buf)};
  io_uring_buf_ring* buffer_ring_;
  std::vector<uint16_t> free_;
  uint16_t in_kernel_ = 0;
};

}  // namespace weir::floor
