// MultiplicativeUpdates: weights W of fixed components H that make the beta-divergence of X and W H small, iterated
// until the whole batch has converged, as sklearn/decomposition/_nmf.py does (see operators/factorization.py).
//
// Of sparse rows only the entries are met, with the columns of H side by side (H^T):
//
//   beta     numerator             denominator        divergence
//   2        X H^T, once           W (H H^T)          |X|^2 - 2 X H^T . W + W (H H^T) . W
//   1        W H at the entries    sums of H          W H at the entries, and sums
//   others   W H at the entries    one row of W H at a time, in scratch
#include <cmath>
#include <limits>

#include "kernels/blas.h"
#include "kernels/sparse/rows.h"
#include "kernels/sums.h"

namespace sardonyx {
namespace {

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
  require(step.n_inputs >= 1 && step.n_inputs == (step.inputs[0].sparse ? 4 : 3) && step.n_outputs == 1 &&
              step.n_params == 6,
          name, "takes X, H and its products, beside sparse X also H^T, gives W, has 6 params");
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &h = step.inputs[1], &hht = step.inputs[2], &w = step.outputs[0];
  const Tensor& ht = step.inputs[step.n_inputs - 1];
  require_dense(w, name);
  require(is_float(x.dtype) && h.dtype == x.dtype && hht.dtype == x.dtype && w.dtype == x.dtype, name,
          "takes float32 or float64");
  require(!x.constant && h.constant && hht.constant, name, "takes rows and two constant matrices");
  require(h.rank == 2 && h.dims[0] == w.width && h.dims[1] == x.width && hht.rank == 2 && hht.dims[0] == w.width &&
              hht.dims[1] == w.width,
          name, "shapes do not fit");
  require(!x.sparse ||
              (ht.constant && ht.dtype == x.dtype && ht.rank == 2 && ht.dims[0] == x.width && ht.dims[1] == w.width),
          name, "H^T does not fit");
  require(in_range(integer_param(step, 0), 0, kLargest), name, "the number of iterations is negative");
  require(in_range(integer_param(step, 1), kDivergence, kChange), name, "there is no such rule");
  for (int i = 2; i < 6; ++i) real_param(step, i);
}

// What an update works with: W H and its powers of one row, twice, where whole rows are met; the sums of the rows of H,
// and with the penalties; X H^T of all rows.
template <class T>
struct Room {
  T *product, *other, *numerator, *denominator, *plain_sums, *sums, *xht;
};

bool meets_whole_rows(const Step& step) {
  const double beta = step.params[2].f;
  return !step.inputs[0].sparse || (beta != 1 && beta != 2);
}

template <class T>
Room<T> room_in(void* scratch, std::int64_t features, std::int64_t n) {
  T* at = static_cast<T*>(scratch);
  T* next = at + 2 * features;
  return {at, at + features, next, next + n, next + 2 * n, next + 3 * n, next + 4 * n};
}

std::size_t scratch_updates(const Step& step, std::int64_t rows) {
  const std::int64_t features = meets_whole_rows(step) ? step.inputs[0].width : 0, n = step.outputs[0].width;
  return static_cast<std::size_t>(2 * features + 4 * n + rows * n) * item_size(step.inputs[0].dtype);
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
  const Tensor& x;
  const T *h, *hht, *ht;
  T* w;
  Room<T> room;

  Problem(const Step& step, std::int64_t rows, void* scratch)
      : u(updates_of(step)),
        rows(rows),
        features(step.inputs[0].width),
        n(step.outputs[0].width),
        x(step.inputs[0]),
        h(data_of<const T>(step.inputs[1])),
        hht(data_of<const T>(step.inputs[2])),
        ht(data_of<const T>(step.inputs[step.n_inputs - 1])),
        w(data_of<T>(step.outputs[0])),
        room(room_in<T>(scratch, meets_whole_rows(step) ? features : 0, n)) {}

  const T* dense(std::int64_t r) const { return data_of<const T>(x) + r * features; }
  SparseRow<T> entries(std::int64_t r) const { return SparseReader<T>(x)[r]; }

  // The mean of X as NumPy has it, of a sparse matrix as SciPy does: float64 throughout.
  T mean() const {
    if (!x.sparse) return pairwise_sum(dense(0), rows * features) / static_cast<T>(rows * features);
    double total = 0;
    for (std::int64_t r = 0; r < rows; ++r) {
      const SparseRow<T> row = entries(r);
      for (std::int64_t i = 0; i < row.size; ++i) total += static_cast<double>(row.values[i]);
    }
    return static_cast<T>(total / static_cast<double>(rows * features));
  }

  void start() {
    const T average = std::sqrt(mean() / static_cast<T>(n));
    for (std::int64_t i = 0; i < rows * n; ++i) w[i] = average;
    for (std::int64_t c = 0; c < n; ++c) room.sums[c] = room.plain_sums[c] = total_of(h + c * features, features);
    if (u.beta != 2) return;
    for (std::int64_t r = 0; r < rows; ++r) {
      if (x.sparse) {
        entries_times_ht(entries(r), room.xht + r * n, [](T value, std::int32_t) { return value; });
      } else {
        chained_times_ht(dense(r), room.xht + r * n);
      }
    }
  }

  // y = sum over the entries of f(value, column) times the column of H.
  template <class F>
  void entries_times_ht(const SparseRow<T>& row, T* y, F f) const {
    for (std::int64_t c = 0; c < n; ++c) y[c] = 0;
    for (std::int64_t i = 0; i < row.size; ++i) {
      const T factor = f(row.values[i], row.indices[i]);
      const T* column = ht + row.indices[i] * n;
      for (std::int64_t c = 0; c < n; ++c) y[c] += factor * column[c];
    }
  }

  T product_at(const T* weights, std::int32_t column) const { return dot_of(weights, ht + column * n, n); }

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
    for (; c < n; ++c) y[c] = dot_of(from, h + c * features, features);
  }

