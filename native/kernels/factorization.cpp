// NonNegativeDescent and MultiplicativeUpdates: weights W of fixed components H, iterated until the whole batch has
// converged, as sklearn/decomposition/_nmf.py and _cdnmf_fast.pyx do (see operators/factorization.py).
#include <limits>

#include "check.h"
#include "simd/vector.h"

namespace sardonyx {
namespace {

// Adds up in vectors: of floats that are promised within a tolerance only.
template <class T>
T total_of(const T* x, std::int64_t n) {
  constexpr int V = kLanes<T>;
  Vector<T> sums{};
  std::int64_t i = 0;
  for (; i + V <= n; i += V) sums += load(x + i);
  T total = sum(sums);
  for (; i < n; ++i) total += x[i];
  return total;
}

template <class T>
T dot(const T* x, const T* y, std::int64_t n) {
  constexpr int V = kLanes<T>;
  Vector<T> sums{};
  std::int64_t i = 0;
  for (; i + V <= n; i += V) sums = multiply_add(load(x + i), load(y + i), sums);
  T total = sum(sums);
  for (; i < n; ++i) total += x[i] * y[i];
  return total;
}

// ---- coordinate descent ----------------------------------------------------------------------------------------------
//
//   rows lie side by side, so that lanes run over rows and every row is summed in scikit-learn's order:
//
//     W      w[0][t0] w[1][t0] w[2][t0] ...     for every component t, in tiles of kTile rows
//     XHt    the same
//
// float32 gradients of a sweep are kept and added up in scikit-learn's order: their sum's rounding decides when to stop.

constexpr std::int64_t kTile = 128;

std::int64_t tiles_of(std::int64_t rows) { return (rows + kTile - 1) / kTile; }

void check_descent(const Step& step) {
  constexpr const char* name = "NonNegativeDescent";
  require(step.n_inputs == 3 && step.n_outputs == 1 && step.n_params == 2, name,
          "takes X H^T, H H^T and an order, gives W, has 2 params");
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &h = step.inputs[1], &order = step.inputs[2], &w = step.outputs[0];
  require(is_float(x.dtype) && h.dtype == x.dtype && w.dtype == x.dtype, name, "takes float32 or float64");
  require(!x.constant && h.constant && order.constant && order.dtype == DType::i64, name,
          "takes rows, a constant matrix and an order");
  require(w.width == x.width && h.rank == 2 && h.dims[0] == x.width && h.dims[1] == x.width, name, "shapes do not fit");
  require(order.rank == 2 && order.dims[0] >= 1 && order.dims[1] == x.width, name, "the order does not fit");
  require(in_range(integer_param(step, 0), 0, kLargest), name, "the number of sweeps is negative");
  real_param(step, 1);
  for (std::int64_t i = 0; i < order.width; ++i) {
    require(in_range(data_of<const std::int64_t>(order)[i], 0, x.width - 1), name, "there is no such component");
  }
}

std::size_t scratch_descent(const Step& step, std::int64_t rows) {
  const std::size_t panel = static_cast<std::size_t>(tiles_of(rows) * kTile * step.inputs[0].width);
  return panel * item_size(step.inputs[0].dtype) * (step.inputs[0].dtype == DType::f32 ? 3 : 2);
}

// Moves one component of a tile of rows, `lie` rows apart in W from the next component; the projected gradients' sizes
// go to `sizes`. What is beyond the last row is zero and stays so.
template <class T>
void visit(const T* row, std::int64_t n, std::int64_t t, const T* xht, T* w, T* sizes) {
  T gradient[kTile];
  T* at = w + t * kTile;
  for (std::int64_t i = 0; i < kTile; ++i) gradient[i] = -xht[t * kTile + i];
  for (std::int64_t r = 0; r < n; ++r) {
    const T factor = row[r];
    const T* other = w + r * kTile;
    for (std::int64_t i = 0; i < kTile; ++i) gradient[i] += factor * other[i];
  }
  for (std::int64_t i = 0; i < kTile; ++i) {
    const T g = gradient[i], projected = at[i] == 0 && g > 0 ? 0 : g;
    sizes[i] = std::fabs(projected);
  }
  const T hessian = row[t];
  if (hessian == 0) return;
  for (std::int64_t i = 0; i < kTile; ++i) {
    const T moved = at[i] - gradient[i] / hessian;
    at[i] = moved > 0 ? moved : 0;
  }
}

// The same for few rows, without a tile around them.
template <class T>
void visit_few(const T* row, std::int64_t n, std::int64_t t, std::int64_t rows, const T* xht, T* w, T* sizes) {
  const T hessian = row[t];
  for (std::int64_t i = 0; i < rows; ++i) {
    T* at = w + t * kTile + i;
    T gradient = -xht[t * kTile + i];
    for (std::int64_t r = 0; r < n; ++r) gradient += row[r] * w[r * kTile + i];
    sizes[i] = std::fabs(*at == 0 && gradient > 0 ? T{0} : gradient);
    if (hessian == 0) continue;
    const T moved = *at - gradient / hessian;
    *at = moved > 0 ? moved : 0;
  }
}

constexpr std::int64_t kFew = 16;

template <class T>
void run_descent_as(const Step& step, std::int64_t rows, void* scratch) {
  const std::int64_t n = step.inputs[0].width, tiles = tiles_of(rows), orders = step.inputs[2].dims[0];
  const T *x = data_of<const T>(step.inputs[0]), *h = data_of<const T>(step.inputs[1]);
  const auto* order = data_of<const std::int64_t>(step.inputs[2]);
  T *xht = static_cast<T*>(scratch), *w = xht + tiles * kTile * n, *kept = w + tiles * kTile * n;
  for (std::int64_t i = 0; i < 2 * tiles * kTile * n; ++i) xht[i] = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t t = 0; t < n; ++t) xht[(r / kTile * n + t) * kTile + r % kTile] = x[r * n + t];
  }
  double first = 0;
  for (std::int64_t sweep = 0; sweep < step.params[0].i; ++sweep) {
    const std::int64_t* turn = order + (sweep < orders ? sweep : orders - 1) * n;
    T violation = 0;
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
      T *weights = w + tile * kTile * n, sizes[kTile];
      const std::int64_t here = rows - tile * kTile < kTile ? rows - tile * kTile : kTile;
      for (std::int64_t s = 0; s < n; ++s) {
        const std::int64_t t = turn[s];
        T* to = std::is_same_v<T, float> ? kept + s * tiles * kTile + tile * kTile : sizes;
        if (here <= kFew) {
          visit_few(h + t * n, n, t, here, xht + tile * kTile * n, weights, to);
        } else {
          visit(h + t * n, n, t, xht + tile * kTile * n, weights, to);
        }
        if constexpr (!std::is_same_v<T, float>) violation += total_of(sizes, here);
      }
    }
    if constexpr (std::is_same_v<T, float>) {
      for (std::int64_t s = 0; s < n; ++s) {
        for (std::int64_t r = 0; r < rows; ++r) violation += kept[s * tiles * kTile + r];
      }
    }
    if (sweep == 0) first = static_cast<double>(violation);
    if (first == 0 || static_cast<double>(violation) / first <= step.params[1].f) break;
  }
  T* y = data_of<T>(step.outputs[0]);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t t = 0; t < n; ++t) y[r * n + t] = w[(r / kTile * n + t) * kTile + r % kTile];
  }
}

