// Sparse rows: along a row (SparseReduce, SparseScale), columns chosen (SparseGather), rows joined (SparseConcat), and
// constants laid beside the entries (AtEntries).
//
//   AtEntries     x sparse, c one number a column     y has the entries of x, and there the numbers of c
//   SparseScale   x sparse, s one number a row        x * s (param 0) or x / s (param 1), zeros too: where a zero does
//                                                     not stay zero (0 / 0, 0 * inf) all columns of the row are written
//   SparseReduce  x sparse                            one number a row (param: see Fold); zeros count
//   SparseGather  x sparse, columns int64             those columns, sparse or dense
//   SparseConcat  rows, sparse or dense               joined, sparse; what is zero in a dense piece gets no entry
#include <cstring>

#include "kernels/memory.h"
#include "kernels/sparse/rows.h"

namespace sardonyx {
namespace {

// ---- AtEntries -----------------------------------------------------------------------------------------------------

void check_at_entries(const Step& step) {
  constexpr const char* name = "AtEntries";
  require_counts(step, name, 2, 1, 0);
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &c = step.inputs[1], &y = step.outputs[0];
  require_sparse(x, name);
  require_sparse(y, name);
  require(c.constant && c.width == x.width && y.width == x.width, name, "not one constant for each column");
  require(c.dtype == y.dtype && c.dtype != DType::text, name, "constants of another type than the output");
}

void run_at_entries(const Step& step, std::int64_t rows, const Context&) {
  const auto& x = *static_cast<const SparseRows*>(step.inputs[0].data);
  const std::int64_t begin = x.indptr[0], entries = x.indptr[rows] - begin;
  with_item(step.outputs[0].dtype, [&]<class T>(Type<T>) {
    const T* constants = data_of<T>(step.inputs[1]);
    T* values = same_entries<T>(x, step.outputs[0], rows);
    for (std::int64_t i = 0; i < entries; ++i) values[i] = constants[x.indices[begin + i]];
  });
}
SARDONYX_KERNEL("AtEntries", {.check = check_at_entries, .run = run_at_entries, .sparse = true, .keeps_entries = true});

// ---- SparseScale ---------------------------------------------------------------------------------------------------

void check_scale(const Step& step) {
  constexpr const char* name = "SparseScale";
  require_counts(step, name, 2, 1, 1);
  require_row_output(step, name);
  require(in_range(integer_param(step, 0), 0, 1), name, "the operation is 0 or 1");
  const Tensor &x = step.inputs[0], &s = step.inputs[1], &y = step.outputs[0];
  require_sparse(x, name);
  require_dense(s, name);
  require_sparse(y, name);
  require(is_float(x.dtype) && s.dtype == x.dtype && y.dtype == x.dtype, name, "not floats of one type");
  require(!s.constant && s.width == 1 && y.width == x.width, name, "not one number a row, or widths differ");
}

template <class T>
void scale_rows(const Step& step, std::int64_t rows) {
  const SparseReader<T> x(step.inputs[0]);
  const T* scales = data_of<T>(step.inputs[1]);
  const bool divides = step.params[0].i != 0;
  const auto width = static_cast<std::int32_t>(step.inputs[0].width);
  SparseWriter<T> y(step.outputs[0]);
  for (std::int64_t r = 0; r < rows; ++r) {
    const SparseRow<T> row = x[r];
    const T s = scales[r], zero = divides ? T(0) / s : T(0) * s;
    const bool fills = zero != zero;
    y.reserve(fills ? width : row.size);
    std::int32_t column = 0;
    for (std::int64_t i = 0; i < row.size; ++i) {
      for (; fills && column < row.indices[i]; ++column) y.put(column, zero);
      y.put(row.indices[i], divides ? row.values[i] / s : row.values[i] * s);
      column = row.indices[i] + 1;
    }
    for (; fills && column < width; ++column) y.put(column, zero);
    y.end_row();
  }
  y.finish();
}

void run_scale(const Step& step, std::int64_t rows, const Context&) {
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) { scale_rows<T>(step, rows); });
}
SARDONYX_KERNEL("SparseScale", {.check = check_scale, .run = run_scale, .sparse = true});

