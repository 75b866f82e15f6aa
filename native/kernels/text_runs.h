// Runs of ASCII characters that belong to a set, found 64 bytes at a time: a bit a byte, then bits are counted.
//
//   text    t h e   c a t .        a character's bit: rows[low half] >> high half & 1, looked up 32 bytes at once where
//   bits    1 1 1 0 1 1 1 0        the instruction set can (after W. Mula, "SIMD byte lookup", 2018)
#pragma once

#include "text_fold.h"

#if SARDONYX_ISA == 1 || SARDONYX_ISA == 2
#include <immintrin.h>
#endif

namespace sardonyx {
namespace {

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
inline std::uint32_t members_of_32(const AsciiSet& set, const Byte* text) {
  const __m256i half = _mm256_set1_epi8(15);
  const __m256i rows = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(set.rows)));
  const __m256i bits = _mm256_broadcastsi128_si256(_mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0));
  const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
  const __m256i bit = _mm256_shuffle_epi8(bits, _mm256_and_si256(_mm256_srli_epi16(v, 4), half));
  const __m256i row = _mm256_shuffle_epi8(rows, _mm256_and_si256(v, half));
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_and_si256(row, bit), bit)));
}

inline std::uint64_t members_of_64(const AsciiSet& set, const Byte* text) {
  return members_of_32(set, text) | static_cast<std::uint64_t>(members_of_32(set, text + 32)) << 32;
}
#else
inline std::uint64_t members_of_64(const AsciiSet& set, const Byte* text) {
  std::uint64_t bits = 0;
  for (int i = 0; i < 64; ++i) bits |= std::uint64_t{set.rows[text[i] & 15] >> (text[i] >> 4) & 1u} << i;
  return bits;
}
#endif

// Calls found(begin, end) for the longest runs of at least `least` characters. 64 bytes behind the text may be read.
template <class Found>
inline void find_runs(const AsciiSet& set, std::int64_t least, const Byte* text, std::int64_t size, Found&& found) {
  constexpr std::uint64_t all = ~std::uint64_t{0};
  const auto end_run = [&](std::int64_t begin, std::int64_t end) {
    if (end - begin >= least) found(text + begin, text + end);
  };
  std::int64_t open = -1;  // where a run began that goes on
  for (std::int64_t base = 0; base < size; base += 64) {
    std::uint64_t bits = members_of_64(set, text + base);
    if (size - base < 64) bits &= ~(all << (size - base));
    if (open >= 0) {
      if (bits == all) continue;
      const int end = __builtin_ctzll(~bits);
      end_run(open, base + end);
      open = -1;
      bits &= all << end;
    }
    while (bits != 0) {
      const int begin = __builtin_ctzll(bits);
      const std::uint64_t others = ~bits & all << begin;
      if (others == 0) {
        open = base + begin;
        break;
      }
      const int end = __builtin_ctzll(others);
      end_run(base + begin, base + end);
      bits &= all << end;
    }
  }
  if (open >= 0) end_run(open, size);
}

}  // namespace
}  // namespace sardonyx
