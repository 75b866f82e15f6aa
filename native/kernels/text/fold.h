// Text as Python's str sees it: code points, lower case, accents. The rules come with the step, as tables over all code
// points (src/sardonyx/text/code_points.py); nothing here knows Unicode but UTF-8 and the final sigma.
//
//   pages  2 x 4352   the page of each 256 code points, in `fold` and in `kinds`
//   fold              what to add to a code point; from kSequence on: offset << 5 | length of a sequence further behind
//   kinds             6 bits: its class for the automaton of tokens; 2 bits: cased, ignorable, or neither
//
// Bytes that are no UTF-8 become U+FFFD and are never read beyond.
#pragma once

#include <stdlib.h>

#include "kernels/text/cells.h"
#include "sardonyx/utf8.h"

namespace sardonyx {
namespace {

constexpr std::int64_t kPages = 0x1100;
constexpr std::int32_t kSequence = 1 << 22;
constexpr std::int64_t kLongest = 31;    // code points of a sequence
constexpr std::uint32_t kSigma = 0x3A3;  // small: + 0x20, final: + 0x1F
constexpr int kClassBits = 6;
constexpr std::int64_t kPadding = 16;  // bytes behind a term that may be read
constexpr std::int64_t kBlock = 64;    // bytes behind a folded text that may be read

// Memory for the text of one row: a part of the step's scratch or, for long texts, of the heap.
template <class T>
class Growing {
 public:
  Growing(void* memory, std::int64_t bytes)
      : data_(static_cast<T*>(memory)), capacity_(bytes / std::int64_t{sizeof(T)}) {}
  ~Growing() {
    if (owned_) free(data_);
  }
  Growing(const Growing&) = delete;
  Growing& operator=(const Growing&) = delete;

  // Makes room for `more` elements behind those that are there.
  void reserve(std::int64_t more) {
    if (size_ + more > capacity_) grow(size_ + more);
  }
  void push(T value) {
    if (size_ == capacity_) grow(size_ + 1);
    data_[size_++] = value;
  }
  void clear() { size_ = 0; }
  void resize(std::int64_t size) { size_ = size; }  // within what was reserved
  T* data() { return data_; }
  const T* data() const { return data_; }
  std::int64_t size() const { return size_; }
  T operator[](std::int64_t i) const { return data_[i]; }

 private:
  void grow(std::int64_t least) {
    const std::int64_t capacity = least > 2 * capacity_ ? least : 2 * capacity_;
    auto* data = static_cast<T*>(malloc(static_cast<std::size_t>(capacity) * sizeof(T)));
    if (data == nullptr) fail("no memory for a text of %lld characters", static_cast<long long>(least));
    if (size_ > 0) __builtin_memcpy(data, data_, static_cast<std::size_t>(size_) * sizeof(T));
    if (owned_) free(data_);
    data_ = data;
    capacity_ = capacity;
    owned_ = true;
  }

