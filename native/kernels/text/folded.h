// The multiplication that hashes of text are made of (after Wang Yi, wyhash, 2019).
#pragma once

#include <cstdint>

namespace sardonyx {
namespace {

// Both halves of the product of two words.
inline std::uint64_t folded(std::uint64_t a, std::uint64_t b) {
  __extension__ typedef unsigned __int128 Wide;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace
}  // namespace sardonyx
