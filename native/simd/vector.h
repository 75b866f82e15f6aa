// Vectors of one register of the instruction set being compiled for, over the vector extensions of GCC and Clang.
//
//   Vector<double>   2 (baseline, NEON), 4 (AVX2) or 8 (AVX-512) lanes; operators work lane by lane
//
// For kernel files only. Everything is static: each instruction set has its own (see sardonyx/kernel.h). Intrinsics are
// used where the extensions have no words: fused multiply-add, which -ffp-contract=off forbids to appear by itself.
#pragma once

#include <cstdint>
#include <cstring>

#include "sardonyx/kernel.h"

#if SARDONYX_ISA == 1 || SARDONYX_ISA == 2
#include <immintrin.h>
#elif SARDONYX_ISA == 3
#include <arm_neon.h>
#endif

namespace sardonyx {

#if SARDONYX_ISA == 2
constexpr int kVectorBytes = 64;
#elif SARDONYX_ISA == 1
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

namespace {  // a header of kernel files: every one of them, for every instruction set, wants its own

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float Type __attribute__((vector_size(kVectorBytes)));
  typedef std::int32_t Bits __attribute__((vector_size(kVectorBytes)));
};
template <>
struct VectorOf<double> {
  typedef double Type __attribute__((vector_size(kVectorBytes)));
  typedef std::int64_t Bits __attribute__((vector_size(kVectorBytes)));
};
template <class T>
using Vector = typename VectorOf<T>::Type;
template <class T>
using VectorBits = typename VectorOf<T>::Bits;

template <class T>
constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));

template <class T>
inline Vector<T> load(const T* from) {  // no alignment needed
  Vector<T> v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

template <class T>
inline void store(T* to, Vector<T> v) {
  std::memcpy(to, &v, sizeof v);
}

// Every stride-th number, one a lane.
template <class V, class T>
inline V load_strided(const T* from, std::int64_t stride) {
  V v{};
  for (std::size_t lane = 0; lane < sizeof(V) / sizeof(T); ++lane)
    v[lane] = from[static_cast<std::int64_t>(lane) * stride];
  return v;
}

template <class V, class T>
inline void store_strided(T* to, std::int64_t stride, V v) {
  for (std::size_t lane = 0; lane < sizeof(V) / sizeof(T); ++lane)
    to[static_cast<std::int64_t>(lane) * stride] = v[lane];
}

template <class T>
inline Vector<T> broadcast(T x) {
  return x - Vector<T>{};  // x - 0 is x for every x, -0 and NaN too
}

// a * b + c, rounded once where the instruction set has it, twice otherwise.
#if SARDONYX_ISA == 2
inline Vector<double> multiply_add(Vector<double> a, Vector<double> b, Vector<double> c) {
  return _mm512_fmadd_pd(a, b, c);
}
inline Vector<float> multiply_add(Vector<float> a, Vector<float> b, Vector<float> c) {
  return _mm512_fmadd_ps(a, b, c);
}
#elif SARDONYX_ISA == 1
inline Vector<double> multiply_add(Vector<double> a, Vector<double> b, Vector<double> c) {
  return _mm256_fmadd_pd(a, b, c);
}
inline Vector<float> multiply_add(Vector<float> a, Vector<float> b, Vector<float> c) {
  return _mm256_fmadd_ps(a, b, c);
}
#elif SARDONYX_ISA == 3
inline Vector<double> multiply_add(Vector<double> a, Vector<double> b, Vector<double> c) { return vfmaq_f64(c, a, b); }
inline Vector<float> multiply_add(Vector<float> a, Vector<float> b, Vector<float> c) { return vfmaq_f32(c, a, b); }
#else
inline Vector<double> multiply_add(Vector<double> a, Vector<double> b, Vector<double> c) { return a * b + c; }
inline Vector<float> multiply_add(Vector<float> a, Vector<float> b, Vector<float> c) { return a * b + c; }
#endif

// The larger and the smaller of a number and a vector's, lane by lane; NaN where b is NaN.
#if SARDONYX_ISA == 2
inline Vector<double> larger_of(double a, Vector<double> b) { return b < a ? broadcast(a) : b; }
inline Vector<double> smaller_of(double a, Vector<double> b) { return b > a ? broadcast(a) : b; }
#elif SARDONYX_ISA == 1
inline Vector<double> larger_of(double a, Vector<double> b) { return _mm256_max_pd(broadcast(a), b); }
inline Vector<double> smaller_of(double a, Vector<double> b) { return _mm256_min_pd(broadcast(a), b); }
#else
inline Vector<double> larger_of(double a, Vector<double> b) { return b < a ? broadcast(a) : b; }
inline Vector<double> smaller_of(double a, Vector<double> b) { return b > a ? broadcast(a) : b; }
#endif

// The lanes' sum by halving: (a0+a4)+(a2+a6) + ((a1+a5)+(a3+a7)).
template <class V>
inline auto folded(V v) {
  constexpr int lanes = sizeof(V) / sizeof(v[0]);
  if constexpr (lanes == 8) {
    return __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
  } else if constexpr (lanes == 4) {
    return __builtin_shufflevector(v, v, 0, 1) + __builtin_shufflevector(v, v, 2, 3);
  } else {
    return v[0] + v[1];
  }
}

// GCC 12 sends shuffles of 512-bit vectors through memory; the intrinsics do the same additions in registers.
#if SARDONYX_ISA == 2
inline double sum(Vector<double> v) { return _mm512_reduce_add_pd(v); }
inline float sum(Vector<float> v) { return _mm512_reduce_add_ps(v); }
#elif SARDONYX_ISA == 1
inline double sum(Vector<double> v) { return folded(folded(v)); }
inline float sum(Vector<float> v) { return folded(folded(folded(v))); }
#else
inline double sum(Vector<double> v) { return folded(v); }
inline float sum(Vector<float> v) { return folded(folded(v)); }
#endif

}  // namespace
}  // namespace sardonyx
