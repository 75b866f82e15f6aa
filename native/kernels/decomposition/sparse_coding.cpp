// OrthogonalMatchingPursuit, LassoDescent and LeastAngle: sparse codes of a row over the atoms of a dictionary, from its
// products with the atoms and the atoms' products with each other (Gram), as scikit-learn's solvers find them.
//
// Rows are independent, and each is a short serial search: the loops follow linear_model/_omp.py, _cd_fast.pyx and
// _least_angle.py, so that the same atoms are met in the same order. See operators/sparse_coding.py for the methods.
#include <limits>

#include "kernels/check.h"
#include "simd/vector.h"

namespace sardonyx {
namespace {

template <class T>
T dot(const T* x, const T* y, std::int64_t n) {
  T total = 0;
  for (std::int64_t i = 0; i < n; ++i) total += x[i] * y[i];
  return total;
}

template <class T>
void add_scaled(T factor, const T* x, T* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

template <class N>
void swap(N& a, N& b) {
  const N kept = a;
  a = b;
  b = kept;
}

void check_code(const Step& step, const char* name, int inputs, int params) {
  require(step.n_inputs == inputs && step.n_outputs == 1 && step.n_params == params, name,
          "has another number of inputs, outputs or params");
  require_row_output(step, name);
  const Tensor &xy = step.inputs[0], &gram = step.inputs[1], &y = step.outputs[0];
  require(is_float(xy.dtype) && gram.dtype == xy.dtype && y.dtype == xy.dtype, name, "takes float32 or float64");
  require(!xy.constant && gram.constant && xy.width >= 1, name, "takes rows and a constant matrix");
  require(y.width == xy.width && gram.rank == 2 && gram.dims[0] == xy.width && gram.dims[1] == xy.width, name,
          "shapes do not fit");
}

// The Cholesky factor of the Gram matrix of chosen atoms, row by row.
template <class T>
struct Factor {
  T* rows;  // `stride` elements each
  std::int64_t stride;

  T* row(std::int64_t i) const { return rows + i * stride; }

  // Solves L w = x for the first n rows, in place.
  void forward(T* x, std::int64_t n) const {
    for (std::int64_t i = 0; i < n; ++i) x[i] = (x[i] - dot(row(i), x, i)) / row(i)[i];
  }

  // Solves L^T w = x.
  void backward(T* x, std::int64_t n) const {
    for (std::int64_t i = n; i-- > 0;) {
      x[i] /= row(i)[i];
      add_scaled(-x[i], row(i), x, i);
    }
  }
};

// ---- orthogonal matching pursuit -------------------------------------------------------------------------------------

std::int64_t most_of(const Step& step) { return step.params[0].i; }

void check_pursuit(const Step& step) {
  check_code(step, "OrthogonalMatchingPursuit", 2, 1);
  require(in_range(integer_param(step, 0), 1, step.inputs[0].width), "OrthogonalMatchingPursuit",
          "the number of atoms is out of range");
}

std::size_t scratch_pursuit(const Step& step, std::int64_t) {
  const std::size_t k = static_cast<std::size_t>(step.inputs[0].width), m = static_cast<std::size_t>(most_of(step));
  return k * sizeof(std::int64_t) + (k + 2 * m + m * m) * item_size(step.inputs[0].dtype);
}

template <class T>
std::int64_t largest(const T* x, const std::int64_t* order, std::int64_t n) {
  std::int64_t best = 0;
  for (std::int64_t p = 1; p < n; ++p) {
    if (std::fabs(x[order[p]]) > std::fabs(x[order[best]])) best = p;
  }
  return best;
}

// order: the atoms, chosen ones first. Of a row: inner products with the residual; right-hand side; solution.
template <class T>
void pursue(const T* xy, const T* gram, std::int64_t k, std::int64_t most, std::int64_t* order, T* inner, T* solved,
            T* code, Factor<T> factor, T* y) {
  constexpr T epsilon = std::numeric_limits<T>::epsilon();
  std::int64_t n = 0;
  for (std::int64_t a = 0; a < k; ++a) order[a] = a, inner[a] = xy[a];
  while (n < most) {
    const std::int64_t at = largest(inner, order, k), atom = order[at];
    if (at < n || inner[atom] * inner[atom] < epsilon) break;
    const T* products = gram + atom * k;
    T* row = factor.row(n);
    for (std::int64_t j = 0; j < n; ++j) row[j] = products[order[j]];
    factor.forward(row, n);
    const T rest = products[atom] - dot(row, row, n);
    if (n > 0 && rest <= epsilon) break;
    row[n] = std::sqrt(rest);
    swap(order[n], order[at]);
    solved[n] = (xy[atom] - dot(row, solved, n)) / row[n];
    ++n;
    for (std::int64_t j = 0; j < n; ++j) code[j] = solved[j];
    factor.backward(code, n);
    for (std::int64_t a = 0; a < k; ++a) inner[a] = 0;
    for (std::int64_t j = 0; j < n; ++j) add_scaled(code[j], gram + order[j] * k, inner, k);
    for (std::int64_t a = 0; a < k; ++a) inner[a] = xy[a] - inner[a];
  }
  for (std::int64_t a = 0; a < k; ++a) y[a] = 0;
  for (std::int64_t j = 0; j < n; ++j) y[order[j]] = code[j];
}

template <class T>
void run_pursuit_as(const Step& step, std::int64_t rows, void* scratch) {
  const std::int64_t k = step.inputs[0].width, m = most_of(step);
  auto* order = static_cast<std::int64_t*>(scratch);
  T *inner = reinterpret_cast<T*>(order + k), *solved = inner + k, *code = solved + m;
  const T *xy = data_of<const T>(step.inputs[0]), *gram = data_of<const T>(step.inputs[1]);
  T* y = data_of<T>(step.outputs[0]);
  for (std::int64_t r = 0; r < rows; ++r, xy += k, y += k) {
    pursue(xy, gram, k, m, order, inner, solved, code, Factor<T>{code + m, m}, y);
  }
}

void run_pursuit(const Step& step, std::int64_t rows, const Context& context) {
  with_float(step.inputs[0].dtype,
             [&](auto type) { run_pursuit_as<typename decltype(type)::type>(step, rows, context.scratch); });
}

double cost_pursuit(const Step& step) {
  const double k = static_cast<double>(step.inputs[0].width), m = static_cast<double>(most_of(step));
  return 20 + m * k * (1 + m / 8);
}

SARDONYX_KERNEL("OrthogonalMatchingPursuit",
                {.check = check_pursuit, .run = run_pursuit, .scratch = scratch_pursuit, .cost = cost_pursuit});

// ---- coordinate descent for the lasso --------------------------------------------------------------------------------

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
  with_float(step.inputs[0].dtype,
             [&](auto type) { run_lasso_as<typename decltype(type)::type>(step, rows, context.scratch); });
}

double cost_lasso(const Step& step) {
  const double k = static_cast<double>(step.inputs[0].width);
  return 20 + 10 * k * k;
}

SARDONYX_KERNEL("LassoDescent", {.check = check_lasso, .run = run_lasso, .scratch = scratch_lasso, .cost = cost_lasso});

// ---- least angle regression ------------------------------------------------------------------------------------------

enum Flags { kLassoPath = 1, kPositive = 2 };

std::int64_t places_of(const Step& step) {
  const std::int64_t k = step.inputs[0].width;
  return step.params[0].i < k ? step.params[0].i : k;
}

void check_path(const Step& step) {
  constexpr const char* name = "LeastAngle";
  check_code(step, name, 2, 4);
  require(in_range(integer_param(step, 0), 0, kLargest), name, "the number of iterations is negative");
  require(in_range(integer_param(step, 1), 0, kLassoPath + kPositive), name, "there are no such flags");
  require(in_range(integer_param(step, 2), 1, kLargest), name, "the number of features is out of range");
  real_param(step, 3);
}

std::size_t scratch_path(const Step& step, std::int64_t) {
  const std::size_t k = static_cast<std::size_t>(step.inputs[0].width), m = static_cast<std::size_t>(places_of(step));
  return k * sizeof(std::int64_t) + (3 * k + 2 * m + m * m) * sizeof(double) + 64;
}

// One row's path; names as in _lars_path_solver. Places 0 .. n_active - 1 of `indices` are active; Cov[p] belongs to the
// place p, whatever atom stands there, as scikit-learn forgets to take atoms back where it drops a degenerate one.
template <class T>
struct Path {
  std::int64_t k, most, n_samples;
  bool lasso, positive;
  T alpha_min, threshold;
  const T *Xy, *Gram;
  T *coef, *prev_coef, *Cov, *corr, *sign, *solution;
  std::int64_t* indices;
  Factor<T> L;

