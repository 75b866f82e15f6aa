// Sums in the order of the libraries that scikit-learn hands them to, on processors with AVX2.
//
// Where a square is expanded, |x|^2 - 2 x.y + |y|^2, what is left of nearly equal rows is rounding: it decides between
// neighbours that are equally far but for it, and is a weight where distances are. Orders, by trial against the
// libraries (OpenBLAS 0.3, NumPy 2):
//
//   dot             ddot: four vectors of four, fused, while 16 numbers are left; then one by one, not fused
//   products        dgemm: one fused chain over up to 256 features, then the next: their sums are added up
//   einsum_squares  einsum("ij,ij->i"): vectors of two, four of them at a time, of which the last is added first
//   pairwise_sum    sum of a whole array: halves of halves, down to 128 numbers that eight sums share
#pragma once

#include <cmath>
#include <cstdint>

#include "simd/vector.h"

namespace sardonyx {
namespace {

[[maybe_unused]] inline double dot(const double* x, const double* y, std::int64_t n) {
  constexpr int kVectors = 4, kWide = 4, kBlock = kVectors * kWide;
  double sums[kVectors][kWide] = {};
  std::int64_t i = 0;
  for (; i + kBlock <= n; i += kBlock) {
    for (int v = 0; v < kVectors; ++v) {
      for (int lane = 0; lane < kWide; ++lane) {
        const std::int64_t at = i + v * kWide + lane;
        sums[v][lane] = ::fma(x[at], y[at], sums[v][lane]);
      }
    }
  }
  double half[2];
  for (int lane = 0; lane < 2; ++lane) {
    double folded[kVectors];
    for (int v = 0; v < kVectors; ++v) folded[v] = sums[v][lane] + sums[v][lane + 2];
    half[lane] = (folded[0] + folded[1]) + (folded[2] + folded[3]);
  }
  double total = half[0] + half[1];
  for (; i < n; ++i) total += x[i] * y[i];
  return total;
}

// Of `rest` features, how many the next chain of dgemm takes.
[[maybe_unused]] inline std::int64_t product_width(std::int64_t rest) {
  constexpr std::int64_t kMost = 256, kUnit = 4;
  if (rest >= 2 * kMost) return kMost;
  return rest > kMost ? (rest / 2 + kUnit - 1) / kUnit * kUnit : rest;
}

// Products of R rows with those of P panels: a vector holds the same feature of as many rows as it has lanes.
template <int R, int P>
inline void products(const double* x, const double* panels, std::int64_t features, Vector<double> (&sums)[R][P]) {
  constexpr int kL = kLanes<double>;
  for (std::int64_t from = 0; from < features;) {
    const std::int64_t to = from + product_width(features - from);
    Vector<double> chains[R][P];
    for (int r = 0; r < R; ++r) {
      for (int p = 0; p < P; ++p) chains[r][p] = Vector<double>{};
    }
    for (std::int64_t f = from; f < to; ++f) {
      for (int p = 0; p < P; ++p) {
        const Vector<double> y = load(panels + (p * features + f) * kL);
        for (int r = 0; r < R; ++r) chains[r][p] = multiply_add(broadcast(x[r * features + f]), y, chains[r][p]);
      }
    }
    for (int r = 0; r < R; ++r) {
      for (int p = 0; p < P; ++p) sums[r][p] = from == 0 ? chains[r][p] : sums[r][p] + chains[r][p];
    }
    from = to;
  }
}

template <class T>
T pairwise_sum(const T* x, std::int64_t n) {
  constexpr std::int64_t kSums = 8, kMost = 128;
  if (n > kMost) {
    const std::int64_t half = n / 2 - n / 2 % kSums;
    return pairwise_sum(x, half) + pairwise_sum(x + half, n - half);
  }
  T total{};
  std::int64_t i = 0;
  if (n >= kSums) {
    T sums[kSums];
    for (; i < kSums; ++i) sums[i] = x[i];
    for (; i + kSums <= n; i += kSums) {
      for (std::int64_t j = 0; j < kSums; ++j) sums[j] += x[i + j];
    }
    total = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  }
  for (; i < n; ++i) total += x[i];
  return total;
}

// NaN counts as 0.
[[maybe_unused]] inline double einsum_squares(const double* x, std::int64_t n) {
  double sums[2] = {};
  const auto add = [&](std::int64_t from) {
    for (std::int64_t lane = 0; lane < 2 && from + lane < n; ++lane) {
      const double value = x[from + lane] == x[from + lane] ? x[from + lane] : 0.0;
      sums[lane] += value * value;
    }
  };
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (std::int64_t pair = 6; pair >= 0; pair -= 2) add(i + pair);
  }
  for (; i < n; i += 2) add(i);
  return sums[0] + sums[1];
}

}  // namespace
}  // namespace sardonyx
