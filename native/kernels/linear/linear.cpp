// Linear: y[r, j] = sum_i x[r, i] * w[i, j] (+ b[j]), float32 or float64, w in ONNX layout (k, n).
//
// A row may hold several vectors of k numbers, one behind the other; each becomes n numbers.
//
// Params: none; or 1 if negative results become 0 (Relu), else 0; then 1 if rows that are not finite are refused, as by
// CheckFinite. They show in the results, which are fewer: every number of a row is a factor in each of its sums,
// infinity times 0 is NaN, and neither ever becomes finite again. Only where a sum is not finite (it may be one of
// large numbers) are the rows themselves looked at. Relu would hide -infinity: the two exclude each other.
//
// prepare() lays the weights out for one of two loops, or for both, the first columns in panels and the last one by dot
// products:
//
//   dot products                                         panels of V columns (V = lanes)
//     lanes run over i and are added up at the end         lanes run over j, i is counted through
//     w transposed, column by column;                      panel 0: w[0, 0..V) w[1, 0..V) ... w[k-1, 0..V)
//     the last vector of a column ends at k:               panel 1: w[0, V..2V) ...
//     w[0..V) w[V..2V) ... 0 0 w[k-2] w[k-1]               the last one padded with zeros
//
// Short rows fill lanes side by side instead, a row in each; w is transposed for them too, without gaps.
//
// Every row is summed in the same order whatever rows are computed with it, so one row alone gives the same bits as a
// batch. Products and sums are fused (FMA) where the instruction set has it: no bits are promised across instruction
// sets, and it is twice as fast.
#include <cstring>
#include <type_traits>

#include "kernels/check.h"
#include "kernels/guards/finite.h"
#include "kernels/linear/panels.h"
#include "kernels/memory.h"

