// LassoDescent: sparse codes by coordinate descent, as linear_model/_cd_fast.pyx finds them
// (enet_coordinate_descent_gram).
//
// Inputs: products, Gram (k, k), the square of each row's norm. Params: iterations, 1 if codes are positive, alpha,
// tol.
#include "kernels/decomposition/sparse_coding.h"

namespace sardonyx {
namespace {

void check_lasso(const Step& step) {
  constexpr const char* name = "LassoDescent";
  check_code(step, name, 3, 4);
  const Tensor& norms = step.inputs[2];
  require(!norms.constant && norms.dtype == step.inputs[0].dtype && norms.width == 1, name, "a row has one norm");
  require(in_range(integer_param(step, 0), 0, kLargest), name, "the number of iterations is negative");
  require(in_range(integer_param(step, 1), 0, 1), name, "positive is 0 or 1");
  real_param(step, 2);
  real_param(step, 3);
}

std::size_t scratch_lasso(const Step& step, std::int64_t) {
  return static_cast<std::size_t>(step.inputs[0].width) * (2 * sizeof(double) + sizeof(std::int64_t));
}

// One row's problem; names as in enet_coordinate_descent_gram.
template <class T>
struct Lasso {
  std::int64_t k, most;
  bool positive;
  T alpha, tol, y_norm2;
  const T *Q, *q;
  T *w, *Qw, *XtA;
  std::int64_t* active;  // the atoms that are not screened out
  std::int64_t n_active;

  T diagonal(std::int64_t j) const { return Q[j * k + j]; }

  // In C, terms with a number in them are double, and rounded when they are kept.
  static double wide(T x) { return static_cast<double>(x); }
  static T narrow(double x) { return static_cast<T>(x); }

  // As OpenBLAS adds up short vectors of floats: their products in double.
  static T product(const T* x, const T* y, std::int64_t n) {
    double total = 0;
    for (std::int64_t i = 0; i < n; ++i) total += wide(x[i] * y[i]);
    return narrow(total);
  }

  // The duality gap, and the largest inner product with the residual.
  T gap(T& dual_norm) const {
    const T inner = product(w, q, k), r_norm2 = narrow(wide(y_norm2 + product(w, Qw, k)) - 2 * wide(inner));
    const T ry = y_norm2 - inner;
    T l1_norm = 0;
    dual_norm = alpha == 0 || !positive ? T{0} : q[0] - Qw[0];
    for (std::int64_t j = 0; j < k; ++j) {
      XtA[j] = q[j] - Qw[j];
      l1_norm += std::fabs(w[j]);
      if (alpha == 0) {
        dual_norm += XtA[j] * XtA[j];
      } else {
        const T size = positive ? XtA[j] : std::fabs(XtA[j]);
        dual_norm = size > dual_norm ? size : dual_norm;
      }
    }
    if (alpha == 0) return dual_norm;
    const T primal = narrow(0.5 * wide(r_norm2) + wide(alpha * l1_norm)),
            scale = dual_norm > alpha ? alpha / dual_norm : 1;
    return primal - narrow(-0.5 * wide(scale * scale) * wide(r_norm2) + wide(scale * ry));
  }

  // Leaves out atoms that the gap proves to be 0 (gap safe screening).
  void screen(T gap, T dual_norm) {
    if (alpha == 0) return;
    const T radius = narrow(std::sqrt(2 * std::fabs(wide(gap))) / wide(alpha)),
            most_inner = dual_norm > alpha ? dual_norm : alpha;
    std::int64_t kept = 0;
    for (std::int64_t i = 0; i < n_active; ++i) {
      const std::int64_t j = active[i];
      const double distance = (1 - std::fabs(wide(XtA[j] / most_inner))) / std::sqrt(wide(diagonal(j)));
      if (diagonal(j) != 0 && narrow(distance) <= radius) {
        active[kept++] = j;
      } else if (w[j] != 0) {
        add_scaled(-w[j], Q + j * k, Qw, k);
        w[j] = 0;
      }
    }
    n_active = kept;
  }

  // Minimises along one atom after the other; returns whether all but stood still.
  bool sweep() {
    T w_max = 0, d_w_max = 0;
    for (std::int64_t i = 0; i < n_active; ++i) {
      const std::int64_t j = active[i];
      const T before = w[j], square = diagonal(j);
      if (square == 0) continue;
      const T inner = q[j] - Qw[j] + before * square;
      const double size = std::fabs(wide(inner)) - wide(alpha);
      const T moved = size > 0 ? narrow(size / wide(square)) : 0;
      w[j] = inner < 0 ? (positive ? T{0} : -moved) : moved;
      if (w[j] != before) add_scaled(w[j] - before, Q + j * k, Qw, k);
      const T step = std::fabs(w[j] - before);
      d_w_max = step > d_w_max ? step : d_w_max;
      w_max = std::fabs(w[j]) > w_max ? std::fabs(w[j]) : w_max;
    }
    return w_max == 0 || d_w_max / w_max <= tol;
  }

  void solve() {
    for (std::int64_t j = 0; j < k; ++j) w[j] = Qw[j] = 0, active[j] = j;
    n_active = k;
    const T most_gap = tol * y_norm2;
    T dual_norm = 0, found = gap(dual_norm);
    if (found >= 0 && found <= most_gap) return;
    screen(found, dual_norm);
    for (std::int64_t i = 0; i < most; ++i) {
      if (!sweep() && i + 1 < most) continue;
      found = gap(dual_norm);
      if (found <= most_gap) return;
      screen(found, dual_norm);
    }
  }
};

template <class T>
void run_lasso_as(const Step& step, std::int64_t rows, void* scratch) {
  const std::int64_t k = step.inputs[0].width;
  auto* active = static_cast<std::int64_t*>(scratch);
  T *Qw = reinterpret_cast<T*>(active + k), *XtA = Qw + k;
  const T *xy = data_of<const T>(step.inputs[0]), *gram = data_of<const T>(step.inputs[1]);
  const T* norms = data_of<const T>(step.inputs[2]);
  const T alpha = static_cast<T>(step.params[2].f), tol = static_cast<T>(step.params[3].f);
  T* y = data_of<T>(step.outputs[0]);
  for (std::int64_t r = 0; r < rows; ++r, xy += k, y += k) {
    Lasso<T>{k, step.params[0].i, step.params[1].i != 0, alpha, tol, norms[r], gram, xy, y, Qw, XtA, active, k}.solve();
  }
}

void run_lasso(const Step& step, std::int64_t rows, const Context& context) {
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) { run_lasso_as<T>(step, rows, context.scratch); });
}

double cost_lasso(const Step& step) {
  const double k = static_cast<double>(step.inputs[0].width);
  return 20 + 10 * k * k;
}

SARDONYX_KERNEL("LassoDescent", {.check = check_lasso, .run = run_lasso, .scratch = scratch_lasso, .cost = cost_lasso});

}  // namespace
}  // namespace sardonyx
