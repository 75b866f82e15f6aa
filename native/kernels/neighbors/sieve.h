// A sieve in float32 before a search in float64: it lets pass whatever may be nearer than a limit, and most else not.
//
//   panel   a[0] b[0] c[0] ..   a[1] b[1] c[1] ..   ...   rounded training rows, as many as floats fill a vector
//
// With u = 2^-24, F features and S the largest norm of a training row, rounding moves a gap between rows by no more
// than u (|x| + S), and the sum of squares by no more than (F + 4) u of itself. So rows nearer than t have a sum below
//
//   limit(t) = (t + 2 u (|x| + S))^2 (1 + 2 (F + 8) u)
//
// twice what is needed, which covers the roundings of the limit itself; it is kept above what underflows. What is
// measured behind the sieve are expanded squares, which rounding may leave smaller than they are: t^2 is that much
// larger. Where squares might overflow nothing is sieved.
#pragma once

#include <cfloat>
#include <cstdlib>

#include "simd/vector.h"

namespace sardonyx {
namespace {

constexpr int kNarrow = kLanes<float>;
constexpr double kUnit = 0x1p-24, kWidest = 1e18;

struct Sieve {
  std::int64_t features, panels;  // only full panels; none where the sieve is of no use
  double norm;                    // the largest of a training row
  float* rows;
};

[[maybe_unused]] inline double norm_of(const double* x, std::int64_t features) {
  double sum = 0;
  for (std::int64_t f = 0; f < features; ++f) sum += x[f] * x[f];
  return __builtin_sqrt(sum);
}

// Of n rows. Memory that is not there, or numbers that are too large, leave the search without a sieve.
[[maybe_unused]] inline Sieve make_sieve(const double* rows, std::int64_t n, std::int64_t features) {
  Sieve sieve{features, n / kNarrow, 0, nullptr};
  for (std::int64_t i = 0; i < n; ++i) {
    const double norm = norm_of(rows + i * features, features);
    if (!(norm < kWidest)) return {features, 0, 0, nullptr};
    sieve.norm = norm > sieve.norm ? norm : sieve.norm;
  }
  void* memory = nullptr;
  const std::size_t bytes = static_cast<std::size_t>(sieve.panels * kNarrow * features + 1) * sizeof(float);
  if (posix_memalign(&memory, 64, bytes) != 0) return {features, 0, 0, nullptr};
  sieve.rows = static_cast<float*>(memory);
  for (std::int64_t i = 0; i < sieve.panels * kNarrow; ++i) {
    float* to = sieve.rows + i / kNarrow * kNarrow * features + i % kNarrow;
    for (std::int64_t f = 0; f < features; ++f) to[f * kNarrow] = static_cast<float>(rows[i * features + f]);
  }
  return sieve;
}

// The limit of the sums of rows whose exact sum is below `reduced`, for a row x of some norm.
[[maybe_unused]] inline float limit_of(const Sieve& sieve, double reduced, double norm) {
  const double size = norm + sieve.norm, left = 0x1p-51 * static_cast<double>(sieve.features + 8) * size * size;
  const double t = __builtin_sqrt(reduced + left) + 2 * kUnit * size + 1e-30;  // where x itself underflows
  const double limit = t * t * (1 + 2 * static_cast<double>(sieve.features + 8) * kUnit) + FLT_MIN;
  return limit < FLT_MAX ? static_cast<float>(limit) : __builtin_inff();
}

// R rows against P panels from `panel` on: bit r of the result is set if one of them passes for row r.
template <int R, int P>
inline unsigned sifted(const Sieve& sieve, const float* x, std::int64_t panel, const float* limits) {
  const std::int64_t features = sieve.features, stride = kNarrow * features;
  const float* rows = sieve.rows + panel * stride;
  Vector<float> sums[R][P];
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) sums[r][p] = Vector<float>{};
  }
  for (std::int64_t f = 0; f < features; ++f) {
    Vector<float> s[P];
    for (int p = 0; p < P; ++p) s[p] = load(rows + p * stride + f * kNarrow);
    for (int r = 0; r < R; ++r) {
      const Vector<float> value = broadcast(x[r * features + f]);
      for (int p = 0; p < P; ++p) {
        const Vector<float> gap = value - s[p];
        sums[r][p] = multiply_add(gap, gap, sums[r][p]);
      }
    }
  }
  unsigned passes = 0;
  for (int r = 0; r < R; ++r) {
    Vector<float> least = sums[r][0];
    for (int p = 1; p < P; ++p) least = sums[r][p] < least ? sums[r][p] : least;
    const auto below = (VectorBits<double>)(least < broadcast(limits[r]));
    std::int64_t any = 0;
    for (int lane = 0; lane < kLanes<double>; ++lane) any |= below[lane];
    passes |= static_cast<unsigned>(any != 0) << r;
  }
  return passes;
}

}  // namespace
}  // namespace sardonyx
