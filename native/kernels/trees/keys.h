// Rows become the keys that nodes ask for (layout.h says what keys are), by columns of eight rows, or of a row alone:
//
//   eight rows    feature 0: r0 r1 .. r7 | feature 1: r0 r1 .. r7 | ...
//   a row alone   feature 0: r0 | feature 1: r0 | ...                      a key every 8 bytes
#pragma once

#include "kernels/trees/layout.h"

namespace sardonyx {
namespace {

typedef float EightFloats __attribute__((vector_size(32)));
typedef std::int32_t EightBits __attribute__((vector_size(32)));

// Rows become columns: of eight numbers of each of eight rows.
inline void transpose(EightFloats (&v)[kLanes8]) {
  EightFloats pairs[kLanes8], fours[kLanes8];
  for (int i = 0; i < kLanes8; i += 2) {
    pairs[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    pairs[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (int i = 0; i < kLanes8; i += 4) {
    for (int k = 0; k < 2; ++k) {
      fours[i + 2 * k] = __builtin_shufflevector(pairs[i + k], pairs[i + k + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      fours[i + 2 * k + 1] = __builtin_shufflevector(pairs[i + k], pairs[i + k + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
  for (int k = 0; k < 4; ++k) {
    v[k] = __builtin_shufflevector(fours[k], fours[k + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    v[k + 4] = __builtin_shufflevector(fours[k], fours[k + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

// key_of() of eight numbers, of eight neighbouring columns; adds to `nan` where there is one.
inline void fill_columns(const float* const* from, std::int64_t column, const std::int32_t* used, std::uint32_t* keys,
                         EightBits& nan) {
  EightFloats x[kLanes8];
  for (int l = 0; l < kLanes8; ++l) memcpy(&x[l], from[l] + column, sizeof x[l]);
  transpose(x);
  for (int c = 0; c < kLanes8; ++c) {
    const EightFloats number = x[c] + 0.0f;
    const EightBits bits = (EightBits)number, unequal = number != number;
    const EightBits key = bits ^ ((bits >> 31) | static_cast<std::int32_t>(kSign<std::uint32_t>));
    const auto missing = static_cast<std::int32_t>(nan_of<std::uint32_t>(used[c]));
    const EightBits chosen = (key & ~unequal) | (missing & unequal);
    memcpy(keys + c * kLanes8, &chosen, sizeof chosen);
    nan |= unequal;
  }
}

inline bool any_of(const EightBits& bits) {
  std::uint64_t words[4];
  memcpy(words, &bits, sizeof words);
  return (words[0] | words[1] | words[2] | words[3]) != 0;
}

// Whether the next eight features are eight neighbouring columns.
inline bool are_neighbours(const std::int32_t* used) {
  for (int c = 1; c < kLanes8; ++c) {
    if (column_of(used[c]) != column_of(used[0]) + c) return false;
  }
  return true;
}

// The keys of up to eight rows at the first `places` places; those beyond `rows` go with the first. Returns whether
// there is NaN.
template <class Key, class X>
__attribute__((noinline)) bool fill_group(const Forest& forest, const X* x, int rows, std::int64_t places, Key* keys) {
  using Number = std::conditional_t<sizeof(Key) == 4, float, double>;
  const X* from[kLanes8];
  for (int l = 0; l < kLanes8; ++l) from[l] = x + (l < rows ? l : 0) * forest.n_features;
  EightBits nan{};
  std::int64_t u = 0;
  if constexpr (sizeof(Key) == 4) {
    for (; u + kLanes8 <= places && are_neighbours(forest.used + u); u += kLanes8, keys += kLanes8 * kLanes8)
      fill_columns(from, column_of(forest.used[u]), forest.used + u, keys, nan);
  }
  bool unequal = any_of(nan);
  for (; u < places; ++u, keys += kLanes8) {
    const std::int64_t column = column_of(forest.used[u]);
    const Key missing = nan_of<Key>(forest.used[u]);
    Number numbers[kLanes8];
    for (int l = 0; l < kLanes8; ++l) numbers[l] = static_cast<Number>(from[l][column]);
    for (int l = 0; l < kLanes8; ++l) keys[l] = key_of(numbers[l], missing);
    for (int l = 0; l < kLanes8; ++l) unequal |= numbers[l] != numbers[l];
  }
  return unequal;
}

// The keys of all rows of a block, in groups.
template <class Key>
struct Groups {
  const Key* keys;
  std::int64_t count, size;  // of the groups, and of the keys of each

  inline const Key* of(std::int64_t row) const { return keys + row / kLanes8 * size + row % kLanes8; }
};

template <class Key, class X>
inline bool fill_groups(const Forest& forest, const X* x, std::int64_t rows, std::int64_t places, Key* keys) {
  bool nan = false;
  for (std::int64_t r = 0; r < rows; r += kLanes8, keys += places * kLanes8) {
    const int count = static_cast<int>(rows - r < kLanes8 ? rows - r : kLanes8);
    nan |= fill_group(forest, x + r * forest.n_features, count, places, keys);
  }
  return nan;
}

template <class Key>
inline std::size_t keys_bytes(std::int64_t places, std::int64_t rows) {
  return static_cast<std::size_t>((rows + kLanes8 - 1) / kLanes8 * kLanes8 * places) * sizeof(Key);
}

// ---- a row alone ----------------------------------------------------------------------------------------------------

// The keys of a row at the first `places` places. Returns whether there is NaN.
template <class Key, class X>
__attribute__((noinline)) bool fill_row(const Forest& forest, const X* x, std::int64_t places, Key* keys) {
  constexpr std::int64_t kStride = 8 / static_cast<std::int64_t>(sizeof(Key));
  bool nan = false;
  for (std::int64_t u = 0; u < places; ++u) {
    const auto number = static_cast<std::conditional_t<sizeof(Key) == 4, float, double>>(x[column_of(forest.used[u])]);
    keys[u * kStride] = key_of(number, nan_of<Key>(forest.used[u]));
    nan |= number != number;
  }
  return nan;
}

}  // namespace
}  // namespace sardonyx
