// MurmurHash3_x86_32 with seed 0 (A. Appleby), with which scikit-learn's hashing vectorizers choose columns.
#pragma once

#include <cstdint>

namespace sardonyx {
namespace {

// The next four bytes. Word is a number of 32 bits, or a vector of them; vectors are not handed over by value.
template <class Word>
inline void murmur3_mix(Word& h, const Word& word) {
  Word k = word * 0xcc9e2d51u;
  k = (k << 15 | k >> 17) * 0x1b873593u;
  h ^= k;
  h = (h << 13 | h >> 19) * 5u + 0xe6546b64u;
}

// What is left of four bytes, and the size of all.
template <class Word>
inline void murmur3_finish(Word& h, const Word& tail, const Word& size) {
  Word k = tail * 0xcc9e2d51u;
  k = (k << 15 | k >> 17) * 0x1b873593u;
  h ^= k;
  h ^= size;
  h ^= h >> 16;
  h *= 0x85ebca6bu;
  h ^= h >> 13;
  h *= 0xc2b2ae35u;
  h ^= h >> 16;
}

[[maybe_unused]] inline std::int32_t murmur3(const unsigned char* p, std::int64_t size) {
  std::uint32_t h = 0;
  std::int64_t i = 0;
  for (; i + 4 <= size; i += 4) {
    const std::uint32_t k =
        p[i] | std::uint32_t{p[i + 1]} << 8 | std::uint32_t{p[i + 2]} << 16 | std::uint32_t{p[i + 3]} << 24;
    murmur3_mix(h, k);
  }
  std::uint32_t tail = 0;
  for (std::int64_t k = size - 1; k >= i; --k) tail = tail << 8 | p[k];
  murmur3_finish(h, tail, static_cast<std::uint32_t>(size));
  return static_cast<std::int32_t>(h);
}

}  // namespace
}  // namespace sardonyx