void run_descent(const Step& step, std::int64_t rows, const Context& context) {
  with_float(step.inputs[0].dtype,
             [&](auto type) { run_descent_as<typename decltype(type)::type>(step, rows, context.scratch); });
}

SARDONYX_KERNEL("NonNegativeDescent",
                {.check = check_descent, .run = run_descent, .scratch = scratch_descent, .whole_batch = true});

// ---- multiplicative updates ------------------------------------------------------------------------------------------

enum Rule { kDivergence = 0, kChange = 1 };

constexpr std::int64_t kCheckedEvery = 10;

// Params of the step.
struct Updates {
  std::int64_t most, rule;
  double beta, tol, l1, l2;
};

Updates updates_of(const Step& step) {
  const Param* p = step.params;
  return {p[0].i, p[1].i, p[2].f, p[3].f, p[4].f, p[5].f};
}

void check_updates(const Step& step) {
  constexpr const char* name = "MultiplicativeUpdates";
  require(step.n_inputs == 3 && step.n_outputs == 1 && step.n_params == 6, name,
          "takes X, H and its products, gives W, has 6 params");
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &h = step.inputs[1], &hht = step.inputs[2], &w = step.outputs[0];
  require(is_float(x.dtype) && h.dtype == x.dtype && hht.dtype == x.dtype && w.dtype == x.dtype, name,
          "takes float32 or float64");
  require(!x.constant && h.constant && hht.constant, name, "takes rows and two constant matrices");
  require(h.rank == 2 && h.dims[0] == w.width && h.dims[1] == x.width && hht.rank == 2 && hht.dims[0] == w.width &&
              hht.dims[1] == w.width,
          name, "shapes do not fit");
  require(in_range(integer_param(step, 0), 0, kLargest), name, "the number of iterations is negative");
  require(in_range(integer_param(step, 1), kDivergence, kChange), name, "there is no such rule");
  for (int i = 2; i < 6; ++i) real_param(step, i);
}

