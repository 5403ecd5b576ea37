#include "core/base/error.h"

#include <errno.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace weir {
namespace {

struct Sorted {
  int number;
  ErrorKind kind;
  Retry retry;
};

TEST(Error, SortsEveryErrnoThatIsPlannedFor) {
  const std::vector<Sorted> table{
      {ECONNREFUSED, ErrorKind::refused, Retry::yes},
      {EAGAIN, ErrorKind::refused, Retry::yes},
      {ENOENT, ErrorKind::refused, Retry::yes},
      {ENOTDIR, ErrorKind::refused, Retry::yes},
      {EHOSTUNREACH, ErrorKind::unreachable, Retry::yes},
      {ENETUNREACH, ErrorKind::unreachable, Retry::yes},
      {EHOSTDOWN, ErrorKind::unreachable, Retry::yes},
      {ENETDOWN, ErrorKind::unreachable, Retry::yes},
      {ECONNRESET, ErrorKind::reset, Retry::only_if_reused},
      {ECONNABORTED, ErrorKind::reset, Retry::only_if_reused},
      {EPIPE, ErrorKind::closed, Retry::only_if_reused},
      {ETIMEDOUT, ErrorKind::timed_out, Retry::yes},
      {EADDRINUSE, ErrorKind::address_in_use, Retry::no},
      {EADDRNOTAVAIL, ErrorKind::out_of_ports, Retry::yes},
      {EACCES, ErrorKind::permission, Retry::no},
      {EPERM, ErrorKind::permission, Retry::no},
      {EMFILE, ErrorKind::out_of_descriptors, Retry::no},
      {ENFILE, ErrorKind::out_of_descriptors, Retry::no},
      {ENOMEM, ErrorKind::out_of_memory, Retry::no},
      {ENOBUFS, ErrorKind::out_of_memory, Retry::no},
      {ECANCELED, ErrorKind::canceled, Retry::no},
      {EINVAL, ErrorKind::unsupported, Retry::no},
      {ENOSYS, ErrorKind::unsupported, Retry::no},
      {EOPNOTSUPP, ErrorKind::unsupported, Retry::no},
      {EAFNOSUPPORT, ErrorKind::unsupported, Retry::no},
      {EBADF, ErrorKind::unexpected, Retry::no},
      {EXDEV, ErrorKind::unexpected, Retry::no},
  };
  for (const Sorted& row : table) {
    for (const Side side : {Side::ourselves, Side::client, Side::origin}) {
      EXPECT_EQ(error_from_errno(row.number, side), (Error{row.kind, side, row.retry, row.number})) << row.number;
    }
  }
}

TEST(Error, DescribesSideKindAndErrno) {
  EXPECT_EQ(describe(error_from_errno(ECONNREFUSED, Side::origin)), "origin: connection refused (ECONNREFUSED)");
  EXPECT_EQ(describe(error_from_errno(ECONNRESET, Side::client)), "client: connection reset by the peer (ECONNRESET)");
  EXPECT_EQ(describe({ErrorKind::bad_bytes, Side::client, Retry::no, 0}),
            "client: the peer sent bytes that break its protocol");
  EXPECT_EQ(describe({}), "weir: an error nobody planned for");
}

TEST(Error, DescribesAnErrnoWithoutAName) {
  EXPECT_EQ(describe(error_from_errno(4000, Side::ourselves)), "weir: an error nobody planned for (4000)");
}

TEST(Error, EveryKindHasASentenceOfItsOwn) {
  std::set<std::string_view> sentences;
  size_t kinds = 0;
#define ERROR(name, text)                     \
  ++kinds;                                    \
  sentences.insert(name_of(ErrorKind::name)); \
  EXPECT_EQ(name_of(ErrorKind::name), text);
#include "core/base/errors.def"
#undef ERROR
  EXPECT_EQ(sentences.size(), kinds);
  EXPECT_FALSE(sentences.contains("unknown"));
}

TEST(Error, IsAValue) {
  const Error refused = error_from_errno(ECONNREFUSED, Side::origin);
  Error copy = refused;
  EXPECT_EQ(copy, refused);
  copy.side = Side::client;
  EXPECT_NE(copy, refused);
}

}  // namespace
}  // namespace weir
