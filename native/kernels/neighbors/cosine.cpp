// CosineDistances: one less the cosine of the angle between each row and each training row, float64, clipped to [0, 2].
//
//   rows ──▶ divided by their norms ──┐
//   training rows ──▶ the same, once ─┴▶ products ──▶ 1 - product      in panels, as in neighbors.cpp
//
// Products of unit rows are equal but for rounding where angles are, so they are rounded as in scikit-learn
// (sklearn.metrics.pairwise.cosine_distances): see blas.h; of sparse matrices, one by one in the order of the features.
#include "kernels/blas.h"
#include "kernels/check.h"
#include "kernels/memory.h"

namespace sardonyx {
namespace {

constexpr const char* kName = "CosineDistances";
constexpr int kL = kLanes<double>;
constexpr int kRows = 4, kPanels = 2;

struct Packed {
  std::int64_t features, n;
  bool sparse;
  double* panels;  // of unit rows; lanes beyond the last are 0
};

void check(const Step& step) {
  require_counts(step, kName, 2, 1, 1);
  require_row_output(step, kName);
  const Tensor &x = step.inputs[0], &fit = step.inputs[1], &y = step.outputs[0];
  require(!x.constant && fit.constant && x.dtype == DType::f64 && fit.dtype == DType::f64 && y.dtype == DType::f64,
          kName, "takes and gives float64");
  require(fit.rank == 2 && fit.dims[1] == x.width && fit.dims[0] >= 1, kName, "the training rows do not fit");
  require(y.width == fit.dims[0], kName, "the output holds one distance a training row");
  require(in_range(step.params[0].i, 0, 1), kName, "sparse is 0 or 1");
}

double squares(const double* x, std::int64_t features, bool sparse) {
  if (!sparse) return einsum_squares(x, features);
  double sum = 0;
  for (std::int64_t f = 0; f < features; ++f) sum += x[f] * x[f];
  return sum;
}

// Writes x / |x|, one number every `stride`.
void normalize(const double* x, std::int64_t features, bool sparse, double* to, std::int64_t stride) {
  const double norm = __builtin_sqrt(squares(x, features, sparse));
  for (std::int64_t f = 0; f < features; ++f) to[f * stride] = norm == 0 ? x[f] : x[f] / norm;
}

void* prepare(const Step& step) {
  const Tensor& fit = step.inputs[1];
  const std::int64_t n = fit.dims[0], features = fit.dims[1];
  const std::size_t size = static_cast<std::size_t>((n + kL - 1) / kL * kL * features);
  auto* packed = allocate_state<Packed>(size * sizeof(double), kName, "the training rows");
  *packed = {features, n, step.params[0].i != 0, reinterpret_cast<double*>(arrays_of(packed))};
  for (std::int64_t i = 0; i < n; ++i) {
    double* to = packed->panels + i / kL * kL * features + i % kL;
    normalize(data_of<const double>(fit) + i * features, features, packed->sparse, to, kL);
  }
  return packed;
}

// As `products`, one feature after the other and not fused.
template <int R, int P>
void plain_products(const double* x, const double* panels, std::int64_t features, Vector<double> (&sums)[R][P]) {
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) {
      sums[r][p] = Vector<double>{};
      for (std::int64_t f = 0; f < features; ++f)
        sums[r][p] += broadcast(x[r * features + f]) * load(panels + (p * features + f) * kL);
    }
  }
}

// Of R rows to the training rows of P panels, from row `at` on.
template <int R, int P>
void measure(const Packed& packed, std::int64_t at, const double* x, double* y) {
  Vector<double> sums[R][P];
  const double* panels = packed.panels + at * packed.features;
  packed.sparse ? plain_products<R, P>(x, panels, packed.features, sums)
                : products<R, P>(x, panels, packed.features, sums);
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) {
      for (std::int64_t lane = 0, i = at + p * kL; lane < kL && i < packed.n; ++lane, ++i) {
        const double distance = 1.0 - sums[r][p][lane];
        y[r * packed.n + i] = distance < 0 ? 0.0 : distance > 2 ? 2.0 : distance;
      }
    }
  }
}

template <int R>
void distances(const Packed& packed, const double* x, double* unit, double* y) {
  for (int r = 0; r < R; ++r)
    normalize(x + r * packed.features, packed.features, packed.sparse, unit + r * packed.features, 1);
  std::int64_t at = 0;
  for (; at + kPanels * kL <= packed.n; at += kPanels * kL) measure<R, kPanels>(packed, at, unit, y);
  for (; at < packed.n; at += kL) measure<R, 1>(packed, at, unit, y);
}

void run(const Step& step, std::int64_t rows, const Context& context) {
  const auto& packed = *static_cast<const Packed*>(context.state);
  const auto* x = data_of<const double>(step.inputs[0]);
  auto *unit = static_cast<double*>(context.scratch), *y = data_of<double>(step.outputs[0]);
  std::int64_t r = 0;
  for (; r + kRows <= rows; r += kRows) distances<kRows>(packed, x + r * packed.features, unit, y + r * packed.n);
  for (; r < rows; ++r) distances<1>(packed, x + r * packed.features, unit, y + r * packed.n);
}

std::size_t scratch(const Step& step, std::int64_t) {
  return static_cast<std::size_t>(kRows * step.inputs[0].width) * sizeof(double);
}

double cost(const Step& step) { return 50 + static_cast<double>(step.inputs[1].width) / kL; }

SARDONYX_KERNEL(
    "CosineDistances",
    {.check = check, .run = run, .scratch = scratch, .prepare = prepare, .release = release_memory, .cost = cost});

}  // namespace
}  // namespace sardonyx
