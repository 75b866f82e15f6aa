// Looking values up among constant keys, with a hash table of key numbers: open addressing, at most half full.
//
//   slots   [ -1 | 3 | -1 | 0 | 7 | ... ]      slot = hash & mask, then the next one
//
// Numbers are equal as numbers, except that NaN equals NaN; text is equal byte by byte. Of equal keys the first counts.
// Text is looked up by its brief: its length, and its first and last bytes, up to sixteen, as two words. There is no
// branch on the length of a short text, which nobody can predict.
#pragma once

#include <stdlib.h>

#include "kernels/check.h"
#include "kernels/text/compare.h"
#include "kernels/text/folded.h"

namespace sardonyx {
namespace {

constexpr std::int64_t kMostKeys = std::int64_t{1} << 28;

struct Brief {
  std::uint64_t first, last;
  std::int64_t size;
  bool operator==(const Brief& other) const {
    return ((first ^ other.first) | (last ^ other.last) | static_cast<std::uint64_t>(size ^ other.size)) == 0;
  }
};

struct Table {
  std::uint64_t mask, seed;
  std::int32_t* slots;
  Brief* briefs;  // of the keys, where they are texts
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

constexpr std::int64_t kBrief = 16;

// Sixteen bytes from `at` on, of which `size` count, and the others are made zero. What lies beyond the text may be
// read as long as it is on the same page of memory, where it cannot fault; sanitizers would say that it is not ours.
__attribute__((no_sanitize("address"))) inline void load_short(const char* at, std::int64_t size, Brief* to) {
  constexpr std::uintptr_t kPage = 4096;
  const auto shown = [](std::int64_t bytes) {
    return bytes <= 0 ? 0 : bytes >= 8 ? ~std::uint64_t{0} : ~(~std::uint64_t{0} << (8 * bytes));
  };
  if ((reinterpret_cast<std::uintptr_t>(at) & (kPage - 1)) <= kPage - kBrief) {
    std::uint64_t words[2];
    __builtin_memcpy(words, at, kBrief);  // not bytes_at(), which sanitizers watch
    to->first = words[0] & shown(size);
    to->last = words[1] & shown(size - 8);
    return;
  }
  char bytes[kBrief] = {};
  for (std::int64_t i = 0; i < size; ++i) bytes[i] = at[i];
  to->first = bytes_at<std::uint64_t>(bytes);
  to->last = bytes_at<std::uint64_t>(bytes + 8);
}

inline Brief brief_of(const Text& text) {
  Brief brief{0, 0, text.size};
  if (text.size > kBrief) {
    brief.first = bytes_at<std::uint64_t>(text.data);
    brief.last = bytes_at<std::uint64_t>(text.data + text.size - 8);
  } else if (text.size > 0) {
    load_short(text.data, text.size, &brief);
  }
  return brief;
}

inline std::uint64_t hash_of(const Brief& brief, const Text& text, std::uint64_t seed) {
  std::uint64_t hash = folded(brief.first ^ seed ^ 0xa0761d6478bd642fu,
                              (brief.last + static_cast<std::uint64_t>(brief.size)) ^ 0xe7037ed1a0b428dbu);
  for (std::int64_t i = 8; i + 8 < text.size && text.size > kBrief; i += 8)
    hash = folded(hash ^ bytes_at<std::uint64_t>(text.data + i), 0x8ebc6af09c88c6e3u);
  return hash;
}

template <class T>
inline bool same(const T& a, const T& b) {
  return a == b || (a != a && b != b);
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
  std::uint64_t slot;
  if constexpr (std::is_same_v<T, Text>) {
    const Brief brief = brief_of(x);
    slot = hash_of(brief, x, table.seed) & table.mask;
    for (; table.slots[slot] >= 0; slot = (slot + 1) & table.mask) {
      const std::int32_t key = table.slots[slot];
      if (table.briefs[key] == brief && (x.size <= kBrief || same_text(keys[key], x))) break;
    }
  } else {
    slot = hash_of(x) & table.mask;
    for (; table.slots[slot] >= 0; slot = (slot + 1) & table.mask) {
      if (same(keys[table.slots[slot]], x)) break;
    }
  }
  *at = slot;
  return table.slots[slot];
}

constexpr std::int64_t kFewKeys = 256;  // for which a table is made without keys that want the same slot, if it can be
constexpr std::uint64_t kSeeds = 16;

// Fills the slots; returns how many keys are not where they want to be.
template <class T>
inline std::int64_t fill(Table& table, const T* keys, std::int64_t count) {
  std::int64_t displaced = 0;
  for (std::uint64_t i = 0; i <= table.mask; ++i) table.slots[i] = -1;
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint64_t at = 0;
    if (find(table, keys, keys[i], &at) >= 0) continue;
    table.slots[at] = static_cast<std::int32_t>(i);
    if constexpr (std::is_same_v<T, Text>)
      displaced += at != (hash_of(table.briefs[i], keys[i], table.seed) & table.mask);
  }
  return displaced;
}

// Builds the table of a constant's elements, once, in prepare(); release_table() frees it.
[[maybe_unused]] inline void* table_of(const Tensor& keys_tensor, const char* kernel) {
  const std::int64_t count = keys_tensor.width;
  const bool text = keys_tensor.dtype == DType::text, few = text && count <= kFewKeys;
  std::uint64_t size = 4;
  while (size < (few ? 8 : 2) * static_cast<std::uint64_t>(count)) size *= 2;
  const std::size_t briefs = text ? static_cast<std::size_t>(count) * sizeof(Brief) : 0;
  auto* table = static_cast<Table*>(malloc(sizeof(Table) + briefs + size * sizeof(std::int32_t)));
  if (table == nullptr) fail("%s: no memory for %lld keys", kernel, static_cast<long long>(count));
  *table = {size - 1, 0, reinterpret_cast<std::int32_t*>(reinterpret_cast<char*>(table + 1) + briefs),
            reinterpret_cast<Brief*>(table + 1)};
  with_key(keys_tensor.dtype, [&]<class T>(Type<T>) {
    const T* keys = data_of<T>(keys_tensor);
    if constexpr (std::is_same_v<T, Text>) {
      for (std::int64_t i = 0; i < count; ++i) table->briefs[i] = brief_of(keys[i]);
    }
    while (fill(*table, keys, count) > 0 && few && table->seed < kSeeds) ++table->seed;
  });
  return table;
}

[[maybe_unused]] inline void release_table(void* state) { free(state); }

}  // namespace
}  // namespace sardonyx
