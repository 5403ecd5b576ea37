// Fixtures, damaged at random: nothing may be read outside, nothing may depend on the cut, and a head that is accepted
// must be written as a head that says the same.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/random.h"
#include "tests/unit/net/http1/fixtures.h"

namespace weir::http1 {
namespace {

using namespace test;

// What one would try by hand.
constexpr auto bits = std::to_array<std::string_view>({
    "\r\n",
    "\r\n\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    ":",
    ",",
    ";",
    "0",
    "5",
    "\x7f",
    "\x80",
    "\xff",
    "#",
    "?",
    "@",
    "[",
    "%",
    "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Host: a\r\n",
    "Connection: close\r\n",
    "HTTP/1.0",
    "HTTP/1.1",
    "0\r\n\r\n",
    "GET / HTTP/1.1\r\n",
    "http://a",
    "chunked, ",
    "X: y\r\n",
});

class Mutator {
 public:
  Mutator(uint64_t seed, const std::vector<Fixture>& fixtures) : random_(seed), fixtures_(fixtures) {}

  const Fixture& any_fixture() { return fixtures_[random_.below(fixtures_.size())]; }

  std::string damage(std::string bytes) {
    for (uint64_t i = 1 + random_.below(3); i != 0 && !bytes.empty(); --i) damage_once(bytes);
    return bytes;
  }

  std::vector<size_t> cuts(size_t size) {
    if (size < 2) return {};
    const size_t first = 1 + random_.below(size - 1);
    return {first, first + random_.below(size - first)};
  }

 private:
  void damage_once(std::string& bytes) {
    const size_t at = random_.below(bytes.size());
    const size_t count = random_.below(8);
    switch (random_.below(7)) {
      case 0: bytes[at] = static_cast<char>(random_.next()); break;
      case 1: bytes[at] = static_cast<char>(bytes[at] ^ (1 << random_.below(8))); break;
      case 2: bytes.erase(at, count); break;
      case 3: bytes.insert(at, bytes, at, count); break;
      case 4: bytes.insert(at, bits[random_.below(bits.size())]); break;
      case 5: bytes.insert(at, any_fixture().bytes, 0, 200); break;
      case 6: bytes.resize(at); break;
    }
  }

  Random random_;
  const std::vector<Fixture>& fixtures_;
};

template <class Head, class Parse>
void check_writing(const std::string& bytes, Parse parse) {
  static const auto head = std::make_unique<Head>();
  static const auto again = std::make_unique<Head>();
  const HeadParse first = parse(bytes, *head);
  if (first.status != HeadParse::Status::done) return;
  const std::string written = rewrite(*head);
  const HeadParse second = parse(written, *again);
  ASSERT_EQ(second.status, HeadParse::Status::done) << name_of(second.refusal) << "\n" << escape(written);
  ASSERT_EQ(second.size, written.size());
  ASSERT_EQ(describe(*again), describe(*head));
}

TEST(Http1Mutation, SaysTheSameCutAnywhereAndWrittenAgain) {
  const std::vector<Fixture> fixtures = all_fixtures();
  Mutator mutator(2, fixtures);
  const HeadLimits roomy{.line_bytes_max = 20'000, .head_bytes_max = 30'000, .fields_max = 256};
  int accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    const Fixture& fixture = mutator.any_fixture();
    if (fixture.bytes.size() > 2000 && round % 16 != 0) continue;  // they cost more than they tell
    const std::string bytes = mutator.damage(fixture.bytes);
    SCOPED_TRACE(fixture.name);
    ReplayOptions options = fixture.options;
    const std::vector<std::string> events = replay(bytes, options);
    options.eager = round % 2 == 0;
    ASSERT_EQ(replay(bytes, mutator.cuts(bytes.size()), options), events) << escape(bytes);
    accepted += !events.empty() && !events[0].starts_with("refused") ? 1 : 0;
    if (options.answers) {
      check_writing<http::AnswerHead>(bytes, [&](std::string_view text, http::AnswerHead& head) {
        return parse_answer(text, roomy, http::Method::get, head);
      });
    } else {
      check_writing<http::RequestHead>(
          bytes, [&](std::string_view text, http::RequestHead& head) { return parse_request(text, roomy, head); });
    }
    if (HasFatalFailure()) FAIL() << "round " << round << ": " << escape(bytes);
  }
  EXPECT_GT(accepted, 40'000);  // or the damage says nothing about what is accepted
}

}  // namespace
}  // namespace weir::http1
