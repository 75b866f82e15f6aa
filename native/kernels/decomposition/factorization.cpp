// NonNegativeDescent: weights W of fixed components H by coordinate descent, iterated until the whole batch has
// converged, as sklearn/decomposition/_cdnmf_fast.pyx does (see operators/factorization.py).
#include "kernels/check.h"
#include "kernels/sums.h"

namespace sardonyx {
namespace {

//   rows lie side by side, so that lanes run over rows and every row is summed in scikit-learn's order:
//
//     W      w[0][t0] w[1][t0] w[2][t0] ...     for every component t, in tiles of kTile rows
//     XHt    the same
//
// float32 gradients of a sweep are kept and added up in scikit-learn's order: their sum's rounding decides when to
// stop.

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

// The weights of a batch, from all zeros on.
template <class T>
struct Descent {
  std::int64_t rows, n, tiles;
  const T* h;
  T *xht, *w, *kept;
  static constexpr bool kKeeps = std::is_same_v<T, float>;

  Descent(const Step& step, std::int64_t rows, void* scratch)
      : rows(rows), n(step.inputs[0].width), tiles(tiles_of(rows)), h(data_of<const T>(step.inputs[1])) {
    const std::int64_t panel = tiles * kTile * n;
    xht = static_cast<T*>(scratch);
    w = xht + panel;
    kept = w + panel;
    for (std::int64_t i = 0; i < 2 * panel; ++i) xht[i] = 0;
  }

  // Where component t of row r stands.
  std::int64_t place(std::int64_t r, std::int64_t t) const { return (r / kTile * n + t) * kTile + r % kTile; }

  void read(const T* x) {
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t t = 0; t < n; ++t) xht[place(r, t)] = x[r * n + t];
    }
  }

  void write(T* y) const {
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t t = 0; t < n; ++t) y[r * n + t] = w[place(r, t)];
    }
  }

  // Moves every component of every row once, in this order; returns the sum of the projected gradients' sizes.
  T sweep(const std::int64_t* turn) {
    T violation = 0;
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
      const std::int64_t first = tile * kTile * n, here = rows - tile * kTile < kTile ? rows - tile * kTile : kTile;
      T sizes[kTile];
      for (std::int64_t s = 0; s < n; ++s) {
        const std::int64_t t = turn[s];
        T* to = kKeeps ? kept + (s * tiles + tile) * kTile : sizes;
        if (here <= kFew) {
          visit_few(h + t * n, n, t, here, xht + first, w + first, to);
        } else {
          visit(h + t * n, n, t, xht + first, w + first, to);
        }
        if (!kKeeps) violation += total_of(sizes, here);
      }
    }
    return kKeeps ? total_of_kept() : violation;
  }

  T total_of_kept() const {
    T total = 0;
    for (std::int64_t s = 0; s < n; ++s) {
      for (std::int64_t r = 0; r < rows; ++r) total += kept[s * tiles * kTile + r];
    }
    return total;
  }
};

template <class T>
void run_descent_as(const Step& step, std::int64_t rows, void* scratch) {
  const Tensor& order = step.inputs[2];
  const std::int64_t orders = order.dims[0];
  Descent<T> descent(step, rows, scratch);
  descent.read(data_of<const T>(step.inputs[0]));
  double first = 0;
  for (std::int64_t sweep = 0; sweep < step.params[0].i; ++sweep) {
    const std::int64_t turn = sweep < orders ? sweep : orders - 1;
    const auto violation = static_cast<double>(descent.sweep(data_of<const std::int64_t>(order) + turn * descent.n));
    if (sweep == 0) first = violation;
    if (first == 0 || violation / first <= step.params[1].f) break;
  }
  descent.write(data_of<T>(step.outputs[0]));
}

void run_descent(const Step& step, std::int64_t rows, const Context& context) {
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) { run_descent_as<T>(step, rows, context.scratch); });
}

SARDONYX_KERNEL("NonNegativeDescent",
                {.check = check_descent, .run = run_descent, .scratch = scratch_descent, .whole_batch = true});

}  // namespace
}  // namespace sardonyx
