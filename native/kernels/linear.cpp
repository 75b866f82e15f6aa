// Linear: y[r, j] = sum_i x[r, i] * w[i, j] (+ b[j]), float32 or float64, w in ONNX layout (k, n).
#include "sardonyx/kernel.h"

namespace sardonyx {
namespace {

void check(const Step& step) {
  if (step.n_inputs < 2 || step.n_inputs > 3 || step.n_outputs != 1)
    fail("Linear takes x, w and perhaps b, and gives y");
  const Tensor &x = step.inputs[0], &w = step.inputs[1], &y = step.outputs[0];
  if (x.dtype != DType::f32 && x.dtype != DType::f64) fail("Linear takes float32 or float64");
  if (x.constant || x.dtype != y.dtype || x.dtype != w.dtype)
    fail("Linear: x, w and y differ in type, or x is constant");
  if (!w.constant || w.rank != 2) fail("Linear: w is a constant matrix");
  if (w.dims[0] != x.width || w.dims[1] != y.width) fail("Linear: w does not fit x and y");
  if (step.n_inputs == 2) return;
  const Tensor& b = step.inputs[2];
  if (!b.constant || b.dtype != x.dtype || b.width != y.width) fail("Linear: b does not fit y");
}

template <class T>
void linear(const Step& step, std::int64_t rows) {
  const std::int64_t k = step.inputs[0].width, n = step.outputs[0].width;
  const auto *x = static_cast<const T*>(step.inputs[0].data), *w = static_cast<const T*>(step.inputs[1].data);
  const auto* b = step.n_inputs == 3 ? static_cast<const T*>(step.inputs[2].data) : nullptr;
  auto* y = static_cast<T*>(step.outputs[0].data);
  for (std::int64_t r = 0; r < rows; ++r, x += k, y += n) {
    for (std::int64_t j = 0; j < n; ++j) y[j] = T(0);
    for (std::int64_t i = 0; i < k; ++i) {
      for (std::int64_t j = 0; j < n; ++j) y[j] += x[i] * w[i * n + j];
    }
    for (std::int64_t j = 0; b != nullptr && j < n; ++j) y[j] += b[j];
  }
}

void run(const Step& step, std::int64_t rows, const Context&) {
  if (step.inputs[0].dtype == DType::f32) return linear<float>(step, rows);
  linear<double>(step, rows);
}

SARDONYX_KERNEL("Linear", {.check = check, .run = run});

}  // namespace
}  // namespace sardonyx
