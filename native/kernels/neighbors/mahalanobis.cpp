// Mahalanobis: the distance of each row to one point, by the inverse of a covariance, added up as SciPy's cdist does.
//
//   d = x - center      w[i] = d . inverse[i]      distance = sqrt(d . w)
//
// Both products have two sums, of the even and of the odd numbers; of an odd count, the last comes after all. A
// threshold that is the distance of a training row leaves no room for other rounding. The inverse is turned over, so
// that a vector holds as many w as it has lanes.
#include "kernels/check.h"
#include "simd/vector.h"

namespace sardonyx {
namespace {

constexpr const char* kName = "Mahalanobis";
constexpr int kL = kLanes<double>;

void check(const Step& step) {
  require_counts(step, kName, 3, 1, 0);
  require_row_output(step, kName);
  const Tensor &x = step.inputs[0], &center = step.inputs[1], &turned = step.inputs[2], &y = step.outputs[0];
  require(x.dtype == DType::f64 && center.dtype == DType::f64 && turned.dtype == DType::f64 && y.dtype == DType::f64,
          kName, "takes and gives float64");
  require(!x.constant && center.constant && turned.constant, kName, "takes rows, a point and a matrix");
  require(center.rank == 1 && center.dims[0] == x.width && turned.rank == 2 && turned.dims[0] == x.width &&
              turned.dims[1] == x.width && y.width == 1,
          kName, "shapes do not fit");
}

std::size_t scratch(const Step& step, std::int64_t) {
  return static_cast<std::size_t>(2 * step.inputs[0].width) * sizeof(double);
}

double dot_by_two(const double* a, const double* b, std::int64_t n) {
  double even = 0, odd = 0;
  std::int64_t i = 0;
  for (; i + 2 <= n; i += 2) {
    even += a[i] * b[i];
    odd += a[i + 1] * b[i + 1];
  }
  double sum = even + odd;
  if (i < n) sum += a[i] * b[i];
  return sum;
}

// w = d inverse^T
void product(const double* d, const double* turned, std::int64_t n, double* w) {
  const std::int64_t pairs = n / 2 * 2;
  std::int64_t i = 0;
  for (; i + kL <= n; i += kL) {
    Vector<double> even{}, odd{};
    for (std::int64_t j = 0; j < pairs; j += 2) {
      even += broadcast(d[j]) * load(turned + j * n + i);
      odd += broadcast(d[j + 1]) * load(turned + (j + 1) * n + i);
    }
    Vector<double> sum = even + odd;
    if (pairs < n) sum += broadcast(d[pairs]) * load(turned + pairs * n + i);
    store(w + i, sum);
  }
  for (; i < n; ++i) {
    double even = 0, odd = 0;
    for (std::int64_t j = 0; j < pairs; j += 2) {
      even += d[j] * turned[j * n + i];
      odd += d[j + 1] * turned[(j + 1) * n + i];
    }
    w[i] = even + odd;
    if (pairs < n) w[i] += d[pairs] * turned[pairs * n + i];
  }
}

void run(const Step& step, std::int64_t rows, const Context& context) {
  const std::int64_t n = step.inputs[0].width;
  const auto *x = data_of<const double>(step.inputs[0]), *center = data_of<const double>(step.inputs[1]);
  const auto* turned = data_of<const double>(step.inputs[2]);
  auto* y = data_of<double>(step.outputs[0]);
  double *d = static_cast<double*>(context.scratch), *w = d + n;
  for (std::int64_t r = 0; r < rows; ++r, x += n) {
    for (std::int64_t i = 0; i < n; ++i) d[i] = x[i] - center[i];
    product(d, turned, n, w);
    y[r] = __builtin_sqrt(dot_by_two(d, w, n));
  }
}

double cost(const Step& step) {
  const auto n = static_cast<double>(step.inputs[0].width);
  return n * n / (2 * kL) + n;
}

SARDONYX_KERNEL(kName, {.check = check, .run = run, .scratch = scratch, .cost = cost});

}  // namespace
}  // namespace sardonyx
