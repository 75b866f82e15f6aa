// Element by element: arithmetic, and two steps of it in one.
#include "kernels/elementwise/binary.h"

namespace sardonyx {
namespace {

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

inline double math_pow(double x, double y) { return ::pow(x, y); }
inline float math_pow(float x, float y) { return ::powf(x, y); }
inline double math_fmod(double x, double y) { return ::fmod(x, y); }
inline float math_fmod(float x, float y) { return ::fmodf(x, y); }

// ---- operators ------------------------------------------------------------------------------------------------------

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

SARDONYX_BINARY(Div, is_wide(t) || t == DType::u64, quotient(a, b))
SARDONYX_BINARY(Min, is_wide(t), (a < b || is_nan(a) ? a : b))
SARDONYX_BINARY(Max, is_wide(t), (a > b || is_nan(a) ? a : b))

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

SARDONYX_KERNEL("Add", {.check = check_binary<Add>, .run = run_binary<Add>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Sub", {.check = check_binary<Sub>, .run = run_binary<Sub>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Mul", {.check = check_binary<Mul>, .run = run_binary<Mul>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Div", {.check = check_binary<Div>, .run = run_binary<Div>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Min", {.check = check_binary<Min>, .run = run_binary<Min>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Max", {.check = check_binary<Max>, .run = run_binary<Max>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Pow", {.check = check_binary<Pow>, .run = run_binary<Pow>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Mod", {.check = check_binary<Mod>, .run = run_binary<Mod>, .in_place = true, .by_element = true});
SARDONYX_KERNEL("Fmod", {.check = check_binary<Fmod>, .run = run_binary<Fmod>, .in_place = true, .by_element = true});

// ---- (x - m) / s, in this order, so that the result is the same to the last bit -------------------------------------

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
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) {
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

}  // namespace
}  // namespace sardonyx
