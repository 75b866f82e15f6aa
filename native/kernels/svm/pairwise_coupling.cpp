// PairwiseCoupling: probabilities of classes from those of each pair of classes.
//
// The second method of Wu, Lin and Weng (JMLR 5, 2004), with libsvm's order of operations and stopping rule.
// p minimises p' Q p on the simplex, Q[t, t] = sum_j r[j, t]^2, Q[t, j] = -r[j, t] r[t, j]. Scratch: Q, then Q p.
#include <cmath>

#include "kernels/check.h"

namespace sardonyx {
namespace {

std::int64_t classes_of(const Step& step) { return step.outputs[0].width; }

void check_coupling(const Step& step) {
  constexpr const char* name = "PairwiseCoupling";
  require_counts(step, name, 1, 1, 0);
  require_row_output(step, name);
  const std::int64_t n = classes_of(step);
  require(step.inputs[0].dtype == DType::f64 && step.outputs[0].dtype == DType::f64, name, "takes float64");
  require(!step.inputs[0].constant, name, "the input is a constant");
  require(in_range(n, 2, std::int64_t{1} << 16) && step.inputs[0].width == n * (n - 1) / 2, name,
          "n classes have n * (n - 1) / 2 pairs");
}

void fill_matrix(const double* pairs, std::int64_t n, double* Q) {
  for (std::int64_t t = 0; t < n; ++t) Q[t * n + t] = 0;
  // In the order of libsvm's additions: class t meets j = 0, 1, 2 ... (rows of the triangle from above)
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = i + 1; j < n; ++j) {
      const double wins = *pairs++, loses = 1 - wins;
      Q[j * n + j] += wins * wins;
      Q[i * n + j] = Q[j * n + i] = -loses * wins;
    }
  }
}

// Adds what class t loses to later classes; earlier ones are in already.
void fill_diagonal(const double* pairs, std::int64_t n, double* Q) {
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = i + 1; j < n; ++j) {
      const double loses = 1 - *pairs++;
      Q[i * n + i] += loses * loses;
    }
  }
}

void couple(const double* pairs, std::int64_t n, double* Q, double* Qp, double* p) {
  fill_matrix(pairs, n, Q);
  fill_diagonal(pairs, n, Q);
  const double tolerance = 0.005 / static_cast<double>(n);
  for (std::int64_t t = 0; t < n; ++t) p[t] = 1.0 / static_cast<double>(n);
  const std::int64_t most = n > 100 ? n : 100;
  for (std::int64_t iteration = 0; iteration < most; ++iteration) {
    double pQp = 0, error = 0;
    for (std::int64_t t = 0; t < n; ++t) {
      Qp[t] = 0;
      for (std::int64_t j = 0; j < n; ++j) Qp[t] += Q[t * n + j] * p[j];
      pQp += p[t] * Qp[t];
    }
    for (std::int64_t t = 0; t < n; ++t) error = ::fmax(error, ::fabs(Qp[t] - pQp));
    if (error < tolerance) break;
    for (std::int64_t t = 0; t < n; ++t) {
      const double* row = Q + t * n;
      const double diff = (-Qp[t] + pQp) / row[t], scale = 1 + diff;
      p[t] += diff;
      pQp = (pQp + diff * (diff * row[t] + 2 * Qp[t])) / scale / scale;
      for (std::int64_t j = 0; j < n; ++j) {
        Qp[j] = (Qp[j] + diff * row[j]) / scale;
        p[j] /= scale;
      }
    }
  }
}

void run_coupling(const Step& step, std::int64_t rows, const Context& context) {
  const std::int64_t n = classes_of(step), pairs = step.inputs[0].width;
  auto* Q = static_cast<double*>(context.scratch);
  const auto* x = data_of<const double>(step.inputs[0]);
  auto* y = data_of<double>(step.outputs[0]);
  for (std::int64_t r = 0; r < rows; ++r) couple(x + r * pairs, n, Q, Q + n * n, y + r * n);
}

std::size_t scratch_coupling(const Step& step, std::int64_t) {
  const std::int64_t n = classes_of(step);
  return static_cast<std::size_t>(n * n + n) * sizeof(double);
}

double cost_coupling(const Step& step) { return 20.0 * static_cast<double>(classes_of(step) * classes_of(step)); }

SARDONYX_KERNEL("PairwiseCoupling",
                {.check = check_coupling, .run = run_coupling, .scratch = scratch_coupling, .cost = cost_coupling});

}  // namespace
}  // namespace sardonyx
