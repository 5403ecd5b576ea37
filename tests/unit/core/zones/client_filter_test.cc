#include "core/zones/client_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/random.h"

namespace weir::zones {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::vector<Cidr> blocks(const std::vector<std::string>& texts) {
  std::vector<Cidr> result;
  for (const std::string& text : texts) result.push_back(Cidr::parse(text).value());
  return result;
}

PeerAddress peer(const std::string& address) {
  return SocketAddress::parse(address).value().peer();
}

using Answers = std::vector<std::pair<std::string, bool>>;

void expect(const ClientFilterSource& source, const Answers& answers) {
  const auto filter = make_client_filter(source);
  ASSERT_TRUE(filter.ok()) << filter.error();
  for (const auto& [client, admits] : answers) EXPECT_EQ((*filter)->admits(peer(client)), admits) << client;
}

TEST(ClientFilter, WithoutListsAdmitsAll) {
  expect({}, {{"10.0.0.1:1", true}, {"[::1]:1", true}, {"unix:/x", true}});
  EXPECT_TRUE(make_client_filter({}).value()->admits(PeerAddress{}));
}

TEST(ClientFilter, DeniesSome) {
  expect({.deny = blocks({"10.0.0.0/8", "2001:db8::/32"})}, {{"10.0.0.1:1", false},
                                                             {"10.255.255.255:1", false},
                                                             {"11.0.0.0:1", true},
                                                             {"[::ffff:10.0.0.1]:1", false},
                                                             {"[2001:db8::1]:1", false},
                                                             {"[2001:db9::1]:1", true},
                                                             {"unix:/x", true}});
}

TEST(ClientFilter, AllowsSomeOnly) {
  const ClientFilterSource source{.allow = blocks({"10.0.0.0/8"})};
  expect(source, {{"10.0.0.1:1", true}, {"11.0.0.0:1", false}, {"[::1]:1", false}, {"unix:/x", true}});
  // Whoever that may be, nobody has allowed it.
  EXPECT_FALSE(make_client_filter(source).value()->admits(PeerAddress{}));
}

TEST(ClientFilter, TheLongestBlockDecides) {
  expect({.allow = blocks({"10.0.0.0/8", "10.1.2.0/24", "2001:db8::1"}),
          .deny = blocks({"10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0"})},
         {{"10.0.0.1:1", true},
          {"10.1.0.1:1", false},
          {"10.1.2.1:1", true},
          {"10.1.2.3:1", false},
          {"10.1.2.4:1", true},
          {"9.0.0.1:1", false},
          {"[2001:db8::1]:1", true},
          {"[2001:db8::2]:1", false},
          {"[2001:db9::]:1", false},  // in no block, and some are allowed
          {"unix:/x", true}});
  // Not even those who deny everybody mean sockets that only this machine can reach.
  expect({.deny = blocks({"0.0.0.0/0", "::/0"})}, {{"10.0.0.1:1", false}, {"[::1]:1", false}, {"unix:/x", true}});
}

TEST(ClientFilter, AgreesWithAScan) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    Random random(seed);
    ClientFilterSource source;
    const uint64_t count = 1 + random.below(60);
    const bool only_deny = random.below(3) == 0;
    for (uint64_t i = 0; i < count; ++i) {
      const auto address = static_cast<uint32_t>(random.next()) & 0xc0c0c0c0U;
      Cidr block{PeerAddress::ipv4(address, 0).bytes, static_cast<uint8_t>(96 + random.below(33))};
      block = Cidr::parse(block.to_string()).value();
      const auto has = [&](const std::vector<Cidr>& list) {
        return std::find(list.begin(), list.end(), block) != list.end();
      };
      if (has(source.allow) || has(source.deny)) continue;
      (only_deny || random.below(2) == 0 ? source.deny : source.allow).push_back(block);
    }
    const auto filter = make_client_filter(source).value();
    for (int i = 0; i < 500; ++i) {
      const PeerAddress client =
          PeerAddress::ipv4(static_cast<uint32_t>(random.next()) & (i % 2 == 0 ? 0xc0c0c0c0U : ~0U), 1);
      bool admits = source.allow.empty();
      int longest = -1;
      const auto scan = [&](const std::vector<Cidr>& list, bool answer) {
        for (const Cidr& block : list) {
          if (!block.contains(client) || block.bits <= longest) continue;
          longest = block.bits;
          admits = answer;
        }
      };
      scan(source.allow, true);
      scan(source.deny, false);
      ASSERT_EQ(filter->admits(client), admits) << "seed " << seed << ", " << client.host();
    }
  }
}

TEST(ClientFilter, OneBlockIsInOneList) {
  const auto both = make_client_filter({.allow = blocks({"10.0.0.0/8", "::1"}), .deny = blocks({"9.0.0.0/8", "::1"})});
  ASSERT_FALSE(both.ok());
  EXPECT_EQ(both.error(), "::1/128 is in `allow` and in `deny`; keep it in one of them");
  EXPECT_FALSE(make_client_filter({.allow = blocks({"::ffff:10.0.0.0/104"}), .deny = blocks({"10.1.2.3/8"})}).ok());
  // Twice in the same one, or as another length, it contradicts nobody.
  expect({.allow = blocks({"10.0.0.0/8", "10.0.0.0/8"}), .deny = blocks({"10.0.0.0/9"})}, {{"10.128.0.1:1", true}});
}

class ClientFilterFile : public testing::Test {
 protected:
  ClientFilterFile() : path_(testing::TempDir() + "weir-clients-" + std::to_string(getpid()) + ".txt") {}
  ~ClientFilterFile() override { std::filesystem::remove_all(path_); }

