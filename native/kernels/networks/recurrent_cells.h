// The cells of Recurrent (recurrent.cpp): one step of time for some sequences.
//
//    LSTM  i o f c     c' = f c + i g(c)              h' = o h(c')
//    GRU   z r h       h' = (1 - z) g(h) + z h        the h gate sees r h, or r (h R + bias) (linear_before_reset)
//    RNN   h           h' = f(h)
#pragma once

#include "kernels/networks/recurrent_weights.h"

namespace sardonyx {
namespace {

constexpr std::int64_t kTogether = 32;

template <class T>
struct Strip {
  const Step& step;
  const Network& net;
  std::int64_t direction, first, count;  // sequences
  const T* weights;                      // packed, of this direction
  T *seen, *of_x;                        // x of some steps of time, and what W makes of it
  T *gates, *h, *c, *reset;              // columns, states, and r h, of every sequence
  const T* now;                          // of of_x, this step's
  std::int64_t lengths[kTogether];

  static constexpr T kLeast = -static_cast<T>(kInfinity);

  const T* peepholes(std::int64_t s, int which) const {
    const Tensor* p = given_of(step, net.given, kPeepholes);
    if (p == nullptr) return nullptr;
    return data_of<T>(*p) + s / net.batch * row_stride(*p) + (direction * 3 + which) * net.hidden;
  }

  // What W makes of x at `rows` places, for all gates.
  void multiply_x(std::int64_t rows) {
    const std::int64_t all = net.inner();
    const T* bias = weights + round_up(all, kLanes<T>) * net.in;
    multiply<T>({net.in, all, all, net.in, weights, bias, kLeast, 0}, seen, rows, of_x);
  }

  // A product with R, of h or of r h; on top of what W made of x at this time, or of its own bias.
  void multiply_h(int which, const T* from) {
    const Products products = products_of(net);
    const T* r = weights + packed_size<T>(net.in, net.inner());
    for (int i = 0; i < which; ++i) r += packed_size<T>(net.hidden, products.items[i].columns);
    const Product& p = products.items[which];
    const T* bias = p.own_bias ? r + round_up(p.columns, kLanes<T>) * net.hidden : now + p.gate * net.hidden;
    const std::int64_t next = p.own_bias ? 0 : net.inner();
    multiply<T>({net.hidden, net.columns(), p.columns, net.hidden, r, bias, kLeast, next}, from, count, gates + p.to);
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
  strip.multiply_h(0, strip.h);
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
  strip.multiply_h(0, strip.h);
  for_each_going(strip, t, [&](std::int64_t s) {
    T *z = strip.gates + s * net.columns(), *r = z + n, *h = strip.h + s * n;
    clip(static_cast<T>(net.clip), z, 2 * n);
    activate(f, z, 2 * n);
    T* reset = strip.reset + s * n;
    for (std::int64_t i = 0; i < n; ++i) reset[i] = r[i] * h[i];
  });
  strip.multiply_h(1, linear ? strip.h : strip.reset);
  for_each_going(strip, t, [&](std::int64_t s) {
    T *z = strip.gates + s * net.columns(), *r = z + n, *fresh = r + n, *h = strip.h + s * n;
    if (linear) {
      const T* of_x = strip.now + s * net.inner() + 2 * n;
      for (std::int64_t i = 0; i < n; ++i) fresh[i] = of_x[i] + r[i] * fresh[n + i];
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
  strip.multiply_h(0, strip.h);
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

}  // namespace
}  // namespace sardonyx
