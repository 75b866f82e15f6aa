// Element by element: arithmetic, comparison, logic, and the functions of one number.
//
// An operator is a struct with its name, the types it takes, and the scalar formula; the loops are written once.
// Numbers behave as NumPy's: NaN travels through Min, Max and Relu; integers wrap; an integer divided by zero is zero.
//
// Every operator times every type is machine code, so there are four types of number: float32, float64, int32, int64.
// Narrower integers are widened while lowering and cut again afterwards, which is the same number modulo their size.
#include "broadcast.h"
#include "simd/math.h"
#include "text.h"

namespace sardonyx {
namespace {

// ---- scalar helpers ------------------------------------------------------------------------------------------------

constexpr bool is_wide(DType t) { return is_float(t) || t == DType::i32 || t == DType::i64; }
constexpr bool is_wide_integer(DType t) { return t == DType::i32 || t == DType::i64; }

template <class T>
using Wrapping = std::make_unsigned_t<T>;

template <class T>
inline bool is_nan(T x) {
  return x != x;
}

template <class T>
inline T quotient(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0) return 0;
  }
  if constexpr (std::is_signed_v<T> && std::is_integral_v<T>) {
    if (b == -1) return static_cast<T>(Wrapping<T>{0} - static_cast<Wrapping<T>>(a));
  }
  return static_cast<T>(a / b);
}

// The remainder with the sign of the divisor, as in Python.
template <class T>
inline T modulo(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_unsigned_v<T>) {
    return a % b;
  } else {
    if (b == -1) return 0;
    const T rest = a % b;
    return rest != 0 && ((rest < 0) != (b < 0)) ? rest + b : rest;
  }
}

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

template <class T>
inline T integer_power(T base, T exponent) {
  if (exponent < 0) return base == 1 ? T{1} : base == -1 ? (exponent % 2 == 0 ? T{1} : T{-1}) : T{0};
  Wrapping<T> result = 1, factor = static_cast<Wrapping<T>>(base);
  for (auto e = static_cast<std::make_unsigned_t<T>>(exponent); e != 0; e >>= 1) {
    if (e & 1) result *= factor;
    factor *= factor;
  }
  return static_cast<T>(result);
}

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
inline double math_pow(double x, double y) { return ::pow(x, y); }
inline float math_pow(float x, float y) { return ::powf(x, y); }
inline double math_fmod(double x, double y) { return ::fmod(x, y); }
inline float math_fmod(float x, float y) { return ::fmodf(x, y); }

// ---- operators of two numbers --------------------------------------------------------------------------------------

// Integers are added, subtracted and multiplied as unsigned numbers: overflow wraps instead of being undefined.
#define SARDONYX_ARITHMETIC(op, sign)                                                        \
  struct op {                                                                                \
    static constexpr const char* name = #op;                                                 \
    static constexpr bool takes(DType t) { return is_wide(t); }                              \
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
SARDONYX_BINARY(Div, is_wide(t) || t == DType::u64, quotient(a, b))
SARDONYX_BINARY(Min, is_wide(t), (a < b || is_nan(a) ? a : b))
SARDONYX_BINARY(Max, is_wide(t), (a > b || is_nan(a) ? a : b))
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
#undef SARDONYX_BINARY

struct Pow {
  static constexpr const char* name = "Pow";
  static constexpr bool takes(DType t) { return is_wide(t); }
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
  static constexpr bool takes(DType t) { return is_wide(t); }
  template <class T>
  static T apply(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
      return b == 0 || b == -1 ? T{0} : a % b;
    } else {
      return math_fmod(a, b);
    }
  }
};

struct Mod {
  static constexpr const char* name = "Mod";
  static constexpr bool takes(DType t) { return is_wide_integer(t) || t == DType::u64; }
  template <class T>
  static T apply(T a, T b) {
    return modulo(a, b);
  }
};

template <class Op, class T>
using Result = decltype(Op::apply(T{}, T{}));

// An output may be the memory of an operand, but then of the same index: iterations never depend on each other.
#ifdef __clang__
#define SARDONYX_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define SARDONYX_INDEPENDENT _Pragma("GCC ivdep")
#endif

template <class Op, class T, class R>
inline void binary_loop(const T* a, std::int64_t sa, const T* b, std::int64_t sb, R* y, std::int64_t n) {
  if (sa == 1 && sb == 1) {
    SARDONYX_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) y[i] = Op::apply(a[i], b[i]);
  } else if (sa == 1 && sb == 0) {
    const T right = *b;
    SARDONYX_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) y[i] = Op::apply(a[i], right);
  } else if (sa == 0 && sb == 1) {
    const T left = *a;
    SARDONYX_INDEPENDENT
    for (std::int64_t i = 0; i < n; ++i) y[i] = Op::apply(left, b[i]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) {
      asm volatile("");  // rare: not worth the size of vectors with gathered operands
      y[i] = Op::apply(a[i * sa], b[i * sb]);
    }
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
  if constexpr (Op::takes(DType::u64)) {
    if (t == DType::u64) return run_binary_as<Op, std::uint64_t>(step, rows);
  }
  if constexpr (Op::takes(DType::i64)) {
    return t == DType::i32 ? run_binary_as<Op, std::int32_t>(step, rows) : run_binary_as<Op, std::int64_t>(step, rows);
  }
}

SARDONYX_KERNEL("Add", {.check = check_binary<Add>, .run = run_binary<Add>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Sub", {.check = check_binary<Sub>, .run = run_binary<Sub>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Mul", {.check = check_binary<Mul>, .run = run_binary<Mul>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Div", {.check = check_binary<Div>, .run = run_binary<Div>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Min", {.check = check_binary<Min>, .run = run_binary<Min>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Max", {.check = check_binary<Max>, .run = run_binary<Max>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Pow", {.check = check_binary<Pow>, .run = run_binary<Pow>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Mod", {.check = check_binary<Mod>, .run = run_binary<Mod>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Fmod", {.check = check_binary<Fmod>, .run = run_binary<Fmod>, .in_place = true, .by_element = true});
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

// ---- functions of one number ---------------------------------------------------------------------------------------

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
    if (is_float(t))
      return with_float(t, [&](auto type) { run_unary_as<Op, typename decltype(type)::type>(step, rows); });
  }
  if constexpr (Op::takes(DType::u64)) {
    if (t == DType::u64) return run_binary_as<Op, std::uint64_t>(step, rows);
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
  with_float(step.inputs[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const T* x = data_of<T>(step.inputs[0]);
    const T infinity = static_cast<T>(__builtin_inf());
    for (std::int64_t i = 0; i < n; ++i) y[i] = (positive && x[i] == infinity) || (negative && x[i] == -infinity);
  });
}
SARDONYX_KERNEL("IsInf", {.check = check_is_inf, .run = run_is_inf, .by_element = true});

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
SARDONYX_KERNEL("SubDiv", {.check = check_sub_div, .run = run_sub_div, .in_place = true});

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
SARDONYX_KERNEL("EqualText", {.check = check_equal_text, .run = run_equal_text});

}  // namespace
}  // namespace sardonyx
