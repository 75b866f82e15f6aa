// Identity: the same values under another name or per-row shape.
#include <cstring>

#include "sardonyx/kernel.h"
#include "sardonyx/sparse.h"

namespace sardonyx {
namespace {

void check(const Step& step) {
  if (step.n_inputs != 1 || step.n_outputs != 1) fail("Identity takes one input and gives one output");
  const Tensor &x = step.inputs[0], &y = step.outputs[0];
  if (x.dtype != y.dtype || x.width != y.width) fail("Identity: input and output differ in type or width");
  if (x.sparse != y.sparse) fail("Identity: one of input and output is sparse");
}

void run(const Step& step, std::int64_t rows, const Context&) {
  const Tensor &x = step.inputs[0], &y = step.outputs[0];
  if (x.sparse) {
    const auto& from = *static_cast<const SparseRows*>(x.data);
    auto& to = *static_cast<SparseRows*>(y.data);
    to.indptr = from.indptr;
    to.indices = from.indices;
    to.values = from.values;
    return;
  }
  const std::size_t row_bytes = static_cast<std::size_t>(x.width) * item_size(x.dtype);
  if (x.data == y.data || row_bytes == 0) return;
  if (!x.constant) {
    std::memcpy(y.data, x.data, static_cast<std::size_t>(rows) * row_bytes);
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r) std::memcpy(static_cast<char*>(y.data) + r * row_bytes, x.data, row_bytes);
}

SARDONYX_KERNEL("Identity",
                {.check = check, .run = run, .view = true, .sparse = true, .keeps_entries = true, .halves = true});

}  // namespace
}  // namespace sardonyx
