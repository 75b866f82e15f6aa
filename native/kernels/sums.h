// Sums of floats that are promised within a tolerance only: in vectors, in any order.
#pragma once

#include <cstdint>

#include "simd/vector.h"

namespace sardonyx {
namespace {

template <class T>
T total_of(const T* x, std::int64_t n) {
  constexpr int V = kLanes<T>;
  Vector<T> sums{};
  std::int64_t i = 0;
  for (; i + V <= n; i += V) sums += load(x + i);
  T total = sum(sums);
  for (; i < n; ++i) total += x[i];
  return total;
}

template <class T>
T dot_of(const T* x, const T* y, std::int64_t n) {
  constexpr int V = kLanes<T>;
  Vector<T> sums{};
  std::int64_t i = 0;
  for (; i + V <= n; i += V) sums = multiply_add(load(x + i), load(y + i), sums);
  T total = sum(sums);
  for (; i < n; ++i) total += x[i] * y[i];
  return total;
}

}  // namespace
}  // namespace sardonyx
