#include "core/zones/maxmind_zones.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "tests/unit/core/zones/mmdb_writer.h"

namespace weir::zones {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Value = MmdbValue;
using Names = std::vector<std::string>;

MmdbValue country(const std::string& code) {
  return Value::map({{"continent", Value::map({{"code", Value::text("EU")}})},
                     {"country", Value::map({{"geoname_id", Value::uint32(7)}, {"iso_code", Value::text(code)}})}});
}

class MaxMindZones : public testing::Test {
 protected:
  MaxMindZones() : path_(testing::TempDir() + "weir-maxmind-" + std::to_string(getpid()) + ".mmdb") {}
  ~MaxMindZones() override { std::filesystem::remove(path_); }

  Result<std::vector<CidrTable::Entry>, std::string> read(const MmdbWriter& file, const std::string& field,
                                                          const Names& names) {
    file.write(path_);
    return read_maxmind_zones(path_, field, ZoneNames(names));
  }

  // "network name", of everything that was found.
  std::vector<std::string> found(const MmdbWriter& file, const std::string& field, const Names& names) {
    const auto entries = read(file, field, names);
    EXPECT_TRUE(entries.ok()) << (entries.ok() ? "" : entries.error());
    std::vector<std::string> rows;
    if (!entries) return rows;
    for (const CidrTable::Entry& entry : *entries) rows.push_back(entry.block.to_string() + " " + names[entry.value]);
    return rows;
  }

  std::string error_of(const MmdbWriter& file, const std::string& field) {
    const auto entries = read(file, field, {"DE"});
    return entries.ok() ? "no error" : entries.error();
  }

  std::string error_of_bytes(const std::string& bytes) {
    MmdbWriter::write(path_, bytes);
    const auto entries = read_maxmind_zones(path_, "country.iso_code", ZoneNames(Names{"DE"}));
    return entries.ok() ? "no error" : entries.error();
  }

