// exp, log, log1p, tanh, erf, the logistic function and softplus of vectors of doubles, over the whole range of
// doubles: subnormals, infinities and NaN included, with NumPy's meaning. Within 2 units in the last place, mostly
// within 1.
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

// x = n ln 2 + r + rest, |r| <= ln 2 / 2; n is an integer, and stands in the low bits of `whole`.
struct Reduced {
  Vector<double> whole, r, rest;
};

[[maybe_unused]] inline Reduced reduced_by_ln2(Vector<double> x) {
  constexpr double kLog2E = 0x1.71547652b82fep0;
  const Vector<double> whole = multiply_add(x, broadcast(kLog2E), broadcast(kRound)), n = whole - kRound;
  const Vector<double> high = multiply_add(n, broadcast(-kLn2High), x), r = multiply_add(n, broadcast(-kLn2Low), high);
  return {whole, r, multiply_add(n, broadcast(-kLn2Low), high - r)};
}

//   exp(r) - 1 = r + curvature(r),  |r| <= ln 2 / 2,  curvature(r) = r^2 q(r)
//
// q interpolates at Chebyshev's ten nodes, which is 2^-55 off at most. Estrin's scheme (pairs of terms, then pairs of
// pairs) has half the latency of Horner's rule.
[[maybe_unused]] inline Vector<double> curvature(Vector<double> r) {
  constexpr double q[] = {0x1.0000000000001p-1,  0x1.5555555555556p-3,  0x1.5555555553d64p-5,  0x1.11111111109b4p-7,
                          0x1.6c16c1788b646p-10, 0x1.a01a01a7c3d59p-13, 0x1.a019b90eefe8ep-16, 0x1.71de0daf7a6ccp-19,
                          0x1.2891834686c7ep-22, 0x1.af38a71a18cb9p-26};
  const Vector<double> r2 = r * r, r4 = r2 * r2;
  const auto pair = [&](int i) { return multiply_add(r, broadcast(q[i + 1]), broadcast(q[i])); };
  const Vector<double> low = multiply_add(r2, pair(2), pair(0)), high = multiply_add(r2, pair(6), pair(4));
  return r2 * multiply_add(r4, multiply_add(r4, pair(8), high), low);
}

[[maybe_unused]] inline Vector<double> expm1_near_zero(Vector<double> r) { return curvature(r) + r; }

// Whether no lane is larger than `most` either way, nor NaN.
[[maybe_unused]] inline bool are_within(double most, Vector<double> x) {
#if SARDONYX_ISA == 2
  return _mm512_cmp_pd_mask(magnitude_of(x), broadcast(most), _CMP_LE_OQ) == 0xff;
#elif SARDONYX_ISA == 1
  return _mm256_movemask_pd(_mm256_cmp_pd(magnitude_of(x), broadcast(most), _CMP_LE_OQ)) == 0xf;
#else
  bool within = true;
  for (int lane = 0; lane < kLanes<double>; ++lane) within &= x[lane] >= -most && x[lane] <= most;
  return within;
#endif
}

