// The entries of a row from the columns of its terms, which come in any order and again and again: one entry a column,
// ascending.
//
//   keys        7 3 7 900 3         column << 1 | sign
//   bits        0001 0001 ...       a bit a column, 64 a word: reading them from left to right is sorting
//   top         1 ... 1             a bit a word, so that empty words are not read
//   ranks       0 ... 2             entries before each word; with the bits below its own, the place of a column
//
// So keys are never compared. Where there are few keys or very many columns they are sorted; where there are few
// columns, each has a counter.
#pragma once

#include "kernels/sparse/rows.h"
#include "kernels/text/fold.h"

namespace sardonyx {
namespace {

// Columns of a document's terms: column << 1 | sign.
using Keys = Growing<std::uint32_t>;

// ---- sorting --------------------------------------------------------------------------------------------------------

inline void insertion_sort(std::uint32_t* keys, std::int64_t count) {
  for (std::int64_t i = 1; i < count; ++i) {
    const std::uint32_t key = keys[i];
    std::int64_t k = i;
    for (; k > 0 && keys[k - 1] > key; --k) keys[k] = keys[k - 1];
    keys[k] = key;
  }
}

constexpr int kMostBits = 9;  // of a digit

// Bits of a digit: keys are read and written once a digit, and there is a counter for each of its values.
inline int bits_of_digit(std::int64_t count, int span) {
  int best = 1;
  std::int64_t least = std::int64_t{1} << 62;
  for (int digits = 1; digits <= span; ++digits) {
    const int bits = (span + digits - 1) / digits;
    const std::int64_t cost = digits * (3 * count + (std::int64_t{3} << bits >> 1));
    if (bits <= kMostBits && cost < least) {
      least = cost;
      best = bits;
    }
  }
  return best;
}

// Radix sort by the bits in which keys differ, from the lowest on, in equal digits.
inline void radix_sort(std::uint32_t* keys, std::int64_t count, std::uint32_t* other) {
  std::uint32_t *from = keys, *to = other, differ = 0;
  for (std::int64_t i = 1; i < count; ++i) differ |= keys[i] ^ keys[0];
  if (differ == 0) return;
  const int first = __builtin_ctz(differ), span = 32 - __builtin_clz(differ) - first;
  const int bits = bits_of_digit(count, span);
  const std::uint32_t mask = (1u << bits) - 1;
  for (int shift = first; shift < first + span; shift += bits) {
    std::uint32_t starts[1 << kMostBits];
    for (std::uint32_t i = 0; i <= mask; ++i) starts[i] = 0;
    for (std::int64_t i = 0; i < count; ++i) ++starts[from[i] >> shift & mask];
    std::uint32_t at = 0;
    for (std::uint32_t i = 0; i <= mask; ++i) {
      const std::uint32_t here = starts[i];
      starts[i] = at;
      at += here;
    }
    for (std::int64_t i = 0; i < count; ++i) to[starts[from[i] >> shift & mask]++] = from[i];
    std::uint32_t* swap = from;
    from = to;
    to = swap;
  }
  if (from != keys) __builtin_memcpy(keys, from, static_cast<std::size_t>(count) * sizeof *keys);
}

inline void sort_keys(Keys& keys, Keys& other) {
  if (keys.size() <= 32) return insertion_sort(keys.data(), keys.size());
  other.clear();
  other.reserve(keys.size());
  radix_sort(keys.data(), keys.size(), other.data());
}

// One entry for each column that is met; signs may make its count zero, which scikit-learn stores too. Nobody can
// predict which columns are met again, so there is no branch on it.
template <class T>
void write_sorted(const Keys& keys, bool once, SparseWriter<T>& y) {
  y.reserve(keys.size());
  std::uint32_t last = ~std::uint32_t{0};
  std::int64_t value = 0;
  for (std::int64_t i = 0; i < keys.size(); ++i) {
    const std::uint32_t column = keys[i] >> 1;
    const std::int64_t again = column == last;
    const std::int64_t sign = 1 - 2 * static_cast<std::int64_t>(keys[i] & 1);
    value = (value & -again) + sign;  // compilers make a branch of a condition
    y.put_or_replace(1 - again, static_cast<std::int32_t>(column), once ? T(1) : static_cast<T>(value));
    last = column;
  }
  y.end_row();
}

// ---- without sorting ------------------------------------------------------------------------------------------------

constexpr std::int64_t kMostCounters = 4096;                  // columns, each with a counter
constexpr std::int64_t kMostTallied = std::int64_t{1} << 22;  // columns, each with a bit
constexpr std::int64_t kFewKeys = 24;
constexpr std::int64_t kMostExact = std::int64_t{1} << 24;  // a float32 counts so far

inline std::int64_t words_of(std::int64_t columns) { return (columns + 63) / 64; }

// Bytes of scratch that a Tally works in.
inline std::size_t bytes_of_tally(std::int64_t columns) {
  if (columns > kMostTallied) return 0;
  const auto words = static_cast<std::size_t>(words_of(columns)), tops = (words + 63) / 64;
  return (words + tops + (words + 1) / 2) * sizeof(std::uint64_t) +
         (columns > kMostCounters ? 0 : static_cast<std::size_t>(columns) * sizeof(std::int64_t));
}

class Tally {
 public:
  Tally(std::int64_t columns, void* scratch)
      : columns_(columns),
        tops_((words_of(columns) + 63) / 64),
        bits_(static_cast<std::uint64_t*>(scratch)),
        top_(bits_ + words_of(columns)),
        ranks_(reinterpret_cast<std::uint32_t*>(top_ + tops_)),
        counters_(reinterpret_cast<std::int64_t*>(top_ + tops_ + (words_of(columns) + 1) / 2)) {}

