// KernelSums: y[r, g * Q + q] = sum over the support vectors s of group g of dual_coef[q, s] * K(x[r], s), in float64.
// PairwiseCoupling: probabilities of classes from those of each pair of classes.
//
// K is (gamma x.s + coef0)^degree, exp(-gamma |x - s|^2) or tanh(gamma x.s + coef0), as in libsvm (k_function).
// prepare() lays the support vectors out in panels of L (the lanes of a vector), which no group shares with another:
//
//   panel 0   s0[0] s1[0] .. sL-1[0]   s0[1] s1[1] .. sL-1[1]   ...   one vector a feature
//             c0[s0] .. c0[sL-1]       c1[s0] .. c1[sL-1]       ...   one vector a row of coefficients
//   panel 1   ...                                                     a group's last panel ends with coefficients of 0
//
// So lanes run over support vectors: no matrix of rows by vectors is made, and a row's sums do not depend on its
// neighbours. Several rows share each load.
#include <cstdlib>
#include <cstring>

#include "check.h"
#include "simd/math.h"

namespace sardonyx {
namespace {

enum Kind { kPoly = 0, kRbf = 1, kSigmoid = 2 };

constexpr int kL = kLanes<double>;
constexpr int kTile = 4;    // rows that share the load of panels
constexpr int kPanels = 2;  // that they meet at once: 8 sums side by side hide the latency of the additions
constexpr int kFixed = 4;   // params before the sizes of the groups

struct Packed {
  std::int64_t features, coefs, groups;
  double gamma, coef0;
  std::int64_t degree;
  double* panels;
};

std::int64_t panels_of(std::int64_t vectors) { return (vectors + kL - 1) / kL; }

void check_sums(const Step& step) {
  constexpr const char* name = "KernelSums";
  require(step.n_inputs == 3 && step.n_outputs == 1 && step.n_params > kFixed, name,
          "takes X, support vectors and coefficients, and gives Y");
  const Tensor &x = step.inputs[0], &s = step.inputs[1], &c = step.inputs[2], &y = step.outputs[0];
  require_row_output(step, name);
  require(x.dtype == DType::f64 && s.dtype == DType::f64 && c.dtype == DType::f64 && y.dtype == DType::f64, name,
          "takes float64");
  require(!x.constant && s.constant && c.constant && s.rank == 2 && c.rank == 2, name,
          "X is a row, the support vectors and coefficients are constant matrices");
  require(s.dims[1] == x.width && c.dims[1] == s.dims[0] && c.dims[0] >= 1, name, "shapes do not fit");
  require(in_range(integer_param(step, 0), kPoly, kSigmoid), name, "the kernel is 0, 1 or 2");
  require(in_range(integer_param(step, 1), 0, kLargest), name, "the degree is not negative");
  real_param(step, 2);
  real_param(step, 3);
  std::int64_t total = 0;
  for (int i = kFixed; i < step.n_params; ++i) {
    const std::int64_t size = integer_param(step, i);
    require(in_range(size, 0, s.dims[0]), name, "a group is larger than all");
    total += size;
    require(total <= s.dims[0], name, "the groups are larger than all");
  }
  require(total == s.dims[0], name, "the groups are not all support vectors");
  require(covers(step.n_params - kFixed, c.dims[0], 1, y.width), name, "the output does not fit the groups");
}

void* prepare_sums(const Step& step) {
  const Tensor &s = step.inputs[1], &c = step.inputs[2];
  const std::int64_t features = s.dims[1], coefs = c.dims[0], vectors = s.dims[0], groups = step.n_params - kFixed;
  std::int64_t panels = 0;
  for (std::int64_t g = 0; g < groups; ++g) panels += panels_of(step.params[kFixed + g].i);
  const std::size_t bytes = static_cast<std::size_t>(panels * kL * (features + coefs) + kL) * sizeof(double);
  auto* packed = static_cast<Packed*>(std::calloc(1, sizeof(Packed)));
  void* memory = nullptr;
  if (packed == nullptr || posix_memalign(&memory, 64, bytes) != 0) {
    std::free(packed);
    fail("KernelSums: not enough memory for the support vectors");
  }
  std::memset(memory, 0, bytes);
  auto* to = static_cast<double*>(memory);
  *packed = {features, coefs, groups, step.params[2].f, step.params[3].f, step.params[1].i, to};
  const auto *from = data_of<const double>(s), *weights = data_of<const double>(c);
  for (std::int64_t g = 0, v = 0; g < groups; ++g) {
    const std::int64_t end = v + step.params[kFixed + g].i;
    for (; v < end; to += kL * (features + coefs)) {
      for (std::int64_t lane = 0; lane < kL && v < end; ++lane, ++v) {
        for (std::int64_t f = 0; f < features; ++f) to[f * kL + lane] = from[v * features + f];
        for (std::int64_t q = 0; q < coefs; ++q) to[(features + q) * kL + lane] = weights[q * vectors + v];
      }
    }
  }
  return packed;
}

void release_sums(void* state) {
  std::free(static_cast<Packed*>(state)->panels);
  std::free(state);
}

// Powers as libsvm multiplies them.
Vector<double> integer_power(Vector<double> base, std::int64_t exponent) {
  Vector<double> result = broadcast(1.0);
  for (; exponent > 0; exponent /= 2, base *= base) {
    if (exponent % 2 == 1) result *= base;
  }
  return result;
}

template <int K>
Vector<double> kernel_value(Vector<double> inner, const Packed& packed) {
  if constexpr (K == kRbf) return exp_of(inner * -packed.gamma);
  const Vector<double> z = inner * packed.gamma + packed.coef0;
  if constexpr (K == kPoly) return integer_power(z, packed.degree);
  return tanh_of(z);
}

// R rows against P panels from `panel` on; their weighted values are added to `sums`, one vector a row and coefficient.
template <int K, int R, int P>
void tile(const double* x, const double* panel, const Packed& packed, double* sums) {
  const std::int64_t features = packed.features, coefs = packed.coefs, stride = kL * (features + coefs);
  Vector<double> inner[R][P];
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) inner[r][p] = Vector<double>{};
  }
  for (std::int64_t f = 0; f < features; ++f) {
    Vector<double> s[P];
    for (int p = 0; p < P; ++p) s[p] = load(panel + p * stride + f * kL);
    for (int r = 0; r < R; ++r) {
      const Vector<double> value = broadcast(x[r * features + f]);
      for (int p = 0; p < P; ++p) {
        if constexpr (K == kRbf) {
          const Vector<double> gap = value - s[p];
          inner[r][p] = multiply_add(gap, gap, inner[r][p]);
        } else {
          inner[r][p] = multiply_add(value, s[p], inner[r][p]);
        }
      }
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) {
      const Vector<double> value = kernel_value<K>(inner[r][p], packed);
      const double* weights = panel + p * stride + features * kL;
      for (std::int64_t q = 0; q < coefs; ++q) {
        double* total = sums + (r * coefs + q) * kL;
        store(total, multiply_add(load(weights + q * kL), value, load<double>(total)));
      }
    }
  }
}

