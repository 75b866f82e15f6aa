// exp of a vector of doubles, within 2 units in the last place; below -708 it is 0, NaN stays NaN.
//
//   x = n ln 2 + r,  |r| <= ln 2 / 2        exp(x) = 2^n exp(r), exp(r) by its Taylor polynomial of degree 13
//
// n is rounded by adding 1.5 * 2^52, which leaves it in the low bits of the sum: shifted by 52 they are the exponent.
// For arguments up to 709, where doubles end.
#pragma once

#include "simd/vector.h"

namespace sardonyx {
namespace {

[[maybe_unused]] inline Vector<double> exp_of(Vector<double> x) {
  constexpr double kLog2E = 0x1.71547652b82fep0, kHigh = 0x1.62e42fefa3800p-1, kLow = 0x1.ef35793c76730p-45;
  constexpr double kRound = 0x1.8p52;
  constexpr double kTaylor[] = {
      1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
      1.0 / 720,        1.0 / 120,       1.0 / 24,       1.0 / 6,       0.5,          1.0,         1.0};
  const Vector<double> shifted = x * kLog2E + kRound, n = shifted - kRound;
  const Vector<double> r = (x - n * kHigh) - n * kLow;
  Vector<double> p = broadcast(kTaylor[0]);
  for (int i = 1; i < 14; ++i) p = multiply_add(p, r, broadcast(kTaylor[i]));
  const VectorBits<double> one = (VectorBits<double>)broadcast(1.0);
  const Vector<double> scale = (Vector<double>)(((VectorBits<double>)shifted << 52) + one);
  const VectorBits<double> vanishes = x < broadcast(-708.0);
  return (Vector<double>)((VectorBits<double>)(p * scale) & ~vanishes);
}

}  // namespace
}  // namespace sardonyx