// What an update works with: W H and its powers of one row, twice; X H^T of all rows; the sums of the rows of H.
template <class T>
struct Room {
  T *product, *other, *numerator, *denominator, *sums, *xht;
};

template <class T>
Room<T> room_in(void* scratch, std::int64_t features, std::int64_t n) {
  T* at = static_cast<T*>(scratch);
  return {at,
          at + features,
          at + 2 * features,
          at + 2 * features + n,
          at + 2 * features + 2 * n,
          at + 2 * features + 3 * n};
}

std::size_t scratch_updates(const Step& step, std::int64_t rows) {
  const std::int64_t features = step.inputs[0].width, n = step.outputs[0].width;
  return static_cast<std::size_t>(2 * features + 3 * n + rows * n) * item_size(step.inputs[0].dtype);
}

// Powers where NumPy has its own ways.
template <class T>
void raise(T* x, std::int64_t n, double exponent) {
  if (exponent == 1) return;
  if (exponent == 0.5) {
    for (std::int64_t i = 0; i < n; ++i) x[i] = std::sqrt(x[i]);
  } else if (exponent == -1) {
    for (std::int64_t i = 0; i < n; ++i) x[i] = 1 / x[i];
  } else if (exponent == 2) {
    for (std::int64_t i = 0; i < n; ++i) x[i] *= x[i];
  } else {
    for (std::int64_t i = 0; i < n; ++i) x[i] = std::pow(x[i], static_cast<T>(exponent));
  }
}

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

template <class T>
void at_least_epsilon(T* x, std::int64_t n) {
  constexpr T least = static_cast<T>(kEpsilon);
  for (std::int64_t i = 0; i < n; ++i) x[i] = x[i] < least ? least : x[i];
}

// The problem of one call.
template <class T>
struct Problem {
  Updates u;
  std::int64_t rows, features, n;
  const T *x, *h, *hht;
  T* w;
  Room<T> room;

  Problem(const Step& step, std::int64_t rows, void* scratch)
      : u(updates_of(step)),
        rows(rows),
        features(step.inputs[0].width),
        n(step.outputs[0].width),
        x(data_of<const T>(step.inputs[0])),
        h(data_of<const T>(step.inputs[1])),
        hht(data_of<const T>(step.inputs[2])),
        w(data_of<T>(step.outputs[0])),
        room(room_in<T>(scratch, features, n)) {}

  void start() {
    double total = 0;
    for (std::int64_t i = 0; i < rows * features; ++i) total += static_cast<double>(x[i]);
    const T mean = static_cast<T>(total / static_cast<double>(rows * features));
    const T average = std::sqrt(mean / static_cast<T>(n));
    for (std::int64_t i = 0; i < rows * n; ++i) w[i] = average;
    for (std::int64_t c = 0; c < n; ++c) room.sums[c] = total_of(h + c * features, features);
    if (u.beta != 2) return;
    for (std::int64_t r = 0; r < rows; ++r) times_ht(x + r * features, room.xht + r * n);
  }

