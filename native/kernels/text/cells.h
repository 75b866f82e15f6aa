// What is true of whole cells of characters beyond ASCII, 64 bytes of text at a time: most scripts lie together, so
// that nearly all text is classified without looking a character up.
//
//   п р и в е т ,   東 京      UTF-8: a lead says in its high bits how many bytes follow; six bits of the character each
//   D0 BF ...                  a cell: the lead and the highest bits of the byte behind it, two of them (16 characters,
//   └──┬──┘                    U+0430 to U+043F) if the lead is of two bytes, four (256, U+6700 to U+67FF) if of three
//   two[lead & 31] >> (2 bits)      three[][lead & 15] >> (3 bits)
//
// Of some cells the test holds for `all` characters, of `mixed` ones it has to be made one by one: so it is in all of
// four bytes.
#pragma once

#include "kernels/text/blocks.h"

namespace sardonyx {
namespace {

struct Cells {
  Byte two[32];                    // by lead; low half: of all, high half: mixed; a bit for each of four cells
  Byte three[2][2][16];            // all, mixed; first and second eight of sixteen cells; by lead
  std::uint64_t one_by_one[1024];  // bits of all characters of up to three bytes, for mixed cells

  bool contains(std::uint32_t c) const { return (one_by_one[c >> 6] >> (c & 63) & 1) != 0; }
};

// 0: of no character from `first` on, 1: of all, 2: of some. Below `least` there is a shorter form.
inline int holds_for(const Cells& cells, std::uint32_t first, std::uint32_t size, std::uint32_t least) {
  std::uint32_t count = 0;
  for (std::uint32_t c = first; c < first + size; ++c) count += cells.contains(c) ? 1 : 0;
  return count == size && first >= least ? 1 : count == 0 && first >= least ? 0 : 2;
}

template <class Test>
Cells cells_where(Test&& test) {
  Cells cells{};
  for (std::uint32_t c = 0; c < 0x10000; ++c) cells.one_by_one[c >> 6] |= std::uint64_t{test(c)} << (c & 63);
  const auto set = [](Byte& row, unsigned bit) { row = static_cast<Byte>(row | 1u << bit); };
  for (std::uint32_t i = 0; i < 32 * 4; ++i) {
    const int holds = holds_for(cells, i * 16, 16, 0x80);
    if (holds > 0) set(cells.two[i / 4], i % 4 + (holds == 2 ? 4 : 0));
  }
  for (std::uint32_t i = 0; i < 16 * 16; ++i) {
    const int holds = holds_for(cells, i * 256, 256, 0x800);
    if (holds > 0) set(cells.three[holds - 1][i % 16 / 8][i / 16], i % 8);
  }
  return cells;
}

// Whether the character of two or three bytes at p, of which four may be read, is one of them.
inline bool contains(const Cells& cells, const Byte* p) {
  const bool two = p[0] < 0xE0;
  const unsigned second = p[1] & 63u, third = p[2] & 63u;
  const unsigned place = two ? p[0] & 31u : (p[0] & 15u) << 6 | second;
  return (cells.one_by_one[place] >> (two ? second : third) & 1) != 0;
}

// The same where it is known of how many.
[[gnu::always_inline]] inline std::uint64_t contains_two(const Cells& cells, const Byte* p) {
  return cells.one_by_one[p[0] & 31u] >> (p[1] & 63u) & 1;
}
[[gnu::always_inline]] inline std::uint64_t contains_three(const Cells& cells, const Byte* p) {
  return cells.one_by_one[(p[0] & 15u) << 6 | (p[1] & 63u)] >> (p[2] & 63u) & 1;
}

// Bits of 64 bytes. Those of a lead stand for its character.
struct CellBits {
  std::uint64_t all, mixed;
};

struct LeadBits {
  std::uint64_t two, three, four;  // leads of so many bytes, or more
  std::uint64_t continued;         // bytes behind a lead
};

#if SARDONYX_ISA == 1 || SARDONYX_ISA == 2
inline std::uint64_t bits_of(__m256i v) { return static_cast<std::uint32_t>(_mm256_movemask_epi8(v)); }

[[gnu::always_inline]] inline LeadBits leads_of_32(const Byte* text) {
  const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
  const auto from = [&](unsigned least) {  // as signed numbers, where what is not ASCII is negative
    return bits_of(_mm256_cmpgt_epi8(v, _mm256_set1_epi8(static_cast<char>(least - 1))));
  };
  const std::uint64_t beyond = bits_of(v), leads = beyond & from(0xC0);
  return {leads, beyond & from(0xE0), beyond & from(0xF0), beyond & ~leads};
}

[[maybe_unused, gnu::always_inline]] inline LeadBits leads_of_64(const Byte* text) {
  const LeadBits low = leads_of_32(text), high = leads_of_32(text + 32);
  return {low.two | high.two << 32, low.three | high.three << 32, low.four | high.four << 32,
          low.continued | high.continued << 32};
}

[[gnu::always_inline]] inline __m256i looked_up(const Byte* sixteen, __m256i low_halves) {
  const __m128i table = _mm_loadu_si128(reinterpret_cast<const __m128i*>(sixteen));
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), low_halves);
}

