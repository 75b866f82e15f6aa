// The normal distribution: its cumulative function (Ndtr) and the inverse of that (Ndtri), of float64.
//
// Ndtri is S. L. Moshier's (Cephes, ndtri.c), which SciPy has too: a rational approximation around the middle, and two
// of 1 / sqrt(-2 log y) for the tails. Ndtr is the C library's error function, whose tail keeps its relative precision.
#include "kernels/check.h"

namespace sardonyx {
namespace {

constexpr double kP0[] = {-5.99633501014107895267e1, 9.80010754185999661536e1, -5.66762857469070293439e1,
                          1.39312609387279679503e1, -1.23916583867381258016e0};
constexpr double kQ0[] = {1.0,
                          1.95448858338141759834e0,
                          4.67627912898881538453e0,
                          8.63602421390890590575e1,
                          -2.25462687854119370527e2,
                          2.00260212380060660359e2,
                          -8.20372256168333339912e1,
                          1.59056225126211695515e1,
                          -1.18331621121330003142e0};
constexpr double kP1[] = {4.05544892305962419923e0,   3.15251094599893866154e1,   5.71628192246421288162e1,
                          4.40805073893200834700e1,   1.46849561928858024014e1,   2.18663306850790267539e0,
                          -1.40256079171354495875e-1, -3.50424626827848203418e-2, -8.57456785154685413611e-4};
constexpr double kQ1[] = {1.0,
                          1.57799883256466749731e1,
                          4.53907635128879210584e1,
                          4.13172038254672030440e1,
                          1.50425385692907503408e1,
                          2.50464946208309415979e0,
                          -1.42182922854787788574e-1,
                          -3.80806407691578277194e-2,
                          -9.33259480895457427372e-4};
constexpr double kP2[] = {3.23774891776946035970e0,  6.91522889068984211695e0,  3.93881025292474443415e0,
                          1.33303460815807542389e0,  2.01485389549179081538e-1, 1.23716634817820021358e-2,
                          3.01581553508235416007e-4, 2.65806974686737550832e-6, 6.23974539184983293730e-9};
constexpr double kQ2[] = {1.0,
                          6.02427039364742014255e0,
                          3.67983563856160859403e0,
                          1.37702099489081330271e0,
                          2.16236993594496635890e-1,
                          1.34204006088543189037e-2,
                          3.28014464682127739104e-4,
                          2.89247864745380683936e-6,
                          6.79019408009981274425e-9};

template <int N>
inline double horner(double x, const double (&c)[N]) {
  double sum = c[0];
  for (int i = 1; i < N; ++i) sum = sum * x + c[i];
  return sum;
}

double ndtri(double y0) {
  constexpr double kTail = 0.13533528323661269189;  // exp(-2)
  if (!(y0 > 0 && y0 < 1)) return y0 == 0 ? -INFINITY : y0 == 1 ? INFINITY : NAN;
  const bool right = y0 > 1.0 - kTail;
  const double y = right ? 1.0 - y0 : y0;
  if (y > kTail) {
    const double z = y - 0.5, square = z * z;
    return (z + z * (square * horner(square, kP0) / horner(square, kQ0))) * 2.50662827463100050242;  // sqrt(2 pi)
  }
  const double x = ::sqrt(-2.0 * ::log(y)), z = 1.0 / x;
  const double first = x - ::log(x) / x;
  const double second = x < 8.0 ? z * horner(z, kP1) / horner(z, kQ1) : z * horner(z, kP2) / horner(z, kQ2);
  return right ? first - second : second - first;
}

double ndtr(double a) {
  const double x = a * 0.70710678118654752440, z = ::fabs(x);
  if (z < 1.0) return 0.5 + 0.5 * ::erf(x);
  const double tail = 0.5 * ::erfc(z);
  return x > 0 ? 1.0 - tail : x == x ? tail : x;
}

void check(const Step& step) {
  require_counts(step, "Ndtr", 1, 1, 0);
  require_row_output(step, "Ndtr");
  require(!step.inputs[0].constant && step.inputs[0].dtype == DType::f64, "Ndtr", "takes rows of float64");
  require(step.outputs[0].dtype == DType::f64 && step.outputs[0].width == step.inputs[0].width, "Ndtr",
          "output of the wrong form");
}

template <double function(double)>
void run(const Step& step, std::int64_t rows, const Context&) {
  const double* x = data_of<double>(step.inputs[0]);
  double* y = data_of<double>(step.outputs[0]);
  const std::int64_t n = rows * step.inputs[0].width;
  for (std::int64_t i = 0; i < n; ++i) y[i] = function(x[i]);
}

SARDONYX_KERNEL("Ndtr", {.check = check, .run = run<ndtr>, .in_place = true});
SARDONYX_KERNEL("Ndtri", {.check = check, .run = run<ndtri>, .in_place = true});

}  // namespace
}  // namespace sardonyx
