// OrthogonalMatchingPursuit: sparse codes of a number of atoms, as linear_model/_omp.py finds them (_gram_omp).
//
// Inputs: products, Gram (k, k). Param: the most atoms of a code.
#include "kernels/decomposition/sparse_coding.h"

namespace sardonyx {
namespace {

std::int64_t most_of(const Step& step) { return step.params[0].i; }

void check_pursuit(const Step& step) {
  check_code(step, "OrthogonalMatchingPursuit", 2, 1);
  require(in_range(integer_param(step, 0), 1, step.inputs[0].width), "OrthogonalMatchingPursuit",
          "the number of atoms is out of range");
}

std::size_t scratch_pursuit(const Step& step, std::int64_t) {
  const std::size_t k = static_cast<std::size_t>(step.inputs[0].width), m = static_cast<std::size_t>(most_of(step));
  return k * sizeof(std::int64_t) + (k + 2 * m + m * m) * item_size(step.inputs[0].dtype);
}

template <class T>
std::int64_t largest(const T* x, const std::int64_t* order, std::int64_t n) {
  std::int64_t best = 0;
  for (std::int64_t p = 1; p < n; ++p) {
    if (std::fabs(x[order[p]]) > std::fabs(x[order[best]])) best = p;
  }
  return best;
}

// order: the atoms, chosen ones first. Of a row: inner products with the residual; right-hand side; solution.
template <class T>
void pursue(const T* xy, const T* gram, std::int64_t k, std::int64_t most, std::int64_t* order, T* inner, T* solved,
            T* code, Factor<T> factor, T* y) {
  constexpr T epsilon = std::numeric_limits<T>::epsilon();
  std::int64_t n = 0;
  for (std::int64_t a = 0; a < k; ++a) order[a] = a, inner[a] = xy[a];
  while (n < most) {
    const std::int64_t at = largest(inner, order, k), atom = order[at];
    if (at < n || inner[atom] * inner[atom] < epsilon) break;
    const T* products = gram + atom * k;
    T* row = factor.row(n);
    for (std::int64_t j = 0; j < n; ++j) row[j] = products[order[j]];
    factor.forward(row, n);
    const T rest = products[atom] - dot(row, row, n);
    if (n > 0 && rest <= epsilon) break;
    row[n] = std::sqrt(rest);
    swap(order[n], order[at]);
    solved[n] = (xy[atom] - dot(row, solved, n)) / row[n];
    ++n;
    for (std::int64_t j = 0; j < n; ++j) code[j] = solved[j];
    factor.backward(code, n);
    for (std::int64_t a = 0; a < k; ++a) inner[a] = 0;
    for (std::int64_t j = 0; j < n; ++j) add_scaled(code[j], gram + order[j] * k, inner, k);
    for (std::int64_t a = 0; a < k; ++a) inner[a] = xy[a] - inner[a];
  }
  for (std::int64_t a = 0; a < k; ++a) y[a] = 0;
  for (std::int64_t j = 0; j < n; ++j) y[order[j]] = code[j];
}

template <class T>
void run_pursuit_as(const Step& step, std::int64_t rows, void* scratch) {
  const std::int64_t k = step.inputs[0].width, m = most_of(step);
  auto* order = static_cast<std::int64_t*>(scratch);
  T *inner = reinterpret_cast<T*>(order + k), *solved = inner + k, *code = solved + m;
  const T *xy = data_of<const T>(step.inputs[0]), *gram = data_of<const T>(step.inputs[1]);
  T* y = data_of<T>(step.outputs[0]);
  for (std::int64_t r = 0; r < rows; ++r, xy += k, y += k) {
    pursue(xy, gram, k, m, order, inner, solved, code, Factor<T>{code + m, m}, y);
  }
}

void run_pursuit(const Step& step, std::int64_t rows, const Context& context) {
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) { run_pursuit_as<T>(step, rows, context.scratch); });
}

double cost_pursuit(const Step& step) {
  const double k = static_cast<double>(step.inputs[0].width), m = static_cast<double>(most_of(step));
  return 20 + m * k * (1 + m / 8);
}

SARDONYX_KERNEL("OrthogonalMatchingPursuit",
                {.check = check_pursuit, .run = run_pursuit, .scratch = scratch_pursuit, .cost = cost_pursuit});

}  // namespace
}  // namespace sardonyx
