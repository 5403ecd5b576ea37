#include "net/io/features.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "core/base/fd.h"
#include "net/io/ring.h"

namespace weir {
namespace {

std::string kernel_release() {
  utsname names{};
  return ::uname(&names) == 0 ? names.release : "unknown";
}

// What to say when not even a ring can be made.
std::string explain(const Error& error, const std::string& kernel) {
  switch (error.number) {
    case ENOSYS: return "this kernel (" + kernel + ") has no io_uring; weir needs Linux 6.1 or newer";
    case EPERM: {
      int value = 0;
      if (FILE* file = std::fopen("/proc/sys/kernel/io_uring_disabled", "re")) {
        if (std::fscanf(file, "%d", &value) != 1) value = 0;
        std::fclose(file);
      }
      if (value != 0) {
        return "io_uring is disabled here: kernel.io_uring_disabled is " + std::to_string(value) +
               "; allow it with `sysctl kernel.io_uring_disabled=0`";
      }
      return "io_uring_setup is not permitted; a seccomp profile (of a container engine, or of systemd's "
             "SystemCallFilter) "
             "blocks it: allow io_uring_setup, io_uring_enter and io_uring_register";
    }
    case EINVAL:
      return "this kernel (" + kernel +
             ") is too old: IORING_SETUP_DEFER_TASKRUN is missing; weir needs Linux 6.1 or newer";
    case ENOMEM:
      return "io_uring could not lock its memory: raise RLIMIT_MEMLOCK (`ulimit -l`, LimitMEMLOCK= in a systemd unit)";
    default: return "io_uring cannot be set up: " + describe(error);
  }
}

// A tiny worker on a socket pair: what the probe asks is answered by doing it.
class Probe {
 public:
  explicit Probe(Ring& ring) : ring_(ring) {
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()) == 0) {
      near_.reset(pair[0]);
      far_.reset(pair[1]);
    }
  }

  bool ready() const noexcept { return near_.valid(); }

  // Two messages, each into a buffer of its own, from one submission.
  bool multishot_receive() {
    for (BufferId id = 0; id < 2; ++id) ring_.provide_buffer(id, buffers_[id].data(), buffer_size);
    ring_.commit_buffers();
    ring_.receive_many(op_, note, near_.get(), false);
    for (int round = 0; round < 2; ++round) {
      if (::send(far_.get(), "x", 1, MSG_NOSIGNAL) != 1) return false;
      if (!turn() || last_.result != 1 || !last_.has_buffer() || !last_.more()) return settle(false);
    }
    return settle(true);
  }

  bool multishot_accept() {
    Fd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    sockaddr_storage any{};
    any.ss_family = AF_UNIX;  // autobind: an abstract name of the kernel's choice
    socklen_t size = sizeof any;
    if (::bind(listener.get(), reinterpret_cast<sockaddr*>(&any), sizeof(sa_family_t)) != 0 ||
        ::listen(listener.get(), 4) != 0 ||
        ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&any), &size) != 0) {
      return false;
    }
    ring_.accept_many(op_, note, listener.get());
    for (int round = 0; round < 2; ++round) {
      Fd client{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
      if (::connect(client.get(), reinterpret_cast<sockaddr*>(&any), size) != 0) return settle(false);
      if (!turn() || last_.failed()) return settle(false);
      Fd accepted{last_.result};
      if (!last_.more()) return settle(false);
    }
    return settle(true);
  }

 private:
  static constexpr uint32_t buffer_size = 64;

  static void note(Op& op, const Completion& completion) {
    Probe& probe = owner_of(op, &Probe::op_);
    probe.last_ = completion;
    probe.seen_ = true;
  }

  // One completion of ours; those of cancels, which nobody hears, do not count.
  bool turn() {
    seen_ = false;
    const Instant start{};
    for (int round = 0; round < 4 && !seen_; ++round) {
      ring_.wait(start, start + std::chrono::seconds{1});
      while (!seen_ && ring_.dispatch(1) > 0) {
      }
    }
    return seen_;
  }

  // Leaves nothing in flight.
  bool settle(bool result) {
    while (op_.in_flight()) {
      ring_.cancel(op_);
      if (!turn()) break;
      if (op_.in_flight() && last_.result > 0 && !last_.has_buffer()) ::close(last_.result);
    }
    return result;
  }

  Ring& ring_;
  Op op_;
  Fd near_;
  Fd far_;
  Completion last_;
  bool seen_ = false;
  std::array<std::array<char, buffer_size>, 2> buffers_{};
};

constexpr uint32_t probe_buffers = 2;

Result<std::unique_ptr<Ring>> probe_ring(bool receive_limit) {
  RingOptions options;
  options.submissions = 8;
  options.completions = 16;
  options.receive_limit = receive_limit;
  auto ring = Ring::make(options);
  if (ring) {
    if (const auto registered = (*ring)->register_buffers(probe_buffers); !registered) return registered.error();
  }
  return ring;
}

bool receive_limit_works() {
  const auto ring = probe_ring(true);
  if (!ring) return false;
  Probe probe{**ring};
  return probe.ready() && probe.multishot_receive();
}

}  // namespace

Features probe_features() {
  Features features;
  features.kernel = kernel_release();
  auto require = [&](const char* name, bool present, const char* note) {
    features.list.push_back({name, true, present, note});
    if (!present && features.refusal.empty()) {
      features.refusal = std::string{"this kernel ("} + features.kernel + ") lacks " + name + " (" + note +
                         "); weir needs Linux 6.1 or newer";
    }
  };

  const char* ring_name = "ring with deferred task work and provided buffers";
  auto made = probe_ring(false);
  if (!made) {
    require(ring_name, false, "Linux 6.1");
    features.refusal = explain(made.error(), features.kernel);
    return features;
  }
  require(ring_name, true, "Linux 6.1");
  Probe probe{**made};
  require("multishot receive", probe.ready() && probe.multishot_receive(), "Linux 6.0");
  require("multishot accept", probe.ready() && probe.multishot_accept(), "Linux 5.19");
  features.receive_limit = receive_limit_works();
  features.list.push_back({"multishot receive with a limit", false, features.receive_limit,
                           "Linux 6.17; without it a flood can take more buffers before it is stopped"});
  return features;
}

}  // namespace weir
