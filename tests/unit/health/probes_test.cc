// health/probes.def, and the words of core/config for the same kinds.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "core/config/choices.h"
#include "core/config/resilience_kinds.h"

namespace weir {
namespace {

struct Kind {
  bool is_there;
  std::string sentence;
};

std::map<std::string, Kind> kinds() {
  return {
#define PROBE(name, sentence) {#name, {true, sentence}},
#define PROBE_LATER(name, sentence) {#name, {false, sentence}},
#include "health/probes.def"
#undef PROBE
#undef PROBE_LATER
  };
}

TEST(ProbesTest, AreThoseThatAConfigurationMayName) {
  std::set<std::string> words;
  for (const auto& choice : config::probe_kind_choices) words.emplace(choice.name);
  std::set<std::string> there{};
  for (const auto& [name, kind] : kinds()) {
    if (kind.is_there) there.insert(name);
  }
  // Which is asked beside the others and has a section of its own.
  EXPECT_EQ(there.erase("agent"), 1U);
  EXPECT_EQ(words, there);
}

TEST(ProbesTest, ThoseThatAreNotThereYetAreRefusedByName) {
  size_t later = 0;
  for (const auto& [name, kind] : kinds()) {
    if (kind.is_there) continue;
    ++later;
    config::ProbeKind read{};
    const auto mistake = config::ProbeWord{}.read(name, read);
    ASSERT_TRUE(mistake) << name;
    EXPECT_NE(mistake->message.find("HTTP/2"), std::string::npos) << mistake->message;
    EXPECT_NE(kind.sentence.find("HTTP/2"), std::string::npos);
  }
  EXPECT_EQ(later, 1U);
}

}  // namespace
}  // namespace weir
