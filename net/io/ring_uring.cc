// Ring on liburing. The one file that knows it.
#include "net/io/ring.h"

#include <errno.h>
#include <liburing.h>
#include <sys/mman.h>

#include <cstring>
#include <vector>

namespace weir {
namespace {

constexpr uint16_t buffer_group = 0;

// SINGLE_ISSUER: only this thread submits. DEFER_TASKRUN: completions are worked on when we ask for them, in our own
// time, instead of interrupting us. SUBMIT_ALL: one bad submission must not hold back the ones behind it.
constexpr unsigned setup_flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                                 IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;

// WAITALL makes the kernel itself go on after a short send.
constexpr int send_flags = MSG_NOSIGNAL | MSG_WAITALL;

}  // namespace

struct Ring::Impl {
  io_uring ring{};
  bool ring_fd_registered = false;
  bool receive_limit = false;
  io_uring_buf_ring* buffers = nullptr;
  uint32_t buffers_count = 0;
  int buffers_written = 0;  // since the last commit
  uint32_t in_flight = 0;

  // Headers of sends in several pieces. The kernel copies them when it takes the submission
  // (IORING_FEAT_SUBMIT_STABLE), so they are free again after each system call.
  struct Message {
    msghdr header;
    SendPieces pieces;
  };
  std::vector<Message> messages;
  uint32_t messages_used = 0;
  // Where connects go, likewise.
  std::vector<sockaddr_storage> addresses;
  uint32_t addresses_used = 0;

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (ring.ring_fd > 0) io_uring_queue_exit(&ring);
    if (buffers != nullptr) ::munmap(buffers, buffers_count * sizeof(io_uring_buf));
  }

  io_uring_sqe* take_sqe() {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring);
    if (sqe == nullptr) {
      enter(0, nullptr);
      sqe = io_uring_get_sqe(&ring);
    }
    WEIR_ASSERT(sqe != nullptr);
    return sqe;
  }

  // There are as many as submissions, so one is always free.
  Message& take_message() {
    WEIR_ASSERT(messages_used < messages.size(), messages_used);
    return messages[messages_used++];
  }

  // Makes the written submissions visible to the kernel; returns how many it has not taken yet.
  unsigned flush() {
    io_uring_sq& sq = ring.sq;
    unsigned tail = *sq.ktail;  // only we write it
    while (sq.sqe_head != sq.sqe_tail) {
      sq.array[tail & sq.ring_mask] = sq.sqe_head & sq.ring_mask;
      ++tail;
      ++sq.sqe_head;
    }
    // Release, with the kernel's acquire: the entries come before the tail that covers them.
    __atomic_store_n(sq.ktail, tail, __ATOMIC_RELEASE);
    return tail - __atomic_load_n(sq.khead, __ATOMIC_ACQUIRE);
  }

  // One system call: submits, runs the deferred work, and waits for `wait_for` completions or until `timeout`.
  void enter(unsigned wait_for, __kernel_timespec* timeout) {
    const unsigned submitted = flush();
    io_uring_getevents_arg argument{};
    argument.ts = reinterpret_cast<uintptr_t>(timeout);
    unsigned flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
    if (ring_fd_registered) flags |= IORING_ENTER_REGISTERED_RING;
    // EINTR, ETIME: nothing to do but look at what is there. EBUSY, EAGAIN: completions must be taken before the kernel
    // accepts more; the caller's next turn does that, and what was not submitted stays written down.
    const int result = io_uring_enter2(static_cast<unsigned>(ring.enter_ring_fd), submitted, wait_for, flags,
                                       reinterpret_cast<sigset_t*>(&argument), sizeof argument);
    if (flush() == 0) messages_used = addresses_used = 0;
    WEIR_ASSERT(result >= 0 || result == -EINTR || result == -ETIME || result == -EBUSY || result == -EAGAIN, result);
  }
};

