// NanNeighbors: for every feature, the k nearest training rows that have a value there; distances leave out what is
// missing on either side (sklearn.metrics.nan_euclidean_distances).
//
//   X (F) ──▶ distance to each training row (M) ──▶ feature 0: nearest k of its donors ──▶ distances and values (F, k)
//                                                   feature 1: ...                         only where X is missing
//
// Where X has a value, and where there are fewer than k donors, distance and value are NaN. Of donors that are equally
// far, those count that numpy.argpartition leaves in front.
//
// scikit-learn expands the square, and takes away what has no partner (of float32 rows, in float32): what rounding
// leaves of nearly equal rows is far above the tolerance, and decides between donors that are equally far but for it.
// So the same is computed here, rounded as there (blas.h).
#include "kernels/blas.h"
#include "kernels/check.h"
#include "sardonyx/argpartition.h"

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
double distance(const double* x, double xx, const double* y, std::int64_t features) {
  const double yy = einsum_squares(y, features);
  double xy = 0, present = 0;
  T x_alone = 0, y_alone = 0;
  for (std::int64_t f = 0; f < features; ++f) {
    const bool in_x = x[f] == x[f], in_y = y[f] == y[f];
    const double a = in_x ? x[f] : 0.0, b = in_y ? y[f] : 0.0;
    xy = ::fma(a, b, xy);
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
  const double xx = einsum_squares(x, features);
  for (std::int64_t i = 0; i < n; ++i) to[i] = distance<T>(x, xx, fit + i * features, features);
}

// Keeps the k smallest in rising order; of equal ones the first. Returns how many there are.
std::int64_t choose(const double* distances, const double* fit, std::int64_t n, std::int64_t features, std::int64_t k,
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
  return kept;
}

// Where the k-th of the nearest is as far as others that were left out, takes those that scikit-learn does.
void choose_among_equals(const double* distances, const double* fit, std::int64_t n, std::int64_t features,
                         std::int64_t k, double* nearest, double* values, void* memory) {
  const double farthest = nearest[k - 1];
  auto* keys = static_cast<double*>(memory);
  auto* donors = reinterpret_cast<std::int64_t*>(keys + n);
  auto* order = donors + n;
  std::int64_t n_donors = 0, equal = 0, first = k - 1;
  for (std::int64_t i = 0; i < n; ++i) {
    if (fit[i * features] != fit[i * features]) continue;
    keys[n_donors] = distances[i];
    donors[n_donors++] = i;
    equal += distances[i] == farthest;
  }
  while (first > 0 && nearest[first - 1] == farthest) --first;
  if (equal == k - first) return;
  argpartition_of(lanes_of_numpy(), keys, n_donors, k - 1, order);
  for (std::int64_t i = 0; i < k; ++i) {
    const std::int64_t donor = donors[order[i]];
    if (distances[donor] == farthest) values[first++] = fit[donor * features];
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
      if (choose(distances, fit + f, n, features, k, nearest, values) == k)
        choose_among_equals(distances, fit + f, n, features, k, nearest, values, distances + n);
    }
  }
}

std::size_t scratch(const Step& step, std::int64_t) {
  return static_cast<std::size_t>(4 * step.inputs[1].dims[0]) * sizeof(double);
}

double cost(const Step& step) { return 50 + 1.5 * static_cast<double>(step.inputs[1].width); }

SARDONYX_KERNEL("NanNeighbors", {.check = check, .run = run, .scratch = scratch, .cost = cost});

}  // namespace
}  // namespace sardonyx
