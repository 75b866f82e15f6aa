// Element by element: functions of one number.
//
// As for operators of two numbers (binary.h), a struct says the name, the types, and the scalar formula, or that of a
// vector.
#include "kernels/elementwise/numbers.h"
#include "simd/math.h"

namespace sardonyx {
namespace {

// A function of <math.h> in the precision of its argument.
#define SARDONYX_MATH(name)                                 \
  inline double math_##name(double x) { return ::name(x); } \
  inline float math_##name(float x) { return ::name##f(x); }
SARDONYX_MATH(exp)
SARDONYX_MATH(sqrt)
SARDONYX_MATH(floor)
SARDONYX_MATH(ceil)
SARDONYX_MATH(rint)
SARDONYX_MATH(sin)
SARDONYX_MATH(cos)
SARDONYX_MATH(tan)
SARDONYX_MATH(asin)
SARDONYX_MATH(acos)
SARDONYX_MATH(atan)
SARDONYX_MATH(sinh)
SARDONYX_MATH(cosh)
SARDONYX_MATH(asinh)
SARDONYX_MATH(acosh)
SARDONYX_MATH(atanh)
#undef SARDONYX_MATH

template <class T>
inline T magnitude(T x) {
  if constexpr (std::is_same_v<T, double>) {
    return __builtin_fabs(x);
  } else if constexpr (std::is_same_v<T, float>) {
    return __builtin_fabsf(x);
  } else {
    return x < 0 ? static_cast<T>(Wrapping<T>{0} - static_cast<Wrapping<T>>(x)) : x;
  }
}

template <class T>
inline T negative(T x) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(Wrapping<T>{0} - static_cast<Wrapping<T>>(x));
  } else {
    return -x;
  }
}

template <class T>
inline T sign_of(T x) {
  if (is_nan(x)) return x;
  return static_cast<T>((x > T{0}) - (x < T{0}));
}

#define SARDONYX_UNARY(op, condition, formula)                                  \
  struct op {                                                                   \
    static constexpr const char* name = #op;                                    \
    static constexpr bool takes([[maybe_unused]] DType t) { return condition; } \
    template <class T>                                                          \
    static T apply(T x) {                                                       \
      return formula;                                                           \
    }                                                                           \
  };
SARDONYX_UNARY(Abs, is_wide(t), magnitude(x))
SARDONYX_UNARY(Neg, is_wide(t), negative(x))
SARDONYX_UNARY(Sign, is_wide(t), sign_of(x))
SARDONYX_UNARY(Relu, is_wide(t), (x > T{0} || is_nan(x) ? x : T{0}))
SARDONYX_UNARY(Sqrt, is_float(t), math_sqrt(x))
SARDONYX_UNARY(Reciprocal, is_float(t), 1 / x)
SARDONYX_UNARY(Softsign, is_float(t), x / (1 + magnitude(x)))
SARDONYX_UNARY(Expit, is_float(t), 1 / (1 + math_exp(-x)))  // the C library's exp: SciPy's bits
SARDONYX_UNARY(Floor, is_float(t), math_floor(x))
SARDONYX_UNARY(Ceil, is_float(t), math_ceil(x))
SARDONYX_UNARY(Round, is_float(t), math_rint(x))
SARDONYX_UNARY(Sin, is_float(t), math_sin(x))
SARDONYX_UNARY(Cos, is_float(t), math_cos(x))
SARDONYX_UNARY(Tan, is_float(t), math_tan(x))
SARDONYX_UNARY(Asin, is_float(t), math_asin(x))
SARDONYX_UNARY(Acos, is_float(t), math_acos(x))
SARDONYX_UNARY(Atan, is_float(t), math_atan(x))
SARDONYX_UNARY(Sinh, is_float(t), math_sinh(x))
SARDONYX_UNARY(Cosh, is_float(t), math_cosh(x))
SARDONYX_UNARY(Asinh, is_float(t), math_asinh(x))
SARDONYX_UNARY(Acosh, is_float(t), math_acosh(x))
SARDONYX_UNARY(Atanh, is_float(t), math_atanh(x))
SARDONYX_UNARY(Not, t == DType::boolean, static_cast<T>(x == 0))
SARDONYX_UNARY(BitwiseNot, is_wide_integer(t), static_cast<T>(~x))
#undef SARDONYX_UNARY

// Of floats only: a whole vector at a time (see simd/math.h), where the library's function would stand in the way.
#define SARDONYX_VECTOR_UNARY(op, function)                                      \
  struct op {                                                                    \
    static constexpr const char* name = #op;                                     \
    static constexpr bool takes(DType t) { return is_float(t); }                 \
    static Vector<double> apply_vector(Vector<double> x) { return function(x); } \
  };