  // y = x H^T as BLAS adds it up (blas.h), four rows of H at a time: updates of rows with negative numbers amplify the
  // last bits.
  void chained_times_ht(const T* from, T* y) const {
    constexpr std::int64_t kRows = 4;
    for (std::int64_t c = 0; c < n; c += kRows) {
      const std::int64_t some = n - c < kRows ? n - c : kRows;
      for (std::int64_t first = 0; first < features;) {
        const std::int64_t last = first + product_width(features - first);
        T chains[kRows] = {};
        for (std::int64_t f = first; f < last; ++f) {
          for (std::int64_t j = 0; j < some; ++j) chains[j] = std::fma(from[f], h[(c + j) * features + f], chains[j]);
        }
        for (std::int64_t j = 0; j < some; ++j) y[c + j] = first == 0 ? chains[j] : y[c + j] + chains[j];
        first = last;
      }
    }
  }

  // y = weights matrix, of n rows and `columns` columns: four vectors of columns at a time.
  void product(const T* weights, const T* matrix, std::int64_t columns, T* y) const {
    constexpr int V = kLanes<T>;
    std::int64_t f = 0;
    for (; f + 4 * V <= columns; f += 4 * V) columns_of<4>(weights, matrix + f, columns, y + f);
    for (; f + V <= columns; f += V) columns_of<1>(weights, matrix + f, columns, y + f);
    for (; f < columns; ++f) {
      T total = 0;
      for (std::int64_t c = 0; c < n; ++c) total = std::fma(weights[c], matrix[c * columns + f], total);
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
    const T* weights = w + r * n;
    if (u.beta == 2) {
      product(weights, hht, n, room.denominator);
      return room.xht + r * n;
    }
    if (meets_rows()) product(weights, h, features, room.product);
    if (u.beta != 1) {
      for (std::int64_t f = 0; f < features; ++f) room.other[f] = room.product[f];
      if (u.beta < 1) at_least_epsilon(room.other, features);
      raise(room.other, features, u.beta - 1);
      times_ht(room.other, room.denominator);
    } else {
      for (std::int64_t c = 0; c < n; ++c) room.denominator[c] = room.sums[c];
    }
    if (x.sparse) {
      entries_times_ht(entries(r), room.numerator, [&](T value, std::int32_t column) {
        T factor = product_at(weights, column);
        weigh(&value, &factor, 1);
        return factor;
      });
    } else {
      weigh(dense(r), room.product, features);
      times_ht(room.product, room.numerator);
    }
    return room.numerator;
  }

  bool meets_rows() const { return !x.sparse || (u.beta != 1 && u.beta != 2); }

  // product = x * product^(beta - 2)
  void weigh(const T* values, T* product, std::int64_t count) const {
    if (u.beta < 2) at_least_epsilon(product, count);
    if (u.beta == 1) {
      for (std::int64_t i = 0; i < count; ++i) product[i] = values[i] / product[i];
      return;
    }
    raise(product, count, u.beta == 0 ? -1 : u.beta - 2);
    if (u.beta == 0) raise(product, count, 2);
    for (std::int64_t i = 0; i < count; ++i) product[i] *= values[i];
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
      if (meets_rows()) product(w + r * n, h, features, room.product);
      total += u.beta == 2 ? gap_of(r) : 2 * divergence_of(r);
    }
    return std::sqrt(total > 0 ? total : 0);
  }