  T* data_;
  std::int64_t size_ = 0, capacity_;
  bool owned_ = false;
};

using Bytes = Growing<Byte>;

struct CodePoint {
  std::uint32_t value;  // below 0x110000
  std::int32_t size;    // bytes
};

inline bool continues(Byte b) { return (b & 0xC0u) == 0x80u; }

// The code point at p < end. Lone surrogates are read as Python writes them.
inline CodePoint decode(const Byte* p, const Byte* end) {
  const Byte lead = *p;
  if (lead < 0x80) return {lead, 1};
  const auto bits = [p](int i) { return static_cast<std::uint32_t>(p[i] & 0x3Fu); };
  if (lead >= 0xC0 && lead < 0xE0 && end - p >= 2) return {(lead & 0x1Fu) << 6 | bits(1), 2};
  if (lead >= 0xE0 && lead < 0xF0 && end - p >= 3) return {(lead & 0xFu) << 12 | bits(1) << 6 | bits(2), 3};
  if (lead < 0xF0 || end - p < 4) return {0xFFFD, 1};
  const std::uint32_t value = (lead & 7u) << 18 | bits(1) << 12 | bits(2) << 6 | bits(3);
  return {value < 0x110000 ? value : 0xFFFD, 4};
}

// The code point that ends before p > begin.
inline CodePoint decode_before(const Byte* p, const Byte* begin) {
  const Byte* at = p - 1;
  while (at > begin && continues(*at) && p - at < 4) --at;
  return decode(at, p);
}

inline Byte* encode(std::uint32_t c, Byte* to) { return encode_code_point(c & 0x1FFFFF, to); }

[[maybe_unused]] inline bool is_ascii(const Byte* text, std::int64_t size) {
  Byte seen = 0;  // wider numbers would be wider vectors
  for (std::int64_t i = 0; i < size; ++i) seen = static_cast<Byte>(seen | text[i]);
  return seen < 0x80;
}

// The tables of a step, as they stand in its constants.
struct FoldRules {
  const std::int32_t *fold_pages, *kind_pages, *fold;
  const Byte* kinds;
  bool lowercase;  // a sigma is lowered by its context
  bool lowers_ascii;
  Cells changed;  // by `fold`; empty until prepare_fold()

