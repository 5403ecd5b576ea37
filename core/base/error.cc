#include "core/base/error.h"

#include <errno.h>
#include <string.h>

namespace weir {

Error error_from_errno(int number, Side side) noexcept {
  auto make = [&](ErrorKind kind, Retry retry) { return Error{kind, side, retry, number}; };
  switch (number) {
    case ECONNREFUSED: return make(ErrorKind::refused, Retry::yes);
    case EAGAIN:  // connect() to a UNIX socket whose backlog is full
    case ENOENT:  // or to a UNIX path that is not there
    case ENOTDIR: return make(ErrorKind::refused, Retry::yes);
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN: return make(ErrorKind::unreachable, Retry::yes);
    case ECONNRESET:
    case ECONNABORTED: return make(ErrorKind::reset, Retry::only_if_reused);
    case EPIPE: return make(ErrorKind::closed, Retry::only_if_reused);
    case ETIMEDOUT: return make(ErrorKind::timed_out, Retry::yes);
    case EADDRINUSE: return make(ErrorKind::address_in_use, Retry::no);
    case EADDRNOTAVAIL: return make(ErrorKind::out_of_ports, Retry::yes);
    case EACCES:
    case EPERM: return make(ErrorKind::permission, Retry::no);
    case EMFILE:
    case ENFILE: return make(ErrorKind::out_of_descriptors, Retry::no);
    case ENOMEM:
    case ENOBUFS: return make(ErrorKind::out_of_memory, Retry::no);
    case ECANCELED: return make(ErrorKind::canceled, Retry::no);
    case EINVAL:
    case ENOSYS:
    case EAFNOSUPPORT:  // IPv6 where the kernel has none
    case EOPNOTSUPP: return make(ErrorKind::unsupported, Retry::no);
    default: return make(ErrorKind::unexpected, Retry::no);
  }
}

std::string_view name_of(ErrorKind kind) noexcept {
  switch (kind) {
#define ERROR(name, text) \
  case ErrorKind::name:   \
    return text;
#include "core/base/errors.def"
#undef ERROR
  }
  return "unknown";
}

std::string_view name_of(Side side) noexcept {
  switch (side) {
    case Side::ourselves: return "weir";
    case Side::client: return "client";
    case Side::origin: return "origin";
  }
  return "unknown";
}

std::string describe(const Error& error) {
  std::string text{name_of(error.side)};
  text += ": ";
  text += name_of(error.kind);
  if (error.number != 0) {
    const char* name = strerrorname_np(error.number);
    text += " (";
    text += name != nullptr ? name : std::to_string(error.number);
    text += ")";
  }
  return text;
}

}  // namespace weir
