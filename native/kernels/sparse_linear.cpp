// SparseLinear: y[r, j] = sum over the entries i of row r of x[r, i] * w[i, j] (+ b[j]), float32 or float64.
//
// The order and the rounding are those of SciPy's product of a CSR matrix with an array (sparsetools/csr.h,
// csr_matvecs): the entries of a row from first to last, one product and one addition each; so are the bits, on every
// instruction set. Lanes run over j. The weights stay where the file has them, row by row: entry i reads row i.
#include "sparse.h"

namespace sardonyx {
namespace {

constexpr std::int64_t kAhead = 12;  // entries from here whose weights are fetched
constexpr std::int64_t kLine = 64;

// The first and the last line of a row of weights of `bytes` bytes; those between follow by themselves.
inline void fetch(const void* weights, std::int64_t bytes) {
  const char* at = static_cast<const char*>(weights);
  __builtin_prefetch(at);
  for (std::int64_t b = kLine; b < bytes && b < 4 * kLine; b += kLine) __builtin_prefetch(at + b);
}

// N columns in registers.
template <int N, class T>
inline void add_row(const SparseRow<T>& x, const T* w, T* y) {
  T sums[N] = {};
  for (std::int64_t i = 0; i < x.size; ++i) {
    const T* weights = w + static_cast<std::int64_t>(x.indices[i]) * N;
    const T value = x.values[i];
    for (int j = 0; j < N; ++j) sums[j] += value * weights[j];
  }
  for (int j = 0; j < N; ++j) y[j] = sums[j];
}

// Four rows at once, one column: their sums do not wait for each other. The order within a row is kept.
template <class T>
inline void add_four_rows(const SparseReader<T>& x, std::int64_t r, const T* w, T* y) {
  constexpr int R = 4;
  SparseRow<T> row[R];
  std::int64_t shared = INT64_MAX;
  for (int k = 0; k < R; ++k) {
    row[k] = x[r + k];
    shared = shared < row[k].size ? shared : row[k].size;
  }
  T sums[R] = {};
  for (std::int64_t i = 0; i < shared; ++i) {
    for (int k = 0; k < R; ++k) sums[k] += row[k].values[i] * w[row[k].indices[i]];
  }
  for (int k = 0; k < R; ++k) {
    for (std::int64_t i = shared; i < row[k].size; ++i) sums[k] += row[k].values[i] * w[row[k].indices[i]];
    y[k] = sums[k];
  }
}

template <class T>
inline void add_wide_row(const SparseRow<T>& x, const T* w, std::int64_t n, T* __restrict y) {
  const auto bytes = n * static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t j = 0; j < n; ++j) y[j] = 0;
  for (std::int64_t i = 0; i < x.size; ++i) {
    if (i + kAhead < x.size) fetch(w + static_cast<std::int64_t>(x.indices[i + kAhead]) * n, bytes);
    const T* __restrict weights = w + static_cast<std::int64_t>(x.indices[i]) * n;
    const T value = x.values[i];
    for (std::int64_t j = 0; j < n; ++j) y[j] += value * weights[j];
  }
}

template <class T>
void multiply(const Step& step, std::int64_t rows) {
  const SparseReader<T> x(step.inputs[0]);
  const T* w = data_of<T>(step.inputs[1]);
  T* y = data_of<T>(step.outputs[0]);
  const std::int64_t n = step.outputs[0].width;
  std::int64_t r = 0;
  if (n == 1) {
    for (; r + 4 <= rows; r += 4) add_four_rows(x, r, w, y + r);
  }
  for (; r < rows; ++r) {
    switch (n) {
      case 1: add_row<1>(x[r], w, y + r); break;
      case 2: add_row<2>(x[r], w, y + r * n); break;
      case 3: add_row<3>(x[r], w, y + r * n); break;
      case 4: add_row<4>(x[r], w, y + r * n); break;
      default: add_wide_row(x[r], w, n, y + r * n);
    }
  }
  if (step.n_inputs < 3) return;
  const T* b = data_of<T>(step.inputs[2]);
  for (r = 0; r < rows; ++r) {
    for (std::int64_t j = 0; j < n; ++j) y[r * n + j] += b[j];
  }
}

void check(const Step& step) {
  constexpr const char* name = "SparseLinear";
  if (step.n_inputs != 3) require_counts(step, name, 2, 1, 0);
  if (step.n_inputs == 3) require_counts(step, name, 3, 1, 0);
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &w = step.inputs[1], &y = step.outputs[0];
  require_sparse(x, name);
  require_dense(y, name);
  require(is_float(x.dtype) && w.dtype == x.dtype && y.dtype == x.dtype, name, "x, w and y are not floats of one type");
  require(w.constant && w.rank == 2 && w.dims[0] == x.width && w.dims[1] == y.width, name, "w does not fit x and y");
  if (step.n_inputs == 2) return;
  const Tensor& b = step.inputs[2];
  require(b.constant && b.dtype == x.dtype && b.width == y.width, name, "b does not fit y");
}

void run(const Step& step, std::int64_t rows, const Context&) {
  with_float(step.inputs[0].dtype, [&](auto type) { multiply<typename decltype(type)::type>(step, rows); });
}

// Of 64 entries a row: a miss of the first cache each, and the lines of its weights.
double cost(const Step& step) {
  const double bytes =
      static_cast<double>(step.outputs[0].width) * static_cast<double>(item_size(step.outputs[0].dtype));
  return 64 * (2 + bytes / 32);
}

SARDONYX_KERNEL("SparseLinear", {.check = check, .run = run, .cost = cost, .sparse = true});

}  // namespace
}  // namespace sardonyx