  std::int64_t n_iter = 0, n_active = 0;
  T alpha = 0, prev_alpha = 0;
  bool drop = false;

  T product(std::int64_t p, std::int64_t q) const { return Gram[indices[p] * k + indices[q]]; }

  // The place of the largest correlation with the residual, and its size in C.
  std::int64_t next(T& C) const {
    std::int64_t best = n_active;
    const auto size = [&](std::int64_t p) { return positive ? Cov[p] : std::fabs(Cov[p]); };
    for (std::int64_t p = n_active + 1; p < k; ++p) {
      if (size(p) > size(best)) best = p;
    }
    C = n_active < k ? size(best) : 0;
    return best;
  }

  // The row of the factor for place m; returns its diagonal.
  T factorise(std::int64_t m) const {
    T* row = L.row(m);
    for (std::int64_t j = 0; j < m; ++j) row[j] = product(m, j);
    L.forward(row, m);
    const T rest = std::sqrt(std::fabs(product(m, m) - dot(row, row, m)));
    return row[m] = rest > std::numeric_limits<double>::epsilon() ? rest : std::numeric_limits<double>::epsilon();
  }

  // Takes the atom at a place in; false if it is nearly a combination of those that are.
  bool add(std::int64_t place) {
    const T value = Cov[place];
    sign[n_active] = positive || value > 0 ? 1 : value < 0 ? -1 : 0;
    swap(indices[n_active], indices[place]);
    if (factorise(n_active) < T{1e-7}) {
      Cov[place] = 0;
      return false;
    }
    swap(Cov[n_active], Cov[place]);
    ++n_active;
    return true;
  }

