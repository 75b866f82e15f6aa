// SketchProduct: Z convolved, in a circle, with the count sketch of a row X: every feature x adds Z, turned by the
// feature's place and times its sign and x.
//
//   y[k] = sum over f of  sign[f] x[f] z[(k - place[f]) mod n]
//
// A convolution through Fourier transforms, as scikit-learn has it, would round relative to the largest number of the
// row. Z lies in scratch twice, one after the other, so that a turned one is in one piece.
#include "kernels/check.h"
#include "simd/vector.h"

namespace sardonyx {
namespace {

constexpr const char* kName = "SketchProduct";
constexpr int kL = kLanes<double>;
constexpr int kVectors = 4;

void check(const Step& step) {
  require_counts(step, kName, 4, 1, 0);
  require_row_output(step, kName);
  const Tensor &z = step.inputs[0], &x = step.inputs[1], &places = step.inputs[2], &signs = step.inputs[3];
  const Tensor& y = step.outputs[0];
  require(z.dtype == DType::f64 && x.dtype == DType::f64 && signs.dtype == DType::f64 && y.dtype == DType::f64, kName,
          "takes and gives float64");
  require(!z.constant && !x.constant && places.constant && signs.constant, kName, "takes rows, and constants");
  require(places.dtype == DType::i64 && places.rank == 1 && signs.rank == 1 && places.dims[0] == x.width &&
              signs.dims[0] == x.width,
          kName, "every feature has a place and a sign");
  require(z.width >= 1 && y.width == z.width, kName, "shapes do not fit");
  const auto* at = data_of<const std::int64_t>(places);
  for (std::int64_t f = 0; f < x.width; ++f) require(in_range(at[f], 0, z.width - 1), kName, "there is no such place");
}

std::size_t scratch(const Step& step, std::int64_t) {
  return static_cast<std::size_t>(2 * step.inputs[0].width + step.inputs[1].width) * sizeof(double);
}

// N vectors of y from `at` on.
template <int N>
void add_up(const double* twice, const double* weights, const std::int64_t* places, std::int64_t features,
            std::int64_t n, std::int64_t at, double* y) {
  Vector<double> sums[N] = {};
  for (std::int64_t f = 0; f < features; ++f) {
    const double* from = twice + n - places[f] + at;
    for (int v = 0; v < N; ++v) sums[v] += broadcast(weights[f]) * load(from + v * kL);
  }
  for (int v = 0; v < N; ++v) store(y + at + v * kL, sums[v]);
}

void run(const Step& step, std::int64_t rows, const Context& context) {
  const std::int64_t n = step.inputs[0].width, features = step.inputs[1].width;
  const double *z = data_of<const double>(step.inputs[0]), *x = data_of<const double>(step.inputs[1]);
  const auto* places = data_of<const std::int64_t>(step.inputs[2]);
  const auto* signs = data_of<const double>(step.inputs[3]);
  auto* y = data_of<double>(step.outputs[0]);
  double *twice = static_cast<double*>(context.scratch), *weights = twice + 2 * n;
  for (std::int64_t r = 0; r < rows; ++r, z += n, x += features, y += n) {
    for (std::int64_t k = 0; k < n; ++k) twice[k] = twice[k + n] = z[k];
    for (std::int64_t f = 0; f < features; ++f) weights[f] = signs[f] * x[f];
    std::int64_t k = 0;
    for (; k + kVectors * kL <= n; k += kVectors * kL) add_up<kVectors>(twice, weights, places, features, n, k, y);
    for (; k + kL <= n; k += kL) add_up<1>(twice, weights, places, features, n, k, y);
    for (; k < n; ++k) {
      double sum = 0;
      for (std::int64_t f = 0; f < features; ++f) sum += weights[f] * twice[n - places[f] + k];
      y[k] = sum;
    }
  }
}

double cost(const Step& step) {
  return static_cast<double>(step.inputs[1].width) * static_cast<double>(step.inputs[0].width) / (4 * kL);
}

SARDONYX_KERNEL(kName, {.check = check, .run = run, .scratch = scratch, .cost = cost});

}  // namespace
}  // namespace sardonyx
