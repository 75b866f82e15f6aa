// Element by element: arithmetic, comparison, logic, and the functions of one number.
//
// An operator is a struct with its name, the types it takes, and the scalar formula; the loops are written once.
// Numbers behave as NumPy's: NaN travels through Min, Max and Relu; integers wrap; an integer divided by zero is zero.
#include "broadcast.h"
#include "text.h"

namespace sardonyx {
namespace {

// ---- scalar helpers ------------------------------------------------------------------------------------------------

template <class T>
using Wrapping = std::conditional_t<(sizeof(T) < 4), std::uint32_t, std::make_unsigned_t<T>>;

template <class T>
inline bool is_nan(T x) {
  return x != x;
}

template <class T>
inline T quotient(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return static_cast<T>(Wrapping<T>{0} - static_cast<Wrapping<T>>(a));
    }
  }
  return static_cast<T>(a / b);
}

// The remainder with the sign of the divisor, as in Python.
template <class T>
inline T modulo(T a, T b) {
  if constexpr (std::is_signed_v<T>) {
    if (b == 0 || b == -1) return 0;
    const T rest = static_cast<T>(a % b);
    return rest != 0 && ((rest < 0) != (b < 0)) ? static_cast<T>(rest + b) : rest;
  } else {
    return b == 0 ? T{0} : static_cast<T>(a % b);
  }
}

template <class T>
inline T integer_power(T base, T exponent) {
  if constexpr (std::is_signed_v<T>) {
    if (exponent < 0) return base == 1 ? T{1} : base == -1 ? (exponent % 2 == 0 ? T{1} : T{-1}) : T{0};
  }
  Wrapping<T> result = 1, factor = static_cast<Wrapping<T>>(base);
  for (auto e = static_cast<std::make_unsigned_t<T>>(exponent); e != 0; e = static_cast<decltype(e)>(e >> 1)) {
    if (e & 1) result *= factor;
    factor *= factor;
  }
  return static_cast<T>(result);
}

// A function of <math.h> in the precision of its argument.
#define SARDONYX_MATH(name)                                 \
  inline double math_##name(double x) { return ::name(x); } \
  inline float math_##name(float x) { return ::name##f(x); }
SARDONYX_MATH(sqrt)
SARDONYX_MATH(exp)
SARDONYX_MATH(log)
SARDONYX_MATH(log1p)
SARDONYX_MATH(tanh)
SARDONYX_MATH(erf)
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
inline double math_pow(double x, double y) { return ::pow(x, y); }
inline float math_pow(float x, float y) { return ::powf(x, y); }
inline double math_fmod(double x, double y) { return ::fmod(x, y); }
inline float math_fmod(float x, float y) { return ::fmodf(x, y); }

// ---- operators of two numbers --------------------------------------------------------------------------------------

// Integers are added, subtracted and multiplied as unsigned numbers: overflow wraps instead of being undefined.
#define SARDONYX_ARITHMETIC(op, sign)                                                        \
  struct op {                                                                                \
    static constexpr const char* name = #op;                                                 \
    static constexpr bool takes(DType t) { return is_number(t); }                            \
    template <class T>                                                                       \
    static T apply(T a, T b) {                                                               \
      if constexpr (std::is_integral_v<T>) {                                                 \
        return static_cast<T>(static_cast<Wrapping<T>>(a) sign static_cast<Wrapping<T>>(b)); \
      } else {                                                                               \
        return a sign b;                                                                     \
      }                                                                                      \
    }                                                                                        \
  };
SARDONYX_ARITHMETIC(Add, +)
SARDONYX_ARITHMETIC(Sub, -)
SARDONYX_ARITHMETIC(Mul, *)
#undef SARDONYX_ARITHMETIC

#define SARDONYX_BINARY(op, condition, formula)                                 \
  struct op {                                                                   \
    static constexpr const char* name = #op;                                    \
    static constexpr bool takes([[maybe_unused]] DType t) { return condition; } \
    template <class T>                                                          \
    static auto apply(T a, T b) {                                               \
      return formula;                                                           \
    }                                                                           \
  };
SARDONYX_BINARY(Div, is_number(t), quotient(a, b))
SARDONYX_BINARY(Min, is_number(t), (a < b || is_nan(a) ? a : b))
SARDONYX_BINARY(Max, is_number(t), (a > b || is_nan(a) ? a : b))
SARDONYX_BINARY(Equal, is_number(t) || t == DType::boolean, static_cast<std::uint8_t>(a == b))
SARDONYX_BINARY(Less, is_number(t), static_cast<std::uint8_t>(a < b))
SARDONYX_BINARY(LessOrEqual, is_number(t), static_cast<std::uint8_t>(a <= b))
SARDONYX_BINARY(Greater, is_number(t), static_cast<std::uint8_t>(a > b))
SARDONYX_BINARY(GreaterOrEqual, is_number(t), static_cast<std::uint8_t>(a >= b))
SARDONYX_BINARY(And, t == DType::boolean, static_cast<T>(a& b))
SARDONYX_BINARY(Or, t == DType::boolean, static_cast<T>(a | b))
SARDONYX_BINARY(Xor, t == DType::boolean, static_cast<T>(a ^ b))
SARDONYX_BINARY(BitwiseAnd, is_integer(t), static_cast<T>(a& b))
SARDONYX_BINARY(BitwiseOr, is_integer(t), static_cast<T>(a | b))
SARDONYX_BINARY(BitwiseXor, is_integer(t), static_cast<T>(a ^ b))
SARDONYX_BINARY(ShiftLeft, is_unsigned(t), static_cast<T>(b < sizeof(T) * 8 ? std::uint64_t{a} << b : 0))
SARDONYX_BINARY(ShiftRight, is_unsigned(t), static_cast<T>(b < sizeof(T) * 8 ? std::uint64_t{a} >> b : 0))
#undef SARDONYX_BINARY

struct Pow {
  static constexpr const char* name = "Pow";
  static constexpr bool takes(DType t) { return is_number(t); }
  template <class T>
  static T apply(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
      return integer_power(a, b);
    } else {
      return math_pow(a, b);
    }
  }
};

// The remainder with the sign of the dividend, as C's fmod.
struct Fmod {
  static constexpr const char* name = "Fmod";
  static constexpr bool takes(DType t) { return is_number(t); }
  template <class T>
  static T apply(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
      if (b == 0) return 0;
      if constexpr (std::is_signed_v<T>) {
        if (b == -1) return 0;
      }
      return static_cast<T>(a % b);
    } else {
      return math_fmod(a, b);
    }
  }
};

struct Mod {
  static constexpr const char* name = "Mod";
  static constexpr bool takes(DType t) { return is_integer(t); }
  template <class T>
  static T apply(T a, T b) {
    return modulo(a, b);
  }
};

template <class Op, class T>
using Result = decltype(Op::apply(T{}, T{}));

template <class Op, class T, class R>
inline void binary_loop(const T* a, std::int64_t sa, const T* b, std::int64_t sb, R* y, std::int64_t n) {
  if (sa == 1 && sb == 1) {
    for (std::int64_t i = 0; i < n; ++i) y[i] = Op::apply(a[i], b[i]);
  } else if (sa == 1 && sb == 0) {
    const T right = *b;
    for (std::int64_t i = 0; i < n; ++i) y[i] = Op::apply(a[i], right);
  } else if (sa == 0 && sb == 1) {
    const T left = *a;
    for (std::int64_t i = 0; i < n; ++i) y[i] = Op::apply(left, b[i]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) y[i] = Op::apply(a[i * sa], b[i * sb]);
  }
}

// Comparisons give booleans: the scalar formula of an operator on floats that returns a byte.
template <class Op>
constexpr bool compares() {
  if constexpr (Op::takes(DType::f64)) {
    return std::is_same_v<Result<Op, double>, std::uint8_t>;
  } else {
    return false;
  }
}

template <class Op, class T>
inline void run_binary_as(const Step& step, std::int64_t rows) {
  using R = Result<Op, T>;
  const T* a = data_of<T>(step.inputs[0]);
  const T* b = data_of<T>(step.inputs[1]);
  R* y = data_of<R>(step.outputs[0]);
  const Nest<3> nest = make_nest<3>({&step.outputs[0], &step.inputs[0], &step.inputs[1]}, rows);
  for_each_run(nest, [=](const std::int64_t* at, std::int64_t n, const std::int64_t* stride) {
    binary_loop<Op>(a + at[1], stride[1], b + at[2], stride[2], y + at[0], n);
  });
}

