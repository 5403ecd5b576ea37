// Ring: a worker's io_uring. It takes Ops, gives back completions, and makes one system call per turn.
//
// Starting an operation only writes it down; wait() hands everything written to the kernel and blocks until something
// is done or it is time; dispatch() calls the handlers. A Ring belongs to the thread that made it (SINGLE_ISSUER), and
// handlers run inside dispatch() and nowhere else, so no call on the Ring ever calls back into its caller.
//
// net/io/ring_uring.cc is the implementation in the program. Another one can take its place at link time.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "net/io/op.h"

namespace weir {

// Where the bytes of one send lie, in order.
struct SendPieces {
  static constexpr uint32_t count_max = 8;
  std::array<iovec, count_max> list;
  uint32_t count = 0;
};

struct RingOptions {
  // The kernel knows how to end receive_many after so many bytes (Linux 6.17; see Features::receive_limit).
  bool receive_limit = false;
  uint32_t submissions = 1024;  // written down between two system calls; more make an extra one
  uint32_t completions = 8192;  // beyond that the kernel keeps them until there is room
};

class Ring {
 public:
  static Result<std::unique_ptr<Ring>> make(const RingOptions& options = {});
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring();

  // Accepts connections on `fd`, one after the other until canceled or out of descriptors, or just one. The sockets are
  // non-blocking and close on exec.
  void accept_many(Op& op, Op::Handler handler, int fd);
  void accept_one(Op& op, Op::Handler handler, int fd);

  // `address` is copied: a Snapshot that it lies in may be gone when the kernel reads it.
  void connect(Op& op, Op::Handler handler, int fd, const sockaddr* address, socklen_t size);

  // Receives again and again, each time into one of the provided buffers, until canceled, the end, an error, or
  // -ENOBUFS; where the kernel can, also after receive_limit_bytes in all, so that a flood stops by itself before we
  // have heard of it. `later`: nothing is there yet for sure, so don't look before waiting.
  static constexpr uint32_t receive_limit_bytes = 64 * 1024;
  void receive_many(Op& op, Op::Handler handler, int fd, bool later);
  // The same, once. For UNIX sockets: of those, Linux 6.18 forgets now and then to tell a receive_many of an end that
  // came together with the last bytes, and a receiver would wait for ever.
  void receive_once(Op& op, Op::Handler handler, int fd);

  // Sends all of it; the completion is short only after an error or a signal. The bytes stay where they are until then.
  // `more`: what follows at once (more bytes, or the end) may leave in the same packet.
  void send(Op& op, Op::Handler handler, int fd, const SendPieces& pieces, bool more);
  void send(Op& op, Op::Handler handler, int fd, const void* data, size_t size, bool more = false);

  // One completion when one of the poll(2) `events` is true, or has been since.
  void poll(Op& op, Op::Handler handler, int fd, uint32_t events);

  // Tells of errors and hang-ups of a socket, each as it happens, until canceled. The kernel also tells of a
  // half-closed peer, whether asked or not, hence again and again instead of once.
  void watch(Op& op, Op::Handler handler, int fd);

  // Reads up to `size` bytes of a file that is no socket (eventfd, signalfd). `data` stays until then.
  void read(Op& op, Op::Handler handler, int fd, void* data, size_t size);

  // Asks for the end of an operation in flight, which will complete once more: by -ECANCELED, or by what it was about
  // to do anyway. Asking again does nothing.
  void cancel(Op& op);

  // Closes a descriptor that no operation uses, with the next system call; nobody is told.
  void close(int fd);

  // Gives a buffer to receive_many. It is the kernel's until a completion names it. Visible after commit_buffers().
  void provide_buffer(BufferId id, void* data, uint32_t size);
  void commit_buffers();
  // Registers the group of buffers that receive_many uses. Once, before the first provide_buffer(); `count` is a power
  // of two.
  Result<bool> register_buffers(uint32_t count);

  // Hands over what was written down and waits for at least one completion, or until `until`.
  // `now` is the time the caller believes in.
  void wait(Instant now, std::optional<Instant> until);
  // The same without waiting.
  void submit();

  // Calls the handlers of the completions that are there, `budget` at the most. Returns how many.
  uint32_t dispatch(uint32_t budget);

  // Operations in flight, cancels and closes not counted.
  uint32_t in_flight() const noexcept;

 private:
  struct Impl;
  explicit Ring(std::unique_ptr<Impl> impl);
  // Marks the Op as in flight and remembers its handler.
  void start(Op& op, Op::Handler handler);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir
