// The numbers of operators that go element by element: float32, float64, int32 and int64, and what they have in common.
//
// Numbers behave as NumPy's: NaN travels through Min, Max and Relu; integers wrap; an integer divided by zero is zero.
// Every operator times every type is machine code, so there are four types of number. Narrower integers are widened
// while lowering and cut again afterwards, which is the same number modulo their size.
#pragma once

#include "kernels/elementwise/broadcast.h"

namespace sardonyx {
namespace {

constexpr bool is_wide(DType t) { return is_float(t) || t == DType::i32 || t == DType::i64; }
constexpr bool is_wide_integer(DType t) { return t == DType::i32 || t == DType::i64; }

template <class T>
using Wrapping = std::make_unsigned_t<T>;

template <class T>
inline bool is_nan(T x) {
  return x != x;
}

// An output may be the memory of an operand, but then of the same index: iterations never depend on each other.
#ifdef __clang__
#define SARDONYX_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define SARDONYX_INDEPENDENT _Pragma("GCC ivdep")
#endif

}  // namespace
}  // namespace sardonyx