template <class Op>
void check_binary(const Step& step) {
  require_counts(step, Op::name, 2, 1, 0);
  require_row_output(step, Op::name);
  const DType t = step.inputs[0].dtype;
  require(Op::takes(t), Op::name, "does not take this type");
  require(step.inputs[1].dtype == t, Op::name, "operands of different types");
  require(step.outputs[0].dtype == (compares<Op>() ? DType::boolean : t), Op::name, "output of the wrong type");
  require(broadcasts(step.inputs[0], step.outputs[0]), Op::name, "the first operand does not broadcast");
  require(broadcasts(step.inputs[1], step.outputs[0]), Op::name, "the second operand does not broadcast");
}

template <class Op>
void run_binary(const Step& step, std::int64_t rows, const Context&) {
  const DType t = step.inputs[0].dtype;
  if constexpr (Op::takes(DType::f64)) {
    if (is_float(t))
      return with_float(t, [&](auto type) { run_binary_as<Op, typename decltype(type)::type>(step, rows); });
  }
  if constexpr (Op::takes(DType::boolean)) {
    if (t == DType::boolean) return run_binary_as<Op, std::uint8_t>(step, rows);
  }
  if constexpr (Op::takes(DType::i64)) {
    with_integer(t, [&](auto type) { run_binary_as<Op, typename decltype(type)::type>(step, rows); });
  } else if constexpr (Op::takes(DType::u64)) {
    switch (t) {
      case DType::u8:
        return run_binary_as<Op, std::uint8_t>(step, rows);
      case DType::u16:
        return run_binary_as<Op, std::uint16_t>(step, rows);
      case DType::u32:
        return run_binary_as<Op, std::uint32_t>(step, rows);
      default:
        return run_binary_as<Op, std::uint64_t>(step, rows);
    }
  }
}

SARDONYX_KERNEL("Add", {check_binary<Add>, run_binary<Add>});
SARDONYX_KERNEL("Sub", {check_binary<Sub>, run_binary<Sub>});
SARDONYX_KERNEL("Mul", {check_binary<Mul>, run_binary<Mul>});
SARDONYX_KERNEL("Div", {check_binary<Div>, run_binary<Div>});
SARDONYX_KERNEL("Min", {check_binary<Min>, run_binary<Min>});
SARDONYX_KERNEL("Max", {check_binary<Max>, run_binary<Max>});
SARDONYX_KERNEL("Pow", {check_binary<Pow>, run_binary<Pow>});
SARDONYX_KERNEL("Mod", {check_binary<Mod>, run_binary<Mod>});
SARDONYX_KERNEL("Fmod", {check_binary<Fmod>, run_binary<Fmod>});
SARDONYX_KERNEL("Equal", {check_binary<Equal>, run_binary<Equal>});
SARDONYX_KERNEL("Less", {check_binary<Less>, run_binary<Less>});
SARDONYX_KERNEL("LessOrEqual", {check_binary<LessOrEqual>, run_binary<LessOrEqual>});
SARDONYX_KERNEL("Greater", {check_binary<Greater>, run_binary<Greater>});
SARDONYX_KERNEL("GreaterOrEqual", {check_binary<GreaterOrEqual>, run_binary<GreaterOrEqual>});
SARDONYX_KERNEL("And", {check_binary<And>, run_binary<And>});
SARDONYX_KERNEL("Or", {check_binary<Or>, run_binary<Or>});
SARDONYX_KERNEL("Xor", {check_binary<Xor>, run_binary<Xor>});
SARDONYX_KERNEL("BitwiseAnd", {check_binary<BitwiseAnd>, run_binary<BitwiseAnd>});
SARDONYX_KERNEL("BitwiseOr", {check_binary<BitwiseOr>, run_binary<BitwiseOr>});
SARDONYX_KERNEL("BitwiseXor", {check_binary<BitwiseXor>, run_binary<BitwiseXor>});
SARDONYX_KERNEL("ShiftLeft", {check_binary<ShiftLeft>, run_binary<ShiftLeft>});
SARDONYX_KERNEL("ShiftRight", {check_binary<ShiftRight>, run_binary<ShiftRight>});

