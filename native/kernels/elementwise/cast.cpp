// Cast between the numeric types and bool: C++ conversions, as NumPy's astype does them; to bool it is x != 0 (so NaN
// is true). What C++ leaves undefined, a float beyond the integer type's range, is defined here: see to_integer.
// Floats of 16 bits go through double, which holds them all.
#include <cstring>
#include <limits>
#include <type_traits>

#include "sardonyx/kernel.h"

namespace sardonyx {
namespace {

using Function = void (*)(const void* from, void* to, std::int64_t count);

// float -> integer, cut. What the type does not hold gives its smallest number, as x86 does; narrower types than 32
// bits are what is left of 32. NumPy and ONNX Runtime answer so on x86.
template <class To, class From>
To to_signed(From value) {
  constexpr From limit = -static_cast<From>(std::numeric_limits<To>::min());
  return value >= -limit && value < limit ? static_cast<To>(value) : std::numeric_limits<To>::min();
}

// The upper half of the unsigned numbers is as far from the middle as the lower half from 0.
template <class To, class From>
To to_unsigned(From value) {
  using Signed = std::make_signed_t<To>;
  constexpr From middle = -static_cast<From>(std::numeric_limits<Signed>::min());
  constexpr To top = To{1} << (std::numeric_limits<To>::digits - 1);
  if (value >= middle) return static_cast<To>(to_signed<Signed>(value - middle)) ^ top;
  return static_cast<To>(to_signed<Signed>(value));
}

template <class To, class From>
To to_integer(From value) {
  if constexpr (sizeof(To) < 4)
    return static_cast<To>(to_signed<std::int32_t>(value));
  else if constexpr (std::is_signed_v<To>)
    return to_signed<To>(value);
  else
    return to_unsigned<To>(value);
}

// Floats of 16 bits: `exponent` bits of the exponent and `mantissa` of the rest. Bits of another type, so that none is
// taken for an integer.
template <int exponent, int mantissa>
struct Small {
  static constexpr int kMantissa = mantissa;
  static constexpr int kBias = (1 << (exponent - 1)) - 1;
  static constexpr std::uint16_t kInfinite = ((1 << exponent) - 1) << mantissa;
  std::uint16_t bits;
};
using Half = Small<5, 10>;
using BFloat = Small<8, 7>;

template <class T>
constexpr bool is_small = std::is_same_v<T, Half> || std::is_same_v<T, BFloat>;

inline std::uint64_t bits_of(double x) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

inline double double_of(std::uint64_t bits) {
  double x = 0;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

template <class S>
double widened(S small) {
  constexpr int shift = 52 - S::kMantissa;
  const std::uint64_t sign = static_cast<std::uint64_t>(small.bits >> 15) << 63, rest = small.bits & 0x7FFF;
  if (rest >= S::kInfinite) return double_of(sign | 0x7FF0000000000000u | (rest - S::kInfinite) << shift);
  if (rest < (1 << S::kMantissa)) {  // subnormal: a multiple of the smallest
    const double unit = double_of(static_cast<std::uint64_t>(1023 + 1 - S::kBias - S::kMantissa) << 52);
    return double_of(sign | bits_of(static_cast<double>(rest) * unit));
  }
  return double_of(sign | ((rest << shift) + (static_cast<std::uint64_t>(1023 - S::kBias) << 52)));
}

// Rounded once, to the nearest, ties to even. A carry out of the mantissa is one into the exponent, as it should be.
template <class S>
S narrowed(double x) {
  constexpr int shift = 52 - S::kMantissa;
  const std::uint64_t bits = bits_of(x), sign = bits >> 48 & 0x8000, rest = bits & ~(std::uint64_t{1} << 63);
  std::uint64_t result = 0;
  if (rest > 0x7FF0000000000000u) {
    result = S::kInfinite | 1 << (S::kMantissa - 1);
  } else if (rest < static_cast<std::uint64_t>(1024 - S::kBias) << 52) {
    const double count = double_of(rest) * double_of(static_cast<std::uint64_t>(1022 + S::kBias + S::kMantissa) << 52);
    result = bits_of(count + 0x1p52) & 0xFFFF;
  } else {
    const std::uint64_t rounded = rest + ((std::uint64_t{1} << (shift - 1)) - 1) + (rest >> shift & 1);
    result = (rounded >> shift) - (static_cast<std::uint64_t>(1023 - S::kBias) << S::kMantissa);
    if (result > S::kInfinite) result = S::kInfinite;
  }
  return {static_cast<std::uint16_t>(sign | result)};
}

template <class To, class From>
To convert(From value) {
  if constexpr (is_small<From>) {
    return convert<To>(widened(value));
  } else if constexpr (is_small<To>) {
    return narrowed<To>(static_cast<double>(value));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From(0);
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    return to_integer<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

template <class From, class To>
void cast(const void* from, void* to, std::int64_t count) {
  const auto* x = static_cast<const From*>(from);
  auto* y = static_cast<To*>(to);
  for (std::int64_t i = 0; i < count; ++i) y[i] = convert<To>(x[i]);
}

template <class From>
Function function_to(DType to) {
  switch (to) {
    case DType::f16: return cast<From, Half>;
    case DType::bf16: return cast<From, BFloat>;
    case DType::f32: return cast<From, float>;
    case DType::f64: return cast<From, double>;
    case DType::i8: return cast<From, std::int8_t>;
    case DType::i16: return cast<From, std::int16_t>;
    case DType::i32: return cast<From, std::int32_t>;
    case DType::i64: return cast<From, std::int64_t>;
    case DType::u8: return cast<From, std::uint8_t>;
    case DType::u16: return cast<From, std::uint16_t>;
    case DType::u32: return cast<From, std::uint32_t>;
    case DType::u64: return cast<From, std::uint64_t>;
    case DType::boolean: return cast<From, bool>;
    case DType::text: return nullptr;
  }
  return nullptr;
}

Function function_for(DType from, DType to) {
  switch (from) {
    case DType::f16: return function_to<Half>(to);
    case DType::bf16: return function_to<BFloat>(to);
    case DType::f32: return function_to<float>(to);
    case DType::f64: return function_to<double>(to);
    case DType::i8: return function_to<std::int8_t>(to);
    case DType::i16: return function_to<std::int16_t>(to);
    case DType::i32: return function_to<std::int32_t>(to);
    case DType::i64: return function_to<std::int64_t>(to);
    case DType::u8: return function_to<std::uint8_t>(to);
    case DType::u16: return function_to<std::uint16_t>(to);
    case DType::u32: return function_to<std::uint32_t>(to);
    case DType::u64: return function_to<std::uint64_t>(to);
    case DType::boolean: return function_to<std::uint8_t>(to);  // any non-zero byte is true
    case DType::text: return nullptr;
  }
  return nullptr;
}

void check(const Step& step) {
  if (step.n_inputs != 1 || step.n_outputs != 1) fail("Cast takes one input and gives one output");
  const Tensor &x = step.inputs[0], &y = step.outputs[0];
  if (x.constant) fail("Cast takes a row input");
  if (x.width != y.width) fail("Cast: input and output differ in width");
  if (function_for(x.dtype, y.dtype) == nullptr) fail("Cast is between numbers and bool, not text");
}

void run(const Step& step, std::int64_t rows, const Context&) {
  const Tensor &x = step.inputs[0], &y = step.outputs[0];
  function_for(x.dtype, y.dtype)(x.data, y.data, rows * x.width);
}

SARDONYX_KERNEL("Cast", {.check = check, .run = run, .by_element = true, .halves = true});

}  // namespace
}  // namespace sardonyx