  std::string path_;
};

TEST_F(MaxMindZones, AreNetworksOfBothFamilies) {
  MmdbWriter file;
  file.add("81.0.0.0/8", country("DE"));
  file.add("82.1.2.3/32", country("FR"));
  file.add("83.0.0.0/8", country("IT"));
  file.add("2001:db8::/32", country("DE"));
  file.add("2001:db8:1::/48", country("FR"));
  const Names names = {"FR", "DE"};
  EXPECT_THAT(found(file, "country.iso_code", names),
              UnorderedElementsAre("81.0.0.0/8 DE", "82.1.2.3/32 FR", "2001:db8:1::/48 FR", "2001:db8::/48 DE",
                                   "2001:db8:2::/47 DE", "2001:db8:4::/46 DE", "2001:db8:8::/45 DE",
                                   "2001:db8:10::/44 DE", "2001:db8:20::/43 DE", "2001:db8:40::/42 DE",
                                   "2001:db8:80::/41 DE", "2001:db8:100::/40 DE", "2001:db8:200::/39 DE",
                                   "2001:db8:400::/38 DE", "2001:db8:800::/37 DE", "2001:db8:1000::/36 DE",
                                   "2001:db8:2000::/35 DE", "2001:db8:4000::/34 DE", "2001:db8:8000::/33 DE"));
}

TEST_F(MaxMindZones, NeighboursInOneZoneAreOneBlock) {
  MmdbWriter file;
  for (int i = 0; i < 256; ++i) file.add("81." + std::to_string(i) + ".0.0/16", country("DE"));
  EXPECT_THAT(found(file, "country.iso_code", {"DE"}), UnorderedElementsAre("81.0.0.0/8 DE"));
}

TEST_F(MaxMindZones, OfAFileOfIpv4) {
  MmdbWriter file(4);
  file.add("81.0.0.0/8", country("DE"));
  file.add("255.255.255.255/32", country("DE"));
  EXPECT_THAT(found(file, "country.iso_code", {"DE"}), UnorderedElementsAre("81.0.0.0/8 DE", "255.255.255.255/32 DE"));
}

// What a file says of everybody: IPv4 through ::/96, or through a shorter record above it.
TEST_F(MaxMindZones, OfEverybody) {
  MmdbWriter file;
  file.add("::/1", country("FR"));
  file.add("0.0.0.0/0", country("DE"));
  const Names names = {"DE", "FR"};
  MmdbWriter::write(path_, file.bytes());
  const auto entries = read_maxmind_zones(path_, "country.iso_code", ZoneNames(names));
  ASSERT_TRUE(entries.ok());
  const CidrTable table(*entries);
  EXPECT_EQ(table.find(PeerAddress::ipv4(0x01020304, 0)), 0U);
  EXPECT_EQ(table.find(SocketAddress::parse("[2001:db8::1]:1")->peer()), 1U);
  EXPECT_EQ(table.find(SocketAddress::parse("[8001::1]:1")->peer()), CidrTable::none);

  MmdbWriter above(4);  // the tree of IPv4 has one node, and no address is in it
  above.add("0.0.0.0/1", country("DE"));
  EXPECT_THAT(found(above, "country.iso_code", {"DE"}), UnorderedElementsAre("0.0.0.0/1 DE"));
}

// Real files show IPv4 at several places. Where it is mapped or embedded, it would come twice; carried in 6to4 and
// Teredo, it is IPv6 of clients.
TEST_F(MaxMindZones, OfIpv4InIpv6) {
  MmdbWriter file;
  file.add("81.0.0.0/8", country("DE"));
  file.alias_ipv4("::ffff:0:0/96");
  file.alias_ipv4("2002::/16");
  EXPECT_THAT(found(file, "country.iso_code", {"DE"}), UnorderedElementsAre("81.0.0.0/8 DE", "2002:5100::/24 DE"));
}

TEST_F(MaxMindZones, FieldsOfEachKind) {
  MmdbWriter file;
  file.add("1.0.0.0/8", Value::map({{"text", Value::text("eu-1a")},
                                    {"long", Value::text(std::string(200, 'x'))},
                                    {"uint16", Value::uint16(65535)},
                                    {"uint32", Value::uint32(4'200'000'000)},
                                    {"int32", Value::int32(-5)},
                                    {"uint64", Value::uint64(18'446'744'073'709'551'615U)},
                                    {"list", Value::list({Value::map({{"iso_code", Value::text("BY")}}),
                                                          Value::map({{"iso_code", Value::text("OBB")}})})},
                                    {"", Value::text("no name")}}));
  for (const auto& [field, name] : std::vector<std::pair<std::string, std::string>>{{"text", "eu-1a"},
                                                                                    {"long", std::string(200, 'x')},
                                                                                    {"uint16", "65535"},
                                                                                    {"uint32", "4200000000"},
                                                                                    {"int32", "-5"},
                                                                                    {"uint64", "18446744073709551615"},
                                                                                    {"list.0.iso_code", "BY"},
                                                                                    {"list.1.iso_code", "OBB"}}) {
    EXPECT_THAT(found(file, field, {"other", name}), UnorderedElementsAre("1.0.0.0/8 " + name)) << field;
    EXPECT_THAT(found(file, field, {"other", name + "x"}), IsEmpty()) << field;
  }
}

TEST_F(MaxMindZones, ARecordMayPointAtAnother) {
  MmdbWriter file;
  const uint32_t germany = file.add("1.0.0.0/8", Value::text("DE"));
  file.add("2.0.0.0/8", Value::map({{"country", Value::map({{"iso_code", Value::pointer(germany)}})}}));
  EXPECT_THAT(found(file, "country.iso_code", {"DE"}), UnorderedElementsAre("2.0.0.0/8 DE"));
}

TEST_F(MaxMindZones, ARecordWithoutTheFieldIsInNone) {
  MmdbWriter file;
  file.add("1.0.0.0/8", Value::map({{"continent", Value::map({{"code", Value::text("AN")}})}}));
  file.add("2.0.0.0/8", Value::map({{"country", Value::map({})}}));
  file.add("3.0.0.0/8", Value::text("DE"));
  file.add("4.0.0.0/8", country("DE"));
  EXPECT_THAT(found(file, "country.iso_code", {"DE", "AN"}), UnorderedElementsAre("4.0.0.0/8 DE"));
}

TEST_F(MaxMindZones, NoNamesNoNetworks) {
  MmdbWriter file;
  file.add("1.0.0.0/8", country("DE"));
  EXPECT_THAT(found(file, "country.iso_code", {}), IsEmpty());
}

TEST_F(MaxMindZones, AFieldThatIsNotThereIsToldWhatIs) {
  MmdbWriter file;
  file.add("1.0.0.0/8", Value::map({{"country", Value::map({{"names", Value::map({{"en", Value::text("x")}})},
                                                            {"iso_code", Value::text("DE")}})},
                                    {"subdivisions", Value::list({Value::map({{"iso_code", Value::text("BY")}})})},
                                    {"is_anycast", Value::boolean(true)},
                                    {"latitude", Value::fraction()}}));
  const std::string file_name = "'" + path_ + "' (Test-Zones)";
  for (const auto& [field, end] : std::vector<std::pair<std::string, std::string>>{
           {"contry.iso_code", "its records have: country, subdivisions, is_anycast, latitude"},
           {"country.isocode", "its 'country' has: names, iso_code"},
           {"country.iso_code.x", "its 'country.iso_code' is a text"},
           {"country.names.de", "its 'country.names' has: en"},
           {"subdivisions.iso_code", "its 'subdivisions' is a list of 1; say which of them, such as 'subdivisions.0'"},
           {"subdivisions.1", "its 'subdivisions' is a list of 1; say which of them, such as 'subdivisions.0'"},
           {"subdivisions.99999999999999999999",
            "its 'subdivisions' is a list of 1; say which of them, such as 'subdivisions.0'"},
           {"subdivisions.0.names", "its 'subdivisions.0' has: iso_code"}}) {
    EXPECT_EQ(error_of(file, field), "no record of " + file_name + " has a field '" + field + "'; " + end);
  }
  for (const auto& [field, end] : std::vector<std::pair<std::string, std::string>>{
           {"country", "its 'country' has: names, iso_code"},
           {"subdivisions", "its 'subdivisions' is a list of 1; say which of them, such as 'subdivisions.0'"},
           {"is_anycast", "its 'is_anycast' is true or false"},
           {"latitude", "its 'latitude' is a fraction"}}) {
    EXPECT_EQ(error_of(file, field),
              "the field '" + field + "' in " + file_name + " is neither a text nor a whole number: " + end);
  }
}

TEST_F(MaxMindZones, AMessageNamesSomeOfManyFields) {
  std::vector<std::pair<std::string, MmdbValue>> many;
  for (int i = 0; i < 20; ++i) many.emplace_back("f" + std::to_string(i), Value::uint16(1));
  MmdbWriter file;
  file.add("1.0.0.0/8", Value::map(many));
  EXPECT_THAT(error_of(file, "x"),
              HasSubstr("its records have: f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11 and 8 more"));
}

TEST_F(MaxMindZones, FieldsThatAreNone) {
  MmdbWriter file;
  file.add("1.0.0.0/8", country("DE"));
  using namespace std::string_literals;
  for (const std::string& field : {""s, "."s, "country."s, ".iso_code"s, "country..iso_code"s, "a\0b"s}) {
    EXPECT_THAT(error_of(file, field), HasSubstr("is not the path of a field: write names with one dot between them"));
  }
}

TEST_F(MaxMindZones, FilesThatAreNone) {
  const auto error_at = [](const std::string& path) {
    const auto entries = read_maxmind_zones(path, "country.iso_code", ZoneNames(Names{"DE"}));
    return entries.ok() ? "no error" : entries.error();
  };
  EXPECT_EQ(error_at("/nowhere/x.mmdb"),
            "'/nowhere/x.mmdb' cannot be opened: No such file or directory; give the path of a MaxMind DB file "
            "(.mmdb) that exists");
  EXPECT_EQ(error_at(testing::TempDir()),
            "'" + testing::TempDir() + "' is not a file; give the path of a MaxMind DB file (.mmdb)");
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);  // to open one waits for a writer
  EXPECT_THAT(error_at(path_), HasSubstr("is not a file"));
  std::filesystem::remove(path_);
  EXPECT_THAT(error_of_bytes(""), HasSubstr("is empty"));
  for (const std::string& bytes : {std::string("x"), std::string(100'000, '\xab'), std::string("zone: eu-1a\n"),
                                   std::string("\xab\xcd\xefMaxMind.com"), std::string("\x1f\x8b\x08") + "gzip"}) {
    EXPECT_THAT(error_of_bytes(bytes), HasSubstr("is not a MaxMind DB file, or only a part of one"));
  }
}

TEST_F(MaxMindZones, FilesThatLie) {
  MmdbWriter file;
  file.add("1.0.0.0/8", country("DE"));
  MmdbWriter other = file;
  other.major_version = 3;
  EXPECT_THAT(error_of(other, "country.iso_code"), HasSubstr("is in a version of the MaxMind DB format that"));
  // 0x2aaaaab0 nodes of 6 bytes are 32 bytes, in 32 bits.
  for (const uint32_t nodes : {1000U, 0x2aaaaab0U, 0xffffffffU}) {
    other = file;
    other.node_count = nodes;
    EXPECT_THAT(error_of(other, "country.iso_code"), testing::AnyOf(HasSubstr("is damaged"), HasSubstr("only a part")))
        << nodes;
  }
  MmdbWriter circle;
  circle.add("1.0.0.0/8", country("DE"));
  circle.make_circle();
  EXPECT_THAT(error_of(circle, "country.iso_code"), HasSubstr("is damaged. Download it again"));
  EXPECT_EQ(error_of(MmdbWriter(), "country.iso_code"), "'" + path_ + "' (Test-Zones) has no networks");
}

// Cut anywhere, the end that makes it a MaxMind DB file is missing; with a piece missing inside, the tree and the data
// do not fit; with other bytes anywhere, whatever comes out, it comes out.
TEST_F(MaxMindZones, DamagedFilesDoNoHarm) {
  MmdbWriter file;
  file.add("81.0.0.0/8", country("DE"));
  file.add("2001:db8::/32", country("FR"));
  const std::string whole = file.bytes();
  ASSERT_EQ(error_of_bytes(whole), "no error");
  // The metadata stay whole among random bytes: libmaxminddb loses memory over some that are not.
  const size_t metadata = whole.find("\xab\xcd\xef");
  ASSERT_LT(metadata, whole.size());
  for (size_t size = 0; size < whole.size(); ++size) {
    ASSERT_NE(error_of_bytes(whole.substr(0, size)), "no error") << size;
  }
  Random random(11);
  int refused = 0;
  for (int i = 0; i < 600; ++i) {
    std::string broken = whole;
    if (i % 3 == 0) {
      broken.erase(random.below(metadata / 2), 1 + random.below(metadata / 2));
    } else {
      for (uint64_t left = 1 + random.below(4); left > 0; --left) {
        broken[random.below(metadata)] = static_cast<char>(random.next());
      }
    }
    refused += error_of_bytes(broken) != "no error" ? 1 : 0;
  }
  EXPECT_GT(refused, 200);
}

}  // namespace
}  // namespace weir::zones
