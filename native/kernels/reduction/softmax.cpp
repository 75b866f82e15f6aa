// Softmax, LogSoftmax and ReduceLogSumExp along one axis of a row: params [outer, n, inner], as in reduce.cpp.
//
// All three take exp(x - shift), the shift of a line (the n elements along the axis) being its largest element. Some
// rows at once, so that vectors are full however narrow a row is.
#include "kernels/reduction/axis.h"
#include "simd/math.h"

namespace sardonyx {
namespace {

template <class T>
inline T largest(const T* x, std::int64_t n, std::int64_t stride) {
  T most = x[0];
  for (std::int64_t i = 1; i < n; ++i) {
    const T v = x[i * stride];
    most = most > v || is_nan(most) ? most : v;
  }
  return most;
}

template <class T>
inline T sum_of(const T* x, std::int64_t n, std::int64_t stride) {
  T total = 0;
  for (std::int64_t i = 0; i < n; ++i) total += x[i * stride];
  return total;
}

// An infinite shift would give inf - inf: it is replaced by zero, as in scipy.special.logsumexp.
template <class T>
inline T finite_or_zero(T x) {
  return x - x == 0 ? x : T{0};
}

// What Softmax, LogSoftmax and ReduceLogSumExp have in common: exp(x - shift) of some rows at once, so that vectors are
// full however narrow a row is. The shift of a line (the n elements along the axis) is its largest element.
//
//   x, e     count x n x inner          shift, sums    count x inner
template <bool Finite, class T>
inline void exponentials(const T* x, T* e, T* shift, const Axis& axis, std::int64_t count) {
  const std::int64_t size = axis.n * axis.inner;
  for (std::int64_t r = 0; r < count; ++r) {
    for (std::int64_t j = 0; j < axis.inner; ++j) {
      const T most = largest(x + r * size + j, axis.n, axis.inner);
      const T by = shift[r * axis.inner + j] = Finite ? finite_or_zero(most) : most;
      for (std::int64_t i = j; i < size; i += axis.inner) e[r * size + i] = x[r * size + i] - by;
    }
  }
  map([](Vector<double> v) { return exp_of(v); }, e, e, count * size);
}

template <class T>
inline void logarithms_of_sums(const T* e, T* sums, const Axis& axis, std::int64_t count) {
  const std::int64_t size = axis.n * axis.inner;
  for (std::int64_t r = 0; r < count; ++r) {
    for (std::int64_t j = 0; j < axis.inner; ++j) {
      sums[r * axis.inner + j] = sum_of(e + r * size + j, axis.n, axis.inner);
    }
  }
  map([](Vector<double> v) { return log_of(v); }, sums, sums, count * axis.inner);
}

// Rows that are worked on at once: enough to fill vectors, few enough to stay in the first cache.
inline std::int64_t rows_at_once(const Axis& axis) {
  constexpr std::int64_t kElements = 1024;
  const std::int64_t size = axis.n * axis.inner;
  return size < kElements ? kElements / (size > 0 ? size : 1) : 1;
}

// Memory for the exponentials, shifts and sums of the rows worked on at once.
template <class T>
struct Workspace {
  T* e;
  T* shift;
  T* sums;
};

template <class T>
inline Workspace<T> workspace_in(void* scratch, const Axis& axis) {
  T* e = static_cast<T*>(scratch);
  T* shift = e + rows_at_once(axis) * axis.n * axis.inner;
  return {e, shift, shift + rows_at_once(axis) * axis.inner};
}

std::size_t scratch_exponentials(const Step& step, std::int64_t) {
  const Axis axis = axis_of(step);
  if (step.inputs[0].width == 0) return 0;  // the other params may then be as large as they like
  return static_cast<std::size_t>(rows_at_once(axis) * (axis.n + 2) * axis.inner) * item_size(step.inputs[0].dtype);
}

// Calls work(x, y, count) for as many rows at once as `rows_at_once` says, `wide` elements of y each.
template <class T, class Work>
inline void by_chunks(const Step& step, std::int64_t rows, const Axis& axis, std::int64_t wide, Work work) {
  const T* x = data_of<T>(step.inputs[0]);
  T* y = data_of<T>(step.outputs[0]);
  const std::int64_t total = rows * axis.outer, most = rows_at_once(axis);
  for (std::int64_t done = 0; done < total; done += most) {
    const std::int64_t count = total - done < most ? total - done : most;
    work(x + done * axis.n * axis.inner, y + done * wide, count);
  }
}

template <class T>
inline void log_sum_exp(const T* x, T* y, const Axis& axis, std::int64_t count, const Workspace<T>& work) {
  exponentials<true>(x, work.e, work.shift, axis, count);
  logarithms_of_sums(work.e, work.sums, axis, count);
  for (std::int64_t i = 0; i < count * axis.inner; ++i) y[i] = work.sums[i] + work.shift[i];
}

void check_log_sum_exp(const Step& step) {
  check_axis(step, "ReduceLogSumExp", 3);
  const Axis axis = axis_of(step);
  require(is_float(step.inputs[0].dtype), "ReduceLogSumExp", "needs floats");
  require(step.outputs[0].dtype == step.inputs[0].dtype, "ReduceLogSumExp", "output of the wrong type");
  require(covers(axis.outer, 1, axis.inner, step.outputs[0].width), "ReduceLogSumExp", "params do not fit the output");
  require(axis.n > 0, "ReduceLogSumExp", "needs at least one element");
}

void run_log_sum_exp(const Step& step, std::int64_t rows, const Context& context) {
  const Axis axis = axis_of(step);
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    const Workspace<T> work = workspace_in<T>(context.scratch, axis);
    by_chunks<T>(step, rows, axis, axis.inner,
                 [&](const T* x, T* y, std::int64_t count) { log_sum_exp(x, y, axis, count, work); });
  });
}
SARDONYX_KERNEL("ReduceLogSumExp",
                {.check = check_log_sum_exp, .run = run_log_sum_exp, .scratch = scratch_exponentials});