template <int K, int R>
void rows_of(const Step& step, const double* x, const Packed& packed, double* sums, double* y) {
  constexpr int P = R == 1 ? 2 * kPanels : kPanels;
  const std::int64_t coefs = packed.coefs, stride = kL * (packed.features + coefs), width = packed.groups * coefs;
  const double* panel = packed.panels;
  for (std::int64_t g = 0; g < packed.groups; ++g) {
    std::memset(sums, 0, static_cast<std::size_t>(R * coefs * kL) * sizeof(double));
    std::int64_t left = panels_of(step.params[kFixed + g].i);
    for (; left >= P; left -= P, panel += P * stride) tile<K, R, P>(x, panel, packed, sums);
    for (; left > 0; --left, panel += stride) tile<K, R, 1>(x, panel, packed, sums);
    for (int r = 0; r < R; ++r) {
      for (std::int64_t q = 0; q < coefs; ++q) y[r * width + g * coefs + q] = sum(load(sums + (r * coefs + q) * kL));
    }
  }
}

template <int K>
void all_rows(const Step& step, std::int64_t rows, const Packed& packed, double* sums) {
  const auto* x = data_of<const double>(step.inputs[0]);
  auto* y = data_of<double>(step.outputs[0]);
  const std::int64_t features = packed.features, width = packed.groups * packed.coefs;
  std::int64_t r = 0;
  for (; r + kTile <= rows; r += kTile) rows_of<K, kTile>(step, x + r * features, packed, sums, y + r * width);
  for (; r < rows; ++r) rows_of<K, 1>(step, x + r * features, packed, sums, y + r * width);
}

void run_sums(const Step& step, std::int64_t rows, const Context& context) {
  const auto& packed = *static_cast<const Packed*>(context.state);
  auto* sums = static_cast<double*>(context.scratch);
  switch (step.params[0].i) {
    case kPoly: return all_rows<kPoly>(step, rows, packed, sums);
    case kRbf: return all_rows<kRbf>(step, rows, packed, sums);
    default: return all_rows<kSigmoid>(step, rows, packed, sums);
  }
}

std::size_t scratch_sums(const Step& step, std::int64_t) {
  return static_cast<std::size_t>(kTile * kL * step.inputs[2].dims[0]) * sizeof(double);
}

double cost_sums(const Step& step) {
  const auto vectors = static_cast<double>(step.inputs[1].dims[0]);
  const auto work = static_cast<double>(step.inputs[1].dims[1] + step.inputs[2].dims[0]) + 15;
  return 10 + vectors * work / (2 * kL) * (step.params[0].i == kSigmoid ? 10 : 1);
}

SARDONYX_KERNEL("KernelSums", {.check = check_sums,
                               .run = run_sums,
                               .scratch = scratch_sums,
                               .prepare = prepare_sums,
                               .release = release_sums,
                               .cost = cost_sums});

// ---- PairwiseCoupling ----------------------------------------------------------------------------------------------
//
// The second method of Wu, Lin and Weng (JMLR 5, 2004), with libsvm's order of operations and stopping rule.
// p minimises p' Q p on the simplex, Q[t, t] = sum_j r[j, t]^2, Q[t, j] = -r[j, t] r[t, j]. Scratch: Q, then Q p.

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
