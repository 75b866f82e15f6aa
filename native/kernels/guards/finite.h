// Refuses what is not finite as scikit-learn's check_array does (utils/validation.py, _assert_all_finite): NaN first,
// then infinity.
#pragma once

#include <cmath>
#include <cstdint>

#include "simd/vector.h"

namespace sardonyx {
namespace {

// Zero times a number is zero, but NaN of what is none: so is then the sum of the products, one operation a vector.
template <class T>
bool has_special(const T* x, std::int64_t count) {
  constexpr int V = kLanes<T>;
  Vector<T> sums[4]{};
  std::int64_t i = 0;
  for (; i + 4 * V <= count; i += 4 * V) {
    for (int s = 0; s < 4; ++s) sums[s] = multiply_add(load(x + i + s * V), Vector<T>{}, sums[s]);
  }
  for (; i + V <= count; i += V) sums[0] = multiply_add(load(x + i), Vector<T>{}, sums[0]);
  const Vector<T> all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  T rest = 0;
  for (int l = 0; l < V; ++l) rest += all[l];
  for (; i < count; ++i) rest += x[i] * T{0};
  return rest != 0;
}

template <class T>
void refuse_special(const T* x, std::int64_t count, bool allow_nan) {
  bool nan = false, infinity = false;
  for (std::int64_t i = 0; i < count; ++i) {
    nan |= x[i] != x[i];
    infinity |= std::fabs(x[i]) == static_cast<T>(INFINITY);
  }
  if (nan && !allow_nan) fail("Input contains NaN");
  if (infinity)
    fail("Input contains infinity or a value too large for dtype('float%d')", static_cast<int>(sizeof(T) * 8));
}

template <class T>
void require_finite(const T* x, std::int64_t count, bool allow_nan) {
  if (has_special(x, count)) refuse_special(x, count, allow_nan);
}

}  // namespace
}  // namespace sardonyx
