// Sparse codes of a row over the atoms of a dictionary, from its products with the atoms and the atoms' products with
// each other (Gram): what the three solvers share.
//
//   x . atoms (k)  ──┐
//   Gram (k, k)    ──┴▶ OrthogonalMatchingPursuit │ LassoDescent │ LeastAngle ──▶ code (k), most of it 0
//
// Rows are independent, and each is a short serial search: the loops follow scikit-learn's, so that the same atoms are
// met in the same order. See operators/sparse_coding.py for the methods.
#pragma once

#include <limits>

#include "kernels/check.h"

namespace sardonyx {
namespace {

template <class T>
T dot(const T* x, const T* y, std::int64_t n) {
  T total = 0;
  for (std::int64_t i = 0; i < n; ++i) total += x[i] * y[i];
  return total;
}

template <class T>
void add_scaled(T factor, const T* x, T* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

template <class N>
void swap(N& a, N& b) {
  const N kept = a;
  a = b;
  b = kept;
}

void check_code(const Step& step, const char* name, int inputs, int params) {
  require(step.n_inputs == inputs && step.n_outputs == 1 && step.n_params == params, name,
          "has another number of inputs, outputs or params");
  require_row_output(step, name);
  const Tensor &xy = step.inputs[0], &gram = step.inputs[1], &y = step.outputs[0];
  require(is_float(xy.dtype) && gram.dtype == xy.dtype && y.dtype == xy.dtype, name, "takes float32 or float64");
  require(!xy.constant && gram.constant && xy.width >= 1, name, "takes rows and a constant matrix");
  require(y.width == xy.width && gram.rank == 2 && gram.dims[0] == xy.width && gram.dims[1] == xy.width, name,
          "shapes do not fit");
}

// The Cholesky factor of the Gram matrix of chosen atoms, row by row.
template <class T>
struct Factor {
  T* rows;  // `stride` elements each
  std::int64_t stride;

  T* row(std::int64_t i) const { return rows + i * stride; }

  // Solves L w = x for the first n rows, in place.
  void forward(T* x, std::int64_t n) const {
    for (std::int64_t i = 0; i < n; ++i) x[i] = (x[i] - dot(row(i), x, i)) / row(i)[i];
  }

  // Solves L^T w = x.
  void backward(T* x, std::int64_t n) const {
    for (std::int64_t i = n; i-- > 0;) {
      x[i] /= row(i)[i];
      add_scaled(-x[i], row(i), x, i);
    }
  }
};

}  // namespace
}  // namespace sardonyx
