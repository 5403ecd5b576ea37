// The sink that sends a datagram for each line: to the local syslog, or to any collector behind a UNIX socket.
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <filesystem>
#include <system_error>

#include "control/access_sink.h"
#include "core/base/fd.h"
#include "core/model/address.h"

namespace weir {
namespace {

class DatagramSink final : public AccessSink {
 public:
  DatagramSink(const SocketAddress& address, std::string prefix) : address_(address), prefix_(std::move(prefix)) {}

  Delivery deliver(const AccessLines& lines, const Patience& patience) noexcept override {
    Delivery delivery;
    bool tried_anew = !fd_.valid();
    if (tried_anew) {
      delivery.error = connect();
      if (delivery.error != 0) return delivery;
      delivery.reopened = true;
    }
    for (size_t i = 0; i < lines.count(); ++i) {
      int error = send(lines.line(i), patience);
      if (is_broken_by(error) && !tried_anew) {
        // The receiver was started anew: its socket is another one under the same name. Once a batch, for when there is
        // none, asking for each line would be in vain.
        tried_anew = true;
        error = connect();
        if (error == 0) {
          delivery.reopened = true;
          error = send(lines.line(i), patience);
        }
      }
      if (error == 0) {
        ++delivery.lines;
        delivery.bytes += prefix_.size() + lines.line(i).size();
        continue;
      }
      delivery.error = error;
      if (error == EMSGSIZE) continue;  // one that no datagram can hold; the others can
      if (is_broken_by(error)) fd_.reset();
      break;
    }
    return delivery;
  }

  // The name may be another socket's by now, with the old one still open somewhere.
  std::string reopen() override {
    const int error = connect();
    return error == 0 ? std::string{} : explain(error);
  }

  // 0, or the errno; what was open stays open then.
  int connect() noexcept {
    Fd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!fd.valid() || ::connect(fd.get(), address_.data(), address_.size()) != 0) return errno;
    fd_ = std::move(fd);
    return 0;
  }

  std::string explain(int error) const {
    const std::string sentence = "access log " + address_.to_string() + ": ";
    switch (error) {
      case ENOENT:
      case ECONNREFUSED: return sentence + "nobody receives there; start the receiver";
      case EACCES:
      case EPERM: return sentence + "no permission to send there; make the socket writable for this user";
      case EPROTOTYPE: return sentence + "it is no datagram socket; choose one of that kind (SOCK_DGRAM)";
      default: return sentence + std::generic_category().message(error);
    }
  }

 private:
  static bool is_broken_by(int error) noexcept {
    switch (error) {
      case 0:
      case EAGAIN:
      case EMSGSIZE:
      case ENOBUFS:
      case ENOMEM: return false;
      default: return true;
    }
  }

  int send(std::string_view line, const Patience& patience) noexcept {
    // sendmsg(2) does not write to what iovec calls writable.
    std::array<iovec, 2> pieces{
        {{const_cast<char*>(prefix_.data()), prefix_.size()}, {const_cast<char*>(line.data()), line.size()}}};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    for (;;) {
      if (::sendmsg(fd_.get(), &message, MSG_NOSIGNAL) >= 0) return 0;
      if (errno == EAGAIN) {
        // Should the two calls not agree, time goes on all the same.
        if (patience.is_over() || !patience.await_writable(fd_.get())) return EAGAIN;
      } else if (errno != EINTR) {
        return errno;
      }
    }
  }

  const SocketAddress address_;
  const std::string prefix_;
  Fd fd_;  // connected; not valid while nobody receives
};

}  // namespace

OpenedSink open_datagram_sink(const std::string& path, const std::string& prefix) {
  const auto address = SocketAddress::parse("unix:" + path);
  if (!address) return "access log unix:" + path + ": a UNIX socket's path has 1 to 107 bytes; choose another path";
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  if (fs::exists(status) && !fs::is_socket(status)) {
    return "access log unix:" + path + ": it is no socket; choose another path, or write it without `unix:`";
  }
  auto sink = std::make_unique<DatagramSink>(*address, prefix);
  const int error = sink->connect();
  // A receiver may start after us, as it may be started anew at any time.
  if (error != 0 && error != ENOENT && error != ECONNREFUSED) return sink->explain(error);
  return OpenedSink{std::unique_ptr<AccessSink>{std::move(sink)}};
}

}  // namespace weir
