// MurmurHash3_x86_32 with seed 0 (A. Appleby), with which scikit-learn's hashing vectorizers choose columns.
#pragma once

#include <cstdint>

namespace sardonyx {
namespace {

[[maybe_unused]] inline std::int32_t murmur3(const unsigned char* p, std::int64_t size) {
  const auto rotated = [](std::uint32_t x, int by) { return x << by | x >> (32 - by); };
  const auto scrambled = [&](std::uint32_t k) { return rotated(k * 0xcc9e2d51u, 15) * 0x1b873593u; };
  std::uint32_t h = 0;
  std::int64_t i = 0;
  for (; i + 4 <= size; i += 4) {
    const std::uint32_t k =
        p[i] | std::uint32_t{p[i + 1]} << 8 | std::uint32_t{p[i + 2]} << 16 | std::uint32_t{p[i + 3]} << 24;
    h = rotated(h ^ scrambled(k), 13) * 5 + 0xe6546b64u;
  }
  std::uint32_t tail = 0;
  for (std::int64_t k = size - 1; k >= i; --k) tail = tail << 8 | p[k];
  h ^= scrambled(tail);
  h ^= static_cast<std::uint32_t>(size);
  h ^= h >> 16;
  h *= 0x85ebca6bu;
  h ^= h >> 13;
  h *= 0xc2b2ae35u;
  h ^= h >> 16;
  return static_cast<std::int32_t>(h);
}

}  // namespace
}  // namespace sardonyx
