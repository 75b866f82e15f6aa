// Comparing Text.
#pragma once

#include "sardonyx/tensor.h"

namespace sardonyx {
namespace {

// Short texts are compared by words that may overlap: a call of memcmp takes longer than that.
template <class Word>
inline bool same_word(const Text& a, const Text& b, std::int64_t at) {
  Word one, other;
  __builtin_memcpy(&one, a.data + at, sizeof one);
  __builtin_memcpy(&other, b.data + at, sizeof other);
  return one == other;
}

[[maybe_unused]] inline bool same_text(const Text& a, const Text& b) {
  if (a.size != b.size) return false;
  if (a.size == 0 || a.data == b.data) return true;
  if (a.size > 16) return __builtin_memcmp(a.data, b.data, static_cast<std::size_t>(a.size)) == 0;
  if (a.size >= 8) return same_word<std::uint64_t>(a, b, 0) && same_word<std::uint64_t>(a, b, a.size - 8);
  if (a.size >= 4) return same_word<std::uint32_t>(a, b, 0) && same_word<std::uint32_t>(a, b, a.size - 4);
  return a.data[0] == b.data[0] && a.data[a.size / 2] == b.data[a.size / 2] && a.data[a.size - 1] == b.data[a.size - 1];
}

}  // namespace
}  // namespace sardonyx
