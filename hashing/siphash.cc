#include "hashing/siphash.h"

#include <bit>
#include <cstddef>

namespace weir::hashing {
namespace {

constexpr int rounds_per_word = 2;
constexpr int rounds_at_end = 4;

struct State {
  uint64_t a, b, c, d;

  void mix(int rounds) noexcept {
    for (int round = 0; round < rounds; ++round) {
      a += b;
      c += d;
      b = std::rotl(b, 13) ^ a;
      d = std::rotl(d, 16) ^ c;
      a = std::rotl(a, 32);
      c += b;
      a += d;
      b = std::rotl(b, 17) ^ c;
      d = std::rotl(d, 21) ^ a;
      c = std::rotl(c, 32);
    }
  }

  void absorb(uint64_t word) noexcept {
    d ^= word;
    mix(rounds_per_word);
    a ^= word;
  }
};

// Up to eight bytes as a number, the first one lowest. Compilers make one load of it where `bytes` has all eight.
uint64_t word_of(std::string_view bytes) noexcept {
  uint64_t word = 0;
  for (size_t i = 0; i < bytes.size(); ++i) word |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return word;
}

}  // namespace

uint64_t siphash(const SipKey& key, std::string_view bytes) noexcept {
  // The constants are the paper's: "somepseudorandomlygeneratedbytes".
  State state{key.low ^ 0x736f6d6570736575, key.high ^ 0x646f72616e646f6d, key.low ^ 0x6c7967656e657261,
              key.high ^ 0x7465646279746573};
  const size_t whole = bytes.size() / 8 * 8;
  for (size_t at = 0; at < whole; at += 8) state.absorb(word_of(bytes.substr(at, 8)));
  // The last word holds what is left, at most seven bytes, and the lowest byte of the size above them.
  state.absorb(word_of(bytes.substr(whole)) | uint64_t{bytes.size()} << 56);
  state.c ^= 0xff;
  state.mix(rounds_at_end);
  return state.a ^ state.b ^ state.c ^ state.d;
}

}  // namespace weir::hashing
