#include "net/proxy/blocks.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/unit/net/proxy/room.h"

namespace weir {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

class BlocksTest : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(blocks_.in_use(), 0U); }

  Blocks blocks_{2};
};

TEST_F(BlocksTest, AnEmptyBlockTakesNothing) {
  Block block;
  EXPECT_TRUE(block.empty());
  EXPECT_EQ(blocks_.in_use(), 0U);
  block.release(blocks_);
}

TEST_F(BlocksTest, GrowsThroughAllClassesAndKeepsItsBytes) {
  Block block;
  std::string all;
  unsigned i = 0;
  while (all.size() + 100 <= Blocks::size_max) {
    const std::string more = patterned(100, ++i);
    all += more;
    ASSERT_TRUE(block.append(blocks_, bytes_of(more)));
    ASSERT_EQ(block.size(), all.size());
    ASSERT_EQ(block.text(0, block.size()), all);
    ASSERT_EQ(blocks_.in_use(), 1U) << "a smaller one was kept";
  }
  EXPECT_EQ(block.text(100, 100), patterned(100, 2));
  block.release(blocks_);
  EXPECT_TRUE(block.empty());
}

TEST_F(BlocksTest, EachClassIsFilledToItsLastByte) {
  for (const uint32_t size : Blocks::sizes) {
    Block block;
    const std::string text = patterned(size, size);
    ASSERT_TRUE(block.append(blocks_, bytes_of(text)));
    const std::byte* at = block.data();
    EXPECT_TRUE(block.reserve(blocks_, size));
    EXPECT_EQ(block.data(), at) << "it had room for that";
    EXPECT_EQ(block.append(blocks_, bytes_of("x")), size < Blocks::size_max);
    EXPECT_EQ(block.text(0, size), text);
    block.release(blocks_);
  }
}

TEST_F(BlocksTest, BeyondTheLargestItStaysAsItWas) {
  Block block;
  ASSERT_TRUE(block.append(blocks_, bytes_of("hello")));
  EXPECT_FALSE(block.append(blocks_, bytes_of(std::string(Blocks::size_max, 'x'))));
  EXPECT_FALSE(block.reserve(blocks_, Blocks::size_max + 1));
  EXPECT_EQ(block.text(0, block.size()), "hello");
  EXPECT_TRUE(block.append(blocks_, bytes_of(std::string(Blocks::size_max - 5, 'x'))));
  EXPECT_EQ(block.size(), Blocks::size_max);
  block.release(blocks_);
}

TEST_F(BlocksTest, AClassThatHasRunOutIsSaidAndNotTakenFromALargerOne) {
  for (size_t kind = 0; kind < Blocks::sizes.size(); ++kind) {
    std::vector<std::unique_ptr<Block>> taken;
    for (int i = 0; i < 2; ++i) {
      taken.push_back(std::make_unique<Block>());
      ASSERT_TRUE(taken.back()->reserve(blocks_, Blocks::sizes[kind]));
    }
    Block block;
    EXPECT_FALSE(block.reserve(blocks_, Blocks::sizes[kind]));
    EXPECT_TRUE(block.empty());
    if (kind > 0) {
      // One that cannot grow keeps what it has.
      ASSERT_TRUE(block.append(blocks_, bytes_of("hello")));
      EXPECT_FALSE(block.append(blocks_, bytes_of(std::string(Blocks::sizes[kind] - 5, 'x'))));
      EXPECT_EQ(block.text(0, block.size()), "hello");
      block.release(blocks_);
    }
    taken[0]->release(blocks_);
    EXPECT_TRUE(block.reserve(blocks_, Blocks::sizes[kind])) << "given back, it can be had again";
    block.release(blocks_);
    taken[1]->release(blocks_);
  }
}

TEST_F(BlocksTest, ReservedRoomIsFilledWithoutMoving) {
  Block block;
  ASSERT_TRUE(block.reserve(blocks_, 3000));
  EXPECT_EQ(block.size(), 0U);
  const std::byte* at = block.data();
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(block.append(blocks_, bytes_of(std::string(100, 'x'))));
  EXPECT_EQ(block.data(), at);
  block.release(blocks_);
}

TEST_F(BlocksTest, BlocksDoNotOverlap) {
  std::vector<std::unique_ptr<Block>> all;
  for (const uint32_t size : Blocks::sizes) {
    for (unsigned i = 0; i < 2; ++i) {
      all.push_back(std::make_unique<Block>());
      ASSERT_TRUE(all.back()->append(blocks_, bytes_of(patterned(size, size + i))));
    }
  }
  for (size_t k = 0; k < all.size(); ++k) {
    const uint32_t size = Blocks::sizes[k / 2];
    EXPECT_EQ(all[k]->text(0, size), patterned(size, size + static_cast<unsigned>(k % 2)));
    all[k]->release(blocks_);
  }
}

TEST_F(BlocksTest, ReleasingTwiceIsReleasingOnce) {
  Block block;
  ASSERT_TRUE(block.append(blocks_, bytes_of("hello")));
  block.release(blocks_);
  block.release(blocks_);
  ASSERT_TRUE(block.append(blocks_, bytes_of("again")));
  EXPECT_EQ(block.text(0, 5), "again");
  block.release(blocks_);
}

}  // namespace
}  // namespace weir