// ---- functions of one number ---------------------------------------------------------------------------------------

// exp(-|x|) never overflows, so both tails are exact: 1 / (1 + e) on the right, e / (1 + e) on the left.
template <class T>
inline T sigmoid(T x) {
  const T e = math_exp(x < 0 ? x : -x);
  return (x < 0 ? e : T{1}) / (1 + e);
}

template <class T>
inline T softplus(T x) {
  return (x > 0 ? x : T{0}) + math_log1p(math_exp(x > 0 ? -x : x));
}

template <class T>
inline T magnitude(T x) {
  if constexpr (std::is_same_v<T, double>) {
    return __builtin_fabs(x);
  } else if constexpr (std::is_same_v<T, float>) {
    return __builtin_fabsf(x);
  } else if constexpr (std::is_signed_v<T>) {
    return x < 0 ? static_cast<T>(Wrapping<T>{0} - static_cast<Wrapping<T>>(x)) : x;
  } else {
    return x;
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
SARDONYX_UNARY(Abs, is_number(t), magnitude(x))
SARDONYX_UNARY(Neg, is_number(t), negative(x))
SARDONYX_UNARY(Sign, is_number(t), sign_of(x))
SARDONYX_UNARY(Relu, is_number(t), (x > T{0} || is_nan(x) ? x : T{0}))
SARDONYX_UNARY(Sqrt, is_float(t), math_sqrt(x))
SARDONYX_UNARY(Exp, is_float(t), math_exp(x))
SARDONYX_UNARY(Log, is_float(t), math_log(x))
SARDONYX_UNARY(Reciprocal, is_float(t), 1 / x)
SARDONYX_UNARY(Sigmoid, is_float(t), sigmoid(x))
SARDONYX_UNARY(Softplus, is_float(t), softplus(x))
SARDONYX_UNARY(Softsign, is_float(t), x / (1 + magnitude(x)))
SARDONYX_UNARY(Tanh, is_float(t), math_tanh(x))
SARDONYX_UNARY(Erf, is_float(t), math_erf(x))
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
SARDONYX_UNARY(BitwiseNot, is_integer(t), static_cast<T>(~x))
#undef SARDONYX_UNARY

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
  for (std::int64_t i = 0; i < n; ++i) y[i] = Op::apply(x[i]);
}

template <class Op>
void run_unary(const Step& step, std::int64_t rows, const Context&) {
  const DType t = step.inputs[0].dtype;
  if constexpr (Op::takes(DType::f64)) {
    if (is_float(t))
      return with_float(t, [&](auto type) { run_unary_as<Op, typename decltype(type)::type>(step, rows); });
  }
  if constexpr (Op::takes(DType::i64)) {
    with_integer(t, [&](auto type) { run_unary_as<Op, typename decltype(type)::type>(step, rows); });
  } else if constexpr (Op::takes(DType::boolean)) {
    run_unary_as<Op, std::uint8_t>(step, rows);
  }
}

SARDONYX_KERNEL("Abs", {check_unary<Abs>, run_unary<Abs>});
SARDONYX_KERNEL("Neg", {check_unary<Neg>, run_unary<Neg>});
SARDONYX_KERNEL("Sign", {check_unary<Sign>, run_unary<Sign>});
SARDONYX_KERNEL("Relu", {check_unary<Relu>, run_unary<Relu>});
SARDONYX_KERNEL("Sqrt", {check_unary<Sqrt>, run_unary<Sqrt>});
SARDONYX_KERNEL("Exp", {check_unary<Exp>, run_unary<Exp>});
SARDONYX_KERNEL("Log", {check_unary<Log>, run_unary<Log>});
SARDONYX_KERNEL("Reciprocal", {check_unary<Reciprocal>, run_unary<Reciprocal>});
SARDONYX_KERNEL("Sigmoid", {check_unary<Sigmoid>, run_unary<Sigmoid>});
SARDONYX_KERNEL("Softplus", {check_unary<Softplus>, run_unary<Softplus>});
SARDONYX_KERNEL("Softsign", {check_unary<Softsign>, run_unary<Softsign>});
SARDONYX_KERNEL("Tanh", {check_unary<Tanh>, run_unary<Tanh>});
SARDONYX_KERNEL("Erf", {check_unary<Erf>, run_unary<Erf>});
SARDONYX_KERNEL("Floor", {check_unary<Floor>, run_unary<Floor>});
SARDONYX_KERNEL("Ceil", {check_unary<Ceil>, run_unary<Ceil>});
SARDONYX_KERNEL("Round", {check_unary<Round>, run_unary<Round>});
SARDONYX_KERNEL("Sin", {check_unary<Sin>, run_unary<Sin>});
SARDONYX_KERNEL("Cos", {check_unary<Cos>, run_unary<Cos>});
SARDONYX_KERNEL("Tan", {check_unary<Tan>, run_unary<Tan>});
SARDONYX_KERNEL("Asin", {check_unary<Asin>, run_unary<Asin>});
SARDONYX_KERNEL("Acos", {check_unary<Acos>, run_unary<Acos>});
SARDONYX_KERNEL("Atan", {check_unary<Atan>, run_unary<Atan>});
SARDONYX_KERNEL("Sinh", {check_unary<Sinh>, run_unary<Sinh>});
SARDONYX_KERNEL("Cosh", {check_unary<Cosh>, run_unary<Cosh>});
SARDONYX_KERNEL("Asinh", {check_unary<Asinh>, run_unary<Asinh>});
SARDONYX_KERNEL("Acosh", {check_unary<Acosh>, run_unary<Acosh>});
SARDONYX_KERNEL("Atanh", {check_unary<Atanh>, run_unary<Atanh>});
SARDONYX_KERNEL("Not", {check_unary<Not>, run_unary<Not>});
SARDONYX_KERNEL("BitwiseNot", {check_unary<BitwiseNot>, run_unary<BitwiseNot>});

// ---- tests of one number: params [negative, positive] of IsInf as in ONNX
// ----------------------------------------------

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
  with_float(step.inputs[0].dtype, [&](auto type) {
    const auto* x = data_of<typename decltype(type)::type>(step.inputs[0]);
    for (std::int64_t i = 0; i < n; ++i) y[i] = is_nan(x[i]);
  });
}
SARDONYX_KERNEL("IsNaN", {check_is_nan, run_is_nan});

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
  with_float(step.inputs[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const T* x = data_of<T>(step.inputs[0]);
    const T infinity = static_cast<T>(__builtin_inf());
    for (std::int64_t i = 0; i < n; ++i) y[i] = (positive && x[i] == infinity) || (negative && x[i] == -infinity);
  });
}
SARDONYX_KERNEL("IsInf", {check_is_inf, run_is_inf});

