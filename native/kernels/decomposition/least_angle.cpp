// LeastAngle: sparse codes by least angle regression, or along the path of the lasso, as linear_model/_least_angle.py
// finds them (_lars_path_solver).
//
// Inputs: products, Gram (k, k). Params: iterations, Flags, features of a row (n_samples there), the least alpha.
#include "kernels/decomposition/sparse_coding.h"

namespace sardonyx {
namespace {

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

// One row's path; names as in _lars_path_solver. Places 0 .. n_active - 1 of `indices` are active; Cov[p] belongs to
// the place p, whatever atom stands there, as scikit-learn forgets to take atoms back where it drops a degenerate one.
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
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) { run_path_as<T>(step, rows, context.scratch); });
}

double cost_path(const Step& step) {
  const double k = static_cast<double>(step.inputs[0].width), m = static_cast<double>(places_of(step));
  return 20 + m * m * k;
}

SARDONYX_KERNEL("LeastAngle", {.check = check_path, .run = run_path, .scratch = scratch_path, .cost = cost_path});

}  // namespace
}  // namespace sardonyx