Ring::Ring(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Ring::~Ring() = default;

Result<std::unique_ptr<Ring>> Ring::make(const RingOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->receive_limit = options.receive_limit;
  io_uring_params params{};
  params.flags = setup_flags;
  params.cq_entries = options.completions;
  if (const int result = io_uring_queue_init_params(options.submissions, &impl->ring, &params); result < 0) {
    impl->ring.ring_fd = -1;
    return error_from_errno(-result, Side::ourselves);
  }
  impl->messages.resize(impl->ring.sq.ring_entries);
  impl->addresses.resize(impl->ring.sq.ring_entries);
  // Saves the look-up of the descriptor with each system call. Fails only where a process has too many rings; then we
  // do without.
  impl->ring_fd_registered = io_uring_register_ring_fd(&impl->ring) == 1;
  return std::unique_ptr<Ring>{new Ring(std::move(impl))};
}

void Ring::start(Op& op, Op::Handler handler) {
  WEIR_ASSERT(!op.in_flight_);
  op.handler_ = handler;
  op.in_flight_ = true;
  op.canceling_ = false;
  ++impl_->in_flight;
}

void Ring::accept_many(Op& op, Op::Handler handler, int fd) {
  start(op, handler);
  io_uring_sqe* sqe = impl_->take_sqe();
  io_uring_prep_multishot_accept(sqe, fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  io_uring_sqe_set_data(sqe, &op);
}

void Ring::accept_one(Op& op, Op::Handler handler, int fd) {
  start(op, handler);
  io_uring_sqe* sqe = impl_->take_sqe();
  io_uring_prep_accept(sqe, fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  io_uring_sqe_set_data(sqe, &op);
}

void Ring::connect(Op& op, Op::Handler handler, int fd, const sockaddr* address, socklen_t size) {
  WEIR_ASSERT(size <= sizeof(sockaddr_storage), size);
  start(op, handler);
  // First, because it may submit what was written down before, and with it empty `addresses`.
  io_uring_sqe* sqe = impl_->take_sqe();
  WEIR_ASSERT(impl_->addresses_used < impl_->addresses.size(), impl_->addresses_used);
  sockaddr_storage& copy = impl_->addresses[impl_->addresses_used++];
  std::memcpy(&copy, address, size);
  io_uring_prep_connect(sqe, fd, reinterpret_cast<const sockaddr*>(&copy), size);
  io_uring_sqe_set_data(sqe, &op);
}

void Ring::receive_many(Op& op, Op::Handler handler, int fd, bool later) {
  start(op, handler);
  io_uring_sqe* sqe = impl_->take_sqe();
  io_uring_prep_recv_multishot(sqe, fd, nullptr, 0, 0);
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = buffer_group;
  if (later) sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
  // `optlen` of newer headers lies in this union.
  if (impl_->receive_limit) sqe->file_index = receive_limit_bytes;
  io_uring_sqe_set_data(sqe, &op);
}

void Ring::receive_once(Op& op, Op::Handler handler, int fd) {
  start(op, handler);
  io_uring_sqe* sqe = impl_->take_sqe();
  io_uring_prep_recv(sqe, fd, nullptr, 0, 0);
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = buffer_group;
  io_uring_sqe_set_data(sqe, &op);
}

void Ring::send(Op& op, Op::Handler handler, int fd, const void* data, size_t size, bool more) {
  start(op, handler);
  io_uring_sqe* sqe = impl_->take_sqe();
  io_uring_prep_send(sqe, fd, data, size, send_flags | (more ? MSG_MORE : 0));
  io_uring_sqe_set_data(sqe, &op);
}

void Ring::send(Op& op, Op::Handler handler, int fd, const SendPieces& pieces, bool more) {
  WEIR_ASSERT(pieces.count > 0);
  if (pieces.count == 1) return send(op, handler, fd, pieces.list[0].iov_base, pieces.list[0].iov_len, more);
  start(op, handler);
  // First, because it may submit what was written down before, and with it empty `messages`.
  io_uring_sqe* sqe = impl_->take_sqe();
  Impl::Message& message = impl_->take_message();
  message.pieces = pieces;
  message.header = {};
  message.header.msg_iov = message.pieces.list.data();
  message.header.msg_iovlen = pieces.count;
  io_uring_prep_sendmsg(sqe, fd, &message.header, static_cast<unsigned>(send_flags | (more ? MSG_MORE : 0)));
  io_uring_sqe_set_data(sqe, &op);
}

void Ring::poll(Op& op, Op::Handler handler, int fd, uint32_t events) {
  start(op, handler);
  io_uring_sqe* sqe = impl_->take_sqe();
  io_uring_prep_poll_add(sqe, fd, events);
  io_uring_sqe_set_data(sqe, &op);
}

void Ring::watch(Op& op, Op::Handler handler, int fd) {
  start(op, handler);
  io_uring_sqe* sqe = impl_->take_sqe();
  io_uring_prep_poll_multishot(sqe, fd, 0);
  io_uring_sqe_set_data(sqe, &op);
}

void Ring::read(Op& op, Op::Handler handler, int fd, void* data, size_t size) {
  start(op, handler);
  io_uring_sqe* sqe = impl_->take_sqe();
  io_uring_prep_read(sqe, fd, data, static_cast<unsigned>(size), 0);
  io_uring_sqe_set_data(sqe, &op);
}

void Ring::cancel(Op& op) {
  WEIR_ASSERT(op.in_flight_);
  if (op.canceling_) return;
  op.canceling_ = true;
  io_uring_sqe* sqe = impl_->take_sqe();
  // By address; our own completion (found, not found, already running) tells nothing that the Op's last one does not.
  io_uring_prep_cancel(sqe, &op, 0);
  io_uring_sqe_set_data(sqe, nullptr);
}

void Ring::close(int fd) {
  io_uring_sqe* sqe = impl_->take_sqe();
  io_uring_prep_close(sqe, fd);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data(sqe, nullptr);
}

Result<bool> Ring::register_buffers(uint32_t count) {
  WEIR_ASSERT(impl_->buffers == nullptr);
  WEIR_ASSERT((count & (count - 1)) == 0 && count > 0 && count <= 32768, count);
  void* memory =
      ::mmap(nullptr, count * sizeof(io_uring_buf), PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  if (memory == MAP_FAILED) return error_from_errno(errno, Side::ourselves);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<uintptr_t>(memory);
  registration.ring_entries = count;
  registration.bgid = buffer_group;
  if (const int result = io_uring_register_buf_ring(&impl_->ring, &registration, 0); result < 0) {
    ::munmap(memory, count * sizeof(io_uring_buf));
    return error_from_errno(-result, Side::ourselves);
  }
  impl_->buffers = static_cast<io_uring_buf_ring*>(memory);
  impl_->buffers_count = count;
  io_uring_buf_ring_init(impl_->buffers);
  return true;
}

void Ring::provide_buffer(BufferId id, void* data, uint32_t size) {
  io_uring_buf_ring_add(impl_->buffers, data, size, id, static_cast<int>(impl_->buffers_count - 1),
                        impl_->buffers_written++);
}

void Ring::commit_buffers() {
  if (impl_->buffers_written == 0) return;
  io_uring_buf_ring_advance(impl_->buffers, impl_->buffers_written);
  impl_->buffers_written = 0;
}

void Ring::wait(Instant now, std::optional<Instant> until) {
  if (!until) {
    impl_->enter(1, nullptr);
    return;
  }
  const auto left = *until > now ? (*until - now).count() : 0;
  __kernel_timespec timeout{};
  timeout.tv_sec = left / 1'000'000'000;
  timeout.tv_nsec = left % 1'000'000'000;
  impl_->enter(left > 0 ? 1 : 0, &timeout);
}

void Ring::submit() {
  impl_->enter(0, nullptr);
}

uint32_t Ring::dispatch(uint32_t budget) {
  io_uring_cq& cq = impl_->ring.cq;
  uint32_t done = 0;
  while (done < budget) {
    const unsigned head = *cq.khead;  // only we write it
    // Acquire, with the kernel's release: the entry comes after the tail that covers it.
    if (head == __atomic_load_n(cq.ktail, __ATOMIC_ACQUIRE)) break;
    const io_uring_cqe& cqe = cq.cqes[head & cq.ring_mask];
    Op* op = static_cast<Op*>(io_uring_cqe_get_data(&cqe));
    const Completion completion{cqe.res, cqe.flags};
    // Given back before the handler runs, which may enter the kernel when the submission queue is full.
    __atomic_store_n(cq.khead, head + 1, __ATOMIC_RELEASE);
    ++done;
    if (op == nullptr) continue;
    WEIR_ASSERT(op->in_flight_);
    if (!completion.more()) {
      op->in_flight_ = false;
      op->canceling_ = false;
      --impl_->in_flight;
    }
    op->handler_(*op, completion);
  }
  return done;
}

uint32_t Ring::in_flight() const noexcept {
  return impl_->in_flight;
}

}  // namespace weir