  static T smaller(T x, T least) { return x > 0 && x < least ? x : least; }

  // How far to go along the solution until another atom correlates as much.
  T reach(T C, T AA) {
    constexpr T tiny = std::numeric_limits<float>::min(), most_value = std::numeric_limits<T>::max();
    constexpr T decimals = std::is_same_v<T, double> ? T{1e15} : T{1e6};
    T below = most_value, above = most_value;
    for (std::int64_t p = n_active; p < k; ++p) {
      T total = 0;
      for (std::int64_t q = 0; q < n_active; ++q) total += product(q, p) * solution[q];
      corr[p] = std::nearbyint(total * decimals) / decimals;
      below = smaller((C - Cov[p]) / (AA - corr[p] + tiny), below);
      if (!positive) above = smaller((C + Cov[p]) / (AA + corr[p] + tiny), above);
    }
    const T least = below < above ? below : above;
    return least < C / AA ? least : C / AA;
  }

  // The first place whose coefficient changes its sign, and how soon; -1 if none does.
  std::int64_t crossing(T& gamma) const {
    constexpr T tiny = std::numeric_limits<float>::min();
    T soonest = std::numeric_limits<T>::max();
    std::int64_t at = -1;
    for (std::int64_t p = 0; p < n_active; ++p) {
      const T z = -coef[indices[p]] / (solution[p] + tiny);
      if (z > 0 && z < soonest) soonest = z, at = p;
    }
    if (!(soonest < gamma)) return -1;
    if (lasso) gamma = soonest;
    return at;
  }

  void remove(std::int64_t at) {
    const std::int64_t atom = indices[at];
    --n_active;
    for (std::int64_t p = at; p < n_active; ++p) indices[p] = indices[p + 1], sign[p] = sign[p + 1];
    indices[n_active] = atom;
    for (std::int64_t p = at; p < n_active; ++p) factorise(p);
    Cov[n_active] = Xy[atom] - dot(Gram + atom * k, coef, k);
  }

