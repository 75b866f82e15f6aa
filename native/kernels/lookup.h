// Looking values up among constant keys, with a hash table of key numbers: open addressing, at most half full.
//
//   slots   [ -1 | 3 | -1 | 0 | 7 | ... ]      slot = hash & mask, then the next one
//
// Numbers are equal as numbers, except that NaN equals NaN; text is equal byte by byte. Of equal keys the first counts.
#pragma once

#include <stdlib.h>

#include "check.h"
#include "text.h"

namespace sardonyx {
namespace {

constexpr std::int64_t kMostKeys = std::int64_t{1} << 28;

struct Table {
  std::uint64_t mask;
  std::int32_t* slots;
};

inline std::uint64_t mixed(std::uint64_t x) {
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93u;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93u;
  return x ^ (x >> 32);
}

// Keys that are equal have equal bits here: -0 becomes 0, and every NaN the same one.
template <class T>
inline std::uint64_t hash_of(T x) {
  if constexpr (std::is_floating_point_v<T>) {
    const double key = x != x ? 0.5 : static_cast<double>(x) + 0.0;
    std::uint64_t bits;
    __builtin_memcpy(&bits, &key, sizeof bits);
    return mixed(bits);
  } else {
    return mixed(static_cast<std::uint64_t>(x));
  }
}

template <class T>
inline T bytes_at(const char* at) {
  T value;
  __builtin_memcpy(&value, at, sizeof value);
  return value;
}

// Fewer than eight bytes as a number: loads that overlap, as a copy of unknown size would be a call.
inline std::uint64_t last_bytes(const char* at, std::int64_t size) {
  if (size >= 4) return bytes_at<std::uint32_t>(at) | std::uint64_t{bytes_at<std::uint32_t>(at + size - 4)} << 32;
  if (size <= 0) return 0;
  const auto byte = [at](std::int64_t i) { return static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])); };
  return byte(0) | byte(size / 2) << 8 | byte(size - 1) << 16;
}

inline std::uint64_t hash_of(const Text& text) {
  std::uint64_t hash = static_cast<std::uint64_t>(text.size);
  std::int64_t i = 0;
  for (; i + 8 <= text.size; i += 8) {
    std::uint64_t part;
    __builtin_memcpy(&part, text.data + i, 8);
    hash = mixed(hash ^ part);
  }
  return mixed(hash ^ last_bytes(text.data + i, text.size - i));
}

template <class T>
inline bool same(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, Text>) {
    return same_text(a, b);
  } else {
    return a == b || (a != a && b != b);
  }
}

template <class F>
inline void with_key(DType t, F&& f) {
  if (t == DType::text) {
    f(Type<Text>{});
  } else {
    with_number(t, f);
  }
}

// The number of the key equal to x, or -1; `at` is where it is, or would be.
template <class T>
inline std::int32_t find(const Table& table, const T* keys, const T& x, std::uint64_t* at) {
  std::uint64_t slot = hash_of(x) & table.mask;
  for (; table.slots[slot] >= 0; slot = (slot + 1) & table.mask) {
    if (same(keys[table.slots[slot]], x)) break;
  }
  *at = slot;
  return table.slots[slot];
}

// Builds the table of a constant's elements, once, in prepare(); release_table() frees it.
[[maybe_unused]] inline void* table_of(const Tensor& keys_tensor, const char* kernel) {
  const std::int64_t count = keys_tensor.width;
  std::uint64_t size = 4;
  while (size < 2 * static_cast<std::uint64_t>(count)) size *= 2;
  auto* table = static_cast<Table*>(malloc(sizeof(Table) + size * sizeof(std::int32_t)));
  if (table == nullptr) fail("%s: no memory for %lld keys", kernel, static_cast<long long>(count));
  table->mask = size - 1;
  table->slots = reinterpret_cast<std::int32_t*>(table + 1);
  for (std::uint64_t i = 0; i < size; ++i) table->slots[i] = -1;
  with_key(keys_tensor.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const T* keys = data_of<T>(keys_tensor);
    for (std::int64_t i = 0; i < count; ++i) {
      std::uint64_t at = 0;
      if (find(*table, keys, keys[i], &at) < 0) table->slots[at] = static_cast<std::int32_t>(i);
    }
  });
  return table;
}

[[maybe_unused]] inline void release_table(void* state) { free(state); }

}  // namespace
}  // namespace sardonyx