// ---- softmax
// -----------------------------------------------------------------------------------------------------------

template <class T>
using Lines = std::conditional_t<std::is_same_v<T, double>, Vector<double>, NarrowFloats>;  // an element of each

template <class T>
inline Lines<T> load_lines(const T* from) {
  Lines<T> v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

template <class T>
inline void store_lines(T* to, Lines<T> v) {
  std::memcpy(to, &v, sizeof v);
}

// x less its largest element, of as many contiguous lines as there are lanes, a line in each.
template <class T>
inline void shift_lines(const T* x, std::int64_t n, T* e) {
  constexpr std::int64_t lanes = kLanes<double>;
  Lines<T> most = load_strided<Lines<T>>(x, n);
  store_lines(e, most);
  for (std::int64_t i = 1; i < n; ++i) {
    const Lines<T> v = load_strided<Lines<T>>(x + i, n);
    store_lines(e + i * lanes, v);
    const auto kept = (most > v) | (most != most);
    most = kept ? most : v;
  }
  for (std::int64_t i = 0; i < n; ++i) store_lines(e + i * lanes, load_lines(e + i * lanes) - most);
}

template <class T>
inline void divide_lines(const T* e, std::int64_t n, T* y) {
  constexpr std::int64_t lanes = kLanes<double>;
  Lines<T> total{};
  for (std::int64_t i = 0; i < n; ++i) total += load_lines(e + i * lanes);
  for (std::int64_t i = 0; i < n; ++i) store_strided(y + i, n, load_lines(e + i * lanes) / total);
}

// Some lines by lanes, as many as are whole vectors: the same operations as of one line, bit for bit. One thing after
// the other, as exp is long, and the exponentials of one line alone would wait for each other.
template <class T>
inline std::int64_t softmax_by_lanes(const T* x, T* y, std::int64_t n, std::int64_t count, T* e) {
  constexpr std::int64_t lanes = kLanes<double>;
  const std::int64_t whole = count / lanes * lanes;
  for (std::int64_t r = 0; r < whole; r += lanes) shift_lines(x + r * n, n, e + r * n);
  map([](Vector<double> v) { return exp_of(v); }, e, e, whole * n);
  for (std::int64_t r = 0; r < whole; r += lanes) divide_lines(e + r * n, n, y + r * n);
  return whole;
}

template <class T>
inline void softmax(const T* x, T* y, const Axis& axis, std::int64_t count, const Workspace<T>& work) {
  if (axis.inner == 1) {
    const std::int64_t done = softmax_by_lanes(x, y, axis.n, count, work.e);
    x += done * axis.n;
    y += done * axis.n;
    count -= done;
  }
  exponentials<false>(x, y, work.shift, axis, count);
  for (std::int64_t r = 0; r < count; ++r, y += axis.n * axis.inner) {
    for (std::int64_t j = 0; j < axis.inner; ++j) {
      const T sum = sum_of(y + j, axis.n, axis.inner);
      for (std::int64_t i = j; i < axis.n * axis.inner; i += axis.inner) y[i] /= sum;
    }
  }
}

template <class T>
inline void log_softmax(const T* x, T* y, const Axis& axis, std::int64_t count, const Workspace<T>& work) {
  exponentials<false>(x, work.e, work.shift, axis, count);
  logarithms_of_sums(work.e, work.sums, axis, count);
  const std::int64_t size = axis.n * axis.inner;
  for (std::int64_t r = 0; r < count; ++r) {
    for (std::int64_t j = 0; j < axis.inner; ++j) {
      const T most = work.shift[r * axis.inner + j], total = work.sums[r * axis.inner + j];
      for (std::int64_t i = r * size + j; i < (r + 1) * size; i += axis.inner) y[i] = (x[i] - most) - total;
    }
  }
}

template <bool Log>
void check_softmax(const Step& step) {
  constexpr const char* name = Log ? "LogSoftmax" : "Softmax";
  check_axis(step, name, 3);
  require(is_float(step.inputs[0].dtype), name, "needs floats");
  require(step.outputs[0].dtype == step.inputs[0].dtype, name, "output of the wrong type");
  require(step.outputs[0].width == step.inputs[0].width, name, "output of the wrong size");
}

template <bool Log>
void run_softmax(const Step& step, std::int64_t rows, const Context& context) {
  const Axis axis = axis_of(step);
  if (axis.n == 0) return;
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    const Workspace<T> work = workspace_in<T>(context.scratch, axis);
    by_chunks<T>(step, rows, axis, axis.n * axis.inner, [&](const T* x, T* y, std::int64_t count) {
      if constexpr (Log) {
        log_softmax(x, y, axis, count, work);
      } else {
        softmax(x, y, axis, count, work);
      }
    });
  });
}
SARDONYX_KERNEL("Softmax", {.check = check_softmax<false>,
                            .run = run_softmax<false>,
                            .scratch = scratch_exponentials,
                            .in_place = true});
SARDONYX_KERNEL("LogSoftmax", {.check = check_softmax<true>,
                               .run = run_softmax<true>,
                               .scratch = scratch_exponentials,
                               .in_place = true});

}  // namespace
}  // namespace sardonyx
