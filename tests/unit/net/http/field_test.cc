#include "net/http/field.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/base/random.h"

namespace weir::http {
namespace {

std::string with_other_case(std::string_view text) {
  std::string other{text};
  for (char& c : other) {
    if (c >= 'a' && c <= 'z') {
      c = static_cast<char>(c - 'a' + 'A');
    } else if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return other;
}

TEST(FieldId, KnowsEachNameInAnyCase) {
#define FIELD(name, text, how)                                  \
  EXPECT_EQ(field_id_of(text), FieldId::name);                  \
  EXPECT_EQ(field_id_of(with_other_case(text)), FieldId::name); \
  EXPECT_EQ(name_of(FieldId::name), text);                      \
  EXPECT_EQ(is_hop_by_hop(FieldId::name), std::string_view{#how} == "hop") << text;
#include "net/http/fields.def"
#undef FIELD
  EXPECT_EQ(name_of(FieldId::other), "");
  EXPECT_FALSE(is_hop_by_hop(FieldId::other));
}

TEST(FieldId, KnowsNothingElse) {
  for (const std::string_view name : {"", "h", "hos", "hosts", "h0st", "x-host", "content_length", "Te\r", "t\xe5"}) {
    EXPECT_EQ(field_id_of(name), FieldId::other) << name;
  }
  // Each known name with one byte changed, to anything but the other case of its letter.
#define FIELD(name, text, how) names.emplace_back(text);
  std::vector<std::string> names;
#include "net/http/fields.def"
#undef FIELD
  for (const std::string& name : names) {
    for (size_t i = 0; i < name.size(); ++i) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string changed = name;
        changed[i] = static_cast<char>(byte);
        if (changed[i] == name[i] || changed[i] == with_other_case(name)[i]) continue;
        EXPECT_NE(name_of(field_id_of(changed)), name) << changed;
      }
    }
  }
}

// All pairs of bytes, at each place of texts that are shorter and longer than a word.
TEST(EqualsIgnoringCase, MeansAsciiLettersOnly) {
  for (const size_t size : {1U, 7U, 8U, 9U, 16U, 20U}) {
    for (size_t at = 0; at < size; ++at) {
      for (int a = 0; a < 256; ++a) {
        for (int b = 0; b < 256; b += size == 9 ? 1 : 13) {
          std::string first(size, 'x');
          std::string second(size, 'X');
          first[at] = static_cast<char>(a);
          second[at] = static_cast<char>(b);
          const bool expected = a == b || with_other_case(first.substr(at, 1)) == second.substr(at, 1);
          ASSERT_EQ(equals_ignoring_case(first, second), expected) << size << " " << at << " " << a << " " << b;
        }
      }
    }
  }
}

// Words are compared eight bytes at once: what one byte is must say nothing of its neighbours.
TEST(EqualsIgnoringCase, TakesEachByteForItself) {
  constexpr std::string_view edges = "@AZ[`az{\x7f\x80\xc1\xda\xe1\xff";
  for (const char neighbour : edges) {
    for (const char a : edges) {
      for (const char b : edges) {
        std::string first(8, neighbour);
        std::string second = first;
        first[4] = a;
        second[4] = b;
        const bool expected = a == b || with_other_case({&a, 1}) == std::string_view{&b, 1};
        EXPECT_EQ(equals_ignoring_case(first, second), expected) << first << " " << second;
      }
    }
  }
}

TEST(EqualsIgnoringCase, LooksAtTheSizeToo) {
  EXPECT_TRUE(equals_ignoring_case("", {}));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
}

TEST(Fields, FindsTheFirstByIdAndByName) {
  const auto fields = std::make_unique<Fields>();
  fields->add({.name = "X-One", .value = "1"});
  fields->add({.name = "HOST", .value = "2", .id = FieldId::host});
  fields->add({.name = "x-one", .value = "3"});
  fields->add({.name = "host", .value = "4", .id = FieldId::host});
  EXPECT_EQ(fields->find(FieldId::host), &(*fields)[1]);
  EXPECT_EQ(fields->find("Host"), &(*fields)[1]);
  EXPECT_EQ(fields->find("x-ONE"), &(*fields)[0]);
  EXPECT_EQ(fields->find("x-two"), nullptr);
  EXPECT_EQ(fields->find(FieldId::cookie), nullptr);
  fields->clear();
  EXPECT_EQ(fields->find("Host"), nullptr);
}

TEST(FieldsDeathTest, HasRoomForSoManyAndNoMore) {
  const auto fields = std::make_unique<Fields>();
  for (uint32_t i = 0; i < Fields::count_max; ++i) fields->add({});
  EXPECT_TRUE(fields->full());
  EXPECT_DEATH(fields->add({}), "count_max");
}

}  // namespace
}  // namespace weir::http
