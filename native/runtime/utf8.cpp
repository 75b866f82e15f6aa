#include "runtime/utf8.h"

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sardonyx {
namespace {

int length_of(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

// The second byte's range depends on the lead: overlong forms, surrogates and the end of Unicode are cut off there.
bool legal_second(unsigned char lead, unsigned char second) {
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  return second >= low && second <= high;
}

bool is_utf8_by_characters(const char* bytes, std::size_t size) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes);
  const unsigned char* end = at + size;
  while (at < end) {
    const int length = length_of(*at);
    if (length == 0 || end - at < length) return false;
    if (length > 1 && !legal_second(at[0], at[1])) return false;
    for (int i = 2; i < length; ++i) {
      if ((at[i] & 0xC0) != 0x80) return false;
    }
    at += length;
  }
  return true;
}

#if defined(__x86_64__)

// ---- sixteen bytes at a time ----------------------------------------------------------------------------------------
//
// J. Keiser and D. Lemire, Validating UTF-8 In Less Than One Instruction Per Byte, Software: Practice and Experience 51
// (2021). Every error but one shows in two neighbouring bytes: three tables, of the halves of the first and of the
// upper half of the second, say which errors each allows; one that all three allow is there. The last kind, where a
// second or third continuation is missing or too many, follows from the leads two and three bytes before.

enum Fault : std::uint8_t {
  kTooShort = 1,
  kTooLong = 2,
  kOverlong3 = 4,
  kTooLarge = 8,
  kSurrogate = 16,
  kOverlong2 = 32,
  kOverlong4 = 64,  // and beyond U+10FFFF, with a lead from F5 on
  kTwoContinuations = 128,
  kAnyLow = kTooShort | kTooLong | kTwoContinuations,
  kAboveMost = kAnyLow | kTooLarge | kOverlong4,
};

constexpr std::uint8_t kContinued = kTooLong | kOverlong2 | kTwoContinuations;

alignas(16) constexpr std::uint8_t kFirstUpper[16] = {kTooLong,
                                                      kTooLong,
                                                      kTooLong,
                                                      kTooLong,
                                                      kTooLong,
                                                      kTooLong,
                                                      kTooLong,
                                                      kTooLong,
                                                      kTwoContinuations,
                                                      kTwoContinuations,
                                                      kTwoContinuations,
                                                      kTwoContinuations,
                                                      kTooShort | kOverlong2,
                                                      kTooShort,
                                                      kTooShort | kOverlong3 | kSurrogate,
                                                      kTooShort | kTooLarge | kOverlong4};
alignas(16) constexpr std::uint8_t kFirstLower[16] = {kAnyLow | kOverlong3 | kOverlong2 | kOverlong4,
                                                      kAnyLow | kOverlong2,
                                                      kAnyLow,
                                                      kAnyLow,
                                                      kAnyLow | kTooLarge,
                                                      kAboveMost,
                                                      kAboveMost,
                                                      kAboveMost,
                                                      kAboveMost,
                                                      kAboveMost,
                                                      kAboveMost,
                                                      kAboveMost,
                                                      kAboveMost,
                                                      kAboveMost | kSurrogate,
                                                      kAboveMost,
                                                      kAboveMost};
alignas(16) constexpr std::uint8_t kSecondUpper[16] = {kTooShort,
                                                       kTooShort,
                                                       kTooShort,
                                                       kTooShort,
                                                       kTooShort,
                                                       kTooShort,
                                                       kTooShort,
                                                       kTooShort,
                                                       kContinued | kOverlong3 | kOverlong4,
                                                       kContinued | kOverlong3 | kTooLarge,
                                                       kContinued | kSurrogate | kTooLarge,
                                                       kContinued | kSurrogate | kTooLarge,
                                                       kTooShort,
                                                       kTooShort,
                                                       kTooShort,
                                                       kTooShort};

__attribute__((target("ssse3"))) __m128i faults_in(__m128i bytes, __m128i before) {
  const auto table = [](const std::uint8_t* of) { return _mm_load_si128(reinterpret_cast<const __m128i*>(of)); };
  const __m128i low = _mm_set1_epi8(0x0F);
  const __m128i first = _mm_alignr_epi8(bytes, before, 15);
  const __m128i second = _mm_alignr_epi8(bytes, before, 14), third = _mm_alignr_epi8(bytes, before, 13);
  const __m128i a = _mm_shuffle_epi8(table(kFirstUpper), _mm_and_si128(_mm_srli_epi16(first, 4), low));
  const __m128i b = _mm_shuffle_epi8(table(kFirstLower), _mm_and_si128(first, low));
  const __m128i c = _mm_shuffle_epi8(table(kSecondUpper), _mm_and_si128(_mm_srli_epi16(bytes, 4), low));
  const __m128i faults = _mm_and_si128(_mm_and_si128(a, b), c);
  const __m128i of_three = _mm_subs_epu8(second, _mm_set1_epi8(static_cast<char>(0xE0 - 0x80)));
  const __m128i of_four = _mm_subs_epu8(third, _mm_set1_epi8(static_cast<char>(0xF0 - 0x80)));
  const __m128i must = _mm_and_si128(_mm_or_si128(of_three, of_four), _mm_set1_epi8(static_cast<char>(0x80)));
  return _mm_xor_si128(must, faults);
}

__attribute__((target("ssse3"))) bool is_utf8_by_vectors(const char* bytes, std::size_t size) {
  constexpr std::size_t kStep = 16;
  __m128i faults = _mm_setzero_si128(), before = _mm_setzero_si128();
  std::size_t at = 0;
  for (; at + kStep <= size; at += kStep) {
    const __m128i here = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + at));
    faults = _mm_or_si128(faults, faults_in(here, before));
    before = here;
  }
  char rest[2 * kStep] = {};  // and zeros behind it, which end what is cut off
  std::memcpy(rest, bytes + at, size - at);
  for (std::size_t i = 0; i < 2 * kStep; i += kStep) {
    const __m128i here = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rest + i));
    faults = _mm_or_si128(faults, faults_in(here, before));
    before = here;
  }
  return _mm_movemask_epi8(_mm_cmpeq_epi8(faults, _mm_setzero_si128())) == 0xFFFF;
}

