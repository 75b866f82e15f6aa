// SparseProduct: y[r, j] = sum over the entries i of row r of x[r, i] * w[i, j], float32 or float64, of weights that
// are mostly zeros: training rows, support vectors, coefficients made sparse.
//
//   weights   starts   0 2 2 5 ...           of the columns of each feature, one more at the end
//             columns  1 7 | 0 3 4 ...       strictly ascending within a feature
//             values   . . | . . . ...
//
// The order is that of SciPy's product of two CSR matrices (sparsetools/csr.h, csr_matmat): the entries of a row from
// first to last, one product and one addition each. So are the bits: those of SparseLinear too, as a weight of zero
// adds nothing, but for entries that are no numbers: these meet the zeros as well, as in a dense product.
#include "kernels/sparse/rows.h"

namespace sardonyx {
namespace {

template <class T>
struct SparseWeights {
  const std::int64_t* starts;
  const std::int32_t* columns;
  const T* values;
};

template <class T>
inline void add_entry(const SparseWeights<T>& w, std::int32_t feature, T value, T* __restrict y) {
  for (std::int64_t i = w.starts[feature]; i < w.starts[feature + 1]; ++i) y[w.columns[i]] += value * w.values[i];
}

// Of infinity and NaN, whose product with zero is NaN.
template <class T>
void add_broken_entry(const SparseWeights<T>& w, std::int32_t feature, T value, std::int64_t n, T* y) {
  std::int64_t i = w.starts[feature];
  const std::int64_t end = w.starts[feature + 1];
  for (std::int64_t j = 0; j < n; ++j) y[j] += value * (i < end && w.columns[i] == j ? w.values[i++] : T(0));
}

template <class T>
void multiply(const Step& step, std::int64_t rows) {
  const SparseReader<T> x(step.inputs[0]);
  const SparseWeights<T> w{data_of<const std::int64_t>(step.inputs[1]), data_of<const std::int32_t>(step.inputs[2]),
                           data_of<const T>(step.inputs[3])};
  const std::int64_t n = step.outputs[0].width;
  T* y = data_of<T>(step.outputs[0]);
  for (std::int64_t r = 0; r < rows; ++r, y += n) {
    const SparseRow<T> row = x[r];
    for (std::int64_t j = 0; j < n; ++j) y[j] = 0;
    for (std::int64_t i = 0; i < row.size; ++i) {
      const T value = row.values[i];
      value - value == 0 ? add_entry(w, row.indices[i], value, y) : add_broken_entry(w, row.indices[i], value, n, y);
    }
  }
}

void check(const Step& step) {
  constexpr const char* name = "SparseProduct";
  require_counts(step, name, 4, 1, 0);
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &starts = step.inputs[1], &columns = step.inputs[2], &values = step.inputs[3];
  const Tensor& y = step.outputs[0];
  require_sparse(x, name);
  require_dense(y, name);
  require(is_float(x.dtype) && values.dtype == x.dtype && y.dtype == x.dtype, name, "not floats of one type");
  require(starts.constant && columns.constant && values.constant, name, "the weights are not constant");
  require(starts.dtype == DType::i64 && columns.dtype == DType::i32, name, "starts are int64, columns int32");
  require(starts.width == x.width + 1 && columns.width == values.width, name, "the weights do not fit");
  const auto* start = data_of<const std::int64_t>(starts);
  const auto* column = data_of<const std::int32_t>(columns);
  require(start[0] == 0 && start[x.width] == columns.width, name, "the starts do not cover the weights");
  for (std::int64_t f = 0; f < x.width; ++f) {
    require(in_range(start[f + 1], start[f], columns.width), name, "the starts decrease");
    for (std::int64_t i = start[f]; i < start[f + 1]; ++i)
      require(in_range(column[i], i > start[f] ? column[i - 1] + 1 : 0, y.width - 1), name, "no such column");
  }
}

void run(const Step& step, std::int64_t rows, const Context&) {
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) { multiply<T>(step, rows); });
}

// Of 64 entries a row, each with the weights of a feature as there are on average.
double cost(const Step& step) {
  const double features = static_cast<double>(step.inputs[0].width) + 1;
  return 64 * (5 + static_cast<double>(step.inputs[2].width) / features) +
         static_cast<double>(step.outputs[0].width) / 8;
}

SARDONYX_KERNEL("SparseProduct", {.check = check, .run = run, .cost = cost, .sparse = true});

}  // namespace
}  // namespace sardonyx