// ---- two steps in one: (x - m) / s, in this order, so that the result is the same to the last bit
// --------------------

void check_sub_div(const Step& step) {
  require_counts(step, "SubDiv", 3, 1, 0);
  require_row_output(step, "SubDiv");
  const Tensor& x = step.inputs[0];
  require(is_float(x.dtype) && !x.constant, "SubDiv", "needs rows of floats");
  require(step.outputs[0].dtype == x.dtype && step.outputs[0].width == x.width, "SubDiv", "output of the wrong form");
  for (int i = 1; i < 3; ++i) {
    const Tensor& c = step.inputs[i];
    require(c.constant && c.dtype == x.dtype && c.width == x.width, "SubDiv", "needs a constant for every column");
  }
}

void run_sub_div(const Step& step, std::int64_t rows, const Context&) {
  with_float(step.inputs[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const std::int64_t width = step.inputs[0].width;
    const T* x = data_of<T>(step.inputs[0]);
    const T* mean = data_of<T>(step.inputs[1]);
    const T* scale = data_of<T>(step.inputs[2]);
    T* y = data_of<T>(step.outputs[0]);
    for (std::int64_t r = 0; r < rows; ++r, x += width, y += width) {
      for (std::int64_t i = 0; i < width; ++i) y[i] = (x[i] - mean[i]) / scale[i];
    }
  });
}
SARDONYX_KERNEL("SubDiv", {check_sub_div, run_sub_div});

// ---- text
// ------------------------------------------------------------------------------------------------------------

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
SARDONYX_KERNEL("EqualText", {check_equal_text, run_equal_text});

}  // namespace
}  // namespace sardonyx
