// Along one axis of a row: sums, products, extremes, running sums, the k largest. (See also positions.cpp,
// softmax.cpp.)
//
// Params begin with [outer, n, inner]: the row seen as outer x n x inner, working along n.
//
//            n                        a reduction writes   outer x inner
//      ┌───────────┐                  the others keep      outer x n x inner
//      │ . . . . . │ x inner          (TopK:               outer x k x inner)
//      └───────────┘ x outer
//
// Sums run from the first element to the last, with one accumulator. NaN is the greatest number, as in NumPy: it is the
// result of Max, Min, ArgMax and ArgMin, and comes first among the largest.
#include "kernels/reduction/axis.h"

namespace sardonyx {
namespace {

inline double log_of(double x) { return ::log(x); }
inline float log_of(float x) { return ::logf(x); }
inline double sqrt_of(double x) { return ::sqrt(x); }
inline float sqrt_of(float x) { return ::sqrtf(x); }
inline double fabs_of(double x) { return __builtin_fabs(x); }
inline float fabs_of(float x) { return __builtin_fabsf(x); }

// Signed sums and products wrap, as NumPy's: they are done on unsigned numbers.
template <class T, class = void>
struct Accumulator {
  using type = T;
};
template <class T>
struct Accumulator<T, std::enable_if_t<std::is_integral_v<T>>> {
  using type = std::uint64_t;
};

// ---- reductions: start from the first element (or from zero), fold, finish ------------------------------------------

// A reduction of no elements has a value only where `empty` says so.
#define SARDONYX_REDUCTION(op, condition, has_empty, start_, fold_, finish_)    \
  struct op {                                                                   \
    static constexpr const char* name = "Reduce" #op;                           \
    static constexpr bool takes([[maybe_unused]] DType t) { return condition; } \
    static constexpr bool empty = has_empty;                                    \
    template <class T>                                                          \
    static T start([[maybe_unused]] T x) {                                      \
      return start_;                                                            \
    }                                                                           \
    template <class A, class T>                                                 \
    static A fold(A a, T x) {                                                   \
      return fold_;                                                             \
    }                                                                           \
    template <class A>                                                          \
    static A finish(A a, [[maybe_unused]] std::int64_t n) {                     \
      return finish_;                                                           \
    }                                                                           \
  };
SARDONYX_REDUCTION(Sum, is_number(t), true, T{0}, static_cast<A>(a + static_cast<A>(x)), a)
SARDONYX_REDUCTION(Prod, is_number(t), true, T{1}, static_cast<A>(a* static_cast<A>(x)), a)
SARDONYX_REDUCTION(SumSquare, is_float(t), true, T{0}, a + x * x, a)
SARDONYX_REDUCTION(L1, is_float(t), true, T{0}, a + fabs_of(x), a)
SARDONYX_REDUCTION(L2, is_float(t), true, T{0}, a + x * x, sqrt_of(a))
SARDONYX_REDUCTION(Mean, is_float(t), true, T{0}, a + x, a / static_cast<A>(n))
SARDONYX_REDUCTION(LogSum, is_float(t), true, T{0}, a + x, log_of(a))
SARDONYX_REDUCTION(Max, is_number(t) || t == DType::boolean, false, x, ((a > x) | is_nan(a) ? a : x), a)
SARDONYX_REDUCTION(Min, is_number(t) || t == DType::boolean, false, x, ((a < x) | is_nan(a) ? a : x), a)
#undef SARDONYX_REDUCTION

template <class Op, class T>
inline T reduce_strided(const T* x, std::int64_t n, std::int64_t stride) {
  using A = std::conditional_t<Op::empty, typename Accumulator<T>::type, T>;
  A a = static_cast<A>(Op::start(Op::empty ? T{} : *x));
  for (std::int64_t i = 0; i < n; ++i) a = Op::fold(a, x[i * stride]);
  return static_cast<T>(Op::finish(a, n));
}

// Four rows side by side: one accumulator each, so that their additions overlap and the order in a row stays.
template <class Op, class T>
inline void reduce_contiguous(const T* x, T* y, std::int64_t count, std::int64_t n) {
  using A = std::conditional_t<Op::empty, typename Accumulator<T>::type, T>;
  std::int64_t r = 0;
  for (; r + 4 <= count; r += 4, x += 4 * n) {
    A a[4];
    for (int k = 0; k < 4; ++k) a[k] = static_cast<A>(Op::start(Op::empty ? T{} : x[k * n]));
    for (std::int64_t i = 0; i < n; ++i) {
      for (int k = 0; k < 4; ++k) a[k] = Op::fold(a[k], x[k * n + i]);
    }
    for (int k = 0; k < 4; ++k) y[r + k] = static_cast<T>(Op::finish(a[k], n));
  }
  for (; r < count; ++r, x += n) y[r] = reduce_strided<Op>(x, n, 1);
}

// As many columns side by side, in registers: what is next to each other in memory is read together.
constexpr int kColumns = 16;

template <class Op, int columns, class T>
inline void reduce_columns(const T* x, T* y, std::int64_t n, std::int64_t stride) {
  using A = std::conditional_t<Op::empty, typename Accumulator<T>::type, T>;
  A a[columns];
  for (int k = 0; k < columns; ++k) a[k] = static_cast<A>(Op::start(Op::empty ? T{} : x[k]));
  for (std::int64_t i = 0; i < n; ++i, x += stride) {
    for (int k = 0; k < columns; ++k) a[k] = Op::fold(a[k], x[k]);
  }
  for (int k = 0; k < columns; ++k) y[k] = static_cast<T>(Op::finish(a[k], n));
}

template <class Op>
void check_reduce(const Step& step) {
  check_axis(step, Op::name, 3);
  const Axis axis = axis_of(step);
  require(Op::takes(step.inputs[0].dtype), Op::name, "does not take this type");
  require(step.outputs[0].dtype == step.inputs[0].dtype, Op::name, "output of the wrong type");
  require(covers(axis.outer, 1, axis.inner, step.outputs[0].width), Op::name, "params do not fit the output");
  require(Op::empty || axis.n > 0, Op::name, "needs at least one element");
}

template <class Op, class T>
inline void run_reduce_as(const Step& step, std::int64_t rows) {
  const Axis axis = axis_of(step);
  const T* x = data_of<T>(step.inputs[0]);
  T* y = data_of<T>(step.outputs[0]);
  const std::int64_t count = rows * axis.outer;
  if (axis.inner == 1) return reduce_contiguous<Op>(x, y, count, axis.n);
  for (std::int64_t r = 0; r < count; ++r, x += axis.n * axis.inner, y += axis.inner) {
    std::int64_t j = 0;
    for (; j + kColumns <= axis.inner; j += kColumns) reduce_columns<Op, kColumns>(x + j, y + j, axis.n, axis.inner);
    for (; j + 4 <= axis.inner; j += 4) reduce_columns<Op, 4>(x + j, y + j, axis.n, axis.inner);
    for (; j < axis.inner; ++j) y[j] = reduce_strided<Op>(x + j, axis.n, axis.inner);
  }
}

template <class Op>
void run_reduce(const Step& step, std::int64_t rows, const Context&) {
  const auto run = [&]<class T>(Type<T>) { run_reduce_as<Op, T>(step, rows); };
  if constexpr (Op::takes(DType::i64)) {
    with_number(step.inputs[0].dtype, run);
  } else {
    with_float(step.inputs[0].dtype, run);
  }
}

SARDONYX_KERNEL("ReduceSum", {.check = check_reduce<Sum>, .run = run_reduce<Sum>});
SARDONYX_KERNEL("ReduceProd", {.check = check_reduce<Prod>, .run = run_reduce<Prod>});
SARDONYX_KERNEL("ReduceSumSquare", {.check = check_reduce<SumSquare>, .run = run_reduce<SumSquare>});
SARDONYX_KERNEL("ReduceL1", {.check = check_reduce<L1>, .run = run_reduce<L1>});
SARDONYX_KERNEL("ReduceL2", {.check = check_reduce<L2>, .run = run_reduce<L2>});
SARDONYX_KERNEL("ReduceMean", {.check = check_reduce<Mean>, .run = run_reduce<Mean>});
SARDONYX_KERNEL("ReduceLogSum", {.check = check_reduce<LogSum>, .run = run_reduce<LogSum>});
SARDONYX_KERNEL("ReduceMax", {.check = check_reduce<Max>, .run = run_reduce<Max>});
SARDONYX_KERNEL("ReduceMin", {.check = check_reduce<Min>, .run = run_reduce<Min>});

// ---- running sums: params [outer, n, inner, exclusive, reverse]
// -----------------------------------------------------------

void check_cumsum(const Step& step) {
  check_axis(step, "CumSum", 5);
  require(is_number(step.inputs[0].dtype), "CumSum", "needs numbers");
  require(step.outputs[0].dtype == step.inputs[0].dtype, "CumSum", "output of the wrong type");
  require(step.outputs[0].width == step.inputs[0].width, "CumSum", "output of the wrong size");
}

void run_cumsum(const Step& step, std::int64_t rows, const Context&) {
  const Axis axis = axis_of(step);
  const bool exclusive = step.params[3].i != 0, reverse = step.params[4].i != 0;
  with_number(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    using A = typename Accumulator<T>::type;
    const T* x = data_of<T>(step.inputs[0]);
    T* y = data_of<T>(step.outputs[0]);
    const std::int64_t size = axis.n * axis.inner;
    for (std::int64_t r = 0; r < rows * axis.outer; ++r, x += size, y += size) {
      for (std::int64_t j = 0; j < axis.inner; ++j) {
        A sum = 0;
        for (std::int64_t i = 0; i < axis.n; ++i) {
          const std::int64_t at = (reverse ? axis.n - 1 - i : i) * axis.inner + j;
          const A value = static_cast<A>(x[at]);
          if (exclusive) y[at] = static_cast<T>(sum);
          sum = static_cast<A>(sum + value);
          if (!exclusive) y[at] = static_cast<T>(sum);
        }
      }
    }
  });
}
SARDONYX_KERNEL("CumSum", {.check = check_cumsum, .run = run_cumsum, .in_place = true});

// ---- the k largest or smallest: params [outer, n, inner, k, largest]; outputs values, indices
// ----------------------------
//
// Always sorted, the best first; among equals the lowest index first. A stable merge sort of indices in scratch memory
// (2 n of them), or for small k one pass that keeps the k best in order.

constexpr std::int64_t kInsertionLimit = 32;

void check_topk(const Step& step) {
  require_counts(step, "TopK", 1, 2, 5);
  require_row_output(step, "TopK");
  const Axis axis = axis_of(step);
  const std::int64_t k = step.params[3].i;
  require(!step.inputs[0].constant && is_number(step.inputs[0].dtype), "TopK", "needs rows of numbers");
  require(covers(axis.outer, axis.n, axis.inner, step.inputs[0].width), "TopK", "params do not fit the input");
  require(in_range(k, 0, axis.n), "TopK", "k is out of range");
  require(step.outputs[0].dtype == step.inputs[0].dtype, "TopK", "values of the wrong type");
  require(step.outputs[1].dtype == DType::i64, "TopK", "indices of the wrong type");
  for (int i = 0; i < 2; ++i) {
    require(covers(axis.outer, k, axis.inner, step.outputs[i].width), "TopK", "params do not fit an output");
  }
}

std::size_t scratch_topk(const Step& step, std::int64_t) {
  return static_cast<std::size_t>(step.params[1].i) * 2 * sizeof(std::int64_t);
}

// True if b comes strictly before a.
template <bool Largest, class T>
inline bool before(T b, T a) {
  if constexpr (Largest) {
    return is_nan(b) ? !is_nan(a) : b > a;
  } else {
    return is_nan(a) ? !is_nan(b) : b < a;
  }
}

template <bool Largest, class T>
inline void keep_best(const T* x, std::int64_t n, std::int64_t stride, std::int64_t k, std::int64_t* best) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const T v = x[i * stride];
    if (count == k && !before<Largest>(v, x[best[k - 1] * stride])) continue;
    std::int64_t at = count < k ? count++ : k - 1;
    for (; at > 0 && before<Largest>(v, x[best[at - 1] * stride]); --at) best[at] = best[at - 1];
    best[at] = i;
  }
}