  void write(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }
  std::string error_of_deny_file() const {
    const auto filter = make_client_filter({.deny_file = path_});
    return filter.ok() ? "no error" : filter.error();
  }

  const std::string path_;
};

TEST_F(ClientFilterFile, IsReadLineByLine) {
  write(
      "\xef\xbb\xbf# the office\n"
      "10.1.0.0/16\r\n"
      "\n"
      "  \t \n"
      "   10.2.3.4\t# the gate\n"
      "2001:db8::/32#no blank before\n"
      "#10.3.0.0/16\n"
      "10.4.0.0/16");
  const Answers in_file = {{"10.1.9.9:1", true},      {"10.2.3.4:1", true},  {"10.2.3.5:1", false},
                           {"[2001:db8::1]:1", true}, {"10.3.0.1:1", false}, {"10.4.0.1:1", true}};
  expect({.allow_file = path_}, in_file);
  Answers denied = in_file;
  for (auto& [client, answer] : denied) answer = !answer;
  expect({.deny_file = path_}, denied);
  // Together with what is written in the configuration.
  expect({.allow = blocks({"10.3.0.0/16"}), .deny = blocks({"10.1.9.0/24"}), .allow_file = path_},
         {{"10.3.0.1:1", true}, {"10.1.9.9:1", false}, {"10.1.8.9:1", true}, {"10.5.0.1:1", false}});
}

TEST_F(ClientFilterFile, SaysWhereTheMistakeIs) {
  for (const auto& [text, line, sentence] : std::vector<std::tuple<std::string, int, std::string>>{
           {"10.0.0.0/33", 1, "'33' is not a prefix length; it is a whole number from 0 to 32"},
           {"# one\n\n::1\nfe80::/129 # x\n", 4, "'129' is not a prefix length; it is a whole number from 0 to 128"},
           {"10.0.0.0/\n", 1, "'' is not a prefix length; it is a whole number from 0 to 32"},
           {"10.0.0.1\r\nlocalhost\r\n", 2,
            "'localhost' is not a block of addresses; write 10.0.0.0/8, 2001:db8::/32 or one address"},
           {"10.0.0.1 10.0.0.2\n", 1,
            "'10.0.0.1 10.0.0.2' is more than one block; write each in a line of its own, and remarks behind a #"},
           {"10.0.0.0/8, 11.0.0.0/8\n", 1,
            "'10.0.0.0/8, 11.0.0.0/8' is more than one block; write each in a line of its own, and remarks behind a #"},
           {std::string("10.0.0.1\n\0\x1b[2J\n", 15), 2,
            "'??[2J' is not a block of addresses; write 10.0.0.0/8, 2001:db8::/32 or one address"},
           {std::string(100, 'x'), 1,
            "'" + std::string(60, 'x') +
                "...' is not a block of addresses; write 10.0.0.0/8, 2001:db8::/32 or one address"}}) {
    write(text);
    EXPECT_EQ(error_of_deny_file(), path_ + ":" + std::to_string(line) + ": " + sentence);
  }
}

TEST_F(ClientFilterFile, SaysWhereTheContradictionIs) {
  write("9.0.0.0/8\n10.0.0.0/8\n");
  const auto filter = make_client_filter({.allow = blocks({"10.0.0.0/8"}), .deny_file = path_});
  ASSERT_FALSE(filter.ok());
  EXPECT_EQ(filter.error(), "10.0.0.0/8 is in `allow` and in `deny_file` (" + path_ + ":2); keep it in one of them");
  EXPECT_THAT(make_client_filter({.allow_file = path_, .deny_file = path_}).error(),
              StartsWith("9.0.0.0/8 is in `allow_file` (" + path_ + ":1) and in `deny_file` (" + path_ + ":1)"));
}

// A list of bans is often empty. A list of friends is not, or the listener serves nobody.
TEST_F(ClientFilterFile, MayBeEmptyIfItDenies) {
  write("# nobody yet\n");
  expect({.deny_file = path_}, {{"10.0.0.1:1", true}});
  EXPECT_EQ(make_client_filter({.allow_file = path_}).error(),
            "'" + path_ +
                "' has no block of addresses, so nobody could come in; write one, or leave `allow_file` out "
                "to let everybody in who is not denied");
  expect({.allow = blocks({"10.0.0.1"}), .allow_file = path_}, {{"10.0.0.1:1", true}, {"10.0.0.2:1", false}});
}

TEST_F(ClientFilterFile, MustBeThereAndAFile) {
  EXPECT_THAT(error_of_deny_file(), HasSubstr("No such file or directory; give the path of a file that exists"));
  std::filesystem::create_directory(path_);
  EXPECT_THAT(error_of_deny_file(), HasSubstr("is not a file; give the path of one, with a block in each line"));
  std::filesystem::remove(path_);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(error_of_deny_file(), HasSubstr("is not a file"));  // and nobody waits for a writer
}

TEST_F(ClientFilterFile, HasABound) {
  write("10.0.0.1\n");
  std::filesystem::resize_file(path_, client_file_bytes_max + 1);
  EXPECT_THAT(error_of_deny_file(), HasSubstr("has more than 64 MiB"));
}

// The file is read once.
TEST_F(ClientFilterFile, IsNotNeededAnyMore) {
  write("10.0.0.1\n");
  const auto filter = make_client_filter({.deny_file = path_}).value();
  std::filesystem::remove(path_);
  EXPECT_FALSE(filter->admits(peer("10.0.0.1:1")));
}

}  // namespace
}  // namespace weir::zones