// A view is a vector: its text, moved to the front, has zeros behind it, which end what is cut off.
__attribute__((target("ssse3"))) bool short_views_by_vectors(const char* views, std::int64_t count) {
  alignas(16) char ramp[16];
  for (int i = 0; i < 16; ++i) ramp[i] = static_cast<char>(i);
  const __m128i places = _mm_load_si128(reinterpret_cast<const __m128i*>(ramp)), zero = _mm_setzero_si128();
  __m128i faults = zero;
  for (std::int64_t i = 0; i < count; ++i) {
    const __m128i view = _mm_loadu_si128(reinterpret_cast<const __m128i*>(views + i * kViewSize));
    const int size = _mm_cvtsi128_si32(view);
    const int shown = size <= kShortView ? size : 0;
    const __m128i text =
        _mm_and_si128(_mm_srli_si128(view, 4), _mm_cmpgt_epi8(_mm_set1_epi8(static_cast<char>(shown)), places));
    faults = _mm_or_si128(faults, faults_in(text, zero));
  }
  return _mm_movemask_epi8(_mm_cmpeq_epi8(faults, zero)) == 0xFFFF;
}

#endif

}  // namespace

bool short_views_are_utf8(const char* views, std::int64_t count) {
#if defined(__x86_64__)
  static const bool vectors = __builtin_cpu_supports("ssse3") != 0;
  return vectors && short_views_by_vectors(views, count);
#else
  return false;
#endif
}

bool is_utf8(const char* bytes, std::size_t size) {
#if defined(__x86_64__)
  constexpr std::size_t kShort = 32;
  static const bool vectors = __builtin_cpu_supports("ssse3") != 0;
  if (vectors && size >= kShort) return is_utf8_by_vectors(bytes, size);
#endif
  return is_utf8_by_characters(bytes, size);
}

}  // namespace sardonyx
