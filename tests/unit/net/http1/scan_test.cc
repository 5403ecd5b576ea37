#include "net/http1/scan.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/random.h"

namespace weir::http1 {
namespace {

using Scan = const char* (*)(const char*, const char*);

struct Scans {
  const char* name;
  http::CharacterClass characters;
  std::vector<Scan> forms;  // all must say the same
};

std::vector<Scans> all_scans() {
  std::vector<Scans> scans{
      {"token", http::token_character, {end_of_token}},
      {"value", http::value_character, {end_of_value, portable::end_of_value}},
      {"target", http::target_character, {end_of_target, portable::end_of_target}},
  };
#if defined(__SSE2__)
  scans[1].forms.push_back(sse2::end_of_value);
  scans[2].forms.push_back(sse2::end_of_target);
#endif
  return scans;
}

// The same by the definition.
size_t run_length(std::string_view text, http::CharacterClass characters) {
  size_t size = 0;
  while (size < text.size() && http::is_in(text[size], characters)) ++size;
  return size;
}

// In blocks that end where the text does, at each alignment, so that a sanitizer sees what is read beyond.
void check(const Scans& scans, std::string_view text) {
  const size_t expected = run_length(text, scans.characters);
  for (size_t offset = 0; offset < 16; ++offset) {
    std::vector<char> block(offset, 'a');
    block.insert(block.end(), text.begin(), text.end());
    block.shrink_to_fit();
    const char* const begin = block.data() + offset;
    for (const Scan scan : scans.forms) {
      ASSERT_EQ(scan(begin, begin + text.size()) - begin, static_cast<ptrdiff_t>(expected))
          << scans.name << " at offset " << offset << ", size " << text.size();
    }
  }
}

TEST(Http1Scan, EveryByteAtEveryPlace) {
  for (const Scans& scans : all_scans()) {
    for (size_t size = 1; size <= 40; ++size) {
      for (unsigned byte = 0; byte < 256; ++byte) {
        std::string text(size, 'a');
        text[size * 7 / 9] = static_cast<char>(byte);
        check(scans, text);
      }
    }
  }
}

TEST(Http1Scan, RandomTextsOfAllLengths) {
  Random random(3);
  for (const Scans& scans : all_scans()) {
    for (size_t size = 0; size <= 100; ++size) {
      for (int round = 0; round < 20; ++round) {
        std::string text(size, '\0');
        // Mostly what is allowed, so that the runs are long; HTAB and bytes above ASCII are where the forms differ.
        for (char& c : text) {
          do {
            c = random.below(8) == 0 ? '\t' : static_cast<char>(random.next());
          } while (!http::is_in(c, scans.characters) && random.below(40) != 0);
        }
        check(scans, text);
      }
    }
  }
}

}  // namespace
}  // namespace weir::http1
