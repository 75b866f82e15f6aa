// Recurrent: RNN, GRU and LSTM of ai.onnx over whole sequences, float32 or float64.
//
//    x[t] ─▶ ┌──────────┐  x W + h R + bias   ┌─────┐      gates     ┌──────┐
//            │  x │ h   │ ──────────────────▶ │ n H │ ─ activations ▶ │ cell │ ─▶ h, c ─▶ Y[t]
//      h ──▶ └──────────┘   (panels.h)        └─────┘                └──────┘       │
//        ▲───────────────────────────────────────────────────────────────────────── ┘  the last ones: Y_h, Y_c
//
//    LSTM  i o f c     c' = f c + i g(c)              h' = o h(c')
//    GRU   z r h       h' = (1 - z) g(h) + z h        the h gate sees r h, or r (h R + bias) (linear_before_reset)
//    RNN   h           h' = f(h)
//
// (S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", 1997, with the peepholes of F. Gers and J. Schmidhuber, 2000;
// K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014.) Up to kTogether sequences go through
// time together, whether they are rows or stand in one (`batch`): weights are read once for all of them. A sequence is
// computed in the same order whatever others are with it.
//
// Inputs x, w, r, then those of bias, lengths, initial h, initial c, peepholes that `given` names, in this order.
// Outputs those of Y, Y_h, Y_c that `wanted` names. Params: see Network; then clip, and for both directions and up to
// three activations [code, alpha, beta]. Weights that are no constants are laid out anew for each row.
#include <cstdlib>
#include <cstring>

#include "check.h"
#include "panels.h"
#include "simd/math.h"

namespace sardonyx {
namespace {

constexpr const char* kName = "Recurrent";
constexpr std::int64_t kTogether = 32;
constexpr std::int64_t kLargestSize = std::int64_t{1} << 24;

// ---- what a step says ------------------------------------------------------------------------------------------------

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
  std::int64_t width() const { return in + hidden; }
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

// ---- activations -----------------------------------------------------------------------------------------------------

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

// ---- products --------------------------------------------------------------------------------------------------------

// Some gates of all sequences, from what stands side by side in a row of [x | h]: both, or one of them.
struct Product {
  std::int64_t gate, columns;  // the first gate, numbers
  bool of_x, of_h;
  std::int64_t to;  // where among the columns
};

constexpr int kMostProducts = 3;
struct Products {
  Product items[kMostProducts];
  int count;
};

inline Products products_of(const Network& net) {
  const std::int64_t h = net.hidden;
  if (net.gates != 3) return {{{0, net.gates * h, true, true, 0}}, 1};
  if (net.linear_before_reset == 0) return {{{0, 2 * h, true, true, 0}, {2, h, true, true, 2 * h}}, 2};
  return {{{0, 2 * h, true, true, 0}, {2, h, true, false, 2 * h}, {2, h, false, true, 3 * h}}, 3};
}

inline std::int64_t factors_of(const Network& net, const Product& p) {
  return (p.of_x ? net.in : 0) + (p.of_h ? net.hidden : 0);
}

template <class T>
inline std::int64_t packed_size(const Network& net, const Product& p) {
  return round_up(p.columns, kLanes<T>) * (factors_of(net, p) + 1);  // the bias comes last
}

// Numbers of one direction.
template <class T>
inline std::int64_t packed_size(const Network& net) {
  const Products products = products_of(net);
  std::int64_t total = 0;
  for (int i = 0; i < products.count; ++i) total += packed_size<T>(net, products.items[i]);
  return total;
}

template <class T>
inline void pack_product(const Network& net, const Product& p, const T* w, const T* r, const T* bias, T* to) {
  const std::int64_t k = factors_of(net, p), first = p.gate * net.hidden;
  if (p.of_x) pack_panels(w + first * net.in, 1, net.in, net.in, p.columns, k, to);
  if (p.of_h) {
    T* below = to + (p.of_x ? net.in : 0) * kLanes<T>;
    pack_panels(r + first * net.hidden, 1, net.hidden, net.hidden, p.columns, k, below);
  }
  if (bias == nullptr) return;
  T* b = to + round_up(p.columns, kLanes<T>) * k;
  const T *of_w = bias + first, *of_r = of_w + net.gates * net.hidden;
  for (std::int64_t j = 0; j < p.columns; ++j) b[j] = (p.of_x ? of_w[j] : T{0}) + (p.of_h ? of_r[j] : T{0});
}

// All directions of the weights that a row has.
template <class T>
inline void pack(const Step& step, const Network& net, std::int64_t row, T* to) {
  const Products products = products_of(net);
  const auto from = [&](const Tensor* t, std::int64_t direction) -> const T* {
    if (t == nullptr) return nullptr;
    return data_of<T>(*t) + row * row_stride(*t) + direction * (t->width / net.directions());
  };
  std::memset(to, 0, static_cast<std::size_t>(net.directions() * packed_size<T>(net)) * sizeof(T));
  for (std::int64_t d = 0; d < net.directions(); ++d) {
    const T *w = from(&step.inputs[1], d), *r = from(&step.inputs[2], d),
            *bias = from(given_of(step, net.given, kBias), d);
    for (int i = 0; i < products.count; ++i) {
      pack_product(net, products.items[i], w, r, bias, to);
      to += packed_size<T>(net, products.items[i]);
    }
  }
}

// ---- sequences -------------------------------------------------------------------------------------------------------

// Where the numbers of sequence s stand; `dirs` of a tensor are its directions.
template <class T>
struct Places {
  const Network& net;

