// CheckFinite: passes its input on, or refuses it (finite.h). Parameter: allow_nan (0 or 1).
#include <cstring>

#include "kernels/guards/finite.h"

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

void run(const Step& step, std::int64_t rows, const Context&) {
  const Tensor &x = step.inputs[0], &y = step.outputs[0];
  const std::int64_t count = rows * x.width;
  const bool allow_nan = step.params[0].i != 0;
  if (x.dtype == DType::f32) {
    require_finite(static_cast<const float*>(x.data), count, allow_nan);
  } else {
    require_finite(static_cast<const double*>(x.data), count, allow_nan);
  }
  if (x.data != y.data && count > 0) std::memcpy(y.data, x.data, static_cast<std::size_t>(count) * item_size(x.dtype));
}

SARDONYX_KERNEL("CheckFinite", {.check = check, .run = run, .view = true, .by_element = true});

}  // namespace
}  // namespace sardonyx
