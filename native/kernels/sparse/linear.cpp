// SparseLinear: y[r, j] = sum over the entries i of row r of x[r, i] * w[i, j] (+ b[j]), float32 or float64.
//
// Params: none; or 1 if rows with an entry that is not finite are refused, as by CheckFinite. They show in the results,
// of which there are fewer: every entry is a factor in each sum of its row. Only where a sum is not finite are the
// entries themselves looked at.
//
// The order and the rounding are those of SciPy's product of a CSR matrix with an array (sparsetools/csr.h,
// csr_matvecs): the entries of a row from first to last, one product and one addition each, whatever their columns; so
// are the bits, on every instruction set. Lanes run over j.
//
// Entry i reads row i of the weights, anywhere in memory: the time goes into misses, of caches and of pages. So
// prepare() copies large weights to huge pages, and makes a row cross no more lines than it must:
//
//   n columns   w[0, 0..n) . . | w[1, 0..n) . . | ...   up to half a line: a power of two; more: whole lines, if that
//                                                       wastes little
//
// and all is done in one pass over the entries, eight at a time, so that what comes from memory and what comes from
// caches is waited for together:
//
//   entries       i ........ i+7 . . . . . i+128 . . . . . . . . i+256 . . . . . . . . i+384
//                 products added up        weights fetched       value fetched         column fetched
//                                          (second cache)        (to be read once, or to the second cache)
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstdlib>
#include <cstring>

#include "kernels/guards/finite.h"
#include "kernels/huge_pages.h"
#include "kernels/memory.h"
#include "kernels/sparse/rows.h"

namespace sardonyx {
namespace {

// Entries from here whose weights are fetched, to the second cache: a core waits for many more lines at once there than
// for its first one, in which so many would not last either.
constexpr std::int64_t kAhead = 128;
constexpr int kSecondCache = 2, kOnce = 0;
constexpr std::int64_t kFarAhead = 256;  // entries from where they are read whose value, or column, is fetched itself
constexpr std::int64_t kGroup = 8;       // entries that are fetched together: no more than a line of values

template <class T>
struct Matrix {
  const T* data;
  std::int64_t stride;  // elements from one row to the next
  std::int64_t height;

