// SparseLinear: y[r, j] = sum over the entries i of row r of x[r, i] * w[i, j] (+ b[j]), float32 or float64.
//
// The order and the rounding are those of SciPy's product of a CSR matrix with an array (sparsetools/csr.h,
// csr_matvecs): the entries of a row from first to last, one product and one addition each; so are the bits, on every
// instruction set. Lanes run over j.
//
// Entry i reads row i of the weights, anywhere in memory: the time goes into misses, of caches and of pages. So prepare()
// copies large weights to huge pages, and makes a row cross no more lines than it must:
//
//   n columns   w[0, 0..n) . . | w[1, 0..n) . . | ...   up to half a line: a power of two; more: whole lines, if that
//                                                       wastes little
#include <cstdlib>
#include <cstring>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#endif

#include "sparse.h"

namespace sardonyx {
namespace {

// Entries from here whose weights are fetched, to the second cache: a core waits for many more lines at once there than
// for its first one, in which so many would not last either.
constexpr std::int64_t kAhead = 96;
constexpr int kSecondCache = 2;
constexpr std::int64_t kLine = 64;

// The first lines of a row of weights of `bytes` bytes, wherever in a line it begins; more follow by themselves.
inline void fetch(const void* weights, std::int64_t bytes) {
  const char* at = static_cast<const char*>(weights);
  __builtin_prefetch(at, 0, kSecondCache);
  for (std::int64_t b = kLine; b < bytes && b < 4 * kLine; b += kLine) __builtin_prefetch(at + b, 0, kSecondCache);
  if (bytes > kLine) __builtin_prefetch(at + bytes - 1, 0, kSecondCache);
}

// The entries of one row, and how many of them have one kAhead further on: those of the next rows follow in memory.
template <class T>
struct Entries {
  SparseRow<T> row;
  std::int64_t fetching;
};

// N columns in registers.
template <int N, class T>
inline void add_row(const Entries<T>& x, const T* w, std::int64_t stride, T* y) {
  constexpr auto bytes = static_cast<std::int64_t>(N * sizeof(T));
  T sums[N] = {};
  for (std::int64_t i = 0; i < x.row.size; ++i) {
    if (i < x.fetching) fetch(w + static_cast<std::int64_t>(x.row.indices[i + kAhead]) * stride, bytes);
    const T* weights = w + static_cast<std::int64_t>(x.row.indices[i]) * stride;
    const T value = x.row.values[i];
    for (int j = 0; j < N; ++j) sums[j] += value * weights[j];
  }
  for (int j = 0; j < N; ++j) y[j] = sums[j];
}

template <class T>
inline void add_wide_row(const Entries<T>& x, const T* w, std::int64_t stride, std::int64_t n, T* __restrict y) {
  const auto bytes = n * static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t j = 0; j < n; ++j) y[j] = 0;
  for (std::int64_t i = 0; i < x.row.size; ++i) {
    if (i < x.fetching) fetch(w + static_cast<std::int64_t>(x.row.indices[i + kAhead]) * stride, bytes);
    const T* __restrict weights = w + static_cast<std::int64_t>(x.row.indices[i]) * stride;
    const T value = x.row.values[i];
    for (std::int64_t j = 0; j < n; ++j) y[j] += value * weights[j];
  }
}

template <class T>
inline void any_row(const Entries<T>& x, const T* w, std::int64_t stride, std::int64_t n, T* y) {
  switch (n) {
    case 1: return add_row<1>(x, w, stride, y);
    case 2: return add_row<2>(x, w, stride, y);
    case 3: return add_row<3>(x, w, stride, y);
    case 4: return add_row<4>(x, w, stride, y);
    case 5: return add_row<5>(x, w, stride, y);
    case 6: return add_row<6>(x, w, stride, y);
    case 7: return add_row<7>(x, w, stride, y);
    case 8: return add_row<8>(x, w, stride, y);
    default: add_wide_row(x, w, stride, n, y);
  }
}

// ---- the weights in memory -----------------------------------------------------------------------------------------

struct Weights {
  const void* data;
  std::int64_t stride;  // elements from one row to the next
  void* owned;
  bool far;  // beyond the caches: worth fetching ahead
};

constexpr std::int64_t kHugePage = std::int64_t{1} << 21;
constexpr std::int64_t kLarge = 2 * kHugePage;  // bytes from which weights are copied
constexpr std::int64_t kFar = kHugePage / 2;    // and from which they are fetched ahead

std::int64_t stride_of(std::int64_t n, std::int64_t line) {
  std::int64_t power = 1;
  while (power < n) power *= 2;
  if (power <= line) return power;
  const std::int64_t whole = (n + line - 1) / line * line;
  return whole - n <= n / 4 ? whole : n;
}

void* prepare(const Step& step) {
  const Tensor& w = step.inputs[1];
  const std::int64_t k = w.dims[0], n = w.dims[1], item = static_cast<std::int64_t>(item_size(w.dtype));
  auto* weights = static_cast<Weights*>(std::malloc(sizeof(Weights)));
  if (weights == nullptr) fail("SparseLinear: not enough memory");
  const bool far = w.width * item >= kFar;
  *weights = {w.data, n, nullptr, far};
  const std::int64_t stride = stride_of(n, kLine / item);
  void* memory = nullptr;
  // Without memory for a copy the weights are read where they are.
  const std::int64_t bytes = (k * stride * item + kHugePage - 1) / kHugePage * kHugePage;
  if (w.width * item < kLarge || posix_memalign(&memory, kHugePage, static_cast<std::size_t>(bytes)) != 0)
    return weights;
#ifdef MADV_HUGEPAGE
  madvise(memory, static_cast<std::size_t>(bytes), MADV_HUGEPAGE);
#endif
  const char* from = static_cast<const char*>(w.data);
  char* to = static_cast<char*>(memory);
  for (std::int64_t i = 0; i < k; ++i) {
    std::memcpy(to + i * stride * item, from + i * n * item, static_cast<std::size_t>(n * item));
  }
  *weights = {memory, stride, memory, far};
  return weights;
}

void release(void* state) {
  std::free(static_cast<Weights*>(state)->owned);
  std::free(state);
}

// ---- the kernel ----------------------------------------------------------------------------------------------------

template <class T>
void multiply(const Step& step, std::int64_t rows, const Weights& weights) {
  const SparseReader<T> x(step.inputs[0]);
  const T* w = static_cast<const T*>(weights.data);
  T* y = data_of<T>(step.outputs[0]);
  const std::int64_t n = step.outputs[0].width;
  const std::int64_t end = x.rows().indptr[rows];
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t left = end - x.rows().indptr[r] - kAhead;
    any_row<T>({x[r], weights.far ? left : 0}, w, weights.stride, n, y + r * n);
  }
  if (step.n_inputs < 3) return;
  const T* b = data_of<T>(step.inputs[2]);
  for (std::int64_t r = 0; r < rows; ++r) {
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

void run(const Step& step, std::int64_t rows, const Context& context) {
  const auto& weights = *static_cast<const Weights*>(context.state);
  with_float(step.inputs[0].dtype, [&](auto type) { multiply<typename decltype(type)::type>(step, rows, weights); });
}

// Of 64 entries a row: a miss of the first cache each, and the lines of its weights.
double cost(const Step& step) {
  const double bytes =
      static_cast<double>(step.outputs[0].width) * static_cast<double>(item_size(step.outputs[0].dtype));
  return 64 * (2 + bytes / 32);
}

SARDONYX_KERNEL("SparseLinear",
                {.check = check, .run = run, .prepare = prepare, .release = release, .cost = cost, .sparse = true});

}  // namespace
}  // namespace sardonyx
