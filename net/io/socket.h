// System calls on sockets that are not worth an operation in the ring, because they never block and their answer is
// needed at once. Everything the data plane asks the kernel for that is not in Ring or Pipes is here.
//
// Results are >= 0, or -errno. Any thread.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace weir {

struct ListenOptions {
  int backlog = 4096;
  bool reuse_port = false;    // several sockets share the address, the kernel spreads connections over them
  bool dual_stack = true;     // an IPv6 socket on the any-address takes IPv4 too
  uint32_t unix_mode = 0666;  // permissions of a UNIX socket's file
};

// A listening stream socket. A UNIX path that a dead process left behind is taken over; one that answers is in use.
Result<Fd> open_listener(const sockaddr* address, socklen_t size, const ListenOptions& options);

// How many connections may wait to be accepted, for a socket that listens already.
void set_backlog(int listener, int backlog) noexcept;

// A non-blocking stream socket for connecting, with TCP_NODELAY where that exists.
int open_stream(int family) noexcept;

// For a socket about to connect: the last packet of the handshake waits for our first bytes and leaves with them, so
// that the peer is woken once for both. If no bytes follow, the kernel's delayed acknowledgement sends it after 40 ms.
void hold_back_acknowledge(int fd) noexcept;

// A connection that is already waiting on `listener`, or -EAGAIN.
int accept_now(int listener) noexcept;

// Wakes whoever reads the eventfd.
void wake(int event_fd) noexcept;

// No more bytes from us: the peer will read the end.
int shut_down_send(int fd) noexcept;
// No more connections from a listening socket.
int stop_listening(int fd) noexcept;

// Makes the coming close a reset, without waiting for anybody.
void reset_on_close(int fd) noexcept;

// The error that has happened to the socket and was told to nobody yet; 0 if there is none.
int pending_error(int fd) noexcept;

// The two ends' addresses. False if the socket is not connected any more.
bool peer_address(int fd, sockaddr_storage& address) noexcept;
bool local_address(int fd, sockaddr_storage& address, socklen_t& size) noexcept;

}  // namespace weir
