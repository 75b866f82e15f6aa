// TfIdf: counts become weights of terms, as sklearn.feature_extraction.text.TfidfTransformer and normalize() make them.
//
//   y = (sublinear ? log(x) + 1 : x) * idf[column] for each entry, then divided by the norm of its row unless that is 0
//
// idf (float64) may be empty: nothing is multiplied then. Params: sublinear, norm (0 none, 1 sum of magnitudes, 2 root
// of the sum of squares). Sums run over entries in their order, in float64, as scikit-learn's do. Rows are sparse.
#include <cmath>

#include "kernels/sparse/rows.h"

namespace sardonyx {
namespace {

void check_tf_idf(const Step& step) {
  constexpr const char* name = "TfIdf";
  require_counts(step, name, 2, 1, 2);
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &idf = step.inputs[1], &y = step.outputs[0];
  require_sparse(x, name);
  require_sparse(y, name);
  require(!x.constant && is_float(x.dtype) && y.dtype == x.dtype && y.width == x.width, name,
          "needs rows of floats, and as many out");
  require(idf.constant && idf.dtype == DType::f64, name, "idf is constant and float64");
  require(idf.width == 0 || idf.width == x.width, name, "needs one idf a column, or none");
  require(in_range(integer_param(step, 0), 0, 1), name, "sublinear is 0 or 1");
  require(in_range(integer_param(step, 1), 0, 2), name, "no such norm");
}

template <class T>
inline T weight(T x, bool sublinear) {
  return sublinear ? static_cast<T>(std::log(x) + T(1)) : x;
}

template <class T>
inline void scale_row(std::int64_t norm, std::int64_t size, T* y) {
  double length = 0;
  for (std::int64_t i = 0; i < size; ++i) length += norm == 1 ? std::fabs(y[i]) : y[i] * y[i];
  if (norm == 2) length = std::sqrt(length);
  if (length == 0) return;
  for (std::int64_t i = 0; i < size; ++i) y[i] = static_cast<T>(y[i] / length);
}

constexpr std::int64_t kAhead = 32;  // entries from here whose idf is fetched: it may lie anywhere in a large table

template <class T>
void weigh(const Step& step, std::int64_t rows) {
  const std::int64_t norm = step.params[1].i;
  const bool sublinear = step.params[0].i != 0, scaled = step.inputs[1].width > 0;
  const double* idf = data_of<double>(step.inputs[1]);
  const SparseReader<T> x(step.inputs[0]);
  T* y = same_entries<T>(x.rows(), step.outputs[0], rows);
  for (std::int64_t r = 0; r < rows; ++r) {
    const SparseRow<T> row = x[r];
    const std::int64_t left = x.rows().indptr[rows] - x.rows().indptr[r];
    for (std::int64_t i = 0; i < row.size; ++i) {
      if (scaled && i + kAhead < left) __builtin_prefetch(idf + row.indices[i + kAhead]);
      const T value = weight(row.values[i], sublinear);
      y[i] = scaled ? static_cast<T>(value * idf[row.indices[i]]) : value;
    }
    if (norm != 0) scale_row(norm, row.size, y);
    y += row.size;
  }
}

void run_tf_idf(const Step& step, std::int64_t rows, const Context&) {
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) { weigh<T>(step, rows); });
}

SARDONYX_KERNEL("TfIdf", {.check = check_tf_idf, .run = run_tf_idf, .sparse = true});

}  // namespace
}  // namespace sardonyx
