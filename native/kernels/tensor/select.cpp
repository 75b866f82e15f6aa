// Choosing and copying elements by value: Where, and Expand (broadcast to a larger shape).
#include "kernels/elementwise/broadcast.h"

namespace sardonyx {
namespace {

// Where: inputs condition, a, b of any type; each may be rows or a constant.
void check_where(const Step& step) {
  require_counts(step, "Where", 3, 1, 0);
  require_row_output(step, "Where");
  require(step.inputs[0].dtype == DType::boolean, "Where", "the condition is not boolean");
  require(step.inputs[1].dtype == step.inputs[2].dtype, "Where", "operands of different types");
  require(step.outputs[0].dtype == step.inputs[1].dtype, "Where", "output of the wrong type");
  for (int i = 0; i < 3; ++i)
    require(broadcasts(step.inputs[i], step.outputs[0]), "Where", "an operand does not broadcast");
}

constexpr std::int64_t kFew = 4;  // columns that are gone through one by one, along the rows

template <class T>
void choose_few(const Nest<4>& nest, const std::uint8_t* condition, const T* a, const T* b, T* y) {
  const auto& across = nest.stride[1];
  const auto& along = nest.stride[0];
  for (std::int64_t j = 0; j < nest.extent[1]; ++j) {
    for (std::int64_t i = 0; i < nest.extent[0]; ++i) {
      const T yes = a[i * along[2] + j * across[2]], no = b[i * along[3] + j * across[3]];
      y[i * along[0] + j * across[0]] = condition[i * along[1] + j * across[1]] ? yes : no;
    }
  }
}

void run_where(const Step& step, std::int64_t rows, const Context&) {
  const Nest<4> nest = make_nest<4>({&step.outputs[0], &step.inputs[0], &step.inputs[1], &step.inputs[2]}, rows);
  const std::uint8_t* condition = data_of<std::uint8_t>(step.inputs[0]);
  with_item(step.outputs[0].dtype, [&]<class T>(Type<T>) {
    const T* a = data_of<T>(step.inputs[1]);
    const T* b = data_of<T>(step.inputs[2]);
    T* y = data_of<T>(step.outputs[0]);
    if (nest.rank == 2 && nest.extent[1] < kFew) return choose_few(nest, condition, a, b, y);
    for_each_run(nest, [=](const std::int64_t* at, std::int64_t n, const std::int64_t* stride) {
      const std::uint8_t* c = condition + at[1];
      const T* yes = a + at[2];
      const T* no = b + at[3];
      if (stride[1] == 1 && stride[2] == 1 && stride[3] == 1) {
        for (std::int64_t i = 0; i < n; ++i) y[at[0] + i] = c[i] ? yes[i] : no[i];
        return;
      }
      for (std::int64_t i = 0; i < n; ++i) {
        y[at[0] + i] = c[i * stride[1]] ? yes[i * stride[2]] : no[i * stride[3]];
      }
    });
  });
}
SARDONYX_KERNEL("Where", {.check = check_where, .run = run_where, .by_element = true, .halves = true});

// Expand: rows or a constant, broadcast to the output's shape for every row.
void check_expand(const Step& step) {
  require_counts(step, "Expand", 1, 1, 0);
  require_row_output(step, "Expand");
  require(step.outputs[0].dtype == step.inputs[0].dtype, "Expand", "output of the wrong type");
  require(broadcasts(step.inputs[0], step.outputs[0]), "Expand", "the input does not broadcast");
}

void run_expand(const Step& step, std::int64_t rows, const Context&) {
  const Nest<2> nest = make_nest<2>({&step.outputs[0], &step.inputs[0]}, rows);
  with_item(step.outputs[0].dtype, [&]<class T>(Type<T>) {
    const T* x = data_of<T>(step.inputs[0]);
    T* y = data_of<T>(step.outputs[0]);
    for_each_run(nest, [=](const std::int64_t* at, std::int64_t n, const std::int64_t* stride) {
      for (std::int64_t i = 0; i < n; ++i) y[at[0] + i] = x[at[1] + i * stride[1]];
    });
  });
}
SARDONYX_KERNEL("Expand", {.check = check_expand, .run = run_expand, .halves = true});

}  // namespace
}  // namespace sardonyx
