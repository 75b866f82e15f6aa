// The last step of kernel machines: products of vectors become kernel values (see svm.cpp, which folds log2(e) into
// them).
#pragma once

#include "simd/math.h"

namespace sardonyx {
namespace {

enum Form { kPower, kCube, kGauss, kGaps, kTanh };  // kGaps: exp of squared gaps between row and vector

constexpr double kLog2E = 0x1.71547652b82fep0;

//   t = n + r, |r| <= 1/2      2^r - 1 = r q(r)
//
// q interpolates at Chebyshev's ten nodes, which is 1.4e-15 off at most. N numbers go through Horner's rule side by
// side.
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

// The same in float32: q of six nodes is 4e-9 off at most, and beyond 26 it is 1.
template <int N>
inline void tanh_of_powers(Vector<float> (&t)[N]) {
  constexpr float kRoundFloat = 0x1.8p23f;
  constexpr float q[] = {0x1.62e43p-1f, 0x1.ebfbep-3f, 0x1.c6af6cp-5f, 0x1.3b2a54p-7f, 0x1.5f089p-10f, 0x1.44138ap-13f};
  using Bits = VectorBits<float>;
  const Bits one = (Bits)broadcast(1.0f);
  Vector<float> whole[N], rest[N], r[N];
  for (int i = 0; i < N; ++i) {
    t[i] = t[i] < -26.0f ? broadcast(-26.0f) : t[i];
    t[i] = t[i] > 26.0f ? broadcast(26.0f) : t[i];
    whole[i] = t[i] + kRoundFloat;
    r[i] = t[i] - (whole[i] - kRoundFloat);
    rest[i] = multiply_add(broadcast(q[5]), r[i], broadcast(q[4]));
  }
  for (int c = 3; c >= 0; --c) {
    for (int i = 0; i < N; ++i) rest[i] = multiply_add(rest[i], r[i], broadcast(q[c]));
  }
  for (int i = 0; i < N; ++i) {
    const auto scale = (Vector<float>)(((Bits)whole[i] << 23) + one);
    const Vector<float> e = multiply_add(scale, rest[i] * r[i], scale - 1.0f);
    t[i] = e / (e + 2.0f);
  }
}

// As libsvm multiplies (powi).
template <class V>
inline V power_of(V base, std::int64_t exponent) {
  V result = V{} + 1;
  for (; exponent > 0; exponent /= 2, base *= base) {
    if (exponent % 2 == 1) result *= base;
  }
  return result;
}

template <int F, int N, class T>
inline void some_values(T* values, [[maybe_unused]] std::int64_t degree, [[maybe_unused]] T gamma) {
  Vector<T> t[N];
  for (int i = 0; i < N; ++i) t[i] = load(values + i * kLanes<T>);
  if constexpr (F == kGauss) exp2_of(t);
  if constexpr (F == kTanh) tanh_of_powers(t);
  for (int i = 0; i < N; ++i) {
    if constexpr (F == kPower) t[i] = power_of(t[i], degree);
    if constexpr (F == kCube) t[i] = t[i] * (t[i] * t[i]);
    if constexpr (F == kGaps) t[i] = exp_of(t[i] * -gamma);
  }
  for (int i = 0; i < N; ++i) store(values + i * kLanes<T>, t[i]);
}

// Of N vectors, as many at once as registers hold.
template <int F, int N, class T>
inline void kernel_values(T* values, std::int64_t degree, T gamma) {
  constexpr int at_once = N % 4 == 0 ? 4 : N % 3 == 0 ? 3 : N % 2 == 0 ? 2 : 1;
  for (int i = 0; i < N; i += at_once) some_values<F, at_once>(values + i * kLanes<T>, degree, gamma);
}

}  // namespace
}  // namespace sardonyx