namespace sardonyx {
namespace {

// Rows computed together, so that a weight is loaded once for all of them.
constexpr int kDotRows = 4;
constexpr std::int64_t kFewColumns = 2;  // no more than these are dot products
template <class T>
constexpr std::int64_t kFewOfShortRows = std::is_same_v<T, double> ? 6 : 4;
constexpr std::int64_t kShortRow = 8;  // up to here rows fill lanes side by side
constexpr std::int64_t kLongRow = 16;  // from here on a dot product is less than a panel of one column

template <class T>
constexpr bool is_short(std::int64_t k) {
  return k < kLanes<T> || k <= kShortRow;
}

// NaN stays.
template <class T>
inline T at_least(T floor, T value) {
  return value <= floor ? floor : value;
}

// ---- few columns ---------------------------------------------------------------------------------------------------

// As many short rows as there are lanes, a row in each: the same sums as of a row alone, bit for bit.
template <class T, int N>
void short_dots_by_lanes(const Part<T>& part, const T* x, T* y) {
  Vector<T> sums[N];
  for (int j = 0; j < N; ++j) sums[j] = Vector<T>{};
  for (std::int64_t i = 0; i < part.k; ++i) {
    const Vector<T> column = load_strided<Vector<T>>(x + i, part.k);
    for (int j = 0; j < N; ++j) sums[j] += column * broadcast(part.w[j * part.k + i]);
  }
  for (int j = 0; j < N; ++j) {
    const Vector<T> result = sums[j] + broadcast(part.b[j]), floor = broadcast(part.floor);
    store_strided(y + j, part.n, result <= floor ? floor : result);
  }
}

template <class T, int N>
void short_dots(const Part<T>& part, const T* x, std::int64_t rows, T* y) {
  constexpr int V = kLanes<T>;
  std::int64_t r = 0;
  for (; r + V <= rows; r += V) short_dots_by_lanes<T, N>(part, x + r * part.k, y + r * part.n);
  for (x += r * part.k, y += r * part.n; r < rows; ++r, x += part.k, y += part.n) {
    for (int j = 0; j < N; ++j) {
      T total = 0;
      for (std::int64_t i = 0; i < part.k; ++i) total += x[i] * part.w[j * part.k + i];
      y[j] = at_least(part.floor, total + part.b[j]);
    }
  }
}

template <class T>
void run_short_dots(const Part<T>& part, const T* x, std::int64_t rows, T* y) {
  switch (part.columns) {
    case 1: return short_dots<T, 1>(part, x, rows, y);
    case 2: return short_dots<T, 2>(part, x, rows, y);
    case 3: return short_dots<T, 3>(part, x, rows, y);
    case 4: return short_dots<T, 4>(part, x, rows, y);
    case 5: return short_dots<T, 5>(part, x, rows, y);
    default: return short_dots<T, 6>(part, x, rows, y);
  }
}

// The last vector of a row reaches back over lanes that were counted already; `mask` clears them (their weights are 0,
// but 0 * inf is NaN).
template <class T>
Vector<T> masked(Vector<T> v, VectorBits<T> mask) {
  return (Vector<T>)((VectorBits<T>)v & mask);
}

template <class T>
VectorBits<T> mask_of_last(std::int64_t lanes) {
  VectorBits<T> mask{};
  for (int l = 0; l < kLanes<T>; ++l) mask[l] = l >= kLanes<T> - lanes ? -1 : 0;
  return mask;
}

// Two accumulators hide the latency of the additions.
template <class T, int R>
void dot_rows(const T* x, std::int64_t k, const T* w, VectorBits<T> mask, T bias, T floor, T* y, std::int64_t stride) {
  constexpr int V = kLanes<T>;
  Vector<T> even[R], odd[R];  // set in a loop: an initialiser would keep GCC from holding them in registers
  for (int r = 0; r < R; ++r) even[r] = odd[r] = Vector<T>{};
  std::int64_t i = 0;
  for (; i + 2 * V <= k; i += 2 * V) {
    const Vector<T> w0 = load(w + i), w1 = load(w + i + V);
    for (int r = 0; r < R; ++r) even[r] = multiply_add(load(x + r * k + i), w0, even[r]);
    for (int r = 0; r < R; ++r) odd[r] = multiply_add(load(x + r * k + i + V), w1, odd[r]);
  }
  if (i + V <= k) {
    const Vector<T> w0 = load(w + i);
    for (int r = 0; r < R; ++r) even[r] = multiply_add(load(x + r * k + i), w0, even[r]);
    i += V;
  }
  if (i < k) {
    const Vector<T> w0 = load(w + i);
    for (int r = 0; r < R; ++r) odd[r] = multiply_add(masked<T>(load(x + r * k + k - V), mask), w0, odd[r]);
  }
  for (int r = 0; r < R; ++r) y[r * stride] = at_least(floor, sum(even[r] + odd[r]) + bias);
}

template <class T>
void run_dots(const Part<T>& part, const T* x, std::int64_t rows, T* y) {
  if (is_short<T>(part.k)) return run_short_dots(part, x, rows, y);
  const std::int64_t k = part.k, n = part.n, stride = round_up(k, kLanes<T>);
  const VectorBits<T> mask = mask_of_last<T>(k % kLanes<T>);
  std::int64_t r = 0;
  for (; r + kDotRows <= rows; r += kDotRows) {
    fetch_ahead(x + r * k, kDotRows, k);
    for (std::int64_t j = 0; j < part.columns; ++j)
      dot_rows<T, kDotRows>(x + r * k, k, part.w + j * stride, mask, part.b[j], part.floor, y + r * n + j, n);
  }
  for (; r < rows; ++r) {
    for (std::int64_t j = 0; j < part.columns; ++j)
      dot_rows<T, 1>(x + r * k, k, part.w + j * stride, mask, part.b[j], part.floor, y + r * n + j, n);
  }
}

// Columns of w, whose rows are n apart.
template <class T>
void pack_dots(const T* w, std::int64_t k, std::int64_t n, std::int64_t columns, T* to) {
  const bool plain = is_short<T>(k);
  const std::int64_t stride = plain ? k : round_up(k, kLanes<T>);
  const std::int64_t whole = plain ? k : k / kLanes<T> * kLanes<T>, skip = stride - k;
  for (std::int64_t j = 0; j < columns; ++j) {
    for (std::int64_t i = 0; i < k; ++i) to[j * stride + i + (i < whole ? 0 : skip)] = w[i * n + j];
  }
}

// ---- the kernel ----------------------------------------------------------------------------------------------------

bool is_set(const Step& step, int param) { return param < step.n_params && step.params[param].i == 1; }

// Packed weights, first of columns in panels, then of those by dot products; then the bias (zeros without one), padded
// to whole panels.
struct Packed {
  std::int64_t vectors, k, n, in_panels;
  void *weights, *dots, *bias;
  bool relu, refuses;
};

// Panels are summed up in the order of BLAS, short dot products as SciPy's sparse ones: worth more than time where
// rounding shows, in float32.
template <class T>
std::int64_t columns_in_panels(std::int64_t k, std::int64_t n) {
  if (n <= (is_short<T>(k) ? kFewOfShortRows<T> : kFewColumns)) return 0;
  const bool split = std::is_same_v<T, double> && n > kLanes<T> && n % kLanes<T> == 1 && k >= kLongRow;
  return split ? n - 1 : n;
}

// Vectors in a row.
std::int64_t vectors_of(const Step& step) {
  const std::int64_t k = step.inputs[1].dims[0], n = step.inputs[1].dims[1];
  return k > 0 ? step.inputs[0].width / k : n > 0 ? step.outputs[0].width / n : 1;
}

template <class T>
void* pack(const Step& step) {
  const std::int64_t k = step.inputs[1].dims[0], n = step.inputs[1].dims[1], in_panels = columns_in_panels<T>(k, n);
  const std::int64_t columns = round_up(n, kLanes<T>), panels = round_up(in_panels, kLanes<T>) * k;
  const std::int64_t size = panels + (n - in_panels) * round_up(k, kLanes<T>) + columns;
  auto* packed = allocate_state<Packed>(static_cast<std::size_t>(size) * sizeof(T), "Linear", "the weights");
  auto *weights = reinterpret_cast<T*>(arrays_of(packed)), *dots = weights + panels, *bias = weights + size - columns;
  *packed = {vectors_of(step), k, n, in_panels, weights, dots, bias, is_set(step, 0), is_set(step, 1)};
  const auto* w = static_cast<const T*>(step.inputs[1].data);
  pack_panels(w, n, 1, k, in_panels, k, weights);
  pack_dots(w + in_panels, k, n, n - in_panels, dots);
  if (step.n_inputs == 3 && n > 0) std::memcpy(bias, step.inputs[2].data, static_cast<std::size_t>(n) * sizeof(T));
  return packed;
}

void* prepare(const Step& step) { return step.inputs[0].dtype == DType::f32 ? pack<float>(step) : pack<double>(step); }

void check(const Step& step) {
  if (step.n_inputs < 2 || step.n_inputs > 3 || step.n_outputs != 1) fail("Linear takes x, w and perhaps b, gives y");
  const Tensor &x = step.inputs[0], &w = step.inputs[1], &y = step.outputs[0];
  if (x.dtype != DType::f32 && x.dtype != DType::f64) fail("Linear takes float32 or float64");
  if (x.constant || x.dtype != y.dtype || x.dtype != w.dtype)
    fail("Linear: x, w and y differ in type, or x is constant");
  if (!w.constant || w.rank != 2) fail("Linear: w is a constant matrix");
  const std::int64_t vectors = vectors_of(step);
  if (!covers(1, vectors, w.dims[0], x.width) || !covers(1, vectors, w.dims[1], y.width))
    fail("Linear: w does not fit x and y");
  if (step.n_params > 2) fail("Linear has two params at most");
  for (int i = 0; i < step.n_params; ++i) {
    if ((integer_param(step, i) & ~std::int64_t{1}) != 0) fail("Linear: a param is neither 0 nor 1");
  }
  if (is_set(step, 1) && (is_set(step, 0) || y.width == 0))
    fail("Linear: results that hide infinity cannot tell what to refuse");
  if (step.n_inputs == 2) return;
  const Tensor& b = step.inputs[2];
  if (!b.constant || b.dtype != x.dtype || b.width != w.dims[1]) fail("Linear: b does not fit y");
}

template <class T>
void linear(const Step& step, std::int64_t rows, const Packed& packed) {
  const auto* x = static_cast<const T*>(step.inputs[0].data);
  const auto* b = static_cast<const T*>(packed.bias);
  auto* y = static_cast<T*>(step.outputs[0].data);
  rows *= packed.vectors;
  const std::int64_t first = packed.in_panels, rest = packed.n - first;
  const T floor = packed.relu ? T{0} : -static_cast<T>(__builtin_inf());
  if (first > 0)
    run_panels<T>({packed.k, packed.n, first, packed.k, static_cast<const T*>(packed.weights), b, floor}, x, rows, y);
  if (rest > 0) {
    run_dots<T>({packed.k, packed.n, rest, packed.k, static_cast<const T*>(packed.dots), b + first, floor}, x, rows,
                y + first);
  }
  if (packed.refuses && has_special(y, rows * packed.n)) require_finite(x, rows * packed.k, false);
}

void run(const Step& step, std::int64_t rows, const Context& context) {
  const auto& packed = *static_cast<const Packed*>(context.state);
  if (step.inputs[0].dtype == DType::f32) return linear<float>(step, rows, packed);
  linear<double>(step, rows, packed);
}

double cost(const Step& step) {
  return 2 + static_cast<double>(vectors_of(step)) * static_cast<double>(step.inputs[1].width) *
                 static_cast<double>(item_size(step.inputs[1].dtype)) / 64;
}

SARDONYX_KERNEL("Linear", {.check = check, .run = run, .prepare = prepare, .release = release_memory, .cost = cost});

}  // namespace
}  // namespace sardonyx