  // x, and Y of one direction: `n` numbers at time t.
  T* at(const Tensor& tensor, std::int64_t s, std::int64_t t, std::int64_t dirs, std::int64_t d, std::int64_t n) const {
    const std::int64_t row = s / net.batch, b = s % net.batch;
    const std::int64_t place = net.batch_first != 0 ? (b * net.length + t) * dirs + d : (t * dirs + d) * net.batch + b;
    return data_of<T>(tensor) + row * row_stride(tensor) + place * n;
  }

  // Initial and last states.
  T* state(const Tensor& tensor, std::int64_t s, std::int64_t d) const {
    const std::int64_t row = s / net.batch, b = s % net.batch;
    const std::int64_t place = net.batch_first != 0 ? b * net.directions() + d : d * net.batch + b;
    return data_of<T>(tensor) + row * row_stride(tensor) + place * net.hidden;
  }
};

template <class T>
struct Strip {
  const Step& step;
  const Network& net;
  std::int64_t direction, first, count;  // sequences
  const T* weights;                      // packed, of this direction
  T *seen, *gates, *h, *c;               // [x | h], columns, states of every sequence
  std::int64_t lengths[kTogether];

  const T* peepholes(std::int64_t s, int which) const {
    const Tensor* p = given_of(step, net.given, kPeepholes);
    if (p == nullptr) return nullptr;
    return data_of<T>(*p) + s / net.batch * row_stride(*p) + (direction * 3 + which) * net.hidden;
  }