// From one table or, where a byte's highest bit is set, the other.
[[gnu::always_inline]] inline __m256i chosen(const Byte* one, const Byte* other, __m256i low_halves, __m256i which) {
  return _mm256_blendv_epi8(looked_up(one, low_halves), looked_up(other, low_halves), which);
}

constexpr Byte kParts[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0x11, 0x22, 0x44, 0x88, 0, 0, 0, 0};
constexpr Byte kEighths[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};

[[gnu::always_inline]] inline CellBits cells_of_32(const Cells& cells, const Byte* text) {
  const __m256i half = _mm256_set1_epi8(15), none = _mm256_setzero_si256();
  const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text));
  const __m256i next = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + 1));
  const __m256i lead = _mm256_and_si256(v, half);
  const auto holds = [&](__m256i bits) { return ~bits_of(_mm256_cmpeq_epi8(bits, none)); };
  const LeadBits leads = leads_of_32(text);

  const __m256i odd = _mm256_slli_epi16(v, 3);  // the bit that tells D from C, as the highest
  const __m256i row = chosen(cells.two, cells.two + 16, lead, odd);
  const __m256i part = looked_up(kParts, _mm256_and_si256(_mm256_srli_epi16(next, 4), half));
  const __m256i hit = _mm256_and_si256(row, part);
  const std::uint64_t two = leads.two & ~leads.three;
  CellBits bits{two & holds(_mm256_and_si256(hit, half)), two & holds(_mm256_andnot_si256(half, hit))};

  const __m256i eighth = looked_up(kEighths, _mm256_and_si256(_mm256_srli_epi16(next, 2), half));
  const __m256i late = _mm256_slli_epi16(next, 2);  // the second eight cells of sixteen
  const __m256i all = chosen(cells.three[0][0], cells.three[0][1], lead, late);
  const __m256i mixed = chosen(cells.three[1][0], cells.three[1][1], lead, late);
  const std::uint64_t three = leads.three & ~leads.four;
  bits.all |= three & holds(_mm256_and_si256(eighth, all));
  bits.mixed |= (three & holds(_mm256_and_si256(eighth, mixed))) | leads.four;
  return bits;
}

// The byte behind the 64 is read, too.
[[maybe_unused, gnu::always_inline]] inline CellBits cells_of_64(const Cells& cells, const Byte* text) {
  const CellBits low = cells_of_32(cells, text), high = cells_of_32(cells, text + 32);
  return {low.all | high.all << 32, low.mixed | high.mixed << 32};
}
#else
[[maybe_unused, gnu::always_inline]] inline LeadBits leads_of_64(const Byte* text) {
  LeadBits bits{};
  for (int i = 0; i < 64; ++i) {
    bits.two |= std::uint64_t{text[i] >= 0xC0u} << i;
    bits.three |= std::uint64_t{text[i] >= 0xE0u} << i;
    bits.four |= std::uint64_t{text[i] >= 0xF0u} << i;
    bits.continued |= std::uint64_t{(text[i] & 0xC0u) == 0x80u} << i;
  }
  return bits;
}

// The byte behind the 64 is read, too.
[[maybe_unused, gnu::always_inline]] inline CellBits cells_of_64(const Cells& cells, const Byte* text) {
  CellBits bits{};
  for (int i = 0; i < 64; ++i) {
    const unsigned lead = text[i], next = text[i + 1] & 63u;
    if (lead < 0xC0) continue;
    const unsigned two = cells.two[lead & 31] >> (next >> 4);
    const auto three = [&](int mixed) { return cells.three[mixed][next >> 5][lead & 15] >> (next >> 2 & 7u) & 1u; };
    const unsigned all = lead < 0xE0 ? two & 1u : lead < 0xF0 ? three(0) : 0u;
    const unsigned mixed = lead < 0xE0 ? two >> 4 & 1u : lead < 0xF0 ? three(1) : 1u;
    bits.all |= std::uint64_t{all} << i;
    bits.mixed |= std::uint64_t{mixed} << i;
  }
  return bits;
}
#endif

// Whether behind each lead of 64 bytes there are the bytes that it asks for, and no others; `begun` has the bits of
// those that are asked for behind the last 64. Of the 64 bytes `size` belong to the text, all may be read.
inline bool are_continued_rightly(const Byte* text, std::int64_t size, std::uint64_t& begun) {
  const std::uint64_t own = lowest_bits(size);
  const LeadBits bits = leads_of_64(text);
  const std::uint64_t two = bits.two & own, three = bits.three & own, four = bits.four & own;
  const std::uint64_t asked = begun | two << 1 | three << 2 | four << 3;
  begun = two >> 63 | three >> 62 | four >> 61;
  return asked == (bits.continued & own);
}

[[maybe_unused]] inline bool is_continued_rightly(const Byte* text, std::int64_t size) {
  std::uint64_t begun = 0;
  for (std::int64_t base = 0; base < size; base += 64) {
    if (!are_continued_rightly(text + base, size - base, begun)) return false;
  }
  return begun == 0;
}

}  // namespace
}  // namespace sardonyx
