// Densify: sparse rows as dense ones. Sparsify: dense rows as sparse ones; what equals zero gets no entry, NaN gets
// one.
//
// Both take numbers and booleans of one type. Who adds a Densify answers for the width: a block of it is rows x width.
#include <cstring>

#include "kernels/sparse/rows.h"

namespace sardonyx {
namespace {

void check_pair(const Step& step, const char* kernel, const Tensor& dense, const Tensor& sparse) {
  require_dense(dense, kernel);
  require_sparse(sparse, kernel);
  require_row_output(step, kernel);
  require(dense.dtype == sparse.dtype, kernel, "input and output differ in type");
  require(!dense.constant && dense.width == sparse.width, kernel, "input and output differ in width");
}

void check_densify(const Step& step) {
  require_counts(step, "Densify", 1, 1, 0);
  check_pair(step, "Densify", step.outputs[0], step.inputs[0]);
}

void run_densify(const Step& step, std::int64_t rows, const Context&) {
  const Tensor& output = step.outputs[0];
  const std::int64_t width = output.width;
  std::memset(output.data, 0, static_cast<std::size_t>(rows * width) * item_size(output.dtype));
  with_item(output.dtype, [&]<class T>(Type<T>) {
    if constexpr (std::is_integral_v<T>) {
      const SparseReader<T> x(step.inputs[0]);
      T* y = data_of<T>(output);
      for (std::int64_t r = 0; r < rows; ++r, y += width) {
        const SparseRow<T> row = x[r];
        for (std::int64_t i = 0; i < row.size; ++i) y[row.indices[i]] = row.values[i];
      }
    }
  });
}

double cost_of_densify(const Step& step) {
  return 2 + static_cast<double>(step.outputs[0].width) * static_cast<double>(item_size(step.outputs[0].dtype)) / 32;
}
SARDONYX_KERNEL("Densify", {.check = check_densify, .run = run_densify, .cost = cost_of_densify, .sparse = true});

void check_sparsify(const Step& step) {
  require_counts(step, "Sparsify", 1, 1, 0);
  check_pair(step, "Sparsify", step.inputs[0], step.outputs[0]);
}

void run_sparsify(const Step& step, std::int64_t rows, const Context&) {
  const std::int64_t width = step.inputs[0].width;
  with_number(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    const T* x = data_of<T>(step.inputs[0]);
    SparseWriter<T> y(step.outputs[0]);
    for (std::int64_t r = 0; r < rows; ++r, x += width) {
      std::int64_t count = 0;
      for (std::int64_t c = 0; c < width; ++c) count += x[c] != 0;
      y.reserve(count);
      for (std::int64_t c = 0; c < width; ++c) {
        if (x[c] != 0) y.put(static_cast<std::int32_t>(c), x[c]);
      }
      y.end_row();
    }
    y.finish();
  });
}
SARDONYX_KERNEL("Sparsify", {.check = check_sparsify, .run = run_sparsify, .sparse = true});

}  // namespace
}  // namespace sardonyx
