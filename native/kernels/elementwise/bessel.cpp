// BesselK: the modified Bessel function of the second kind, by the trapezoidal rule (see operators/special.py), a
// vector of arguments at a time. A lane stops counting where its terms no longer change its sum, so it does not see its
// neighbours.
#include "kernels/check.h"
#include "simd/math.h"

namespace sardonyx {
namespace {

constexpr const char* kName = "BesselK";
constexpr double kStep = 0.125, kWide = 16.0;
constexpr int kNodes = 360;

Vector<double> bessel_k(Vector<double> x, double order) {
  const Vector<double> widened = x * (1.0 / kWide), wide = widened > 1.0 ? widened : broadcast(1.0);
  Vector<double> step{}, total = x * 0.0 + 0.5;
  for (int lane = 0; lane < kLanes<double>; ++lane) step[lane] = kStep / __builtin_sqrt(wide[lane]);
  for (int i = 1; i <= kNodes; ++i) {
    const Vector<double> t = step * static_cast<double>(i);
    const Vector<double> rise = exp_of(t * 0.5) - exp_of(t * -0.5);
    const Vector<double> growth = x * (rise * rise * -0.5);
    const Vector<double> term = exp_of(growth + order * t) + exp_of(growth - order * t), next = total + term * 0.5;
    const VectorBits<double> moved = next != total;
    bool any = false;
    for (int lane = 0; lane < kLanes<double>; ++lane) any = any || moved[lane] != 0;
    total = next;
    if (!any) break;
  }
  return total * step * exp_of(-x);
}

void check(const Step& step) {
  require_counts(step, kName, 2, 1, 0);
  require_row_output(step, kName);
  const Tensor &x = step.inputs[0], &order = step.inputs[1], &y = step.outputs[0];
  require(!x.constant && x.dtype == DType::f64 && y.dtype == DType::f64 && y.width == x.width, kName,
          "takes rows of float64 and gives as many");
  require(order.constant && order.dtype == DType::f64 && order.width == 1, kName, "takes one order");
}

void run(const Step& step, std::int64_t rows, const Context&) {
  const double order = *data_of<double>(step.inputs[1]);
  const auto function = [order](Vector<double> x) { return bessel_k(x, order); };
  map(function, data_of<const double>(step.inputs[0]), data_of<double>(step.outputs[0]), rows * step.inputs[0].width);
}

double cost(const Step& step) { return 2000.0 * static_cast<double>(step.inputs[0].width); }

SARDONYX_KERNEL("BesselK", {.check = check, .run = run, .cost = cost, .in_place = true});

}  // namespace
}  // namespace sardonyx