// ---- SparseReduce --------------------------------------------------------------------------------------------------

enum Fold : std::int64_t { kSum, kL1, kSumSquare, kL2, kMax, kMin, kFolds };

void check_reduce(const Step& step) {
  constexpr const char* name = "SparseReduce";
  require_counts(step, name, 1, 1, 1);
  require_row_output(step, name);
  require(in_range(integer_param(step, 0), 0, kFolds - 1), name, "unknown reduction");
  const Tensor &x = step.inputs[0], &y = step.outputs[0];
  require_sparse(x, name);
  require_dense(y, name);
  require(is_float(x.dtype) && y.dtype == x.dtype && y.width == 1, name, "not floats, or more than one number a row");
}

inline double root(double x) { return ::sqrt(x); }
inline float root(float x) { return ::sqrtf(x); }
inline double magnitude(double x) { return __builtin_fabs(x); }
inline float magnitude(float x) { return __builtin_fabsf(x); }

template <class T>
inline T larger(T a, T b) {
  return a > b || a != a ? a : b;
}

template <class T>
inline T smaller(T a, T b) {
  return a < b || a != a ? a : b;
}

// An extreme begins with the first entry; a column without one counts as a zero at the end.
template <class T>
T fold(const SparseRow<T>& row, std::int64_t kind, std::int64_t width) {
  const bool extreme = kind == kMax || kind == kMin;
  T total = extreme && row.size > 0 ? row.values[0] : T(0);
  for (std::int64_t i = 0; i < row.size; ++i) {
    const T x = row.values[i];
    switch (kind) {
      case kL1: total += magnitude(x); break;
      case kSumSquare:
      case kL2: total += x * x; break;
      case kMax: total = larger(total, x); break;
      case kMin: total = smaller(total, x); break;
      default: total += x;
    }
  }
  if (extreme && row.size < width) total = kind == kMax ? larger(total, T(0)) : smaller(total, T(0));
  return kind == kL2 ? root(total) : total;
}

void run_reduce(const Step& step, std::int64_t rows, const Context&) {
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    const SparseReader<T> x(step.inputs[0]);
    T* y = data_of<T>(step.outputs[0]);
    for (std::int64_t r = 0; r < rows; ++r) y[r] = fold(x[r], step.params[0].i, step.inputs[0].width);
  });
}
SARDONYX_KERNEL("SparseReduce", {.check = check_reduce, .run = run_reduce, .sparse = true});

// ---- SparseGather --------------------------------------------------------------------------------------------------

void check_gather(const Step& step) {
  constexpr const char* name = "SparseGather";
  require_counts(step, name, 2, 1, 0);
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &columns = step.inputs[1], &y = step.outputs[0];
  require_sparse(x, name);
  require(columns.constant && columns.dtype == DType::i64, name, "columns are not constant int64");
  require(y.dtype == x.dtype && y.width == columns.width, name, "output of the wrong form");
  require(in_range(x.width + y.width, 0, std::int64_t{1} << 31), name, "too many columns");
  const auto* column = data_of<std::int64_t>(columns);
  for (std::int64_t i = 0; i < columns.width; ++i) require(in_range(column[i], 0, x.width - 1), name, "no such column");
}

// Where each column of x goes, -1 for nowhere; and where the same column goes too, for each place, or -1.
struct Places {
  bool ascending;
  std::int32_t *of, *next;
};

void* prepare_gather(const Step& step) {
  const std::int64_t width = step.inputs[0].width, n = step.inputs[1].width;
  const auto* column = data_of<std::int64_t>(step.inputs[1]);
  auto* places =
      allocate_state<Places>(static_cast<std::size_t>(width + n) * sizeof(std::int32_t), "SparseGather", "the columns");
  auto* of = reinterpret_cast<std::int32_t*>(arrays_of(places));
  *places = {true, of, of + width};
  for (std::int64_t i = 0; i < width; ++i) of[i] = -1;
  for (std::int64_t i = n - 1; i >= 0; --i) {
    places->next[i] = of[column[i]];
    of[column[i]] = static_cast<std::int32_t>(i);
    places->ascending = places->ascending && (i == 0 || column[i - 1] <= column[i]);
  }
  return places;
}

