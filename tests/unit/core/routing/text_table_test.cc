#include "core/routing/text_table.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/random.h"

namespace weir::routing {
namespace {

TEST(TextTable, IsEmpty) {
  EXPECT_EQ(TextTable().find(0, ""), TextTable::none);
  EXPECT_EQ(TextTable(std::vector<TextTable::Entry>{}).find(0, "a"), TextTable::none);
}

TEST(TextTable, KeepsScopesApart) {
  const TextTable table(std::vector<TextTable::Entry>{{.scope = 0, .text = "a", .value = 1},
                                                      {.scope = 7, .text = "a", .value = 2},
                                                      {.scope = 7, .text = "", .value = 0}});
  EXPECT_EQ(table.find(0, "a"), 1U);
  EXPECT_EQ(table.find(7, "a"), 2U);
  EXPECT_EQ(table.find(7, ""), 0U);
  EXPECT_EQ(table.find(0, ""), TextTable::none);
  EXPECT_EQ(table.find(1, "a"), TextTable::none);
  EXPECT_EQ(table.find(7, std::string_view("a\0", 2)), TextTable::none);
}

TEST(TextTable, DoesNotNeedTheTextsItWasMadeOf) {
  std::string text = "example.com";
  const TextTable table(std::vector<TextTable::Entry>{{.scope = 0, .text = text, .value = 5}});
  text = "example.org";
  EXPECT_EQ(table.find(0, "example.com"), 5U);
  EXPECT_EQ(table.find(0, "example.org"), TextTable::none);
}

TEST(TextTable, AgreesWithAMap) {
  Random random(5);
  for (const size_t count : {1U, 2U, 3U, 64U, 1000U, 20'000U}) {
    std::map<std::pair<uint32_t, std::string>, uint32_t> model;
    while (model.size() < count) {
      std::string text(random.below(20), 'a');
      for (char& c : text) c = static_cast<char>('a' + random.below(3));
      model.emplace(std::pair{static_cast<uint32_t>(random.below(4)), text + std::to_string(random.below(count))},
                    static_cast<uint32_t>(model.size()));
    }
    std::vector<TextTable::Entry> entries;
    for (const auto& [key, value] : model) entries.push_back({.scope = key.first, .text = key.second, .value = value});
    const TextTable table(entries);
    for (const auto& [key, value] : model) {
      ASSERT_EQ(table.find(key.first, key.second), value);
      const auto other = model.find({key.first + 1, key.second});
      ASSERT_EQ(table.find(key.first + 1, key.second), other == model.end() ? TextTable::none : other->second);
      ASSERT_EQ(table.find(key.first, key.second + "x"), TextTable::none);
    }
  }
}

}  // namespace
}  // namespace weir::routing