  // Follows the path by one step; false at its end.
  bool advance() {
    T C = 0;
    const std::int64_t place = next(C);
    alpha = C / static_cast<T>(n_samples);
    if (alpha <= threshold) return interpolate();
    if (n_iter >= most || n_active >= k) return false;
    if (!drop && !add(place)) return true;
    if (lasso && n_iter > 0 && prev_alpha < alpha) return false;
    for (std::int64_t p = 0; p < n_active; ++p) solution[p] = sign[p];
    L.forward(solution, n_active);
    L.backward(solution, n_active);
    // The sum is |L^-1 sign|^2, so it is positive.
    const T AA = 1 / std::sqrt(dot(solution, sign, n_active));
    for (std::int64_t p = 0; p < n_active; ++p) solution[p] *= AA;
    T gamma = reach(C, AA);
    const std::int64_t at = crossing(gamma);
    drop = at >= 0;
    if (drop) sign[at] = -sign[at];
    move(gamma);
    if (drop && lasso) remove(at);
    return true;
  }

  void move(T gamma) {
    ++n_iter;
    prev_alpha = alpha;
    for (std::int64_t a = 0; a < k; ++a) prev_coef[a] = coef[a], coef[a] = 0;
    for (std::int64_t p = 0; p < n_active; ++p) coef[indices[p]] = prev_coef[indices[p]] + gamma * solution[p];
    for (std::int64_t p = n_active; p < k; ++p) Cov[p] -= gamma * corr[p];
  }

  // Ends between two points of the path, where the penalty is the one asked for.
  bool interpolate() {
    if (n_iter == 0 || !(std::fabs(alpha - alpha_min) > T{std::numeric_limits<float>::epsilon()})) return false;
    const T share = (prev_alpha - alpha_min) / (prev_alpha - alpha);
    for (std::int64_t a = 0; a < k; ++a) coef[a] = prev_coef[a] + share * (coef[a] - prev_coef[a]);
    return false;
  }

  void follow() {
    for (std::int64_t a = 0; a < k; ++a) indices[a] = a, Cov[a] = Xy[a], coef[a] = prev_coef[a] = 0;
    // Each step moves on or clears a correlation; a hostile Gram matrix may do neither.
    for (std::int64_t i = 0; i < (most + 1) * (k + 2) && advance(); ++i) {
    }
  }
};

template <class T>
void run_path_as(const Step& step, std::int64_t rows, void* scratch) {
  const std::int64_t k = step.inputs[0].width, m = places_of(step), flags = step.params[1].i;
  auto* indices = static_cast<std::int64_t*>(scratch);
  T *prev_coef = reinterpret_cast<T*>(indices + k), *Cov = prev_coef + k, *corr = Cov + k, *sign = corr + k;
  T *solution = sign + m, *factor = solution + m;
  const T *xy = data_of<const T>(step.inputs[0]), *gram = data_of<const T>(step.inputs[1]);
  const T alpha_min = static_cast<T>(step.params[3].f);
  // scikit-learn adds a float32 to a Python number, which makes a float32
  const T threshold = static_cast<float>(step.params[3].f) + std::numeric_limits<float>::epsilon();
  T* y = data_of<T>(step.outputs[0]);
  for (std::int64_t r = 0; r < rows; ++r, xy += k, y += k) {
    Path<T> path{k,
                 step.params[0].i,
                 step.params[2].i,
                 (flags & kLassoPath) != 0,
                 (flags & kPositive) != 0,
                 alpha_min,
                 threshold,
                 xy,
                 gram,
                 y,
                 prev_coef,
                 Cov,
                 corr,
                 sign,
                 solution,
                 indices,
                 Factor<T>{factor, m}};
    path.follow();
  }
}

void run_path(const Step& step, std::int64_t rows, const Context& context) {
  with_float(step.inputs[0].dtype,
             [&](auto type) { run_path_as<typename decltype(type)::type>(step, rows, context.scratch); });
}

double cost_path(const Step& step) {
  const double k = static_cast<double>(step.inputs[0].width), m = static_cast<double>(places_of(step));
  return 20 + m * m * k;
}

SARDONYX_KERNEL("LeastAngle", {.check = check_path, .run = run_path, .scratch = scratch_path, .cost = cost_path});

}  // namespace
}  // namespace sardonyx