  std::int32_t fold_of(std::uint32_t c) const {
    return fold[fold_pages[c >> 8] * 256 + static_cast<std::int32_t>(c & 255)];
  }
  Byte kind_of(std::uint32_t c) const { return kinds[kind_pages[c >> 8] * 256 + static_cast<std::int32_t>(c & 255)]; }
  std::uint32_t class_of(std::uint32_t c) const { return kind_of(c) & ((1u << kClassBits) - 1); }
  bool is_cased(std::uint32_t c) const { return kind_of(c) >> kClassBits == 1; }
  bool is_ignorable(std::uint32_t c) const { return kind_of(c) >> kClassBits == 2; }
};

[[maybe_unused]] inline FoldRules fold_rules(const Tensor& pages, const Tensor& fold, const Tensor& kinds, bool lower) {
  const auto* index = data_of<std::int32_t>(pages);
  FoldRules rules{index, index + kPages, data_of<std::int32_t>(fold), data_of<Byte>(kinds), lower, false, {}};
  rules.lowers_ascii = rules.fold_of('A') != 0;
  return rules;
}

[[maybe_unused]] inline void prepare_fold(FoldRules& rules) {
  rules.changed = cells_where([&](std::uint32_t c) { return rules.fold_of(c) != 0; });
}

[[maybe_unused]] inline void check_fold_rules(const Tensor& pages, const Tensor& fold, const Tensor& kinds,
                                              std::int64_t classes, const char* name) {
  require(pages.constant && fold.constant && kinds.constant, name, "the tables of code points are constants");
  require(pages.dtype == DType::i32 && fold.dtype == DType::i32 && kinds.dtype == DType::u8, name,
          "the tables of code points are int32, int32 and uint8");
  require(pages.width == 2 * kPages, name, "the tables of code points have two times 4352 pages");
  const auto* index = data_of<std::int32_t>(pages);
  for (std::int64_t i = 0; i < 2 * kPages; ++i) {
    const std::int64_t room = (i < kPages ? fold.width : kinds.width) / 256;
    require(in_range(index[i], 0, room - 1), name, "a page of code points is out of range");
  }
  const auto* entry = data_of<std::int32_t>(fold);
  for (std::int64_t i = 0; i < fold.width; ++i) {
    if (entry[i] < kSequence) continue;
    const std::int64_t place = entry[i] - kSequence;
    require((place >> 5) + (place & kLongest) <= fold.width, name, "a sequence of code points is out of range");
  }
  const FoldRules rules = fold_rules(pages, fold, kinds, false);
  for (std::uint32_t c = 0; c < 128; ++c) {
    const bool lowered = rules.lowers_ascii && c >= 'A' && c <= 'Z';
    require(rules.fold_of(c) == (lowered ? 32 : 0), name, "ASCII is lowered, or stays as it is");
  }
  for (std::int64_t i = 0; i < kinds.width; ++i) {
    require((data_of<Byte>(kinds)[i] & 63) < classes, name, "a class of characters is out of range");
  }
}

// Unicode's Final_Sigma, as str.lower() reads it: behind a cased character, and before none.
[[maybe_unused]] inline bool is_final_sigma(const FoldRules& rules, const Byte* begin, const Byte* at,
                                            const Byte* end) {
  bool cased = false;
  for (const Byte* p = at; p > begin && !cased;) {
    const CodePoint c = decode_before(p, begin);
    if (!rules.is_ignorable(c.value)) {
      if (!rules.is_cased(c.value)) return false;
      cased = true;
    }
    p -= c.size;
  }
  if (!cased) return false;
  for (const Byte* p = at + 2; p < end;) {
    const CodePoint c = decode(p, end);
    if (!rules.is_ignorable(c.value)) return !rules.is_cased(c.value);
    p += c.size;
  }
  return true;
}

[[maybe_unused]] inline Byte* fold_one(const FoldRules& rules, const Byte* begin, const Byte* at, const Byte* end,
                                       std::uint32_t c, Byte* to) {
  const std::int32_t entry = rules.fold_of(c);
  if (entry < kSequence) {
    const bool final = c == kSigma && rules.lowercase && entry == 32 && is_final_sigma(rules, begin, at, end);
    return encode(c + static_cast<std::uint32_t>(entry) - (final ? 1 : 0), to);
  }
  const std::int32_t place = entry - kSequence;
  const std::int32_t* sequence = rules.fold + (place >> 5);
  for (std::int32_t i = 0; i < (place & kLongest); ++i) to = encode(static_cast<std::uint32_t>(sequence[i]), to);
  return to;
}

// In bytes throughout, as above.
inline Byte lowered(Byte c, Byte step) {
  const auto letter = static_cast<Byte>(c - 'A');
  return static_cast<Byte>(c + (letter < 26 ? step : Byte{0}));
}

// Sixteen bytes at a time, of which those behind the last one do not count.
inline Byte* lower_run(const Byte* from, const Byte* end, Byte step, Byte* to) {
  std::int64_t i = 0;
  do {
    Byte sixteen[kPadding];
    __builtin_memcpy(sixteen, from + i, kPadding);
    for (Byte& c : sixteen) c = lowered(c, step);
    __builtin_memcpy(to + i, sixteen, kPadding);
    i += kPadding;
  } while (i < end - from);
  return to + (end - from);
}

// Bytes of a code point.
inline std::int32_t shortest(std::uint32_t c) { return 1 + (c >= 0x80) + (c >= 0x800) + (c >= 0x10000); }

// Whether the character at p becomes another one, or is not in its shortest form.
inline bool is_changed(const FoldRules& rules, const Byte* p, const Byte* end) {
  if (*p > 0xE0 ? *p < 0xF0 : *p > 0xC1 && *p < 0xE0) return contains(rules.changed, p);
  const CodePoint c = decode(p, end);
  return rules.fold_of(c.value) != 0 || c.size != shortest(c.value);
}

// Which of 64 bytes begin a character beyond ASCII that is.
inline std::uint64_t changed_of_64(const FoldRules& rules, const Byte* block, const Byte* end) {
  const CellBits cells = cells_of_64(rules.changed, block);
  const std::uint64_t own = lowest_bits(end - block);
  std::uint64_t bits = cells.all & own;
  for (std::uint64_t one = cells.mixed & own; one != 0; one &= one - 1) {
    const int at = __builtin_ctzll(one);
    bits |= std::uint64_t{is_changed(rules, block + at, end)} << at;
  }
  return bits;
}

// The rest, from `first` on, of a text that is not all ASCII, with 64 bytes behind it that may be read. Characters that
// may become others are picked out by their bits, so that there is no branch on which they are. Of what is no UTF-8 all
// are.
inline void fold_beyond_ascii(const FoldRules& rules, const Byte* text, std::int64_t size, std::int64_t first,
                              Byte step, Bytes& out) {
  const Byte *from = text + first, *end = text + size;
  const bool legal = is_continued_rightly(text, size);
  for (std::int64_t base = first; base < size; base += 64) {
    const Byte *block = text + base, *stop = size - base < 64 ? end : block + 64;
    std::uint64_t bits =
        legal ? changed_of_64(rules, block, end) : beyond_ascii_of_64(block) & lowest_bits(end - block);
    if (from > block) bits &= ~lowest_bits(from - block);
    out.reserve(stop - block + std::int64_t{__builtin_popcountll(bits)} * 4 * (kLongest + 1) + kBlock);
    Byte* to = out.data() + out.size();
    while (bits != 0) {
      const Byte* at = block + __builtin_ctzll(bits);
      const CodePoint c = decode(at, end);
      to = lower_run(from, at, step, to);
      to = fold_one(rules, text, at, end, c.value, to);
      from = at + c.size;
      bits &= ~lowest_bits(from - block);
    }
    if (from < stop) {
      to = lower_run(from, stop, step, to);
      from = stop;
    }
    out.resize(to - out.data());
  }
}

// Lowers the ASCII of a text into `out`; returns whether there is nothing else.
inline bool lower_ascii(const Byte* text, std::int64_t size, Byte step, Bytes& out) {
  out.clear();
  out.reserve(size + kBlock);
  Byte seen = 0, *__restrict to = out.data();
  for (std::int64_t i = 0; i < size; ++i) {
    seen = static_cast<Byte>(seen | text[i]);
    to[i] = lowered(text[i], step);
  }
  out.resize(size);
  return seen < 0x80;
}

// Folds characters in place, in a text whose ASCII is lowered already, as long as none changes its length. Returns the
// place of the first one that does, or `size`; 0 if the text is no UTF-8.
inline std::int64_t fold_in_place(const FoldRules& rules, const Byte* text, std::int64_t size, Byte* out) {
  std::uint64_t begun = 0;
  for (std::int64_t base = 0; base < size; base += 64) {
    if (!are_continued_rightly(out + base, size - base, begun)) return 0;
    for (std::uint64_t bits = changed_of_64(rules, out + base, out + size); bits != 0; bits &= bits - 1) {
      const std::int64_t at = base + __builtin_ctzll(bits);
      const CodePoint c = decode(text + at, text + size);
      const std::int32_t entry = rules.fold_of(c.value);
      if (entry >= kSequence || shortest(c.value + static_cast<std::uint32_t>(entry)) != c.size) return at;
      fold_one(rules, text, text + at, text + size, c.value, out + at);
    }
  }
  return begun == 0 ? size : 0;
}

// Folds a text into `out`; returns whether the result is ASCII. `copy` is memory for a copy of the text.
[[maybe_unused]] inline bool fold_text(const FoldRules& rules, const Byte* text, std::int64_t size, Bytes& copy,
                                       Bytes& out) {
  const Byte step = rules.lowers_ascii ? 32 : 0;
  if (lower_ascii(text, size, step, out)) return true;
  const std::int64_t folded = fold_in_place(rules, text, size, out.data());
  if (folded == size) return false;
  copy.clear();
  copy.reserve(size + kBlock);
  __builtin_memcpy(copy.data(), text, static_cast<std::size_t>(size));
  out.resize(folded);
  fold_beyond_ascii(rules, copy.data(), size, folded, step, out);
  return is_ascii(out.data(), out.size());
}

}  // namespace
}  // namespace sardonyx