  // y = x H^T: four rows of H at a time, each with sums of its own.
  void times_ht(const T* from, T* y) const {
    constexpr int V = kLanes<T>;
    std::int64_t c = 0;
    for (; c + 4 <= n; c += 4) {
      Vector<T> sums[4] = {};
      std::int64_t f = 0;
      for (; f + V <= features; f += V) {
        const Vector<T> here = load(from + f);
        for (int j = 0; j < 4; ++j) sums[j] = multiply_add(here, load(h + (c + j) * features + f), sums[j]);
      }
      for (int j = 0; j < 4; ++j) {
        y[c + j] = sum(sums[j]);
        for (std::int64_t g = f; g < features; ++g) y[c + j] += from[g] * h[(c + j) * features + g];
      }
    }
    for (; c < n; ++c) y[c] = dot(from, h + c * features, features);
  }

  // y = weights matrix, of n rows and `columns` columns: four vectors of columns at a time.
  void product(const T* weights, const T* matrix, std::int64_t columns, T* y) const {
    constexpr int V = kLanes<T>;
    std::int64_t f = 0;
    for (; f + 4 * V <= columns; f += 4 * V) columns_of<4>(weights, matrix + f, columns, y + f);
    for (; f + V <= columns; f += V) columns_of<1>(weights, matrix + f, columns, y + f);
    for (; f < columns; ++f) {
      T total = 0;
      for (std::int64_t c = 0; c < n; ++c) total += weights[c] * matrix[c * columns + f];
      y[f] = total;
    }
  }

  template <int N>
  void columns_of(const T* weights, const T* matrix, std::int64_t columns, T* y) const {
    constexpr int V = kLanes<T>;
    Vector<T> sums[N] = {};
    for (std::int64_t c = 0; c < n; ++c, matrix += columns) {
      const Vector<T> factor = broadcast(weights[c]);
      for (int j = 0; j < N; ++j) sums[j] = multiply_add(factor, load(matrix + j * V), sums[j]);
    }
    for (int j = 0; j < N; ++j) store(y + j * V, sums[j]);
  }

  // Numerator and denominator of the update of a row, without the penalties.
  const T* fraction(std::int64_t r) {
    const T* row = x + r * features;
    if (u.beta == 2) {
      product(w + r * n, hht, n, room.denominator);
      return room.xht + r * n;
    }
    product(w + r * n, h, features, room.product);
    if (u.beta != 1) {
      for (std::int64_t f = 0; f < features; ++f) room.other[f] = room.product[f];
      if (u.beta < 1) at_least_epsilon(room.other, features);
      raise(room.other, features, u.beta - 1);
      times_ht(room.other, room.denominator);
    } else {
      for (std::int64_t c = 0; c < n; ++c) room.denominator[c] = room.sums[c];
    }
    if (u.beta < 2) at_least_epsilon(room.product, features);
    if (u.beta == 1) {
      for (std::int64_t f = 0; f < features; ++f) room.product[f] = row[f] / room.product[f];
    } else {
      raise(room.product, features, u.beta == 0 ? -1 : u.beta - 2);
      if (u.beta == 0) raise(room.product, features, 2);
      for (std::int64_t f = 0; f < features; ++f) room.product[f] *= row[f];
    }
    times_ht(room.product, room.numerator);
    return room.numerator;
  }

  double gamma() const {
    if (u.beta < 1) return 1 / (2 - u.beta);
    return u.beta > 2 ? 1 / (u.beta - 1) : 1;
  }

