#include "control/stats_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/model/address.h"
#include "net/io/socket.h"

namespace weir {
namespace {

// How soon to ask again for a descriptor that was not to be had.
constexpr Duration retry_interval = std::chrono::milliseconds{50};
constexpr int backlog = 128;

std::string explain(const std::string& path, const Error& error) {
  namespace fs = std::filesystem;
  std::string sentence = "stats socket " + path + ": ";
  std::error_code ignored;
  const std::string parent = fs::path{path}.parent_path().string();
  switch (error.number) {
    case ENOENT:
      return sentence + "the directory " + parent + " does not exist; create it (mkdir -p " + parent +
             ") or choose another path";
    case ENOTDIR: return sentence + parent + " is not a directory; choose another path";
    case EADDRINUSE:
      if (fs::is_socket(fs::symlink_status(path, ignored))) {
        return sentence + "another process answers there (is weir running already?); stop it or choose another path";
      }
      return sentence + "a file that is no socket is in the way; remove it or choose another path";
    case EACCES:
    case EPERM:
    case EROFS:
      return sentence + "no permission to create it in " + (parent.empty() ? "the current directory" : parent) +
             "; make that directory writable for this user or choose another path";
    default: return sentence + describe(error);
  }
}

}  // namespace

Result<std::unique_ptr<StatsSocket>, std::string> StatsSocket::open(Ring& ring, Buffers& buffers, TimerWheel& wheel,
                                                                    const std::string& path, uint32_t mode, View view) {
  const auto address = SocketAddress::parse("unix:" + path);
  if (!address) {
    return "stats socket " + path + ": a UNIX socket's path has 1 to 107 bytes; choose another path";
  }
  ListenOptions options;
  options.backlog = backlog;
  options.unix_mode = mode;
  auto listener = open_listener(address->data(), address->size(), options);
  if (!listener) return explain(path, listener.error());
  // make_unique cannot reach the constructor.
  std::unique_ptr<StatsSocket> socket{
      new StatsSocket{ring, buffers, wheel, path, std::move(*listener), std::move(view)}};
  socket->file_ = SocketFile{path};
  socket->keep_spares();
  // Not here: until the loop turns there is nothing in flight, and a start that fails for another reason may just let
  // go.
  wheel.arm(socket->accept_timer_, Instant{});
  return socket;
}

StatsSocket::StatsSocket(Ring& ring, Buffers& buffers, TimerWheel& wheel, std::string path, Fd listener, View view)
    : ring_(ring),
      buffers_(buffers),
      wheel_(wheel),
      path_(std::move(path)),
      view_(std::move(view)),
      listener_(std::move(listener)),
      accept_timer_(on_accept_time) {}

StatsSocket::~StatsSocket() {
  stop();
  WEIR_ASSERT(stopped());
}

void StatsSocket::stop() {
  if (stopping_) return;
  stopping_ = true;
  file_.remove();
  for (Fd& spare : spares_) spare.reset();
  wheel_.cancel(accept_timer_);
  if (accept_op_.in_flight()) {
    ring_.cancel(accept_op_);
  } else {
    listener_.reset();
  }
  clients_.for_each([](StatsClient& client) { client.wind_up(); });
}

bool StatsSocket::stopped() const noexcept {
  return stopping_ && !accept_op_.in_flight() && clients_.size() == 0;
}

void StatsSocket::accept_more() {
  if (stopping_ || accept_op_.in_flight() || accept_timer_.armed() || clients_.size() == clients_max) return;
  ring_.accept_one(accept_op_, on_accepted, listener_.get());
}

void StatsSocket::on_accepted(Op& op, const Completion& completion) {
  StatsSocket& socket = owner_of(op, &StatsSocket::accept_op_);
  if (socket.stopping_) {
    if (!completion.failed()) socket.ring_.close(completion.result);
    socket.listener_.reset();
    return;
  }
  if (!completion.failed()) {
    socket.serve(completion.result);
    return socket.accept_more();
  }
  switch (completion.error()) {
    case EINTR:
    case EAGAIN:
    case ECONNABORTED: return socket.accept_more();
    case EMFILE:
    case ENFILE: socket.accept_with_spare(); return socket.arm(socket.accept_timer_, retry_interval);
    // ENOMEM and whatever else: not to spin on something that stays wrong.
    default: socket.arm(socket.accept_timer_, retry_interval);
  }
}

void StatsSocket::serve(int fd) {
  StatsClient* client = clients_.create(*this, fd);
  WEIR_ASSERT(client != nullptr);  // accept_more() saw a free slot, and only this takes one
  client->begin();
}

// Traffic has taken every descriptor, which is when an operator wants to look in: one that was kept for that is traded
// for the client's. A worker may be quicker and take what was just freed; hence several of them.
void StatsSocket::accept_with_spare() {
  for (Fd& spare : spares_) {
    if (!spare) continue;
    spare.reset();
    const int fd = accept_now(listener_.get());
    if (fd >= 0) return serve(fd);
    if (fd != -EMFILE && fd != -ENFILE) break;
  }
  keep_spares();
}

void StatsSocket::keep_spares() {
  for (Fd& spare : spares_) {
    if (!spare) spare.reset(::fcntl(listener_.get(), F_DUPFD_CLOEXEC, 0));
  }
}

void StatsSocket::on_accept_time(Timer& timer) {
  StatsSocket& socket = owner_of(timer, &StatsSocket::accept_timer_);
  socket.keep_spares();
  socket.accept_more();
}

void StatsSocket::client_joined(StatsClient& client, int fd) {
  Fd* const missing = std::find_if(spares_.begin(), spares_.end(), [](const Fd& spare) { return !spare; });
  // Closes the client and makes a spare of its number in one step, in which nobody can take the number.
  if (!stopping_ && missing != spares_.end() && ::dup3(listener_.get(), fd, O_CLOEXEC) == fd) {
    missing->reset(fd);
  } else {
    ring_.close(fd);
  }
  clients_.destroy(client);
  accept_more();
}

}  // namespace weir