SARDONYX_VECTOR_UNARY(Exp, exp_of)
SARDONYX_VECTOR_UNARY(Log, log_of)
SARDONYX_VECTOR_UNARY(Sigmoid, logistic_of)
SARDONYX_VECTOR_UNARY(Softplus, softplus_of)
SARDONYX_VECTOR_UNARY(Tanh, tanh_of)
SARDONYX_VECTOR_UNARY(Erf, erf_of)
#undef SARDONYX_VECTOR_UNARY

template <class Op>
void check_unary(const Step& step) {
  require_counts(step, Op::name, 1, 1, 0);
  require_row_output(step, Op::name);
  require(Op::takes(step.inputs[0].dtype), Op::name, "does not take this type");
  require(step.outputs[0].dtype == step.inputs[0].dtype, Op::name, "output of the wrong type");
  require(!step.inputs[0].constant, Op::name, "the input is a constant");
  require(step.outputs[0].width == step.inputs[0].width, Op::name, "output of the wrong size");
}

template <class Op, class T>
inline void run_unary_as(const Step& step, std::int64_t rows) {
  const T* x = data_of<T>(step.inputs[0]);
  T* y = data_of<T>(step.outputs[0]);
  const std::int64_t n = rows * step.inputs[0].width;
  if constexpr (requires { &Op::apply_vector; }) {
    map([](Vector<double> v) { return Op::apply_vector(v); }, x, y, n);
  } else {
    SARDONYX_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) y[i] = Op::apply(x[i]);
  }
}

template <class Op>
void run_unary(const Step& step, std::int64_t rows, const Context&) {
  const DType t = step.inputs[0].dtype;
  if constexpr (Op::takes(DType::f64)) {
    if (is_float(t)) return with_float(t, [&]<class T>(Type<T>) { run_unary_as<Op, T>(step, rows); });
  }
  if constexpr (Op::takes(DType::i64)) {
    return t == DType::i32 ? run_unary_as<Op, std::int32_t>(step, rows) : run_unary_as<Op, std::int64_t>(step, rows);
  }
  if constexpr (Op::takes(DType::boolean)) run_unary_as<Op, std::uint8_t>(step, rows);
}

SARDONYX_KERNEL("Abs", {.check = check_unary<Abs>, .run = run_unary<Abs>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Neg", {.check = check_unary<Neg>, .run = run_unary<Neg>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Sign", {.check = check_unary<Sign>, .run = run_unary<Sign>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Relu", {.check = check_unary<Relu>, .run = run_unary<Relu>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Sqrt", {.check = check_unary<Sqrt>, .run = run_unary<Sqrt>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Exp", {.check = check_unary<Exp>, .run = run_unary<Exp>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Log", {.check = check_unary<Log>, .run = run_unary<Log>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Reciprocal",
                {.check = check_unary<Reciprocal>, .run = run_unary<Reciprocal>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Sigmoid",
                {.check = check_unary<Sigmoid>, .run = run_unary<Sigmoid>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Softplus",
                {.check = check_unary<Softplus>, .run = run_unary<Softplus>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Expit", {.check = check_unary<Expit>, .run = run_unary<Expit>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Softsign",
                {.check = check_unary<Softsign>, .run = run_unary<Softsign>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Tanh", {.check = check_unary<Tanh>, .run = run_unary<Tanh>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Erf", {.check = check_unary<Erf>, .run = run_unary<Erf>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Floor", {.check = check_unary<Floor>, .run = run_unary<Floor>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Ceil", {.check = check_unary<Ceil>, .run = run_unary<Ceil>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Round", {.check = check_unary<Round>, .run = run_unary<Round>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Sin", {.check = check_unary<Sin>, .run = run_unary<Sin>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Cos", {.check = check_unary<Cos>, .run = run_unary<Cos>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Tan", {.check = check_unary<Tan>, .run = run_unary<Tan>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Asin", {.check = check_unary<Asin>, .run = run_unary<Asin>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Acos", {.check = check_unary<Acos>, .run = run_unary<Acos>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Atan", {.check = check_unary<Atan>, .run = run_unary<Atan>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Sinh", {.check = check_unary<Sinh>, .run = run_unary<Sinh>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Cosh", {.check = check_unary<Cosh>, .run = run_unary<Cosh>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Asinh", {.check = check_unary<Asinh>, .run = run_unary<Asinh>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Acosh", {.check = check_unary<Acosh>, .run = run_unary<Acosh>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Atanh", {.check = check_unary<Atanh>, .run = run_unary<Atanh>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Not", {.check = check_unary<Not>, .run = run_unary<Not>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("BitwiseNot",
                {.check = check_unary<BitwiseNot>, .run = run_unary<BitwiseNot>, .in_place = true, .by_element = true});

}  // namespace
}  // namespace sardonyx