  const T* row(std::int32_t i) const { return data + static_cast<std::int64_t>(i) * stride; }
};

// The entries of one row, and how many of them have one kAhead further on: those of the next rows follow in memory.
template <class T>
struct Entries {
  SparseRow<T> row;
  std::int64_t fetching;
  bool once;  // whether they are best fetched past the second cache
};

// The first lines of a row of weights of `bytes` bytes, wherever in a line it begins; more follow by themselves. It may
// be no row at all: a column that is only fetched for has not been checked.
[[gnu::always_inline]] inline void fetch(const void* weights, std::int64_t bytes) {
  const char* at = static_cast<const char*>(weights);
  __builtin_prefetch(at, 0, kSecondCache);
  for (std::int64_t b = kLine; b < bytes && b < 4 * kLine; b += kLine) __builtin_prefetch(at + b, 0, kSecondCache);
  if (bytes > kLine) __builtin_prefetch(at + bytes - 1, 0, kSecondCache);
}

// An entry's values and columns, for a group further on.
template <int kCache, class T>
[[gnu::always_inline]] inline void fetch_entries(const SparseRow<T>& row, std::int64_t i) {
  __builtin_prefetch(row.values + i + kFarAhead, 0, kCache);
  __builtin_prefetch(row.indices + i + kAhead + kFarAhead, 0, kCache);
}

// For the group of entries from i on, though it may end beyond its row. Inlined, since GCC takes a function that only
// fetches for one that does nothing, and leaves out its calls.
template <class T>
[[gnu::always_inline]] inline void fetch_ahead(const Entries<T>& x, std::int64_t i, const Matrix<T>& w,
                                               std::int64_t n) {
  if (i + kGroup > x.fetching) return;
  if (x.once) {
    fetch_entries<kOnce>(x.row, i);
  } else {
    fetch_entries<kSecondCache>(x.row, i);
  }
  for (std::int64_t e = i; e < i + kGroup; ++e) {
    fetch(w.row(x.row.indices[e + kAhead]), n * static_cast<std::int64_t>(sizeof(T)));
  }
}

// Without branches, so that it vectorises.
inline void require_columns(const std::int32_t* columns, std::int64_t count, std::uint32_t height) {
  std::uint32_t bad = 0;
  for (std::int64_t e = 0; e < count; ++e) bad |= static_cast<std::uint32_t>(columns[e]) >= height;
  if (bad != 0) refuse_column();
}

// add(value, weights) for each entry of a row, in order.
template <class T, class Add>
inline void for_each_entry(const Entries<T>& x, const Matrix<T>& w, std::int64_t n, Add add) {
  const auto& [columns, values, size] = x.row;
  require_columns(columns, size, static_cast<std::uint32_t>(w.height));
  std::int64_t i = 0;
  for (; i + kGroup <= size; i += kGroup) {
    fetch_ahead(x, i, w, n);
    for (std::int64_t e = i; e < i + kGroup; ++e) add(values[e], w.row(columns[e]));
  }
  if (i < size) fetch_ahead(x, i, w, n);
  for (; i < size; ++i) add(values[i], w.row(columns[i]));
}

// N columns in registers.
template <int N, class T>
inline void add_row(const Entries<T>& x, const Matrix<T>& w, T* y) {
  T sums[N] = {};
  for_each_entry(x, w, N, [&sums](T value, const T* weights) {
    for (int j = 0; j < N; ++j) sums[j] += value * weights[j];
  });
  for (int j = 0; j < N; ++j) y[j] = sums[j];
}

template <class T>
inline void add_wide_row(const Entries<T>& x, const Matrix<T>& w, std::int64_t n, T* __restrict y) {
  for (std::int64_t j = 0; j < n; ++j) y[j] = 0;
  for_each_entry(x, w, n, [y, n](T value, const T* __restrict weights) {
    for (std::int64_t j = 0; j < n; ++j) y[j] += value * weights[j];
  });
}

template <class T>
inline void any_row(const Entries<T>& x, const Matrix<T>& w, std::int64_t n, T* y) {
  switch (n) {
    case 1: return add_row<1>(x, w, y);
    case 2: return add_row<2>(x, w, y);
    case 3: return add_row<3>(x, w, y);
    case 4: return add_row<4>(x, w, y);
    case 5: return add_row<5>(x, w, y);
    case 6: return add_row<6>(x, w, y);
    case 7: return add_row<7>(x, w, y);
    case 8: return add_row<8>(x, w, y);
    default: add_wide_row(x, w, n, y);
  }
}

// ---- the weights in memory -----------------------------------------------------------------------------------------

struct Weights {
  const void* data;
  std::int64_t stride;  // elements from one row to the next
  HugePages owned;
  bool far;   // beyond the caches: worth fetching ahead
  bool once;  // whether the entries' own lines, which are read once, are best fetched past the second cache
};

// Intel's cores bring such lines to the first cache alone, which waits for a few lines at a time, and then not for
// weights: two threads take 2.5 ns an entry of a million weights so, 2.0 by the second cache (Xeon, Emerald Rapids).
// Others keep the second cache for weights so (measured on Zen 4).
bool reads_once_past_second_cache() {
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(0, &a, &b, &c, &d) == 0 || b != signature_INTEL_ebx;
#else
  return true;
#endif
}

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
  const bool once = reads_once_past_second_cache();
  *weights = {w.data, n, {}, far, once};
  const std::int64_t stride = stride_of(n, kLine / item);
  if (w.width * item < kLarge) return weights;
  const HugePages pages = allocate_huge(static_cast<std::size_t>(k * stride * item));
  if (pages.data == nullptr) return weights;  // which are read where they are
  const char* from = static_cast<const char*>(w.data);
  char* to = static_cast<char*>(pages.data);
  for (std::int64_t i = 0; i < k; ++i) {
    std::memcpy(to + i * stride * item, from + i * n * item, static_cast<std::size_t>(n * item));
  }
  *weights = {pages.data, stride, pages, far, once};
  return weights;
}

void release(void* state) {
  release_huge(static_cast<Weights*>(state)->owned);
  std::free(state);
}

// ---- the kernel ----------------------------------------------------------------------------------------------------

template <class T>
void multiply(const Step& step, std::int64_t rows, const Weights& weights) {
  const SparseReader<T> x(step.inputs[0]);
  const Matrix<T> w{static_cast<const T*>(weights.data), weights.stride, step.inputs[0].width};
  T* y = data_of<T>(step.outputs[0]);
  const std::int64_t n = step.outputs[0].width, *indptr = x.rows().indptr;
  const std::int64_t end = weights.far ? indptr[rows] + x.rows().beyond - kAhead : 0;
  for (std::int64_t r = 0; r < rows; ++r) any_row<T>({x[r], end - indptr[r], weights.once}, w, n, y + r * n);
  if (step.n_params == 1 && step.params[0].i != 0 && has_special(y, rows * n)) {
    refuse_special(static_cast<const T*>(x.rows().values) + indptr[0], indptr[rows] - indptr[0], false);
  }
  if (step.n_inputs < 3) return;
  const T* b = data_of<T>(step.inputs[2]);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t j = 0; j < n; ++j) y[r * n + j] += b[j];
  }
}

void check(const Step& step) {
  constexpr const char* name = "SparseLinear";
  require_counts(step, name, step.n_inputs == 3 ? 3 : 2, 1, step.n_params == 1 ? 1 : 0);
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &w = step.inputs[1], &y = step.outputs[0];
  require_sparse(x, name);
  require_dense(y, name);
  require(is_float(x.dtype) && w.dtype == x.dtype && y.dtype == x.dtype, name, "x, w and y are not floats of one type");
  if (step.n_params == 1) {
    const std::int64_t refuses = integer_param(step, 0);
    require(refuses == 0 || (refuses == 1 && y.width > 0), name,
            "what is not finite is refused by 0 or 1, and in a result");
  }
  require(w.constant && w.rank == 2 && w.dims[0] == x.width && w.dims[1] == y.width, name, "w does not fit x and y");
  if (step.n_inputs == 2) return;
  const Tensor& b = step.inputs[2];
  require(b.constant && b.dtype == x.dtype && b.width == y.width, name, "b does not fit y");
}

void run(const Step& step, std::int64_t rows, const Context& context) {
  const auto& weights = *static_cast<const Weights*>(context.state);
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) { multiply<T>(step, rows, weights); });
}

// Of 64 entries a row: a miss of the first cache each, and the lines of its weights.
double cost(const Step& step) {
  const double bytes =
      static_cast<double>(step.outputs[0].width) * static_cast<double>(item_size(step.outputs[0].dtype));
  return 64 * (2 + bytes / 32);
}

SARDONYX_KERNEL("SparseLinear", {.check = check,
                                 .run = run,
                                 .prepare = prepare,
                                 .release = release,
                                 .cost = cost,
                                 .sparse = true,
                                 .any_entries = true});

}  // namespace
}  // namespace sardonyx
