// Between knots, column by column.
//
//   Interp         values[j] + slopes[j] (x - starts[j]), where j is the last knot not above x: numpy.interp
//   BSplineBasis   the B-splines of a degree over knots, at x: de Boor's recurrence, in the order of SciPy's
//                  (scipy/interpolate/src/__fitpack.cc, _deBoor_D), so that extrapolation cancels as it does there
#include "kernels/check.h"

namespace sardonyx {
namespace {

// ---- Interp: X (F), starts, values and slopes (F, K) ---------------------------------------------------------------

void check_interp(const Step& step) {
  constexpr const char* name = "Interp";
  require_counts(step, name, 4, 1, 0);
  require_row_output(step, name);
  const Tensor& x = step.inputs[0];
  require(!x.constant && is_float(x.dtype), name, "takes rows of floats");
  require(step.outputs[0].dtype == x.dtype && step.outputs[0].width == x.width, name, "output of the wrong form");
  for (int i = 1; i < 4; ++i) {
    const Tensor& knots = step.inputs[i];
    require(knots.constant && knots.dtype == x.dtype && knots.rank == 2, name, "knots are constant, of X's type");
    require(knots.dims[0] == x.width && knots.dims[1] == step.inputs[1].dims[1] && knots.dims[1] >= 1, name,
            "has knots for every column");
  }
}

// The last knot not above x; the first one where there is none.
template <class T>
inline std::int64_t last_not_above(const T* knots, std::int64_t n, T x) {
  std::int64_t low = 0;
  while (n > 1) {
    const std::int64_t half = n / 2;
    low += knots[low + half] <= x ? half : 0;
    n -= half;
  }
  return low;
}

void run_interp(const Step& step, std::int64_t rows, const Context&) {
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    const T* x = data_of<T>(step.inputs[0]);
    const std::int64_t width = step.inputs[0].width, knots = step.inputs[1].dims[1];
    const T *starts = data_of<T>(step.inputs[1]), *values = data_of<T>(step.inputs[2]);
    const T* slopes = data_of<T>(step.inputs[3]);
    T* y = data_of<T>(step.outputs[0]);
    for (std::int64_t r = 0; r < rows; ++r, x += width, y += width) {
      for (std::int64_t f = 0; f < width; ++f) {
        const std::int64_t at = f * knots + last_not_above(starts + f * knots, knots, x[f]);
        const T beyond = x[f] - starts[at];
        y[f] = beyond == 0 ? values[at] : slopes[at] * beyond + values[at];  // slopes may be infinite
      }
    }
  });
}

SARDONYX_KERNEL("Interp", {.check = check_interp, .run = run_interp, .in_place = true});

// ---- BSplineBasis: X (F), knots (F, T); param [degree] --------------------------------------------------------------

constexpr std::int64_t kMostDegree = 30;

void check_basis(const Step& step) {
  constexpr const char* name = "BSplineBasis";
  require_counts(step, name, 2, 1, 1);
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &knots = step.inputs[1];
  const std::int64_t degree = step.params[0].i;
  require(in_range(degree, 0, kMostDegree), name, "degree is not between 0 and 30");
  require(!x.constant && x.dtype == DType::f64 && x.rank == 1, name, "takes rows of float64");
  require(knots.constant && knots.dtype == DType::f64 && knots.rank == 2 && knots.dims[0] == x.width, name,
          "has knots for every column");
  require(knots.dims[1] >= 2 * degree + 2, name, "has too few knots for its degree");
  require(step.outputs[0].dtype == DType::f64 && step.outputs[0].width == x.width * (knots.dims[1] - degree - 1), name,
          "output of the wrong form");
}

// The splines that are not zero on the interval: h[0 .. degree].
void de_boor(const double* t, double x, std::int64_t degree, std::int64_t interval, double* h) {
  double before[kMostDegree + 1];
  h[0] = 1.0;
  for (std::int64_t j = 1; j <= degree; ++j) {
    for (std::int64_t i = 0; i < j; ++i) before[i] = h[i];
    h[0] = 0.0;
    for (std::int64_t n = 1; n <= j; ++n) {
      const double right = t[interval + n], left = t[interval + n - j];
      if (right == left) {
        h[n] = 0.0;
        continue;
      }
      const double w = before[n - 1] / (right - left);
      h[n - 1] += w * (right - x);
      h[n] = w * (x - left);
    }
  }
}

void run_basis(const Step& step, std::int64_t rows, const Context&) {
  const std::int64_t width = step.inputs[0].width, degree = step.params[0].i;
  const std::int64_t n_knots = step.inputs[1].dims[1], splines = n_knots - degree - 1;
  const double* x = data_of<double>(step.inputs[0]);
  double* y = data_of<double>(step.outputs[0]);
  for (std::int64_t r = 0; r < rows; ++r, x += width) {
    for (std::int64_t f = 0; f < width; ++f, y += splines) {
      const double* t = data_of<double>(step.inputs[1]) + f * n_knots;
      if (x[f] != x[f]) {
        for (std::int64_t i = 0; i < splines; ++i) y[i] = NAN;
        continue;
      }
      for (std::int64_t i = 0; i < splines; ++i) y[i] = 0.0;
      const std::int64_t interval = degree + last_not_above(t + degree, splines - degree, x[f]);
      double h[kMostDegree + 1];
      de_boor(t, x[f], degree, interval, h);
      for (std::int64_t i = 0; i <= degree; ++i) y[interval - degree + i] = h[i];
    }
  }
}

double cost_of_basis(const Step& step) {
  const auto degree = static_cast<double>(step.params[0].i);
  return static_cast<double>(step.outputs[0].width) + static_cast<double>(step.inputs[0].width) * 4 * degree * degree;
}

SARDONYX_KERNEL("BSplineBasis", {.check = check_basis, .run = run_basis, .cost = cost_of_basis});

}  // namespace
}  // namespace sardonyx
