// NumPy broadcasting over a block of rows, as one collapsed loop nest.
//
//   y  rows x 3 x 4      a  rows x 3 x 4       b  constant 4
//
//   extents      rows   3    4                 rows*3    4
//   strides a     12    4    1     collapse      4       1
//   strides b      0    0    1    ---------->    0       1
//
// Neighbouring loops become one wherever every operand steps evenly through both, so the usual cases are a single flat
// loop (same shapes, or a scalar constant) or two loops (a constant vector, or one number a row).
#pragma once

#include "kernels/check.h"

namespace sardonyx {
namespace {

// Operand 0 is the output.
template <int M>
struct Nest {
  int rank = 0;
  std::int64_t extent[kMaxRank + 1];
  std::int64_t stride[kMaxRank + 1][M];

  void push(std::int64_t n, const std::int64_t (&steps)[M]) {
    if (n == 1) return;
    bool even = rank > 0;
    for (int m = 0; even && m < M; ++m) even = stride[rank - 1][m] == steps[m] * n;
    if (even) {
      extent[rank - 1] *= n;
    } else {
      extent[rank++] = n;
    }
    for (int m = 0; m < M; ++m) stride[rank - 1][m] = steps[m];
  }
};

// Dimension `d` of `t` once its rank is extended on the left to `rank`.
[[maybe_unused]] inline std::int64_t aligned_dim(const Tensor& t, int rank, int d) {
  const int own = d - (rank - t.rank);
  return own < 0 ? 1 : t.dims[own];
}

// True if every input broadcasts to the output's own shape.
[[maybe_unused]] inline bool broadcasts(const Tensor& input, const Tensor& output) {
  if (input.rank > output.rank) return false;
  for (int d = 0; d < output.rank; ++d) {
    const std::int64_t n = aligned_dim(input, output.rank, d);
    if (n != output.dims[d] && n != 1) return false;
  }
  return true;
}

template <int M>
inline Nest<M> make_nest(const Tensor* const (&operands)[M], std::int64_t rows) {
  const Tensor& output = *operands[0];
  std::int64_t steps[kMaxRank + 1][M];
  for (int m = 0; m < M; ++m) {
    std::int64_t step = 1;
    for (int d = output.rank - 1; d >= 0; --d) {
      const std::int64_t n = aligned_dim(*operands[m], output.rank, d);
      steps[d + 1][m] = n == 1 ? 0 : step;
      step *= n;
    }
    steps[0][m] = row_stride(*operands[m]);
  }
  Nest<M> nest;
  nest.push(rows, steps[0]);
  for (int d = 0; d < output.rank; ++d) nest.push(output.dims[d], steps[d + 1]);
  return nest;
}

// Calls inner(offsets, n, strides) for every run of the innermost loop.
template <int M, class F>
inline void for_each_run(const Nest<M>& nest, F&& inner) {
  std::int64_t offset[M] = {};
  if (nest.rank == 0) {
    const std::int64_t zero[M] = {};
    return inner(offset, std::int64_t{1}, zero);
  }
  const int last = nest.rank - 1;
  for (int d = 0; d <= last; ++d) {
    if (nest.extent[d] == 0) return;
  }
  std::int64_t at[kMaxRank + 1] = {};
  for (;;) {
    inner(offset, nest.extent[last], nest.stride[last]);
    int d = last - 1;
    for (; d >= 0; --d) {
      for (int m = 0; m < M; ++m) offset[m] += nest.stride[d][m];
      if (++at[d] < nest.extent[d]) break;
      for (int m = 0; m < M; ++m) offset[m] -= nest.stride[d][m] * nest.extent[d];
      at[d] = 0;
    }
    if (d < 0) return;
  }
}

}  // namespace
}  // namespace sardonyx
