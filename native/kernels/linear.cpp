// Linear: y[r, j] = sum_i x[r, i] * w[i, j] (+ b[j]), float32 or float64, w in ONNX layout (k, n).
//
// prepare() lays the weights out for one of two loops:
//
//   few columns (n <= kDotColumns): dot products        many columns: panels of P = two vectors
//     lanes run over i and are added up at the end         lanes run over j, i is counted through
//     w transposed, column by column; V = lanes,           panel 0: w[0, 0..P) w[1, 0..P) ... w[k-1, 0..P)
//     the last vector of a column ends at k:               panel 1: w[0, P..2P) ...
//     w[0..V) w[V..2V) ... 0 0 w[k-2] w[k-1]               the last one padded with zeros
//
// Every row is summed in the same order whatever rows are computed with it, so one row alone gives the same bits as a
// batch. Products and sums are fused (FMA) where the instruction set has it: no bits are promised across instruction
// sets, and it is twice as fast.
#include <cstdlib>
#include <cstring>

#include "simd/vector.h"

namespace sardonyx {
namespace {

// Rows computed together, so that a weight is loaded once for all of them; the number of registers limits them.
constexpr int kDotRows = 4;
constexpr int kPanelRows = SARDONYX_ISA == 2 ? 8 : 4;
constexpr std::int64_t kDotColumns = 4;

template <class T>
constexpr int kPanel = 2 * kLanes<T>;

std::int64_t round_up(std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit * unit; }

// ---- few columns ---------------------------------------------------------------------------------------------------

// Rows shorter than a vector.
template <class T>
void short_dots(const T* x, std::int64_t rows, std::int64_t k, std::int64_t n, const T* w, const T* b, T* y) {
  const std::int64_t stride = round_up(k, kLanes<T>), skip = stride - k;
  for (std::int64_t r = 0; r < rows; ++r, x += k, y += n) {
    for (std::int64_t j = 0; j < n; ++j) {
      T total = 0;
      for (std::int64_t i = 0; i < k; ++i) total += x[i] * w[j * stride + skip + i];
      y[j] = total + b[j];
    }
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
void dot_rows(const T* x, std::int64_t k, const T* w, VectorBits<T> mask, T bias, T* y, std::int64_t stride) {
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
  for (int r = 0; r < R; ++r) y[r * stride] = sum(even[r] + odd[r]) + bias;
}

template <class T>
void run_dots(const T* x, std::int64_t rows, std::int64_t k, std::int64_t n, const T* w, const T* b, T* y) {
  if (k < kLanes<T>) return short_dots(x, rows, k, n, w, b, y);
  const std::int64_t stride = round_up(k, kLanes<T>);
  const VectorBits<T> mask = mask_of_last<T>(k % kLanes<T>);
  std::int64_t r = 0;
  for (; r + kDotRows <= rows; r += kDotRows) {
    for (std::int64_t j = 0; j < n; ++j)
      dot_rows<T, kDotRows>(x + r * k, k, w + j * stride, mask, b[j], y + r * n + j, n);
  }
  for (; r < rows; ++r) {
    for (std::int64_t j = 0; j < n; ++j) dot_rows<T, 1>(x + r * k, k, w + j * stride, mask, b[j], y + r * n + j, n);
  }
}

template <class T>
void pack_dots(const T* w, std::int64_t k, std::int64_t n, T* to) {
  const std::int64_t stride = round_up(k, kLanes<T>), whole = k / kLanes<T> * kLanes<T>, skip = stride - k;
  for (std::int64_t j = 0; j < n; ++j) {
    for (std::int64_t i = 0; i < k; ++i) to[j * stride + i + (i < whole ? 0 : skip)] = w[i * n + j];
  }
}

// ---- many columns --------------------------------------------------------------------------------------------------

// R rows times N vectors of columns, from as many panels as they fill. `valid` columns are stored.
template <class T, int R, int N>
void panel_rows(const T* x, std::int64_t k, const T* w, const T* b, T* y, std::int64_t n, std::int64_t valid) {
  constexpr int V = kLanes<T>, P = kPanel<T>;
  const std::int64_t panel = k * P;
  Vector<T> sums[R][N];
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < N; ++c) sums[r][c] = Vector<T>{};
  }
  for (std::int64_t i = 0; i < k; ++i, w += P) {
    Vector<T> weights[N];
    for (int c = 0; c < N; ++c) weights[c] = load(w + c / 2 * panel + c % 2 * V);
    for (int r = 0; r < R; ++r) {
      const Vector<T> value = broadcast(x[r * k + i]);
      for (int c = 0; c < N; ++c) sums[r][c] = multiply_add(value, weights[c], sums[r][c]);
    }
  }
  for (int r = 0; r < R; ++r) {
    T result[N * V];
    for (int c = 0; c < N; ++c) store(result + c * V, sums[r][c] + load(b + c * V));
    std::memcpy(y + r * n, result, static_cast<std::size_t>(valid) * sizeof(T));
  }
}

// One row or two have no other rows to hide the latency of the additions behind: they take more panels at once.
template <class T, int R>
void run_panels_of(const T* x, std::int64_t k, std::int64_t n, const T* w, const T* b, T* y) {
  constexpr int V = kLanes<T>, P = kPanel<T>;
  std::int64_t j = 0;
  if constexpr (R <= 2) {
    constexpr int wide = 4 / R;
    for (; n - j >= wide * P; j += wide * P) panel_rows<T, R, 2 * wide>(x, k, w + j * k, b + j, y + j, n, wide * P);
  }
  for (; n - j >= P; j += P) panel_rows<T, R, 2>(x, k, w + j * k, b + j, y + j, n, P);
  if (n - j > V) {
    panel_rows<T, R, 2>(x, k, w + j * k, b + j, y + j, n, n - j);
  } else if (n - j > 0) {
    panel_rows<T, R, 1>(x, k, w + j * k, b + j, y + j, n, n - j);
  }
}

template <class T>
void run_panels(const T* x, std::int64_t rows, std::int64_t k, std::int64_t n, const T* w, const T* b, T* y) {
  std::int64_t r = 0;
  for (; r + kPanelRows <= rows; r += kPanelRows) run_panels_of<T, kPanelRows>(x + r * k, k, n, w, b, y + r * n);
  for (; r + 2 <= rows; r += 2) run_panels_of<T, 2>(x + r * k, k, n, w, b, y + r * n);
  for (; r < rows; ++r) run_panels_of<T, 1>(x + r * k, k, n, w, b, y + r * n);
}

template <class T>
void pack_panels(const T* w, std::int64_t k, std::int64_t n, T* to) {
  constexpr int P = kPanel<T>;
  for (std::int64_t j = 0; j < n; ++j) {
    T* panel = to + j / P * P * k + j % P;
    for (std::int64_t i = 0; i < k; ++i) panel[i * P] = w[i * n + j];
  }
}

// ---- the kernel ----------------------------------------------------------------------------------------------------

// Packed weights, then the bias (zeros without one), both padded to whole panels.
struct Packed {
  std::int64_t k, n;
  void* weights;
  void* bias;
};

template <class T>
void* pack(const Step& step) {
  const std::int64_t k = step.inputs[0].width, n = step.outputs[0].width;
  const std::int64_t columns = round_up(n, kPanel<T>);
  const std::int64_t size = columns * round_up(k, kLanes<T>) + columns;
  auto* packed = static_cast<Packed*>(std::calloc(1, sizeof(Packed)));
  void* memory = nullptr;
  const std::size_t bytes = static_cast<std::size_t>(size > 0 ? size : 1) * sizeof(T);
  if (packed == nullptr || posix_memalign(&memory, 64, bytes) != 0) {
    std::free(packed);
    fail("Linear: not enough memory for the weights");
  }
  std::memset(memory, 0, bytes);
  auto* weights = static_cast<T*>(memory);
  T* bias = weights + columns * round_up(k, kLanes<T>);
  *packed = {k, n, weights, bias};
  const auto* w = static_cast<const T*>(step.inputs[1].data);
  n <= kDotColumns ? pack_dots(w, k, n, weights) : pack_panels(w, k, n, weights);
  if (step.n_inputs == 3 && n > 0) std::memcpy(bias, step.inputs[2].data, static_cast<std::size_t>(n) * sizeof(T));
  return packed;
}

void* prepare(const Step& step) { return step.inputs[0].dtype == DType::f32 ? pack<float>(step) : pack<double>(step); }

void release(void* state) {
  std::free(static_cast<Packed*>(state)->weights);
  std::free(state);
}

void check(const Step& step) {
  if (step.n_inputs < 2 || step.n_inputs > 3 || step.n_outputs != 1) fail("Linear takes x, w and perhaps b, gives y");
  const Tensor &x = step.inputs[0], &w = step.inputs[1], &y = step.outputs[0];
  if (x.dtype != DType::f32 && x.dtype != DType::f64) fail("Linear takes float32 or float64");
  if (x.constant || x.dtype != y.dtype || x.dtype != w.dtype)
    fail("Linear: x, w and y differ in type, or x is constant");
  if (!w.constant || w.rank != 2) fail("Linear: w is a constant matrix");
  if (w.dims[0] != x.width || w.dims[1] != y.width) fail("Linear: w does not fit x and y");
  if (step.n_inputs == 2) return;
  const Tensor& b = step.inputs[2];
  if (!b.constant || b.dtype != x.dtype || b.width != y.width) fail("Linear: b does not fit y");
}

template <class T>
void linear(const Step& step, std::int64_t rows, const Packed& packed) {
  const auto* x = static_cast<const T*>(step.inputs[0].data);
  const auto *w = static_cast<const T*>(packed.weights), *b = static_cast<const T*>(packed.bias);
  auto* y = static_cast<T*>(step.outputs[0].data);
  packed.n <= kDotColumns ? run_dots(x, rows, packed.k, packed.n, w, b, y)
                          : run_panels(x, rows, packed.k, packed.n, w, b, y);
}

void run(const Step& step, std::int64_t rows, const Context& context) {
  const auto& packed = *static_cast<const Packed*>(context.state);
  if (step.inputs[0].dtype == DType::f32) return linear<float>(step, rows, packed);
  linear<double>(step, rows, packed);
}

double cost(const Step& step) {
  return 2 + static_cast<double>(step.inputs[1].width) * static_cast<double>(item_size(step.inputs[1].dtype)) / 64;
}

SARDONYX_KERNEL("Linear", {.check = check, .run = run, .prepare = prepare, .release = release, .cost = cost});

}  // namespace
}  // namespace sardonyx
