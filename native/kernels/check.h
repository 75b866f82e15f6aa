// What the check() of every kernel is written with, and the dispatch from a DType to a C++ type.
//
// Everything here is in an anonymous namespace: see the rules in sardonyx/kernel.h.
#pragma once

#include <cmath>
#include <type_traits>

#include "sardonyx/kernel.h"

namespace sardonyx {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 40;  // elements of one value; keeps every product in range

[[maybe_unused]] inline void require(bool ok, const char* kernel, const char* what) {
  if (!ok) fail("%s: %s", kernel, what);
}

[[maybe_unused]] inline void require_counts(const Step& step, const char* kernel, int inputs, int outputs, int params) {
  if (step.n_inputs != inputs || step.n_outputs != outputs || step.n_params != params) {
    fail("%s: expected %d inputs, %d outputs and %d params, got %d, %d and %d", kernel, inputs, outputs, params,
         step.n_inputs, step.n_outputs, step.n_params);
  }
  for (int i = 0; i < params; ++i) integer_param(step, i);
}

[[maybe_unused]] inline void require_row_output(const Step& step, const char* kernel) {
  for (int i = 0; i < step.n_outputs; ++i) require(!step.outputs[i].constant, kernel, "an output is a constant");
}

constexpr bool is_float(DType t) { return t == DType::f32 || t == DType::f64; }
constexpr bool is_signed(DType t) { return t >= DType::i8 && t <= DType::i64; }
constexpr bool is_unsigned(DType t) { return t >= DType::u8 && t <= DType::u64; }
constexpr bool is_integer(DType t) { return is_signed(t) || is_unsigned(t); }
constexpr bool is_number(DType t) { return is_float(t) || is_integer(t); }

// A tensor seen along one axis: outer x n x inner elements, in this order. Three params of a step say it.
struct Axis {
  std::int64_t outer, n, inner;
};

[[maybe_unused]] inline Axis axis_of(const Step& step, int first = 0) {
  return {step.params[first].i, step.params[first + 1].i, step.params[first + 2].i};
}

[[maybe_unused]] inline bool in_range(std::int64_t value, std::int64_t least, std::int64_t most) {
  return value >= least && value <= most;
}

// True if outer * n * inner == width, without overflow on the way. (Of no elements, no long loop may be made.)
[[maybe_unused]] inline bool covers(std::int64_t outer, std::int64_t n, std::int64_t inner, std::int64_t width) {
  const std::int64_t most = width == 0 ? std::int64_t{1} << 20 : kLargest;
  if (!in_range(outer, 0, most) || !in_range(n, 0, most) || !in_range(inner, 0, most)) return false;
  std::int64_t product = 0;
  if (__builtin_mul_overflow(outer, n, &product)) return false;
  if (__builtin_mul_overflow(product, inner, &product)) return false;
  return product == width;
}

template <class T>
struct Type {
  using type = T;
};

// Calls f(Type<T>{}) with the C++ type of a float dtype.
template <class F>
inline void with_float(DType t, F&& f) {
  if (t == DType::f64) {
    f(Type<double>{});
  } else {
    f(Type<float>{});
  }
}

template <class F>
inline void with_integer(DType t, F&& f) {
  switch (t) {
    case DType::i8: return f(Type<std::int8_t>{});
    case DType::i16: return f(Type<std::int16_t>{});
    case DType::i32: return f(Type<std::int32_t>{});
    case DType::u8: return f(Type<std::uint8_t>{});
    case DType::u16: return f(Type<std::uint16_t>{});
    case DType::u32: return f(Type<std::uint32_t>{});
    case DType::u64: return f(Type<std::uint64_t>{});
    default: return f(Type<std::int64_t>{});
  }
}

// Any number; a boolean is its byte.
template <class F>
inline void with_number(DType t, F&& f) {
  if (is_float(t)) {
    with_float(t, f);
  } else if (t == DType::boolean) {
    f(Type<std::uint8_t>{});
  } else {
    with_integer(t, f);
  }
}

// A type of the same size, for kernels that only move elements.
template <class F>
inline void with_item(DType t, F&& f) {
  switch (t) {
    case DType::text: return f(Type<Text>{});
    case DType::f64:
    case DType::i64:
    case DType::u64: return f(Type<std::uint64_t>{});
    case DType::f32:
    case DType::i32:
    case DType::u32: return f(Type<std::uint32_t>{});
    case DType::f16:
    case DType::bf16:
    case DType::i16:
    case DType::u16: return f(Type<std::uint16_t>{});
    default: return f(Type<std::uint8_t>{});
  }
}

template <class T>
inline T* data_of(const Tensor& t) {
  return static_cast<T*>(t.data);
}

// Elements from one row of the block to the next.
[[maybe_unused]] inline std::int64_t row_stride(const Tensor& t) { return t.constant ? 0 : t.width; }

}  // namespace
}  // namespace sardonyx
