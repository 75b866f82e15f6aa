// Text, 64 bytes at a time, as bits: which bytes are ASCII of a set, and which are no ASCII at all.
//
//   text    t h e   c a f é  .      a character's bit: rows[low half] >> high half & 1, looked up 32 bytes at once
//   set     1 1 1 0 1 1 1 00 0      where the instruction set can (after W. Mula, "SIMD byte lookup", 2018)
//   beyond  0 0 0 0 0 0 0 11 0
#pragma once

#include "kernels/check.h"

#if SARDONYX_ISA == 1 || SARDONYX_ISA == 2
#include <immintrin.h>
#endif

namespace sardonyx {
namespace {

using Byte = unsigned char;

struct AsciiSet {
  Byte rows[16];
};

template <class Test>
inline AsciiSet ascii_set(Test&& contains) {
  AsciiSet set{};
  for (unsigned c = 0; c < 128; ++c) {
    if (contains(static_cast<Byte>(c))) set.rows[c & 15] = static_cast<Byte>(set.rows[c & 15] | 1u << (c >> 4));
  }
  return set;
}

[[maybe_unused]] inline bool contains(const AsciiSet& set, Byte c) {
  return c < 128 && (set.rows[c & 15] >> (c >> 4) & 1) != 0;
}

#if SARDONYX_ISA == 1 || SARDONYX_ISA == 2
// Bits of bytes beyond ASCII say nothing.
inline std::uint32_t members_of_32(const AsciiSet& set, const Byte* text) {
  const __m256i half = _mm256_set1_epi8(15);
  const __m256i rows = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(set.rows)));
  const __m256i bits = _mm256_broadcastsi128_si256(_mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0));
  const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
  const __m256i bit = _mm256_shuffle_epi8(bits, _mm256_and_si256(_mm256_srli_epi16(v, 4), half));
  const __m256i row = _mm256_shuffle_epi8(rows, _mm256_and_si256(v, half));
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_and_si256(row, bit), bit)));
}

[[maybe_unused]] inline std::uint64_t members_of_64(const AsciiSet& set, const Byte* text) {
  return members_of_32(set, text) | static_cast<std::uint64_t>(members_of_32(set, text + 32)) << 32;
}
[[maybe_unused]] inline std::uint64_t beyond_ascii_of_64(const Byte* text) {
  const auto bits = [](const Byte* at) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at))));
  };
  return bits(text) | std::uint64_t{bits(text + 32)} << 32;
}
#else
// Bits of bytes beyond ASCII say nothing.
[[maybe_unused]] inline std::uint64_t members_of_64(const AsciiSet& set, const Byte* text) {
  std::uint64_t bits = 0;
  for (int i = 0; i < 64; ++i) bits |= std::uint64_t{set.rows[text[i] & 15] >> (text[i] >> 4) & 1u} << i;
  return bits;
}

[[maybe_unused]] inline std::uint64_t beyond_ascii_of_64(const Byte* text) {
  std::uint64_t bits = 0;
  for (int i = 0; i < 64; ++i) bits |= std::uint64_t{text[i] >= 0x80u} << i;
  return bits;
}
#endif

// The lowest `count` <= 64 bits.
[[maybe_unused]] inline std::uint64_t lowest_bits(std::int64_t count) {
  return count >= 64 ? ~std::uint64_t{0} : ~(~std::uint64_t{0} << count);
}

}  // namespace
}  // namespace sardonyx