  // Tiles of a few columns for all sequences, so that weights stay in the first-level cache.
  void multiply(int which) {
    const Products products = products_of(net);
    const T* w = weights;
    for (int i = 0; i < which; ++i) w += packed_size<T>(net, products.items[i]);
    const Product& p = products.items[which];
    const std::int64_t k = factors_of(net, p), unit = (count < kPanelRows ? kPanels<1> : kPanels<kPanelRows>)*kLanes<T>;
    const T* bias = w + round_up(p.columns, kLanes<T>) * k;
    const T *x = seen + (p.of_x ? 0 : net.in), least = -static_cast<T>(kInfinity);
    for (std::int64_t j = 0; j < p.columns; j += unit) {
      const std::int64_t columns = p.columns - j < unit ? p.columns - j : unit;
      const Part<T> part{k, net.columns(), columns, net.width(), w + j * k, bias + j, least};
      run_panels<T>(part, x, count, gates + p.to + j);
    }
  }
};

// A sequence that ended is left as it is.
template <class T, class F>
inline void for_each_going(Strip<T>& strip, std::int64_t t, F&& f) {
  for (std::int64_t s = 0; s < strip.count; ++s) {
    if (t < strip.lengths[s]) f(s);
  }
}

template <class T>
inline void step_rnn(Strip<T>& strip, std::int64_t t) {
  const Network& net = strip.net;
  const Activation f = activation_of(strip.step, strip.direction, 0);
  strip.multiply(0);
  for_each_going(strip, t, [&](std::int64_t s) {
    T *gate = strip.gates + s * net.columns(), *h = strip.h + s * net.hidden;
    clip(static_cast<T>(net.clip), gate, net.hidden);
    activate(f, gate, net.hidden);
    std::memcpy(h, gate, static_cast<std::size_t>(net.hidden) * sizeof(T));
  });
}

template <class T>
inline void step_gru(Strip<T>& strip, std::int64_t t) {
  const Network& net = strip.net;
  const std::int64_t n = net.hidden;
  const bool linear = net.linear_before_reset != 0;
  const Activation f = activation_of(strip.step, strip.direction, 0), g = activation_of(strip.step, strip.direction, 1);
  strip.multiply(0);
  for_each_going(strip, t, [&](std::int64_t s) {
    T *z = strip.gates + s * net.columns(), *r = z + n, *h = strip.h + s * n;
    clip(static_cast<T>(net.clip), z, 2 * n);
    activate(f, z, 2 * n);
    T* seen = strip.seen + s * net.width() + net.in;
    if (!linear) {
      for (std::int64_t i = 0; i < n; ++i) seen[i] = r[i] * h[i];
    }
  });
  strip.multiply(1);
  if (linear) strip.multiply(2);
  for_each_going(strip, t, [&](std::int64_t s) {
    T *z = strip.gates + s * net.columns(), *r = z + n, *fresh = r + n, *h = strip.h + s * n;
    if (linear) {
      for (std::int64_t i = 0; i < n; ++i) fresh[i] += r[i] * fresh[n + i];
    }
    clip(static_cast<T>(net.clip), fresh, n);
    activate(g, fresh, n);
    for (std::int64_t i = 0; i < n; ++i) h[i] = (T{1} - z[i]) * fresh[i] + z[i] * h[i];
  });
}

template <class T>
inline void add_seen(const T* weights, const T* c, T* gate, std::int64_t n) {
  if (weights == nullptr) return;
  for (std::int64_t j = 0; j < n; ++j) gate[j] += weights[j] * c[j];
}

template <class T>
inline void step_lstm(Strip<T>& strip, std::int64_t t) {
  const Network& net = strip.net;
  const std::int64_t n = net.hidden;
  const T most = static_cast<T>(net.clip);
  const Activation f = activation_of(strip.step, strip.direction, 0), g = activation_of(strip.step, strip.direction, 1),
                   last = activation_of(strip.step, strip.direction, 2);
  strip.multiply(0);
  for_each_going(strip, t, [&](std::int64_t s) {
    T *i = strip.gates + s * net.columns(), *o = i + n, *forget = o + n, *fresh = forget + n;
    T *h = strip.h + s * n, *c = strip.c + s * n;
    add_seen(strip.peepholes(strip.first + s, 0), c, i, n);
    add_seen(strip.peepholes(strip.first + s, 2), c, forget, n);
    clip(most, i, n);
    clip(most, forget, 2 * n);
    activate(f, i, n);
    if (net.input_forget != 0) {
      for (std::int64_t j = 0; j < n; ++j) forget[j] = T{1} - i[j];
    } else {
      activate(f, forget, n);
    }
    activate(g, fresh, n);
    for (std::int64_t j = 0; j < n; ++j) c[j] = forget[j] * c[j] + i[j] * fresh[j];
    add_seen(strip.peepholes(strip.first + s, 1), c, o, n);
    clip(most, o, n);
    activate(f, o, n);
    std::memcpy(h, c, static_cast<std::size_t>(n) * sizeof(T));
    activate(last, h, n);
    for (std::int64_t j = 0; j < n; ++j) h[j] = o[j] * h[j];
  });
}

template <class T>
inline void load_state(const Strip<T>& strip, const Tensor* from, T* to) {
  const auto bytes = static_cast<std::size_t>(strip.net.hidden) * sizeof(T);
  for (std::int64_t s = 0; s < strip.count; ++s, to += strip.net.hidden) {
    if (from == nullptr) {
      std::memset(to, 0, bytes);
    } else {
      std::memcpy(to, Places<T>{strip.net}.state(*from, strip.first + s, strip.direction), bytes);
    }
  }
}

// The last states; those of a sequence of no length are 0, as in ONNX Runtime.
template <class T>
inline void store_state(const Strip<T>& strip, const Tensor* to, const T* from) {
  if (to == nullptr) return;
  const auto bytes = static_cast<std::size_t>(strip.net.hidden) * sizeof(T);
  for (std::int64_t s = 0; s < strip.count; ++s, from += strip.net.hidden) {
    T* place = Places<T>{strip.net}.state(*to, strip.first + s, strip.direction);
    if (strip.lengths[s] == 0 && strip.net.length > 0) {
      std::memset(place, 0, bytes);
    } else {
      std::memcpy(place, from, bytes);
    }
  }
}

// Returns the longest.
template <class T>
inline std::int64_t measure(Strip<T>& strip) {
  const Network& net = strip.net;
  const Tensor* given = given_of(strip.step, net.given, kLengths);
  std::int64_t longest = 0;
  for (std::int64_t s = 0; s < strip.count; ++s) {
    const std::int64_t at = strip.first + s;
    const std::int64_t length =
        given == nullptr ? net.length
                         : data_of<std::int32_t>(*given)[at / net.batch * row_stride(*given) + at % net.batch];
    if (!in_range(length, 0, net.length))
      fail("sequence_lens: %lld is not in [0, %lld], the steps of X", static_cast<long long>(length),
           static_cast<long long>(net.length));
    strip.lengths[s] = length;
    longest = length > longest ? length : longest;
  }
  return longest;
}

template <class T>
inline void run_strip(Strip<T>& strip) {
  const Network& net = strip.net;
  const Places<T> places{net};
  const Tensor &x = strip.step.inputs[0], *every = wanted_of(strip.step, net.wanted, kEvery);
  const bool backward = net.ways == 2 || strip.direction == 1;
  const auto in_bytes = static_cast<std::size_t>(net.in) * sizeof(T);
  const auto bytes = static_cast<std::size_t>(net.hidden) * sizeof(T);
  load_state(strip, given_of(strip.step, net.given, kInitialH), strip.h);
  if (net.gates == 4) load_state(strip, given_of(strip.step, net.given, kInitialC), strip.c);
  const std::int64_t longest = measure(strip);
  std::memset(strip.seen, 0, static_cast<std::size_t>(strip.count * net.width()) * sizeof(T));
  const auto y_at = [&](std::int64_t s, std::int64_t time) {
    return places.at(*every, strip.first + s, time, net.directions(), strip.direction, net.hidden);
  };
  for (std::int64_t t = 0; t < longest; ++t) {
    const auto time = [&](std::int64_t s) { return backward ? strip.lengths[s] - 1 - t : t; };
    for_each_going(strip, t, [&](std::int64_t s) {
      T* seen = strip.seen + s * net.width();
      std::memcpy(seen, places.at(x, strip.first + s, time(s), 1, 0, net.in), in_bytes);
      std::memcpy(seen + net.in, strip.h + s * net.hidden, bytes);
    });
    if (net.gates == 1) step_rnn(strip, t);
    if (net.gates == 3) step_gru(strip, t);
    if (net.gates == 4) step_lstm(strip, t);
    if (every == nullptr) continue;
    for_each_going(strip, t, [&](std::int64_t s) { std::memcpy(y_at(s, time(s)), strip.h + s * net.hidden, bytes); });
  }
  for (std::int64_t s = 0; every != nullptr && s < strip.count; ++s) {
    for (std::int64_t t = strip.lengths[s]; t < net.length; ++t) std::memset(y_at(s, t), 0, bytes);
  }
  store_state(strip, wanted_of(strip.step, net.wanted, kLastH), strip.h);
  store_state(strip, wanted_of(strip.step, net.wanted, kLastC), strip.c);
}

// ---- the kernel ------------------------------------------------------------------------------------------------------

inline bool weights_are_constant(const Step& step, const Network& net) {
  const Tensor* bias = given_of(step, net.given, kBias);
  return step.inputs[1].constant && step.inputs[2].constant && (bias == nullptr || bias->constant);
}

// Numbers of scratch, without weights.
inline std::int64_t room_of(const Network& net, std::int64_t sequences) {
  const std::int64_t together = sequences < kTogether ? sequences : kTogether;
  return together * (net.width() + net.columns() + 2 * net.hidden);
}

template <class T>
inline void run_sequences(const Step& step, const Network& net, std::int64_t first, std::int64_t last, const T* weights,
                          T* room) {
  for (std::int64_t d = 0; d < net.directions(); ++d, weights += packed_size<T>(net)) {
    for (std::int64_t s = first; s < last; s += kTogether) {
      const std::int64_t count = last - s < kTogether ? last - s : kTogether;
      T *gates = room + count * net.width(), *h = gates + count * net.columns(), *c = h + count * net.hidden;
      Strip<T> strip{step, net, d, s, count, weights, room, gates, h, c, {}};
      run_strip(strip);
    }
  }
}

template <class T>
inline void run_as(const Step& step, std::int64_t rows, const Context& context) {
  const Network net = network_of(step);
  if (net.batch == 0) return;
  T* room = static_cast<T*>(context.scratch);
  if (context.state != nullptr)
    return run_sequences<T>(step, net, 0, rows * net.batch, static_cast<const T*>(context.state), room);
  T* weights = room + room_of(net, net.batch);
  for (std::int64_t row = 0; row < rows; ++row) {
    pack<T>(step, net, row, weights);
    run_sequences<T>(step, net, row * net.batch, (row + 1) * net.batch, weights, room);
  }
}

void run_recurrent(const Step& step, std::int64_t rows, const Context& context) {
  with_float(step.inputs[0].dtype, [&](auto type) { run_as<typename decltype(type)::type>(step, rows, context); });
}

std::size_t scratch_recurrent(const Step& step, std::int64_t rows) {
  const Network net = network_of(step);
  std::size_t bytes = 0;
  with_float(step.inputs[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const bool ready = weights_are_constant(step, net);
    const std::int64_t weights = ready ? 0 : net.directions() * packed_size<T>(net);
    bytes = static_cast<std::size_t>(room_of(net, ready ? rows * net.batch : net.batch) + weights) * sizeof(T);
  });
  return bytes;
}

void* prepare_recurrent(const Step& step) {
  const Network net = network_of(step);
  if (!weights_are_constant(step, net)) return nullptr;
  void* memory = nullptr;
  with_float(step.inputs[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const auto bytes = static_cast<std::size_t>(net.directions() * packed_size<T>(net)) * sizeof(T);
    if (posix_memalign(&memory, 64, bytes) != 0) fail("%s: not enough memory for the weights", kName);
    pack<T>(step, net, 0, static_cast<T*>(memory));
  });
  return memory;
}

void release_recurrent(void* state) { std::free(state); }

double cost_recurrent(const Step& step) {
  const Network net = network_of(step);
  const double steps = static_cast<double>(net.length * net.batch * net.directions());
  return steps * static_cast<double>(net.columns()) * (static_cast<double>(net.width()) / 32 + 2);
}

void check_params(const Step& step) {
  require(step.n_params == kParams, kName, "has another number of params");
  for (int i = 0; i < kSizes; ++i) integer_param(step, i);
  require(real_param(step, kSizes) > 0, kName, "clips at a number that is not positive");
  for (int i = 0; i < 2 * kActivations; ++i) {
    const int at = kSizes + 1 + i * 3;
    require(in_range(integer_param(step, at), 0, static_cast<std::int64_t>(Form::count) - 1), kName,
            "an activation that is not known");
    real_param(step, at + 1);
    real_param(step, at + 2);
  }
  const Network net = network_of(step);
  require(net.gates == 1 || net.gates == 3 || net.gates == 4, kName, "has 1, 3 or 4 gates");
  require(in_range(net.ways, 1, 3) && in_range(net.given, 0, kAllGiven) && in_range(net.wanted, 1, 7), kName,
          "a param is out of range");
  require(in_range(net.length, 0, kLargestSize) && in_range(net.batch, 0, kLargestSize) &&
              in_range(net.in, 0, kLargestSize) && in_range(net.hidden, 1, kLargestSize),
          kName, "a size is out of range");
  const std::int64_t of_lstm = kInitialC | kPeepholes;
  require(net.gates == 4 || ((net.given & of_lstm) == 0 && (net.wanted & kLastC) == 0), kName,
          "only an LSTM has a cell state");
}

void check_fits(const Step& step, const Network& net) {
  const std::int64_t d = net.directions(), n = net.hidden;
  const auto fits = [&](const Tensor* t, std::int64_t a, std::int64_t b, std::int64_t c, const char* what) {
    if (t != nullptr) require(covers(a, b, c, t->width), kName, what);
  };
  fits(&step.inputs[0], net.length, net.batch, net.in, "params do not fit x");
  fits(&step.inputs[1], d * net.gates, n, net.in, "params do not fit w");
  fits(&step.inputs[2], d * net.gates, n, n, "params do not fit r");
  fits(given_of(step, net.given, kBias), d * 2, net.gates, n, "params do not fit the bias");
  fits(given_of(step, net.given, kLengths), 1, 1, net.batch, "params do not fit the lengths");
  fits(given_of(step, net.given, kInitialH), d, net.batch, n, "params do not fit the initial h");
  fits(given_of(step, net.given, kInitialC), d, net.batch, n, "params do not fit the initial c");
  fits(given_of(step, net.given, kPeepholes), d, 3, n, "params do not fit the peepholes");
  fits(wanted_of(step, net.wanted, kEvery), net.length * d, net.batch, n, "params do not fit Y");
  fits(wanted_of(step, net.wanted, kLastH), d, net.batch, n, "params do not fit Y_h");
  fits(wanted_of(step, net.wanted, kLastC), d, net.batch, n, "params do not fit Y_c");
}

void check_recurrent(const Step& step) {
  check_params(step);
  const Network net = network_of(step);
  require(step.n_inputs == 3 + bits_in(net.given) && step.n_outputs == bits_in(net.wanted), kName,
          "has another number of inputs or outputs");
  require_row_output(step, kName);
  require(!step.inputs[0].constant && is_float(step.inputs[0].dtype), kName, "x are rows of float32 or float64");
  const Tensor* lengths = given_of(step, net.given, kLengths);
  for (int i = 0; i < step.n_inputs; ++i) {
    const DType expected = &step.inputs[i] == lengths ? DType::i32 : step.inputs[0].dtype;
    require(step.inputs[i].dtype == expected, kName, "an input is of another type");
  }
  for (int i = 0; i < step.n_outputs; ++i) {
    require(step.outputs[i].dtype == step.inputs[0].dtype, kName, "an output is of another type");
  }
  check_fits(step, net);
}

SARDONYX_KERNEL("Recurrent", {.check = check_recurrent,
                              .run = run_recurrent,
                              .scratch = scratch_recurrent,
                              .prepare = prepare_recurrent,
                              .release = release_recurrent,
                              .cost = cost_recurrent});

}  // namespace
}  // namespace sardonyx