template <class T>
void gather_sparse(const Step& step, std::int64_t rows, const Places& places) {
  const SparseReader<T> x(step.inputs[0]);
  SparseWriter<T> y(step.outputs[0]);
  for (std::int64_t r = 0; r < rows; ++r) {
    const SparseRow<T> row = x[r];
    y.reserve(row.size);
    for (std::int64_t i = 0; i < row.size; ++i) {
      for (std::int32_t place = places.of[row.indices[i]]; place >= 0; place = places.next[place]) {
        y.reserve(1);
        y.put(place, row.values[i]);
      }
    }
    places.ascending ? y.end_row() : y.end_unsorted_row();
  }
  y.finish();
}

template <class T>
void gather_dense(const Step& step, std::int64_t rows, const Places& places) {
  const SparseReader<T> x(step.inputs[0]);
  const std::int64_t width = step.outputs[0].width;
  T* y = data_of<T>(step.outputs[0]);
  std::memset(y, 0, static_cast<std::size_t>(rows * width) * sizeof(T));
  for (std::int64_t r = 0; r < rows; ++r, y += width) {
    const SparseRow<T> row = x[r];
    for (std::int64_t i = 0; i < row.size; ++i) {
      for (std::int32_t place = places.of[row.indices[i]]; place >= 0; place = places.next[place])
        y[place] = row.values[i];
    }
  }
}

void run_gather(const Step& step, std::int64_t rows, const Context& context) {
  const auto& places = *static_cast<const Places*>(context.state);
  with_number(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    step.outputs[0].sparse ? gather_sparse<T>(step, rows, places) : gather_dense<T>(step, rows, places);
  });
}
SARDONYX_KERNEL(
    "SparseGather",
    {.check = check_gather, .run = run_gather, .prepare = prepare_gather, .release = release_memory, .sparse = true});

// ---- SparseConcat --------------------------------------------------------------------------------------------------

void check_concat(const Step& step) {
  constexpr const char* name = "SparseConcat";
  require(step.n_inputs >= 1 && step.n_outputs == 1 && step.n_params == 0, name, "joins pieces into one");
  require_row_output(step, name);
  const Tensor& y = step.outputs[0];
  require_sparse(y, name);
  std::int64_t width = 0;
  for (int k = 0; k < step.n_inputs; ++k) {
    const Tensor& piece = step.inputs[k];
    require(!piece.constant && piece.dtype == y.dtype, name, "a piece is of another type, or no rows");
    width += piece.width;
    require(width <= y.width, name, "the pieces are wider than the output");
  }
  require(width == y.width, name, "the pieces do not fill the output");
}

template <class T>
inline void put_sparse(const SparseRow<T>& row, std::int32_t offset, SparseWriter<T>& y) {
  y.reserve(row.size);
  for (std::int64_t i = 0; i < row.size; ++i) y.put(row.indices[i] + offset, row.values[i]);
}

template <class T>
inline void put_dense(const T* row, std::int64_t width, std::int32_t offset, SparseWriter<T>& y) {
  y.reserve(width);
  for (std::int64_t i = 0; i < width; ++i) {
    if (row[i] != 0) y.put(static_cast<std::int32_t>(i) + offset, row[i]);
  }
}

void run_concat(const Step& step, std::int64_t rows, const Context&) {
  with_number(step.outputs[0].dtype, [&]<class T>(Type<T>) {
    SparseWriter<T> y(step.outputs[0]);
    for (std::int64_t r = 0; r < rows; ++r) {
      std::int64_t offset = 0;
      for (int k = 0; k < step.n_inputs; ++k) {
        const Tensor& piece = step.inputs[k];
        const auto at = static_cast<std::int32_t>(offset);
        if (piece.sparse) {
          put_sparse(SparseReader<T>(piece)[r], at, y);
        } else {
          put_dense(data_of<T>(piece) + r * piece.width, piece.width, at, y);
        }
        offset += piece.width;
      }
      y.end_row();
    }
    y.finish();
  });
}
SARDONYX_KERNEL("SparseConcat", {.check = check_concat, .run = run_concat, .sparse = true});

}  // namespace
}  // namespace sardonyx
