// Scanning: how far a run of allowed bytes goes. The inner loops of the parser.
//
// Pure; nothing is read outside [at, end). Each function returns the first byte that does not belong, or `end`. There
// is a portable form of each, and for x86-64 one that looks at 16 bytes at once (SSE2, which every x86-64 has, so there
// is nothing to find out at run time). Values are short: wider registers were no faster.
#pragma once

#include <cstdint>
#include <cstring>

#include "net/http/characters.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace weir::http1 {

// Names are too short for anything cleverer than a table.
inline const char* end_of_token(const char* at, const char* end) noexcept {
  while (at != end && http::is_in(*at, http::token_character)) ++at;
  return at;
}

namespace portable {

inline const char* end_of_value(const char* at, const char* end) noexcept {
  // Eight bytes at a time, while none is below 0x20 or is 0x7f. Words with a HTAB are looked at byte by byte.
  constexpr uint64_t ones = 0x0101010101010101;
  constexpr uint64_t tops = ones * 0x80;
  while (end - at >= 8) {
    uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    const uint64_t controls = (word - ones * 0x20) & ~word & tops;
    const uint64_t not_delete = word ^ (ones * 0x7f);
    const uint64_t deletes = (not_delete - ones) & ~not_delete & tops;
    if ((controls | deletes) != 0) {
      for (int i = 0; i < 8; ++i) {
        if (!http::is_in(at[i], http::value_character)) return at + i;
      }
    }
    at += 8;
  }
  while (at != end && http::is_in(*at, http::value_character)) ++at;
  return at;
}

inline const char* end_of_target(const char* at, const char* end) noexcept {
  while (at != end && http::is_in(*at, http::target_character)) ++at;
  return at;
}

}  // namespace portable

#if defined(__SSE2__)

namespace sse2 {

// The first byte that `is_outside` marks among whole blocks of 16; the rest is for the portable form.
template <class IsOutside, class Rest>
inline const char* scan(const char* at, const char* end, IsOutside is_outside, Rest rest) noexcept {
  while (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const auto outside = static_cast<unsigned>(_mm_movemask_epi8(is_outside(bytes)));
    if (outside != 0) return at + __builtin_ctz(outside);
    at += 16;
  }
  return rest(at, end);
}

inline const char* end_of_value(const char* at, const char* end) noexcept {
  const auto is_outside = [](__m128i bytes) {
    const __m128i below_space = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    const __m128i control = _mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')), below_space);
    return _mm_or_si128(control, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
  };
  return scan(at, end, is_outside, portable::end_of_value);
}

inline const char* end_of_target(const char* at, const char* end) noexcept {
  const auto is_outside = [](__m128i bytes) {
    // The comparison is signed: bytes of 0x80 and above are negative, so they are not above the space.
    const __m128i visible_or_delete = _mm_cmpgt_epi8(bytes, _mm_set1_epi8(' '));
    const __m128i excepted =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('#')));
    return _mm_or_si128(_mm_cmpeq_epi8(visible_or_delete, _mm_setzero_si128()), excepted);
  };
  return scan(at, end, is_outside, portable::end_of_target);
}

}  // namespace sse2

using sse2::end_of_target;
using sse2::end_of_value;

#else

using portable::end_of_target;
using portable::end_of_value;

#endif

}  // namespace weir::http1
