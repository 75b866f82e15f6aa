// Logistic: y = 1 / (1 + exp(-x)), element by element, float32 or float64, a vector at a time (see simd/math.h).
//
// Expit (unary.cpp) is the same with the C library's exp, bit for bit as in SciPy, at four times the price. Both give
// 0 exactly where exp(-x) overflows in the type of x, unlike the operator Sigmoid: a logarithm may follow.
#include <algorithm>

#include "kernels/check.h"
#include "simd/math.h"

namespace sardonyx {
namespace {

constexpr std::int64_t kBlock = 256;  // elements whose powers are kept at a time

// Rounded to T after each operation, as in SciPy: 1 - y, of which there may be a logarithm too, shows every rounding.
template <class T>
void logistic(const T* x, T* y, std::int64_t n) {
  const T* end = x + n;
  for (const T* from = x; from != end; from += std::min<std::int64_t>(kBlock, end - from)) {
    T e[kBlock];
    const std::int64_t count = std::min<std::int64_t>(kBlock, end - from);
    map([](Vector<double> v) { return exp_of(-v); }, from, e, count);
    for (std::int64_t i = 0; i < count; ++i) y[from - x + i] = 1 / (1 + e[i]);
  }
}

void check(const Step& step) {
  constexpr const char* name = "Logistic";
  require_counts(step, name, 1, 1, 0);
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &y = step.outputs[0];
  require(is_float(x.dtype) && !x.constant, name, "takes rows of floats");
  require(y.dtype == x.dtype && y.width == x.width, name, "output of another type or size");
}

void run(const Step& step, std::int64_t rows, const Context&) {
  const std::int64_t n = rows * step.inputs[0].width;
  with_float(step.inputs[0].dtype,
             [&]<class T>(Type<T>) { logistic(data_of<const T>(step.inputs[0]), data_of<T>(step.outputs[0]), n); });
}

SARDONYX_KERNEL("Logistic", {.check = check, .run = run, .in_place = true, .by_element = true});

}  // namespace
}  // namespace sardonyx
