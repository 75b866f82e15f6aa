// The last step of kernel machines: products of vectors become kernel values (see svm.cpp, which folds log2(e) into them).
#pragma once

#include "simd/math.h"

namespace sardonyx {
namespace {

enum Form { kPower, kCube, kGauss, kGaps, kTanh };  // kGaps: exp of squared gaps between row and vector

constexpr double kLog2E = 0x1.71547652b82fep0;

//   t = n + r, |r| <= 1/2      2^r - 1 = r q(r)
//
// q interpolates at Chebyshev's ten nodes, which is 1.4e-15 off at most. N numbers go through Horner's rule side by side.
template <int N>
inline void split(const Vector<double> (&t)[N], Vector<double> (&whole)[N], Vector<double> (&rest)[N]) {
  constexpr double q[] = {0x1.62e42fefa39f7p-1,  0x1.ebfbdff82c590p-3,  0x1.c6b08d7044119p-5,  0x1.3b2ab6fba385fp-7,
                          0x1.5d87fe908f88ap-10, 0x1.4309130378460p-13, 0x1.ffcb76789860fp-17, 0x1.62bfe46117445p-20,
                          0x1.b6571de2f2351p-24, 0x1.e5e9f548e5725p-28};
  Vector<double> r[N];
  for (int i = 0; i < N; ++i) {
    whole[i] = t[i] + kRound;  // n stands in the low bits
    r[i] = t[i] - (whole[i] - kRound);
    rest[i] = multiply_add(broadcast(q[9]), r[i], broadcast(q[8]));
  }
  for (int c = 7; c >= 0; --c) {
    for (int i = 0; i < N; ++i) rest[i] = multiply_add(rest[i], r[i], broadcast(q[c]));
  }
  for (int i = 0; i < N; ++i) rest[i] *= r[i];
}

// 2^t for t below 1024. Below -1021 it is 0: taking 2^-1022 away changes nothing above 2^-968.
template <int N>
inline void exp2_of(Vector<double> (&t)[N]) {
  Vector<double> whole[N], rest[N];
  for (int i = 0; i < N; ++i) t[i] = larger_of(-1022.0, t[i]);
  split(t, whole, rest);
  for (int i = 0; i < N; ++i) t[i] = number_of(bits_of(rest[i] + 1.0) + (bits_of(whole[i]) << 52)) - 0x1p-1022;
}

// tanh(z) of t = 2 z log2(e): e / (e + 2), e = 2^t - 1. Near zero n is 0, so that nothing cancels; beyond 58 it is 1.
template <int N>
inline void tanh_of_powers(Vector<double> (&t)[N]) {
  Vector<double> whole[N], rest[N];
  for (int i = 0; i < N; ++i) t[i] = smaller_of(58.0, larger_of(-58.0, t[i]));
  split(t, whole, rest);
  for (int i = 0; i < N; ++i) {
    const Vector<double> scale = power_of_two(bits_of(whole[i]));
    const Vector<double> e = multiply_add(scale, rest[i], scale - 1.0);
    t[i] = e / (e + 2.0);
  }
}

// As libsvm multiplies (powi).
inline Vector<double> power_of(Vector<double> base, std::int64_t exponent) {
  Vector<double> result = broadcast(1.0);
  for (; exponent > 0; exponent /= 2, base *= base) {
    if (exponent % 2 == 1) result *= base;
  }
  return result;
}

template <int F, int N>
inline void some_values(double* values, [[maybe_unused]] std::int64_t degree, [[maybe_unused]] double gamma) {
  Vector<double> t[N];
  for (int i = 0; i < N; ++i) t[i] = load(values + i * kLanes<double>);
  if constexpr (F == kGauss) exp2_of(t);
  if constexpr (F == kTanh) tanh_of_powers(t);
  for (int i = 0; i < N; ++i) {
    if constexpr (F == kPower) t[i] = power_of(t[i], degree);
    if constexpr (F == kCube) t[i] = t[i] * (t[i] * t[i]);
    if constexpr (F == kGaps) t[i] = exp_of(t[i] * -gamma);
  }
  for (int i = 0; i < N; ++i) store(values + i * kLanes<double>, t[i]);
}

// Of N vectors, as many at once as registers hold.
template <int F, int N>
inline void kernel_values(double* values, std::int64_t degree, double gamma) {
  constexpr int at_once = N % 4 == 0 ? 4 : N % 3 == 0 ? 3 : N % 2 == 0 ? 2 : 1;
  for (int i = 0; i < N; i += at_once) some_values<F, at_once>(values + i * kLanes<double>, degree, gamma);
}

}  // namespace
}  // namespace sardonyx
