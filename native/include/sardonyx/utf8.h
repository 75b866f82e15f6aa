// One code point as UTF-8, for kernels and for what makes texts of Python's. Lone surrogates are encoded like any
// other.
//
// In an anonymous namespace: see the rules in sardonyx/kernel.h.
#pragma once

#include <cstdint>

namespace sardonyx {
namespace {

// c is below 2^21; returns the end of its one to four bytes.
template <class Byte>
inline Byte* encode_code_point(std::uint32_t c, Byte* to) {
  const auto put = [&](std::uint32_t byte) { *to++ = static_cast<Byte>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else {
    if (c < 0x10000) {
      put(0xE0 | c >> 12);
    } else {
      put(0xF0 | c >> 18);
      put(0x80 | (c >> 12 & 0x3F));
    }
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
  return to;
}

}  // namespace
}  // namespace sardonyx