// Returns where the sorted indices are: `order` or `spare`.
template <bool Largest, class T>
inline std::int64_t* sort_indices(const T* x, std::int64_t n, std::int64_t stride, std::int64_t* order,
                                  std::int64_t* spare) {
  for (std::int64_t i = 0; i < n; ++i) order[i] = i;
  for (std::int64_t run = 1; run < n; run *= 2) {
    for (std::int64_t begin = 0; begin < n; begin += 2 * run) {
      const std::int64_t middle = begin + run < n ? begin + run : n;
      const std::int64_t end = begin + 2 * run < n ? begin + 2 * run : n;
      std::int64_t left = begin, right = middle;
      for (std::int64_t out = begin; out < end; ++out) {
        const bool take_right =
            left == middle || (right < end && before<Largest>(x[order[right] * stride], x[order[left] * stride]));
        spare[out] = order[take_right ? right++ : left++];
      }
    }
    std::int64_t* swap = order;
    order = spare;
    spare = swap;
  }
  return order;
}

template <bool Largest, class T>
inline void run_topk_as(const Step& step, std::int64_t rows, std::int64_t* scratch) {
  const Axis axis = axis_of(step);
  const std::int64_t k = step.params[3].i;
  const T* x = data_of<T>(step.inputs[0]);
  T* values = data_of<T>(step.outputs[0]);
  std::int64_t* indices = data_of<std::int64_t>(step.outputs[1]);
  for (std::int64_t r = 0; r < rows * axis.outer; ++r) {
    for (std::int64_t j = 0; j < axis.inner; ++j) {
      const std::int64_t* best = scratch;
      if (k <= kInsertionLimit) {
        keep_best<Largest>(x + j, axis.n, axis.inner, k, scratch);
      } else {
        best = sort_indices<Largest>(x + j, axis.n, axis.inner, scratch, scratch + axis.n);
      }
      for (std::int64_t i = 0; i < k; ++i) {
        values[i * axis.inner + j] = x[best[i] * axis.inner + j];
        indices[i * axis.inner + j] = best[i];
      }
    }
    x += axis.n * axis.inner;
    values += k * axis.inner;
    indices += k * axis.inner;
  }
}

void run_topk(const Step& step, std::int64_t rows, const Context& context) {
  if (step.params[3].i == 0) return;
  auto* scratch = static_cast<std::int64_t*>(context.scratch);
  with_number(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    if (step.params[4].i != 0) {
      run_topk_as<true, T>(step, rows, scratch);
    } else {
      run_topk_as<false, T>(step, rows, scratch);
    }
  });
}
SARDONYX_KERNEL("TopK", {.check = check_topk, .run = run_topk, .scratch = scratch_topk});

}  // namespace
}  // namespace sardonyx
