// NanNeighbors: for every feature, the k nearest training rows that have a value there; distances leave out what is
// missing on either side (sklearn.metrics.nan_euclidean_distances).
//
//   X (F) ──▶ distance to each training row (M) ──▶ feature 0: nearest k of its donors ──▶ distances (F, k), values (F, k)
//                                                   feature 1: ...                        only where X is missing
//
// Where X has a value, and where there are fewer than k donors, distance and value are NaN.
//
// scikit-learn expands the square, and takes away what has no partner (of float32 rows, in float32): what rounding leaves
// of nearly equal rows is far above the tolerance. So the same is computed here, in the order of the features.
#include "check.h"

namespace sardonyx {
namespace {

constexpr const char* kName = "NanNeighbors";

void check(const Step& step) {
  require_counts(step, kName, 2, 2, 2);
  require_row_output(step, kName);
  const Tensor &x = step.inputs[0], &fit = step.inputs[1];
  require(!x.constant && fit.constant && x.dtype == DType::f64 && fit.dtype == DType::f64, kName, "takes float64");
  require(fit.rank == 2 && fit.dims[1] == x.width && x.width >= 1, kName, "the training rows do not fit");
  const std::int64_t k = step.params[0].i;
  require(in_range(k, 1, fit.dims[0]), kName, "k is not between 1 and the number of training rows");
  require(in_range(step.params[1].i, 0, 1), kName, "single is 0 or 1");
  for (int i = 0; i < 2; ++i) {
    const Tensor& y = step.outputs[i];
    require(y.dtype == DType::f64 && y.rank == 2 && y.dims[0] == x.width && y.dims[1] == k, kName,
            "the outputs hold k numbers a feature");
  }
}

// The distance of two rows, NaN where nothing is present in both. T: in which the rows came.
template <class T>
double distance(const double* x, const double* y, std::int64_t features) {
  double xx = 0, yy = 0, xy = 0, present = 0;
  T x_alone = 0, y_alone = 0;
  for (std::int64_t f = 0; f < features; ++f) {
    const bool in_x = x[f] == x[f], in_y = y[f] == y[f];
    const double a = in_x ? x[f] : 0.0, b = in_y ? y[f] : 0.0;
    xx += a * a;
    yy += b * b;
    xy += a * b;
    x_alone += in_y ? T{0} : static_cast<T>(a * a);
    y_alone += in_x ? T{0} : static_cast<T>(b * b);
    present += in_x && in_y ? 1.0 : 0.0;
  }
  if (present == 0) return NAN;
  const T whole = static_cast<T>(-2.0 * xy + xx + yy);
  const T squared = (whole > 0 ? whole : T{0}) - x_alone - y_alone;
  const T mean = static_cast<T>(static_cast<double>(squared > 0 ? squared : T{0}) / present);
  return static_cast<double>(std::sqrt(mean * static_cast<T>(features)));
}

template <class T>
void measure(const double* x, const double* fit, std::int64_t n, std::int64_t features, double* to) {
  for (std::int64_t i = 0; i < n; ++i) to[i] = distance<T>(x, fit + i * features, features);
}

// Keeps the k smallest in rising order; of equal ones the first.
void choose(const double* distances, const double* fit, std::int64_t n, std::int64_t features, std::int64_t k,
            double* nearest, double* values) {
  std::int64_t kept = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const double distance = distances[i], value = fit[i * features];
    if (distance != distance || value != value || (kept == k && distance >= nearest[k - 1])) continue;
    std::int64_t at = kept < k ? kept++ : k - 1;
    for (; at > 0 && nearest[at - 1] > distance; --at) {
      nearest[at] = nearest[at - 1];
      values[at] = values[at - 1];
    }
    nearest[at] = distance;
    values[at] = value;
  }
}

void run(const Step& step, std::int64_t rows, const Context& context) {
  const std::int64_t n = step.inputs[1].dims[0], features = step.inputs[0].width, k = step.params[0].i;
  const double *x = data_of<double>(step.inputs[0]), *fit = data_of<double>(step.inputs[1]);
  double *nearest = data_of<double>(step.outputs[0]), *values = data_of<double>(step.outputs[1]);
  const bool single = step.params[1].i != 0;
  auto* distances = static_cast<double*>(context.scratch);
  for (std::int64_t r = 0; r < rows; ++r, x += features) {
    bool measured = false;
    for (std::int64_t f = 0; f < features; ++f, nearest += k, values += k) {
      for (std::int64_t i = 0; i < k; ++i) nearest[i] = values[i] = NAN;
      if (x[f] == x[f]) continue;
      if (!measured && single) measure<float>(x, fit, n, features, distances);
      if (!measured && !single) measure<double>(x, fit, n, features, distances);
      measured = true;
      choose(distances, fit + f, n, features, k, nearest, values);
    }
  }
}

std::size_t scratch(const Step& step, std::int64_t) {
  return static_cast<std::size_t>(step.inputs[1].dims[0]) * sizeof(double);
}

double cost(const Step& step) { return 50 + 1.5 * static_cast<double>(step.inputs[1].width); }

SARDONYX_KERNEL("NanNeighbors", {.check = check, .run = run, .scratch = scratch, .cost = cost});

}  // namespace
}  // namespace sardonyx