  double gap_of(std::int64_t r) {
    if (x.sparse) return expanded_gap_of(r);
    for (std::int64_t f = 0; f < features; ++f) room.other[f] = dense(r)[f] - room.product[f];
    return static_cast<double>(dot_of(room.other, room.other, features));
  }

  double expanded_gap_of(std::int64_t r) {
    const SparseRow<T> row = entries(r);
    const T* weights = w + r * n;
    product(weights, hht, n, room.denominator);
    return static_cast<double>(dot_of(row.values, row.values, row.size)) +
           static_cast<double>(dot_of(weights, room.denominator, n)) -
           2 * static_cast<double>(dot_of(weights, room.xht + r * n, n));
  }

  double divergence_of(std::int64_t r) const {
    const T* weights = w + r * n;
    double total = 0;
    if (u.beta == 1) {
      total = static_cast<double>(x.sparse ? dot_of(weights, room.plain_sums, n) : total_of(room.product, features));
    } else if (u.beta == 0) {
      total = -static_cast<double>(features);
    } else {
      for (std::int64_t f = 0; f < features; ++f)
        total += std::pow(static_cast<double>(room.product[f]), u.beta) / u.beta;
    }
    if (!x.sparse) {
      for (std::int64_t f = 0; f < features; ++f) total += divergence_at(dense(r)[f], room.product[f]);
      return total;
    }
    const SparseRow<T> row = entries(r);
    for (std::int64_t i = 0; i < row.size; ++i)
      total += divergence_at(row.values[i], product_at(weights, row.indices[i]));
    return total;
  }

  // What an element of X adds to what its row's products have.
  double divergence_at(T x, T product) const {
    constexpr T least = static_cast<T>(kEpsilon);
    if (!(x > least)) return 0;
    const double b = u.beta, value = static_cast<double>(x);
    const double guess = static_cast<double>(product < least ? least : product);
    if (b == 1) return value * std::log(value / guess) - value;
    if (b == 0) return value / guess - std::log(value / guess);
    return (std::pow(value, b) - b * value * std::pow(guess, b - 1)) / (b * (b - 1));
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
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) { run_updates_as<T>(step, rows, context.scratch); });
}

SARDONYX_KERNEL(
    "MultiplicativeUpdates",
    {.check = check_updates, .run = run_updates, .scratch = scratch_updates, .whole_batch = true, .sparse = true});

}  // namespace
}  // namespace sardonyx
