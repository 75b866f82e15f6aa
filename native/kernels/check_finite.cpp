// CheckFinite: passes its input on, or refuses it as scikit-learn's check_array does (utils/validation.py,
// _assert_all_finite): NaN first, then infinity. Parameter: allow_nan (0 or 1).
#include <cmath>
#include <cstring>

#include "simd/vector.h"

namespace sardonyx {
namespace {

void check(const Step& step) {
  if (step.n_inputs != 1 || step.n_outputs != 1) fail("CheckFinite takes one input and gives one output");
  const Tensor &x = step.inputs[0], &y = step.outputs[0];
  if (x.dtype != DType::f32 && x.dtype != DType::f64) fail("CheckFinite takes float32 or float64");
  if (x.constant) fail("CheckFinite takes a row input");
  if (x.dtype != y.dtype || x.width != y.width) fail("CheckFinite: input and output differ in type or width");
  const std::int64_t allow_nan = integer_param(step, 0);
  if (allow_nan != 0 && allow_nan != 1) fail("CheckFinite: allow_nan is 0 or 1");
}

// Zero times a number is zero, but NaN of what is none: so is then the sum of the products, one operation a vector.
template <class T>
bool has_special(const T* x, std::int64_t count) {
  constexpr int V = kLanes<T>;
  Vector<T> sums[4]{};
  std::int64_t i = 0;
  for (; i + 4 * V <= count; i += 4 * V) {
    for (int s = 0; s < 4; ++s) sums[s] = multiply_add(load(x + i + s * V), Vector<T>{}, sums[s]);
  }
  for (; i + V <= count; i += V) sums[0] = multiply_add(load(x + i), Vector<T>{}, sums[0]);
  T rest = sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
  for (; i < count; ++i) rest += x[i] * T{0};
  return rest != 0;
}

template <class T>
void refuse_special(const T* x, std::int64_t count, bool allow_nan) {
  bool nan = false, infinity = false;
  for (std::int64_t i = 0; i < count; ++i) {
    nan |= x[i] != x[i];
    infinity |= std::fabs(x[i]) == static_cast<T>(INFINITY);
  }
  if (nan && !allow_nan) fail("Input contains NaN");
  if (infinity)
    fail("Input contains infinity or a value too large for dtype('float%d')", static_cast<int>(sizeof(T) * 8));
}

void run(const Step& step, std::int64_t rows, const Context&) {
  const Tensor &x = step.inputs[0], &y = step.outputs[0];
  const std::int64_t count = rows * x.width;
  const bool allow_nan = step.params[0].i != 0;
  if (x.dtype == DType::f32) {
    const auto* values = static_cast<const float*>(x.data);
    if (has_special(values, count)) refuse_special(values, count, allow_nan);
  } else {
    const auto* values = static_cast<const double*>(x.data);
    if (has_special(values, count)) refuse_special(values, count, allow_nan);
  }
  if (x.data != y.data && count > 0) std::memcpy(y.data, x.data, static_cast<std::size_t>(count) * item_size(x.dtype));
}

SARDONYX_KERNEL("CheckFinite", {.check = check, .run = run, .view = true, .by_element = true});

}  // namespace
}  // namespace sardonyx
