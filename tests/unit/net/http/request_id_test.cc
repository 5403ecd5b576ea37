#include "net/http/request_id.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

namespace weir::http {
namespace {

TEST(RequestId, IsTwoNumbersInHexadecimal) {
  // The first two of Random(0), whose published values random_test.cc has.
  Random random(0);
  std::array<char, request_id_size> room{};
  EXPECT_EQ(make_request_id(random, room), "53175d61490b23df61da6f3dc380d507");
}

TEST(RequestId, IsAnotherOneEachTimeAndAcceptable) {
  Random random(5);
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) {
    std::array<char, request_id_size> room{};
    const std::string id{make_request_id(random, room)};
    ASSERT_EQ(id.size(), 32U);
    ASSERT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    ASSERT_TRUE(is_acceptable_request_id(id));
    ASSERT_TRUE(seen.insert(id).second);
  }
}

TEST(RequestId, AcceptsIdsOfOthers) {
  for (const char* id : {"a", "f47ac10b-58cc-4372-a567-0e02b2c3d479", "Root=1-67891233-abcdef012345678912345678",
                         "host/abc+12==:4_2.x@y"}) {
    EXPECT_TRUE(is_acceptable_request_id(id)) << id;
  }
  EXPECT_TRUE(is_acceptable_request_id(std::string(128, 'x')));
}

TEST(RequestId, RefusesWhatIsTooLongOrMeansSomethingElsewhere) {
  EXPECT_FALSE(is_acceptable_request_id(""));
  EXPECT_FALSE(is_acceptable_request_id(std::string(129, 'x')));
  const std::string accepted = "._:/+=@-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (int c = 0; c < 256; ++c) {
    const std::string id = std::string{"a"} + static_cast<char>(c) + "b";
    EXPECT_EQ(is_acceptable_request_id(id), accepted.find(static_cast<char>(c)) != std::string::npos) << c;
  }
}

}  // namespace
}  // namespace weir::http
