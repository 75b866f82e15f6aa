// exp, log, log1p, tanh, the logistic function and softplus of vectors of doubles, over the whole range of doubles:
// subnormals, infinities and NaN included, with NumPy's meaning. Within 2 units in the last place, mostly within 1.
//
// A lane's result depends on that lane alone, and `map` gives the last few elements to the same vector code, so a row
// has the same bits alone and in a batch. Floats are computed in double and rounded once.
#pragma once

#include <type_traits>

#include "simd/vector.h"

namespace sardonyx {
namespace {

typedef std::uint64_t UnsignedBits __attribute__((vector_size(kVectorBytes)));

// Adding 1.5 * 2^52 rounds to an integer, and leaves it in the low bits of the sum.
constexpr double kRound = 0x1.8p52;
constexpr double kInfinity = __builtin_inf();
// ln 2 in two parts; the high one has so few bits that its product with an exponent is exact.
constexpr double kLn2High = 0x1.62e42fefa3800p-1, kLn2Low = 0x1.ef35793c76730p-45;

// Whole-register forms of casts that would read as conversions.
[[maybe_unused]] inline VectorBits<double> bits_of(Vector<double> x) { return (VectorBits<double>)x; }
[[maybe_unused]] inline Vector<double> number_of(VectorBits<double> bits) { return (Vector<double>)bits; }

[[maybe_unused]] inline Vector<double> magnitude_of(Vector<double> x) {
  return number_of(bits_of(x) & ~bits_of(broadcast(-0.0)));
}

[[maybe_unused]] inline Vector<double> with_sign_of(Vector<double> magnitude, Vector<double> x) {
  return number_of(bits_of(magnitude) | (bits_of(x) & bits_of(broadcast(-0.0))));
}

// c[0] + c[1] x + c[2] x^2 ..., by Horner's rule.
template <int N>
inline Vector<double> polynomial(const double (&c)[N], Vector<double> x) {
  Vector<double> p = broadcast(c[N - 1]);
  for (int i = N - 2; i >= 0; --i) p = multiply_add(p, x, broadcast(c[i]));
  return p;
}

// 2^k for integers k in the low bits (what stands above the low 12 is shifted out).
[[maybe_unused]] inline Vector<double> power_of_two(VectorBits<double> k) {
  return number_of((k << 52) + bits_of(broadcast(1.0)));
}

//   x = n ln 2 + r,  |r| <= ln 2 / 2        exp(x) = 2^n (1 + r + r^2 q(r)), by the Taylor series of degree 13
//
// The power of two is multiplied in two halves: the first product is exact, the second is rounded once, also where the
// result is subnormal, and overflows where it must. Outside of [-746, 710] the result is 0 or infinite anyway.
[[maybe_unused]] inline Vector<double> exp_of(Vector<double> x) {
  constexpr double kLog2E = 0x1.71547652b82fep0;
  constexpr double kTaylor[] = {1.0 / 2,       1.0 / 6,        1.0 / 24,        1.0 / 120,
                                1.0 / 720,     1.0 / 5040,     1.0 / 40320,     1.0 / 362880,
                                1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
  x = smaller_of(710.0, larger_of(-746.0, x));
  const Vector<double> whole = multiply_add(x, broadcast(kLog2E), broadcast(kRound)), n = whole - kRound;
  const Vector<double> half = multiply_add(x, broadcast(kLog2E / 2), broadcast(kRound));
  const Vector<double> r = multiply_add(n, broadcast(-kLn2Low), multiply_add(n, broadcast(-kLn2High), x));
  const Vector<double> p = 1.0 + multiply_add(r * r, polynomial(kTaylor, r), r);
  return p * power_of_two(bits_of(half)) * power_of_two(bits_of(whole) - bits_of(half));
}

//   x = 2^k m,  sqrt(1/2) <= m < sqrt(2)     log(x) = k ln 2 + log(m)
//   f = m - 1,  s = f / (2 + f)              log(m) = 2 atanh(s) = f - s (f - 2 s^2 (1/3 + s^2/5 + s^4/7 ...))
[[maybe_unused]] inline Vector<double> log_of(Vector<double> x) {
  constexpr double kAtanh[] = {2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11,
                               2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21};
  constexpr double kSqrtHalf = 0x1.6a09e667f3bcdp-1, kTwo52 = 0x1p52;
  const auto subnormal = x < 0x1p-1022;
  const UnsignedBits offset = (UnsignedBits)bits_of(broadcast(kSqrtHalf));
  const UnsignedBits one = (UnsignedBits)bits_of(broadcast(1.0));
  const UnsignedBits shifted = (UnsignedBits)(subnormal ? x * 0x1p54 : x) + (one - offset);
  // An exponent under 2^52's own is the integer 2^52 + exponent.
  const Vector<double> exponent =
      (Vector<double>)((shifted >> 52) | (UnsignedBits)bits_of(broadcast(kTwo52))) - (kTwo52 + 1023);
  const Vector<double> k = subnormal ? exponent - 54.0 : exponent;
  const UnsignedBits fraction = shifted & 0xfffffffffffff;
  const Vector<double> f = (Vector<double>)(fraction + offset) - 1.0;
  const Vector<double> s = f / (f + 2.0), z = s * s, square = f * f * 0.5;
  const Vector<double> rest = s * (square + z * polynomial(kAtanh, z)) + k * kLn2Low;
  const Vector<double> finite = k * kLn2High + (f - (square - rest));
  const Vector<double> otherwise = x == 0.0 ? broadcast(-kInfinity) : broadcast(__builtin_nan(""));
  const Vector<double> result = x > 0.0 ? finite : otherwise;
  return x < kInfinity ? result : x;
}

// log(1 + x) for x >= 0: the logarithm of the rounded sum, and the first order of what rounding lost.
[[maybe_unused]] inline Vector<double> log1p_of(Vector<double> x) {
  const Vector<double> sum = x + 1.0;
  const Vector<double> lost = x - (sum - 1.0);
  return log_of(sum) + (sum < kInfinity ? lost / sum : Vector<double>{});
}

//   |x| < 0.55    x + x D(x^2) / Q(x^2), from Lambert's continued fraction x / (1 + x^2 / (3 + x^2 / (5 + ... x^2 / 17)))
//   otherwise     1 - 2 / (1 + exp(2 |x|)), where at most 1/2 is subtracted
[[maybe_unused]] inline Vector<double> tanh_of(Vector<double> x) {
  constexpr double kD[] = {0, -11486475, -810810, -12870, -44};
  constexpr double kQ[] = {34459425, 16216200, 945945, 13860, 45};
  const Vector<double> a = magnitude_of(x), z = a * a;
  const auto small = a < 0.55;
  const Vector<double> above = small ? polynomial(kD, z) : broadcast(2.0);
  const Vector<double> below = small ? polynomial(kQ, z) : exp_of(a + a) + 1.0;
  const Vector<double> quotient = above / below;
  return with_sign_of(small ? a + a * quotient : 1.0 - quotient, x);
}

// exp(-|x|) never overflows, so both tails are exact: 1 / (1 + e) on the right, e / (1 + e) on the left.
[[maybe_unused]] inline Vector<double> logistic_of(Vector<double> x) {
  const Vector<double> e = exp_of(-magnitude_of(x));
  return (x < 0.0 ? e : broadcast(1.0)) / (e + 1.0);
}

// log(1 + exp(x))
[[maybe_unused]] inline Vector<double> softplus_of(Vector<double> x) {
  return (x > 0.0 ? x : Vector<double>{}) + log1p_of(exp_of(-magnitude_of(x)));
}

// As many floats as doubles fill a vector.
typedef float NarrowFloats __attribute__((vector_size(kVectorBytes / 2)));

template <class F>
inline Vector<double> apply(F function, Vector<double> x) {
  return function(x);
}

template <class F>
inline NarrowFloats apply(F function, NarrowFloats x) {
  return __builtin_convertvector(function(__builtin_convertvector(x, Vector<double>)), NarrowFloats);
}

// y[i] = function(x[i]) for i < n, `function` of a vector of doubles; y may be x.
template <class T, class F>
inline void map(F function, const T* x, T* y, std::int64_t n) {
  using V = std::conditional_t<std::is_same_v<T, double>, Vector<double>, NarrowFloats>;
  constexpr std::int64_t lanes = kLanes<double>;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    V v;
    std::memcpy(&v, x + i, sizeof v);
    v = apply(function, v);
    std::memcpy(y + i, &v, sizeof v);
  }
  if (i == n) return;
  V v{};
  std::memcpy(&v, x + i, static_cast<std::size_t>(n - i) * sizeof(T));
  v = apply(function, v);
  std::memcpy(y + i, &v, static_cast<std::size_t>(n - i) * sizeof(T));
}

}  // namespace
}  // namespace sardonyx