  // One iteration; returns whether W changed by at most tol of its norm (what the rule of change asks).
  bool update() {
    const T l1 = static_cast<T>(u.l1), l2 = static_cast<T>(u.l2), floor = std::numeric_limits<double>::epsilon();
    const bool added =
        u.beta == 1 && u.rule == kDivergence;  // scikit-learn keeps the sums, and adds at every iteration
    if (added) add_penalty(room.sums, l1);
    double change = 0, size = 0;
    for (std::int64_t r = 0; r < rows; ++r) {
      const T* numerator = fraction(r);
      T *weights = w + r * n, *denominator = room.denominator;
      if (!added) add_penalty(denominator, l1);
      if (l2 > 0) {
        for (std::int64_t c = 0; c < n; ++c) denominator[c] += l2 * weights[c];
      }
      for (std::int64_t c = 0; c < n; ++c) {
        denominator[c] = numerator[c] / (denominator[c] == 0 ? static_cast<T>(kEpsilon) : denominator[c]);
      }
      raise(denominator, n, gamma());
      for (std::int64_t c = 0; c < n; ++c) {
        T after = weights[c] * denominator[c];
        if (u.rule == kDivergence && u.beta < 1 && after < floor) after = 0;
        const double gap = static_cast<double>(after - weights[c]);
        change += gap * gap;
        size += static_cast<double>(after) * static_cast<double>(after);
        weights[c] = after;
      }
    }
    return std::sqrt(change) / std::sqrt(size) <= u.tol;
  }

  void add_penalty(T* sums, T l1) const {
    for (std::int64_t c = 0; c < n; ++c) {
      if (l1 > 0) sums[c] += l1;
      if (u.beta == 1 && sums[c] == 0) sums[c] = static_cast<T>(kEpsilon);
    }
  }

  // Root of twice the divergence.
  double error() {
    double total = 0;
    for (std::int64_t r = 0; r < rows; ++r) {
      product(w + r * n, h, features, room.product);
      total += u.beta == 2 ? gap_of(x + r * features) : divergence_of(x + r * features);
    }
    return std::sqrt(total > 0 ? total : 0);
  }

  double gap_of(const T* row) const {
    for (std::int64_t f = 0; f < features; ++f) room.other[f] = row[f] - room.product[f];
    return static_cast<double>(dot(room.other, room.other, features));
  }

  double divergence_of(const T* row) const {
    const T *product = room.product, least = static_cast<T>(kEpsilon);
    const double b = u.beta;
    double total = 0;
    if (b == 1) total += static_cast<double>(total_of(product, features));
    for (std::int64_t f = 0; f < features; ++f) {
      if (b != 0 && b != 1) total += std::pow(static_cast<double>(product[f]), b) / b;
      if (b == 0) total -= 1;
      if (!(row[f] > least)) continue;
      const double value = static_cast<double>(row[f]);
      const double guess = static_cast<double>(product[f] < least ? least : product[f]);
      if (b == 1) {
        total += value * std::log(value / guess) - value;
      } else if (b == 0) {
        total += value / guess - std::log(value / guess);
      } else {
        total += (std::pow(value, b) - b * value * std::pow(guess, b - 1)) / (b * (b - 1));
      }
    }
    return 2 * total;
  }
};

template <class T>
void run_updates_as(const Step& step, std::int64_t rows, void* scratch) {
  Problem<T> problem(step, rows, scratch);
  problem.start();
  const Updates& u = problem.u;
  const bool looks = u.rule == kDivergence && u.tol > 0;
  const double first = looks ? problem.error() : 0;
  double previous = first;
  for (std::int64_t i = 1; i <= u.most; ++i) {
    const bool settled = problem.update();
    if (u.rule == kChange && u.tol > 0 && settled) break;
    if (!looks || i % kCheckedEvery != 0) continue;
    const double error = problem.error();
    if ((previous - error) / first < u.tol) break;
    previous = error;
  }
}

void run_updates(const Step& step, std::int64_t rows, const Context& context) {
  with_float(step.inputs[0].dtype,
             [&](auto type) { run_updates_as<typename decltype(type)::type>(step, rows, context.scratch); });
}

SARDONYX_KERNEL("MultiplicativeUpdates",
                {.check = check_updates, .run = run_updates, .scratch = scratch_updates, .whole_batch = true});

}  // namespace
}  // namespace sardonyx