//   exp(x) = 2^n (1 + (exp(r) - 1))
//
// Where the result may be subnormal, the power of two is multiplied in two halves: the first product is exact, the
// second is rounded once, and overflows where it must. Outside of [-746, 710] the result is 0 or infinite anyway.
[[maybe_unused]] inline Vector<double> exp_of(Vector<double> x) {
  constexpr double kLog2E = 0x1.71547652b82fep0;
  if (__builtin_expect(are_within(708.0, x), true)) {
    const Reduced reduced = reduced_by_ln2(x);
    return number_of(bits_of(1.0 + expm1_near_zero(reduced.r)) + (bits_of(reduced.whole) << 52));
  }
  x = smaller_of(710.0, larger_of(-746.0, x));
  const Reduced reduced = reduced_by_ln2(x);
  const Vector<double> half = multiply_add(x, broadcast(kLog2E / 2), broadcast(kRound));
  const Vector<double> p = 1.0 + expm1_near_zero(reduced.r);
  return p * power_of_two(bits_of(half)) * power_of_two(bits_of(reduced.whole) - bits_of(half));
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

//   tanh(|x|) = h / (1 + h) = h - h h / (1 + h),   2 h = exp(2 |x|) - 1 = 2^n (exp(r) - 1) + (2^n - 1)
//
// Near zero n is 0, so that nothing cancels, and the second form hides the rounding of 1 + h. Beyond 20 it is 1 anyway.
[[maybe_unused]] inline Vector<double> tanh_of(Vector<double> x) {
  const Vector<double> a = smaller_of(20.0, magnitude_of(x));
  const Reduced reduced = reduced_by_ln2(a + a);
  const Vector<double> half_power = power_of_two(bits_of(reduced.whole)) * 0.5;
  const Vector<double> p = reduced.r + (curvature(reduced.r) + reduced.rest);
  const Vector<double> h = multiply_add(half_power, p, half_power - 0.5), quotient = h / (h + 1.0);
  return with_sign_of(h < 0.5 ? multiply_add(h, -quotient, h) : quotient, x);
}

// exp(-|x|) never overflows, so both tails are exact: 1 / (1 + e) on the right, e / (1 + e) on the left.
[[maybe_unused]] inline Vector<double> logistic_of(Vector<double> x) {
  const Vector<double> e = exp_of(-magnitude_of(x));
  return (x < 0.0 ? e : broadcast(1.0)) / (e + 1.0);
}

//   erf(x) = x p(x^2),  x <= 1             erf(x) = 1 - exp(-x^2) q((x - 3) / (x + 3)),  1 <= x <= 6
//
// p and q interpolate at Chebyshev's nodes: 13 for erf(x) / x, which is 2^-62 off at most, and 16 for exp(x^2) erfc(x)
// in a variable that the right half line is mapped to (M. Shepherd, J. Laframboise, "Chebyshev Approximation of
// (1 + 2x) exp(x^2) erfc x", 1981), 2^-54. Beyond 6 it is 1.
[[maybe_unused]] inline Vector<double> erf_of(Vector<double> x) {
  constexpr double kNear[] = {1.128379167095512574,     -0.3761263890318374806,     0.1128379167095487867,
                              -0.02686617064507679325,  0.005223977624818014467,    -0.0008548326980833789905,
                              0.0001205533111164271092, -0.00001492559526683118157, 1.646100048412136803e-6,
                              -1.635031270105469501e-7, 1.465977527404743581e-8,    -1.137284885679167367e-9,
                              5.957176147748911404e-11};
  constexpr double kFar[] = {
      0.1790011511813899452,     -0.3262335600430372125,    0.245603801712334874,      -0.1501159365007789854,
      0.0716658371974730704,     -0.02439249931891500473,   0.00426913635696122525,    0.000707746466694142508,
      -0.0005970624964924544426, 0.00004525434558991008401, 0.00006406279226046039164, -0.0000128457800307759068,
      -8.009780939076079326e-6,  2.013511142644742797e-6,   1.275581894962447923e-6,   3.381355142042903768e-9};
  const Vector<double> a = smaller_of(6.0, magnitude_of(x)), square = a * a;
  const Vector<double> rest = exp_of(-square) * polynomial(kFar, (a - 3.0) / (a + 3.0));
  // Of NaN too: its sign is that of either factor of `rest`, as the compiler has it.
  return with_sign_of(magnitude_of(a < 1.0 ? a * polynomial(kNear, square) : 1.0 - rest), x);
}

// log(1 + exp(x))
[[maybe_unused]] inline Vector<double> softplus_of(Vector<double> x) {
  return (x > 0.0 ? x : Vector<double>{}) + log1p_of(exp_of(-magnitude_of(x)));
}

// ---- floats ---------------------------------------------------------------------------------------------------------
//
// Twice as many lanes as doubles, within 3 units in the last place of a float: for what is computed in float32
// throughout.

[[maybe_unused]] inline Vector<float> magnitude_of(Vector<float> x) {
  return (Vector<float>)((VectorBits<float>)x & ~(VectorBits<float>)broadcast(-0.0f));
}

// x = n ln 2 + r; exp(r) - 1 is `rest`, 2^n is `power`. |n| stays below 126.
struct NarrowExp {
  Vector<float> power, rest;
};

[[maybe_unused]] inline NarrowExp exp_parts(Vector<float> x) {
  constexpr float kNarrowRound = 0x1.8p23f, kHigh = 0x1.62e4p-1f, kLow = 0x1.7f7d1cp-20f;
  constexpr float q[] = {0.5f, 0x1.555556p-3f, 0x1.555556p-5f, 0x1.111112p-7f, 0x1.6c16c2p-10f, 0x1.a01a02p-13f};
  const Vector<float> whole = multiply_add(x, broadcast(0x1.715476p0f), broadcast(kNarrowRound));
  const Vector<float> n = whole - kNarrowRound;
  const Vector<float> r = multiply_add(n, broadcast(-kLow), multiply_add(n, broadcast(-kHigh), x));
  Vector<float> p = broadcast(q[5]);
  for (int i = 4; i >= 0; --i) p = multiply_add(p, r, broadcast(q[i]));
  const Vector<float> power = (Vector<float>)(((VectorBits<float>)whole << 23) + (VectorBits<float>)broadcast(1.0f));
  return {power, multiply_add(r * r, p, r)};
}

// Beyond -87 the result is no longer normal; it stays what it is there.
[[maybe_unused]] inline Vector<float> logistic_of(Vector<float> x) {
  Vector<float> a = -magnitude_of(x);
  a = a < -87.0f ? broadcast(-87.0f) : a;
  const NarrowExp parts = exp_parts(a);
  const Vector<float> e = multiply_add(parts.power, parts.rest, parts.power);
  return (x < 0.0f ? e : broadcast(1.0f)) / (e + 1.0f);
}

// tanh(|x|) = m / (m + 2),  m = exp(2 |x|) - 1
[[maybe_unused]] inline Vector<float> tanh_of(Vector<float> x) {
  Vector<float> a = magnitude_of(x);
  a = a > 10.0f ? broadcast(10.0f) : a;
  const NarrowExp parts = exp_parts(a + a);
  const Vector<float> m = multiply_add(parts.power, parts.rest, parts.power - 1.0f), t = m / (m + 2.0f);
  const VectorBits<float> sign = (VectorBits<float>)x & (VectorBits<float>)broadcast(-0.0f);
  return (Vector<float>)((VectorBits<float>)t | sign);
}

// y[i] = function(x[i]) for i < n, `function` of a vector of floats; y may be x.
template <class F>
inline void map_narrow(F function, const float* x, float* y, std::int64_t n) {
  constexpr std::int64_t lanes = kLanes<float>;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(y + i, function(load(x + i)));
  if (i == n) return;
  Vector<float> v{};
  std::memcpy(&v, x + i, static_cast<std::size_t>(n - i) * sizeof(float));
  v = function(v);
  std::memcpy(y + i, &v, static_cast<std::size_t>(n - i) * sizeof(float));
}

// ---- arrays ---------------------------------------------------------------------------------------------------------

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
