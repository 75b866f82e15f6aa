#include "runtime/utf8_encode.h"

#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "sardonyx/utf8.h"

namespace sardonyx {
namespace {

template <class Point>
char* encode_by_characters(const Point* points, std::size_t count, char* to) {
  for (std::size_t i = 0; i < count; ++i) to = encode_code_point(points[i], to);
  return to;
}

#if defined(__x86_64__)

// ---- vectors --------------------------------------------------------------------------------------------------------
//
// Each code point is encoded in a lane as wide as it may need, then a shuffle drops the bytes that it does not: the
// tables say which bytes stay, by what the lanes hold (after D. Lemire and W. Mula, Transcoding billions of Unicode
// characters per second with SIMD instructions, Software: Practice and Experience 52, 2022).
//
//   é a ß b      C3 A9 | 61 -- | C3 9F | 62 --      ▶      C3 A9 61 C3 9F 62

struct Packing {
  std::uint8_t bytes[16];
  std::uint8_t size;
};

// Lanes of `width` bytes, of which as many stay as length_of(key, lane) says.
template <class LengthOf>
constexpr std::array<Packing, 256> packings(unsigned width, LengthOf length_of) {
  std::array<Packing, 256> all{};
  for (unsigned key = 0; key < 256; ++key) {
    Packing& packing = all[key];
    for (auto& byte : packing.bytes) byte = 0x80;
    for (unsigned lane = 0; lane < 16 / width; ++lane) {
      for (unsigned i = 0; i < length_of(key, lane); ++i) {
        packing.bytes[packing.size++] = static_cast<std::uint8_t>(lane * width + i);
      }
    }
  }
  return all;
}

constexpr auto kTwos = packings(2, [](unsigned key, unsigned lane) { return 2 - (key >> lane & 1); });  // a bit: ASCII
constexpr auto kFours = packings(4, [](unsigned key, unsigned lane) { return 1 + (key >> 2 * lane & 3); });

__attribute__((target("sse4.1"))) inline char* put(__m128i lanes, const Packing& packing, char* to) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(packing.bytes));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_shuffle_epi8(lanes, bytes));
  return to + packing.size;
}

// Eight code points below 0x800, in lanes of two bytes.
__attribute__((target("sse4.1"))) inline char* put_twos(__m128i c, char* to) {
  const __m128i ascii = _mm_cmplt_epi16(c, _mm_set1_epi16(0x80));
  const __m128i second = _mm_slli_epi16(_mm_and_si128(c, _mm_set1_epi16(0x3F)), 8);
  const __m128i both = _mm_or_si128(_mm_or_si128(second, _mm_srli_epi16(c, 6)), _mm_set1_epi16(-0x7F40));  // 0x80C0
  const int key = _mm_movemask_epi8(_mm_packs_epi16(ascii, _mm_setzero_si128()));
  return put(_mm_blendv_epi8(both, c, ascii), kTwos[static_cast<unsigned>(key)], to);
}

// Four code points, in lanes of four bytes.
__attribute__((target("sse4.1"))) inline char* put_fours(__m128i c, char* to) {
  const auto all = [](std::uint32_t x)
                       __attribute__((target("sse4.1"))) { return _mm_set1_epi32(static_cast<int>(x)); };
  const __m128i six = all(0x3F);
  const __m128i last = _mm_and_si128(c, six), third = _mm_and_si128(_mm_srli_epi32(c, 6), six);
  const __m128i second = _mm_and_si128(_mm_srli_epi32(c, 12), six);
  const __m128i two = _mm_or_si128(_mm_or_si128(_mm_srli_epi32(c, 6), _mm_slli_epi32(last, 8)), all(0x80C0));
  const __m128i three = _mm_or_si128(_mm_or_si128(_mm_srli_epi32(c, 12), _mm_slli_epi32(third, 8)),
                                     _mm_or_si128(_mm_slli_epi32(last, 16), all(0x8080E0)));
  const __m128i four =
      _mm_or_si128(_mm_or_si128(_mm_or_si128(_mm_srli_epi32(c, 18), _mm_slli_epi32(second, 8)), all(0x808080F0)),
                   _mm_or_si128(_mm_slli_epi32(third, 16), _mm_slli_epi32(last, 24)));
  const __m128i over1 = _mm_cmpgt_epi32(c, all(0x7F)), over2 = _mm_cmpgt_epi32(c, all(0x7FF));
  const __m128i over3 = _mm_cmpgt_epi32(c, all(0xFFFF));
  const __m128i lanes = _mm_blendv_epi8(_mm_blendv_epi8(_mm_blendv_epi8(c, two, over1), three, over2), four, over3);
  const __m128i lengths = _mm_sub_epi32(_mm_setzero_si128(), _mm_add_epi32(_mm_add_epi32(over1, over2), over3));
  const __m128i words = _mm_packus_epi32(lengths, lengths);
  const auto each = static_cast<std::uint32_t>(_mm_cvtsi128_si32(_mm_packus_epi16(words, words)));
  // Two bits of each byte, side by side at the top: multiplied by 1, 4, 16, 64 times what moves them there.
  return put(lanes, kFours[each * (1u << 24 | 1u << 18 | 1u << 12 | 1u << 6) >> 24], to);
}

__attribute__((target("sse4.1"))) char* encode_by_vectors(const std::uint8_t* points, std::size_t count, char* to) {
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const __m128i c = _mm_loadu_si128(reinterpret_cast<const __m128i*>(points + i));
    if (_mm_movemask_epi8(c) == 0) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), c);
      to += 16;
      continue;
    }
    to = put_twos(_mm_cvtepu8_epi16(c), to);
    to = put_twos(_mm_cvtepu8_epi16(_mm_srli_si128(c, 8)), to);
  }
  return encode_by_characters(points + i, count - i, to);
}

__attribute__((target("sse4.1"))) char* encode_by_vectors(const std::uint16_t* points, std::size_t count, char* to) {
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i c = _mm_loadu_si128(reinterpret_cast<const __m128i*>(points + i));
    if (_mm_testz_si128(c, _mm_set1_epi16(-0x80)) != 0) {
      _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(c, c));
      to += 8;
    } else if (_mm_testz_si128(c, _mm_set1_epi16(-0x800)) != 0) {
      to = put_twos(c, to);
    } else {
      to = put_fours(_mm_cvtepu16_epi32(c), to);
      to = put_fours(_mm_cvtepu16_epi32(_mm_srli_si128(c, 8)), to);
    }
  }
  return encode_by_characters(points + i, count - i, to);
}

__attribute__((target("sse4.1"))) char* encode_by_vectors(const std::uint32_t* points, std::size_t count, char* to) {
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    to = put_fours(_mm_loadu_si128(reinterpret_cast<const __m128i*>(points + i)), to);
  }
  return encode_by_characters(points + i, count - i, to);
}

template <class Point>
char* encode(const Point* points, std::size_t count, char* to) {
  static const bool vectors = __builtin_cpu_supports("sse4.1") != 0;
  return vectors ? encode_by_vectors(points, count, to) : encode_by_characters(points, count, to);
}

#else

template <class Point>
char* encode(const Point* points, std::size_t count, char* to) {
  return encode_by_characters(points, count, to);
}

#endif

}  // namespace

char* encode_utf8(const std::uint8_t* points, std::size_t count, char* to) { return encode(points, count, to); }
char* encode_utf8(const std::uint16_t* points, std::size_t count, char* to) { return encode(points, count, to); }
char* encode_utf8(const std::uint32_t* points, std::size_t count, char* to) { return encode(points, count, to); }

}  // namespace sardonyx
