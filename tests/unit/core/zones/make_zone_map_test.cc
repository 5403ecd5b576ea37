#include "core/zones/make_zone_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/core/zones/mmdb_writer.h"

namespace weir::zones {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ZoneMapSource::Network network(const std::string& block, const std::string& zone) {
  return {Cidr::parse(block).value(), zone};
}

PeerAddress peer(const std::string& address) {
  return SocketAddress::parse(address).value().peer();
}

std::shared_ptr<const ZoneMap> map_of(const ZoneMapSource& source) {
  auto map = make_zone_map(source);
  EXPECT_TRUE(map.ok()) << (map.ok() ? "" : map.error());
  return map.ok() ? *map : nullptr;
}

class MakeZoneMap : public testing::Test {
 protected:
  MakeZoneMap() : path_(testing::TempDir() + "weir-zones-" + std::to_string(getpid()) + ".mmdb") {
    MmdbWriter file;
    for (const auto& [block, code] : std::vector<std::pair<std::string, std::string>>{{"10.0.0.0/8", "DE"},
                                                                                      {"81.0.0.0/8", "DE"},
                                                                                      {"82.0.0.0/8", "FR"},
                                                                                      {"83.0.0.0/8", "IT"},
                                                                                      {"2001:db8::/32", "DE"}}) {
      file.add(block, MmdbValue::map({{"code", MmdbValue::text(code)}}));
    }
    file.write(path_);
  }
  ~MakeZoneMap() override { std::filesystem::remove(path_); }

  std::string path_;
};

TEST_F(MakeZoneMap, OfNothing) {
  const auto map = map_of({});
  ASSERT_NE(map, nullptr);
  for (const char* client : {"10.0.0.1:1", "[::1]:1", "unix:/x"}) EXPECT_EQ(map->zone_of(peer(client)), no_zone);
  EXPECT_EQ(map->zone_of(PeerAddress{}), no_zone);
}

TEST_F(MakeZoneMap, NetworksThenTheFileThenTheDefault) {
  ZoneMapSource source;
  source.networks = {network("10.0.0.0/16", "FR"), network("10.0.7.0/24", "DE"), network("82.1.0.0/16", "office")};
  source.maxmind_path = path_;
  source.maxmind_field = "code";
  source.default_zone = "US";
  source.names = {"FR", "US", "DE"};
  const auto map = map_of(source);
  ASSERT_NE(map, nullptr);
  for (const auto& [client, zone] : std::vector<std::pair<std::string, ZoneId>>{
           {"10.0.0.1:1", ZoneId{0}},  // a network, before the file
           {"[::ffff:10.0.0.1]:1", ZoneId{0}},
           {"10.0.7.1:1", ZoneId{2}},  // the longer network
           {"10.1.0.1:1", ZoneId{2}},  // the file
           {"[2001:db8::1]:1", ZoneId{2}},
           {"82.0.0.1:1", ZoneId{0}},
           {"82.1.0.1:1", no_zone},    // the operator has said where that is
           {"83.0.0.1:1", ZoneId{1}},  // the file says where, but no endpoint is there
           {"8.8.8.8:1", ZoneId{1}},   // not in the file
           {"[::1]:1", ZoneId{1}},
           {"unix:/x", ZoneId{1}}}) {
    EXPECT_EQ(map->zone_of(peer(client)), zone) << client;
  }
  EXPECT_EQ(map->zone_of(PeerAddress{}), ZoneId{1});
}

TEST_F(MakeZoneMap, WithoutADefault) {
  ZoneMapSource source;
  source.networks = {network("10.0.0.0/16", "a")};
  source.names = {"a"};
  EXPECT_EQ(map_of(source)->zone_of(peer("10.0.0.1:1")), ZoneId{0});
  EXPECT_EQ(map_of(source)->zone_of(peer("10.1.0.1:1")), no_zone);
  source.default_zone = "b";  // where no endpoint is
  EXPECT_EQ(map_of(source)->zone_of(peer("10.1.0.1:1")), no_zone);
}

TEST_F(MakeZoneMap, SaysWhichZonesNobodyIsIn) {
  ZoneMapSource source;
  source.networks = {network("10.0.0.0/16", "a"), network("10.1.0.0/16", "office")};
  source.maxmind_path = path_;
  source.maxmind_field = "code";
  source.default_zone = "b";
  source.names = {"de", "a", "b", "DE", "c"};
  std::vector<std::string> nobody_in = {"left from before"};
  ASSERT_TRUE(make_zone_map(source, &nobody_in).ok());
  EXPECT_THAT(nobody_in, ElementsAre("de", "c"));
  source.names = {"a"};
  ASSERT_TRUE(make_zone_map(source, &nobody_in).ok());
  EXPECT_THAT(nobody_in, IsEmpty());
}

TEST_F(MakeZoneMap, ANetworkIsInOneZone) {
  ZoneMapSource source;
  source.names = {"a"};
  source.networks = {network("10.0.0.0/8", "a"), network("10.0.0.0/16", "b"), network("10.0.0.0/8", "a")};
  EXPECT_TRUE(make_zone_map(source).ok());
  source.networks.push_back(network("10.0.0.0/8", "c"));
  const auto map = make_zone_map(source);
  ASSERT_FALSE(map.ok());
  EXPECT_EQ(map.error(), "the network 10.0.0.0/8 is given to two zones, 'a' and 'c'; keep one of them");
}

TEST_F(MakeZoneMap, AsManyZonesAsThereAreIds) {
  ZoneMapSource source;
  for (uint32_t i = 0; i < zones_max; ++i) source.names.push_back("zone-" + std::to_string(i));
  source.networks = {network("10.0.0.0/8", source.names.back())};
  const auto map = map_of(source);
  ASSERT_NE(map, nullptr);
  EXPECT_EQ(map->zone_of(peer("10.0.0.1:1")), ZoneId{0xfffe});
  source.names.emplace_back("one more");
  const auto refused = make_zone_map(source);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error(), "there are 65536 zones, and at most 65535 can be told apart; let endpoints share zones");
}

TEST_F(MakeZoneMap, ABadFileIsAnError) {
  ZoneMapSource source;
  source.maxmind_path = path_ + ".missing";
  source.maxmind_field = "code";
  EXPECT_THAT(make_zone_map(source).error(), HasSubstr("No such file or directory"));
  source.maxmind_path = path_;
  source.maxmind_field = "";
  EXPECT_THAT(make_zone_map(source).error(), HasSubstr("is not the path of a field"));
}

// The file is not needed once the map is there: replaced, cut or removed, workers do not notice.
TEST_F(MakeZoneMap, OutlivesTheFile) {
  ZoneMapSource source;
  source.maxmind_path = path_;
  source.maxmind_field = "code";
  source.names = {"DE"};
  const auto map = map_of(source);
  std::filesystem::resize_file(path_, 0);
  EXPECT_EQ(map->zone_of(peer("81.0.0.1:1")), ZoneId{0});
}

}  // namespace
}  // namespace weir::zones
