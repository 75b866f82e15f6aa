// Operators of two numbers: a struct with its name, the types it takes, and the scalar formula; the loops are written
// once, here.
#pragma once

#include "kernels/elementwise/numbers.h"

namespace sardonyx {
namespace {

#define SARDONYX_BINARY(op, condition, formula)                                 \
  struct op {                                                                   \
    static constexpr const char* name = #op;                                    \
    static constexpr bool takes([[maybe_unused]] DType t) { return condition; } \
    template <class T>                                                          \
    static auto apply(T a, T b) {                                               \
      return formula;                                                           \
    }                                                                           \
  };

template <class Op, class T>
using Result = decltype(Op::apply(T{}, T{}));

template <class Op, class T, class R>
inline void binary_loop(const T* a, std::int64_t sa, const T* b, std::int64_t sb, R* y, std::int64_t n) {
  if (sa == 1 && sb == 1) {
    SARDONYX_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) y[i] = Op::apply(a[i], b[i]);
  } else if (sa == 1 && sb == 0) {
    const T right = *b;
    SARDONYX_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) y[i] = Op::apply(a[i], right);
  } else if (sa == 0 && sb == 1) {
    const T left = *a;
    SARDONYX_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) y[i] = Op::apply(left, b[i]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) {
      asm volatile("");  // rare: not worth the size of vectors with gathered operands
      y[i] = Op::apply(a[i * sa], b[i * sb]);
    }
  }
}

// Comparisons give booleans: the scalar formula of an operator on floats that returns a byte.
template <class Op>
constexpr bool compares() {
  if constexpr (Op::takes(DType::f64)) {
    return std::is_same_v<Result<Op, double>, std::uint8_t>;
  } else {
    return false;
  }
}

template <class Op, class T>
inline void run_binary_as(const Step& step, std::int64_t rows) {
  using R = Result<Op, T>;
  const T* a = data_of<T>(step.inputs[0]);
  const T* b = data_of<T>(step.inputs[1]);
  R* y = data_of<R>(step.outputs[0]);
  const Nest<3> nest = make_nest<3>({&step.outputs[0], &step.inputs[0], &step.inputs[1]}, rows);
  for_each_run(nest, [=](const std::int64_t* at, std::int64_t n, const std::int64_t* stride) {
    binary_loop<Op>(a + at[1], stride[1], b + at[2], stride[2], y + at[0], n);
  });
}

template <class Op>
void check_binary(const Step& step) {
  require_counts(step, Op::name, 2, 1, 0);
  require_row_output(step, Op::name);
  const DType t = step.inputs[0].dtype;
  require(Op::takes(t), Op::name, "does not take this type");
  require(step.inputs[1].dtype == t, Op::name, "operands of different types");
  require(step.outputs[0].dtype == (compares<Op>() ? DType::boolean : t), Op::name, "output of the wrong type");
  require(broadcasts(step.inputs[0], step.outputs[0]), Op::name, "the first operand does not broadcast");
  require(broadcasts(step.inputs[1], step.outputs[0]), Op::name, "the second operand does not broadcast");
}

template <class Op>
void run_binary(const Step& step, std::int64_t rows, const Context&) {
  const DType t = step.inputs[0].dtype;
  if constexpr (Op::takes(DType::f64)) {
    if (is_float(t)) return with_float(t, [&]<class T>(Type<T>) { run_binary_as<Op, T>(step, rows); });
  }
  if constexpr (Op::takes(DType::boolean)) {
    if (t == DType::boolean) return run_binary_as<Op, std::uint8_t>(step, rows);
  }
  if constexpr (Op::takes(DType::u64)) {
    if (t == DType::u64) return run_binary_as<Op, std::uint64_t>(step, rows);
  }
  if constexpr (Op::takes(DType::i64)) {
    return t == DType::i32 ? run_binary_as<Op, std::int32_t>(step, rows) : run_binary_as<Op, std::int64_t>(step, rows);
  }
}

}  // namespace
}  // namespace sardonyx
