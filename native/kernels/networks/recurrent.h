// What a step of Recurrent says (recurrent.cpp): sizes, optional inputs, activations.
#pragma once

#include "kernels/check.h"
#include "simd/math.h"

namespace sardonyx {
namespace {

enum Given : std::int64_t { kBias = 1, kLengths = 2, kInitialH = 4, kInitialC = 8, kPeepholes = 16, kAllGiven = 31 };
enum Wanted : std::int64_t { kEvery = 1, kLastH = 2, kLastC = 4 };
constexpr int kSizes = 11, kActivations = 3, kParams = kSizes + 1 + 2 * kActivations * 3;

struct Network {
  std::int64_t gates;          // 1 RNN, 3 GRU, 4 LSTM
  std::int64_t ways;           // 1 forward, 2 backward, 3 both
  std::int64_t length, batch;  // steps of time; sequences in one row
  std::int64_t in, hidden;
  std::int64_t batch_first;  // ONNX's layout
  std::int64_t linear_before_reset, input_forget;
  std::int64_t given, wanted;
  double clip;  // infinite: none

  std::int64_t directions() const { return ways == 3 ? 2 : 1; }
  std::int64_t inner() const { return gates * hidden; }  // of x W: numbers of all gates
  std::int64_t columns() const { return (gates == 3 && linear_before_reset != 0 ? 4 : gates) * hidden; }
};

inline Network network_of(const Step& step) {
  const Param* p = step.params;
  return {p[0].i, p[1].i, p[2].i, p[3].i, p[4].i, p[5].i, p[6].i, p[7].i, p[8].i, p[9].i, p[10].i, p[kSizes].f};
}

// An optional input, or nullptr.
inline const Tensor* given_of(const Step& step, std::int64_t all, std::int64_t which) {
  if ((all & which) == 0) return nullptr;
  int at = 3;
  for (std::int64_t bit = 1; bit < which; bit *= 2) at += (all & bit) != 0;
  return &step.inputs[at];
}

inline const Tensor* wanted_of(const Step& step, std::int64_t all, std::int64_t which) {
  if ((all & which) == 0) return nullptr;
  int at = 0;
  for (std::int64_t bit = 1; bit < which; bit *= 2) at += (all & bit) != 0;
  return &step.outputs[at];
}

inline int bits_in(std::int64_t set) { return __builtin_popcountll(static_cast<unsigned long long>(set)); }

// ---- activations ----------------------------------------------------------------------------------------------------

enum class Form : std::int64_t {
  sigmoid,
  tanh,
  relu,
  affine,
  leaky_relu,
  thresholded_relu,
  scaled_tanh,
  hard_sigmoid,
  elu,
  softsign,
  softplus,
  count
};

struct Activation {
  Form form;
  double alpha, beta;
};

inline Activation activation_of(const Step& step, std::int64_t direction, int index) {
  const Param* p = step.params + kSizes + 1 + (direction * kActivations + index) * 3;
  return {static_cast<Form>(p[0].i), p[1].f, p[2].f};
}

template <class T>
inline void activate(const Activation& a, T* x, std::int64_t n) {
  using V = Vector<double>;
  const double alpha = a.alpha, beta = a.beta;
  if constexpr (std::is_same_v<T, float>) {  // the usual ones
    if (a.form == Form::sigmoid) return map_narrow([](Vector<float> v) { return logistic_of(v); }, x, x, n);
    if (a.form == Form::tanh) return map_narrow([](Vector<float> v) { return tanh_of(v); }, x, x, n);
  }
  switch (a.form) {
    case Form::sigmoid: return map([](V v) { return logistic_of(v); }, x, x, n);
    case Form::tanh: return map([](V v) { return tanh_of(v); }, x, x, n);
    case Form::relu: return map([](V v) { return v < 0.0 ? V{} : v; }, x, x, n);
    case Form::affine: return map([=](V v) { return v * alpha + beta; }, x, x, n);
    case Form::leaky_relu: return map([=](V v) { return v < 0.0 ? v * alpha : v; }, x, x, n);
    case Form::thresholded_relu: return map([=](V v) { return v > alpha ? v : V{}; }, x, x, n);
    case Form::scaled_tanh: return map([=](V v) { return tanh_of(v * beta) * alpha; }, x, x, n);
    case Form::hard_sigmoid:
      return map([=](V v) { return larger_of(0.0, smaller_of(1.0, v * alpha + beta)); }, x, x, n);
    case Form::elu: return map([=](V v) { return v < 0.0 ? (exp_of(v) - 1.0) * alpha : v; }, x, x, n);
    case Form::softsign: return map([](V v) { return v / (magnitude_of(v) + 1.0); }, x, x, n);
    case Form::softplus: return map([](V v) { return softplus_of(v); }, x, x, n);
    case Form::count: return;
  }
}

template <class T>
inline void clip(T most, T* x, std::int64_t n) {
  if (most >= static_cast<T>(kInfinity)) return;
  for (std::int64_t i = 0; i < n; ++i) x[i] = x[i] > most ? most : x[i] < -most ? -most : x[i];
}

}  // namespace
}  // namespace sardonyx
