// SolveTriangular: v with L v = b for each row b, by forward substitution. L is lower triangular and constant.
//
//   v[0] = b[0] / L[0][0]      v[i] = (b[i] - L[i][0] v[0] - ... - L[i][i-1] v[i-1]) / L[i][i]
//
// A product with the inverse of L would be simpler, and worse by the condition of L: where L comes from a nearly
// singular matrix nothing would be left of the small differences that are made of v. As many rows as a vector has lanes
// share the reading of L; each lane does what one row alone does.
#include "kernels/check.h"
#include "simd/vector.h"

namespace sardonyx {
namespace {

constexpr const char* kName = "SolveTriangular";
constexpr int kL = kLanes<double>;

void check(const Step& step) {
  require_counts(step, kName, 2, 1, 0);
  require_row_output(step, kName);
  const Tensor &b = step.inputs[0], &lower = step.inputs[1], &v = step.outputs[0];
  require(b.dtype == DType::f64 && lower.dtype == DType::f64 && v.dtype == DType::f64, kName, "takes float64");
  require(!b.constant && lower.constant && lower.rank == 2, kName, "takes rows, and a constant matrix");
  require(lower.dims[0] == b.width && lower.dims[1] == b.width && v.width == b.width, kName, "shapes do not fit");
}

std::size_t scratch(const Step& step, std::int64_t) {
  return static_cast<std::size_t>(step.inputs[0].width * kL) * sizeof(double);
}

// kL rows, some of which may repeat the last one; `solved` holds them side by side.
void solve(const double* b, std::int64_t rows, const double* lower, std::int64_t n, double* solved, double* v) {
  for (std::int64_t i = 0; i < n; ++i, lower += n) {
    Vector<double> rest;
    for (std::int64_t lane = 0; lane < kL; ++lane) rest[lane] = b[(lane < rows ? lane : rows - 1) * n + i];
    for (std::int64_t j = 0; j < i; ++j) rest -= load(solved + j * kL) * lower[j];
    store(solved + i * kL, rest / lower[i]);
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t i = 0; i < n; ++i) v[r * n + i] = solved[i * kL + r];
  }
}

void run(const Step& step, std::int64_t rows, const Context& context) {
  const std::int64_t n = step.inputs[0].width;
  const double *b = data_of<double>(step.inputs[0]), *lower = data_of<double>(step.inputs[1]);
  double* v = data_of<double>(step.outputs[0]);
  for (std::int64_t r = 0; r < rows; r += kL) {
    const std::int64_t some = rows - r < kL ? rows - r : kL;
    solve(b + r * n, some, lower, n, static_cast<double*>(context.scratch), v + r * n);
  }
}

double cost(const Step& step) { return static_cast<double>(step.inputs[1].width) / (2 * kL); }

SARDONYX_KERNEL("SolveTriangular", {.check = check, .run = run, .scratch = scratch, .cost = cost});

}  // namespace
}  // namespace sardonyx
