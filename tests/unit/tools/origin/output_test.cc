#include "tools/origin/output.h"

#include <gtest/gtest.h>

namespace weir::origin {
namespace {

TEST(OriginOutput, OwnedBytesLeaveBeforeLentOnes) {
  const std::string lent(Output::copied_bytes_max + 1, 'x');
  Output out;
  EXPECT_TRUE(out.empty());
  out.append("head");
  out.lend(lent);
  EXPECT_EQ(out.text(), "head" + lent);
  EXPECT_EQ(out.pieces()[0].iov_len, 4u);
  EXPECT_EQ(out.pieces()[1].iov_base, lent.data()) << "a long piece is not copied";
  out.drop(3);
  EXPECT_EQ(out.text(), "d" + lent);
  out.drop(2);
  EXPECT_EQ(out.text(), lent.substr(1));
  out.drop(lent.size() - 1);
  EXPECT_TRUE(out.empty());
}

TEST(OriginOutput, NothingFitsBehindALentPiece) {
  const std::string lent(Output::copied_bytes_max + 1, 'x');
  Output out;
  EXPECT_EQ(out.room(), Output::owned_bytes_max);
  out.append("abc");
  EXPECT_EQ(out.room(), Output::owned_bytes_max - 3);
  out.lend(lent);
  EXPECT_EQ(out.room(), 0u);
  out.drop(3 + lent.size());
  EXPECT_EQ(out.room(), Output::owned_bytes_max);
}

TEST(OriginOutput, ShortLentPiecesAreCopiedAndLeaveRoom) {
  Output out;
  out.lend("short");
  out.append(" and more");
  EXPECT_EQ(out.text(), "short and more");
}

}  // namespace
}  // namespace weir::origin