  // Writes a row. `other` is memory to sort in.
  template <class T>
  void write(Keys& keys, Keys& other, bool once, SparseWriter<T>& y) {
    const std::int64_t count = keys.size();
    if (columns_ <= kMostCounters && columns_ <= 2 * count) return write_counted(keys, once, y);
    const bool exact = count < kMostExact || sizeof(T) > 4;  // sums of signs
    if (count > kFewKeys && columns_ <= kMostTallied && tops_ <= 8 * count && exact) return write_ranked(keys, once, y);
    sort_keys(keys, other);
    write_sorted(keys, once, y);
  }

 private:
  // A counter holds how often its column was met, above, and the sum of the signs.
  template <class T>
  void write_counted(const Keys& keys, bool once, SparseWriter<T>& y) {
    if (!counts_) zero(counters_, columns_);
    counts_ = true;
    for (std::int64_t i = 0; i < keys.size(); ++i) {
      counters_[keys[i] >> 1] += (std::int64_t{1} << 32) + 1 - 2 * static_cast<std::int64_t>(keys[i] & 1);
    }
    y.reserve(columns_ + 1);
    std::int32_t* indices = y.next_indices();
    T* values = y.next_values();
    std::int64_t n = 0;
    for (std::int64_t column = 0; column < columns_; ++column) {
      const std::int64_t counter = counters_[column];
      indices[n] = static_cast<std::int32_t>(column);
      values[n] = once ? T(1) : static_cast<T>(static_cast<std::int32_t>(counter));
      n += counter != 0 ? 1 : 0;
      counters_[column] = 0;
    }
    y.end_row(n);
  }

  template <class T>
  void write_ranked(const Keys& keys, bool once, SparseWriter<T>& y) {
    if (!ranks_rows_) zero(top_, tops_);
    ranks_rows_ = true;
    const std::int64_t count = keys.size();
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint32_t column = keys[i] >> 1, word = column >> 6;
      std::uint64_t& top = top_[word >> 6];
      const std::uint64_t old = bits_[word] & (0 - (top >> (word & 63) & 1));  // of no row where top has no bit
      bits_[word] = old | std::uint64_t{1} << (column & 63);
      top |= std::uint64_t{1} << (word & 63);
    }
    y.reserve(count);
    std::int32_t* indices = y.next_indices();
    T* values = y.next_values();
    const std::int64_t n = read_bits(indices);
    for (std::int64_t i = 0; i < n; ++i) values[i] = once ? T(1) : T(0);
    if (!once) add_signs(keys, values);
    y.end_row(n);
  }

  // Writes the columns that have a bit, and how many stand before each word of bits.
  std::int64_t read_bits(std::int32_t* indices) {
    std::int64_t n = 0;
    for (std::int64_t t = 0; t < tops_; ++t) {
      for (std::uint64_t words = top_[t]; words != 0; words &= words - 1) {
        const std::int64_t word = t * 64 + __builtin_ctzll(words);
        ranks_[word] = static_cast<std::uint32_t>(n);
        std::uint64_t bits = bits_[word];
        do {
          indices[n++] = static_cast<std::int32_t>(word * 64 + __builtin_ctzll(bits));
          bits &= bits - 1;
        } while (bits != 0);
      }
      top_[t] = 0;
    }
    return n;
  }

  template <class T>
  void add_signs(const Keys& keys, T* values) const {
    for (std::int64_t i = 0; i < keys.size(); ++i) {
      const std::uint32_t column = keys[i] >> 1, word = column >> 6;
      const std::uint64_t before = bits_[word] & ~(~std::uint64_t{0} << (column & 63));
      T& value = values[ranks_[word] + static_cast<std::uint32_t>(__builtin_popcountll(before))];
      value = static_cast<T>(value + static_cast<T>(1 - 2 * static_cast<int>(keys[i] & 1)));
    }
  }

  template <class Word>
  static void zero(Word* words, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) words[i] = 0;
  }

  std::int64_t columns_, tops_;
  std::uint64_t *bits_, *top_;
  std::uint32_t* ranks_;
  std::int64_t* counters_;
  bool counts_ = false, ranks_rows_ = false;  // whether counters_ and top_ are zeroed: they are left so after each row
};

}  // namespace
}  // namespace sardonyx
