// Element by element: comparisons and tests, logic of booleans and of bits.
#include "kernels/elementwise/binary.h"
#include "kernels/text/compare.h"

namespace sardonyx {
namespace {

// Bits shifted past the end are gone; a signed number keeps its sign on the way right (BitShift of opset 28).
template <class T>
inline T shifted_left(T a, T b) {
  return b >= 0 && b < 64 ? static_cast<T>(static_cast<Wrapping<T>>(a) << b) : T{0};
}

template <class T>
inline T shifted_right(T a, T b) {
  if (b >= 0 && b < 64) return static_cast<T>(a >> b);
  return a < 0 ? static_cast<T>(-1) : T{0};
}

SARDONYX_BINARY(Equal, is_wide(t) || t == DType::boolean, static_cast<std::uint8_t>(a == b))
SARDONYX_BINARY(Less, is_wide(t), static_cast<std::uint8_t>(a < b))
SARDONYX_BINARY(LessOrEqual, is_wide(t), static_cast<std::uint8_t>(a <= b))
SARDONYX_BINARY(Greater, is_wide(t), static_cast<std::uint8_t>(a > b))
SARDONYX_BINARY(GreaterOrEqual, is_wide(t), static_cast<std::uint8_t>(a >= b))
SARDONYX_BINARY(And, t == DType::boolean, static_cast<T>(a& b))
SARDONYX_BINARY(Or, t == DType::boolean, static_cast<T>(a | b))
SARDONYX_BINARY(Xor, t == DType::boolean, static_cast<T>(a ^ b))
SARDONYX_BINARY(BitwiseAnd, is_wide_integer(t), static_cast<T>(a& b))
SARDONYX_BINARY(BitwiseOr, is_wide_integer(t), static_cast<T>(a | b))
SARDONYX_BINARY(BitwiseXor, is_wide_integer(t), static_cast<T>(a ^ b))
SARDONYX_BINARY(ShiftLeft, t == DType::i64 || t == DType::u64, shifted_left(a, b))
SARDONYX_BINARY(ShiftRight, t == DType::i64 || t == DType::u64, shifted_right(a, b))

SARDONYX_KERNEL("Equal",
                {.check = check_binary<Equal>, .run = run_binary<Equal>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Less", {.check = check_binary<Less>, .run = run_binary<Less>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("LessOrEqual", {.check = check_binary<LessOrEqual>,
                                .run = run_binary<LessOrEqual>,
                                .in_place = true,
                                .by_element = true});
SARDONYX_KERNEL("Greater",
                {.check = check_binary<Greater>, .run = run_binary<Greater>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("GreaterOrEqual", {.check = check_binary<GreaterOrEqual>,
                                   .run = run_binary<GreaterOrEqual>,
                                   .in_place = true,
                                   .by_element = true});
SARDONYX_KERNEL("And", {.check = check_binary<And>, .run = run_binary<And>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Or", {.check = check_binary<Or>, .run = run_binary<Or>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Xor", {.check = check_binary<Xor>, .run = run_binary<Xor>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("BitwiseAnd", {.check = check_binary<BitwiseAnd>,
                               .run = run_binary<BitwiseAnd>,
                               .in_place = true,
                               .by_element = true});
SARDONYX_KERNEL("BitwiseOr",
                {.check = check_binary<BitwiseOr>, .run = run_binary<BitwiseOr>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("BitwiseXor", {.check = check_binary<BitwiseXor>,
                               .run = run_binary<BitwiseXor>,
                               .in_place = true,
                               .by_element = true});
SARDONYX_KERNEL("ShiftLeft",
                {.check = check_binary<ShiftLeft>, .run = run_binary<ShiftLeft>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("ShiftRight", {.check = check_binary<ShiftRight>,
                               .run = run_binary<ShiftRight>,
                               .in_place = true,
                               .by_element = true});

// ---- tests of one number: params [negative, positive] of IsInf as in ONNX -------------------------------------------

void check_is_nan(const Step& step) {
  require_counts(step, "IsNaN", 1, 1, 0);
  require_row_output(step, "IsNaN");
  require(is_float(step.inputs[0].dtype) && !step.inputs[0].constant, "IsNaN", "needs rows of floats");
  require(step.outputs[0].dtype == DType::boolean, "IsNaN", "output of the wrong type");
  require(step.outputs[0].width == step.inputs[0].width, "IsNaN", "output of the wrong size");
}

void run_is_nan(const Step& step, std::int64_t rows, const Context&) {
  const std::int64_t n = rows * step.inputs[0].width;
  std::uint8_t* y = data_of<std::uint8_t>(step.outputs[0]);
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    const auto* x = data_of<T>(step.inputs[0]);
    for (std::int64_t i = 0; i < n; ++i) y[i] = is_nan(x[i]);
  });
}
SARDONYX_KERNEL("IsNaN", {.check = check_is_nan, .run = run_is_nan, .by_element = true});

void check_is_inf(const Step& step) {
  require_counts(step, "IsInf", 1, 1, 2);
  require_row_output(step, "IsInf");
  require(is_float(step.inputs[0].dtype) && !step.inputs[0].constant, "IsInf", "needs rows of floats");
  require(step.outputs[0].dtype == DType::boolean, "IsInf", "output of the wrong type");
  require(step.outputs[0].width == step.inputs[0].width, "IsInf", "output of the wrong size");
}

void run_is_inf(const Step& step, std::int64_t rows, const Context&) {
  const bool negative = step.params[0].i != 0, positive = step.params[1].i != 0;
  const std::int64_t n = rows * step.inputs[0].width;
  std::uint8_t* y = data_of<std::uint8_t>(step.outputs[0]);
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    const T* x = data_of<T>(step.inputs[0]);
    const T infinity = static_cast<T>(__builtin_inf());
    for (std::int64_t i = 0; i < n; ++i) y[i] = (positive && x[i] == infinity) || (negative && x[i] == -infinity);
  });
}
SARDONYX_KERNEL("IsInf", {.check = check_is_inf, .run = run_is_inf, .by_element = true});

// ---- text -----------------------------------------------------------------------------------------------------------

void check_equal_text(const Step& step) {
  require_counts(step, "EqualText", 2, 1, 0);
  require_row_output(step, "EqualText");
  for (int i = 0; i < 2; ++i) {
    require(step.inputs[i].dtype == DType::text, "EqualText", "takes text");
    require(broadcasts(step.inputs[i], step.outputs[0]), "EqualText", "an operand does not broadcast");
  }
  require(step.outputs[0].dtype == DType::boolean, "EqualText", "output of the wrong type");
}

void run_equal_text(const Step& step, std::int64_t rows, const Context&) {
  const Text* a = data_of<Text>(step.inputs[0]);
  const Text* b = data_of<Text>(step.inputs[1]);
  std::uint8_t* y = data_of<std::uint8_t>(step.outputs[0]);
  const Nest<3> nest = make_nest<3>({&step.outputs[0], &step.inputs[0], &step.inputs[1]}, rows);
  for_each_run(nest, [=](const std::int64_t* at, std::int64_t n, const std::int64_t* stride) {
    for (std::int64_t i = 0; i < n; ++i) y[at[0] + i] = same_text(a[at[1] + i * stride[1]], b[at[2] + i * stride[2]]);
  });
}
SARDONYX_KERNEL("EqualText", {.check = check_equal_text, .run = run_equal_text});

}  // namespace
}  // namespace sardonyx
