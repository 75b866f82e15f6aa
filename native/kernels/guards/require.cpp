// Require, Refuse: pass their input on, or refuse rows that do not meet a condition, or meet it. The step's label says
// which. Refuse looks element by element, and so at the entries alone of sparse rows.
#include <string.h>

#include "kernels/check.h"

namespace sardonyx {
namespace {

void check_passed(const Step& step, const char* name) {
  require_counts(step, name, 2, 1, 0);
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &condition = step.inputs[1], &y = step.outputs[0];
  require(!x.constant && !condition.constant, name, "needs rows");
  require(condition.dtype == DType::boolean, name, "the condition is not boolean");
  require(x.dtype == y.dtype && x.width == y.width, name, "input and output differ in type or width");
}

void check_require(const Step& step) { check_passed(step, "Require"); }

void run_require(const Step& step, std::int64_t rows, const Context&) {
  const Tensor &x = step.inputs[0], &condition = step.inputs[1], &y = step.outputs[0];
  const auto* met = data_of<std::uint8_t>(condition);
  const std::int64_t count = rows * condition.width;
  for (std::int64_t i = 0; i < count; ++i) {
    if (!met[i]) fail("a row is refused");
  }
  if (x.data == y.data) return;
  memcpy(y.data, x.data, static_cast<std::size_t>(rows * x.width) * item_size(x.dtype));
}

SARDONYX_KERNEL("Require", {.check = check_require, .run = run_require, .view = true});

void check_refuse(const Step& step) {
  check_passed(step, "Refuse");
  require(step.inputs[1].width == step.inputs[0].width, "Refuse", "not one boolean for each element");
}

void run_refuse(const Step& step, std::int64_t rows, const Context&) {
  const Tensor &x = step.inputs[0], &y = step.outputs[0];
  const auto* met = data_of<std::uint8_t>(step.inputs[1]);
  const std::int64_t count = rows * x.width;
  std::uint8_t any = 0;
  for (std::int64_t i = 0; i < count; ++i) any |= met[i];
  if (any != 0) fail("a row is refused");
  if (x.data != y.data) memcpy(y.data, x.data, static_cast<std::size_t>(count) * item_size(x.dtype));
}

SARDONYX_KERNEL("Refuse", {.check = check_refuse, .run = run_refuse, .view = true, .by_element = true});

}  // namespace
}  // namespace sardonyx
