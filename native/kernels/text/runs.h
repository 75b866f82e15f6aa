// Runs of characters that belong to a set, found 64 bytes at a time: a bit a byte, then bits are counted.
//
//   text    t h e   c a f é .
//   bits    1 1 1 0 1 1 1 11 0      a character beyond ASCII has a bit a byte, from the tables of code points
#pragma once

#include "kernels/text/fold.h"

namespace sardonyx {
namespace {

// Calls found(begin, end) for the longest runs of bytes that have a bit in members(base), which is asked for 64 of them
// at a time and in order. 64 bytes behind the text may be read.
template <class Members, class Found>
inline void find_runs(const Byte* text, std::int64_t size, Members&& members, Found&& found) {
  constexpr std::uint64_t all = ~std::uint64_t{0};
  std::int64_t open = -1;  // where a run began that goes on
  for (std::int64_t base = 0; base < size; base += 64) {
    std::uint64_t bits = members(base) & lowest_bits(size - base);
    if (open >= 0) {
      if (bits == all) continue;
      const int end = __builtin_ctzll(~bits);
      found(text + open, text + base + end);
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
      found(text + base + begin, text + base + end);
      bits &= all << end;
    }
  }
  if (open >= 0) found(text + open, text + size);
}

// Bits of the bytes of characters that belong to a set, in ASCII and beyond: in whole cells, or by `belongs`. The text
// is folded, so that behind its leads there is what they ask for.
template <class Belongs>
class Members {
 public:
  Members(const AsciiSet& set, const Cells& cells, const Byte* text, std::int64_t size, Belongs belongs)
      : set_(set), cells_(cells), text_(text), end_(text + size), belongs_(belongs) {}

  std::uint64_t operator()(std::int64_t base) {
    const Byte* block = text_ + base;
    const std::uint64_t ascii = members_of_64(set_, block) & ~beyond_ascii_of_64(block);
    const CellBits cells = cells_of_64(cells_, block);
    std::uint64_t found = cells.all;
    const LeadBits leads = leads_of_64(block);
    const std::uint64_t mixed = cells.mixed & lowest_bits(end_ - block);
    for (std::uint64_t one = mixed & ~leads.three; one != 0; one &= one - 1) {
      const int at = __builtin_ctzll(one);
      found |= contains_two(cells_, block + at) << at;
    }
    for (std::uint64_t one = mixed & leads.three & ~leads.four; one != 0; one &= one - 1) {
      const int at = __builtin_ctzll(one);
      found |= contains_three(cells_, block + at) << at;
    }
    for (std::uint64_t one = mixed & leads.four; one != 0; one &= one - 1) {
      const int at = __builtin_ctzll(one);
      found |= std::uint64_t{belongs_(decode(block + at, end_).value)} << at;
    }
    const std::uint64_t three = found & leads.three, four = found & leads.four;
    const std::uint64_t bits = ascii | begun_ | found | found << 1 | three << 2 | four << 3;
    begun_ = found >> 63 | three >> 62 | four >> 61;
    return bits;
  }

 private:
  const AsciiSet& set_;
  const Cells& cells_;
  const Byte *text_, *end_;
  Belongs belongs_;
  std::uint64_t begun_ = 0;  // bytes of a member that began in the last 64
};

// Whether a run has at least so many characters.
inline bool has_characters(const Byte* begin, const Byte* end, std::int64_t least) {
  if (end - begin > 4 * (least - 1)) return true;  // none has more than four bytes
  for (; least > 1 && begin < end; --least) begin += 1 + (*begin >= 0xC0) + (*begin >= 0xE0) + (*begin >= 0xF0);
  return begin < end;
}

}  // namespace
}  // namespace sardonyx
