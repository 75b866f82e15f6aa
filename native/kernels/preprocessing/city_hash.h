// CityHash64, version 1 (G. Pike and J. Alakuijala, Google, 2011): the hash that catboost takes of categories.
//
//   bytes   0 ... 16     one mix of the first and the last bytes, which may overlap
//          17 ... 32     four words, two from each end
//          33 ... 64     two chains of four words, from the front and from the back
//          65 ...        the last 64 bytes first, then blocks of 64 through five words of state
#pragma once

#include "kernels/check.h"
#include "kernels/text/compare.h"

namespace sardonyx {
namespace {

struct CityHash {
  using Word = std::uint64_t;
  struct Pair {
    Word first, second;
  };

  static constexpr Word k0 = 0xc3a5c85c97cb3127u, k1 = 0xb492b66fbe98f273u;
  static constexpr Word k2 = 0x9ae16a3b2f90404fu, k3 = 0xc949d7c7509e6557u;

  static Word word(const char* at) {
    Word value;
    __builtin_memcpy(&value, at, sizeof value);
    return value;
  }
  static Word half(const char* at) {
    std::uint32_t value;
    __builtin_memcpy(&value, at, sizeof value);
    return value;
  }
  static Word byte(const char* at) { return static_cast<unsigned char>(*at); }
  static Word turned(Word x, unsigned right) { return x >> right | x << (64 - right); }
  static Word shifted(Word x) { return x ^ x >> 47; }

  static Word joined(Word low, Word high) {
    constexpr Word factor = 0x9ddfea08eb382d69u;
    return shifted((high ^ shifted((low ^ high) * factor)) * factor) * factor;
  }

  static Word short_hash(const char* s, Word size) {
    if (size > 8) {
      const Word last = word(s + size - 8);
      return joined(word(s), turned(last + size, static_cast<unsigned>(size))) ^ last;
    }
    if (size >= 4) return joined(size + (half(s) << 3), half(s + size - 4));
    if (size == 0) return k2;
    const Word front = byte(s) + (byte(s + size / 2) << 8), back = size + (byte(s + size - 1) << 2);
    return shifted(front * k2 ^ back * k3) * k2;
  }

  static Word middle_hash(const char* s, Word size) {
    const Word a = word(s) * k1, b = word(s + 8), c = word(s + size - 8) * k2, d = word(s + size - 16) * k0;
    return joined(turned(a - b, 43) + turned(c, 30) + d, a + turned(b ^ k3, 20) - c + size);
  }

  // Three words of s, the first of them already in `a`, and `last`.
  static Pair chain(const char* s, Word a, Word last) {
    Word b = turned(a + last, 52), c = turned(a, 37);
    a += word(s + 8);
    c += turned(a, 7);
    a += word(s + 16);
    return {a + last, b + turned(a, 31) + c};
  }

  static Word long_hash(const char* s, Word size) {
    const char* end = s + size;
    const Pair v = chain(s, word(s) + (size + word(end - 16)) * k0, word(s + 24));
    const Pair w = chain(end - 32, word(s + 16) + word(end - 32), word(end - 8));
    const Word mixed = shifted((v.first + w.second) * k2 + (w.first + v.second) * k0);
    return shifted(mixed * k0 + v.second) * k2;
  }

  static Pair weak(const char* s, Word a, Word b) {
    a += word(s);
    b = turned(b + a + word(s + 24), 21);
    const Word start = a;
    a += word(s + 8) + word(s + 16);
    b += turned(a, 44);
    return {a + word(s + 24), b + start};
  }

  static Word endless_hash(const char* s, Word size) {
    const char* end = s + size;
    Word x = word(s), y = word(end - 16) ^ k1, z = word(end - 56) ^ k0;
    Pair v = weak(end - 64, size, y), w = weak(end - 32, size * k1, k0);
    z += shifted(v.second) * k1;
    x = turned(z + x, 39) * k1;
    y = turned(y, 33) * k1;
    for (Word left = (size - 1) / 64; left > 0; --left, s += 64) {
      x = turned(x + y + v.first + word(s + 16), 37) * k1 ^ w.second;
      y = turned(y + v.second + word(s + 48), 42) * k1 ^ v.first;
      z = turned(z ^ w.first, 33);
      v = weak(s, v.second * k1, x + w.first);
      w = weak(s + 32, z + w.second, y);
      const Word swapped = z;
      z = x;
      x = swapped;
    }
    return joined(joined(v.first, w.first) + shifted(y) * k1 + z, joined(v.second, w.second) + x);
  }

  static Word of(const char* s, std::int64_t length) {
    const Word size = static_cast<Word>(length);
    if (size <= 16) return short_hash(s, size);
    if (size <= 32) return middle_hash(s, size);
    return size <= 64 ? long_hash(s, size) : endless_hash(s, size);
  }
};

}  // namespace
}  // namespace sardonyx
