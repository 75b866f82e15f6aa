// CheckFinite: passes its input on, or refuses it as scikit-learn's check_array does (utils/validation.py,
// _assert_all_finite): NaN first, then infinity. Parameter: allow_nan (0 or 1).
#include <cmath>
#include <cstring>

#include "sardonyx/kernel.h"

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

// An exponent of all ones is infinity (mantissa 0) or NaN. Integers: the loop is one AND and one compare a lane.
template <class Bits, Bits kExponent>
bool has_special(const void* data, std::int64_t count) {
  const auto* bits = static_cast<const Bits*>(data);
  Bits found = 0;
  for (std::int64_t i = 0; i < count; ++i) found |= static_cast<Bits>((bits[i] & kExponent) == kExponent);
  return found != 0;
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
    if (has_special<std::uint32_t, 0x7F800000u>(values, count)) refuse_special(values, count, allow_nan);
  } else {
    const auto* values = static_cast<const double*>(x.data);
    if (has_special<std::uint64_t, 0x7FF0000000000000u>(values, count)) refuse_special(values, count, allow_nan);
  }
  if (x.data != y.data && count > 0) std::memcpy(y.data, x.data, static_cast<std::size_t>(count) * item_size(x.dtype));
}

SARDONYX_KERNEL("CheckFinite", {.check = check, .run = run, .view = true, .by_element = true});

}  // namespace
}  // namespace sardonyx
