// Recurrent: RNN, GRU and LSTM of ai.onnx over whole sequences, float32 or float64.
//
//    x[t], x[t+1] ... ─▶ x W + bias ─▶ ┌─────┐     gates      ┌──────┐
//       (recurrent_weights.h)          │ n H │ ─ activations ▶ │ cell │ ─▶ h, c ─▶ Y[t]
//      h ─────────────────▶ + h R ────▶ └─────┘                └──────┘       │
//        ▲───────────────────────────────────────── (recurrent_cells.h) ───── ┘  the last ones: Y_h, Y_c
//
// (S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", 1997, with the peepholes of F. Gers and J. Schmidhuber,
// 2000; K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014.) Up to kTogether sequences go
// through time together, whether they are rows or stand in one (`batch`): weights are read once for all of them. Of
// fewer ones, W meets several steps of time at once. A sequence is computed in the same order whatever others are with
// it.
//
// Inputs x, w, r, then those of bias, lengths, initial h, initial c, peepholes that `given` names, in this order.
// Outputs those of Y, Y_h, Y_c that `wanted` names. Params: see Network; then clip, and for both directions and up to
// three activations [code, alpha, beta]. Weights that are no constants are laid out anew for each row.
#include <cstring>

#include "kernels/memory.h"
#include "kernels/networks/recurrent_cells.h"

namespace sardonyx {
namespace {

constexpr const char* kName = "Recurrent";
constexpr std::int64_t kLargestSize = std::int64_t{1} << 24;

// ---- sequences ------------------------------------------------------------------------------------------------------

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

// Steps of time whose x meet W together.
inline std::int64_t steps_at_once(std::int64_t sequences) { return kTogether / sequences; }

// The way through time: step t of a sequence is its x[t], or, backward, the t-th before its end.
template <class T>
inline std::int64_t time_of(const Strip<T>& strip, std::int64_t s, std::int64_t t) {
  const bool backward = strip.net.ways == 2 || strip.direction == 1;
  return backward ? strip.lengths[s] - 1 - t : t;
}

// What W makes of x in the steps [first, last).
template <class T>
inline void see(Strip<T>& strip, std::int64_t first, std::int64_t last) {
  const Network& net = strip.net;
  const Places<T> places{net};
  const auto bytes = static_cast<std::size_t>(net.in) * sizeof(T);
  T* seen = strip.seen;
  for (std::int64_t t = first; t < last; ++t, seen += strip.count * net.in) {
    for_each_going(strip, t, [&](std::int64_t s) {
      const T* x = places.at(strip.step.inputs[0], strip.first + s, time_of(strip, s, t), 1, 0, net.in);
      std::memcpy(seen + s * net.in, x, bytes);
    });
  }
  strip.multiply_x((last - first) * strip.count);
}

template <class T>
inline void step_cell(Strip<T>& strip, std::int64_t t) {
  if (strip.net.gates == 1) step_rnn(strip, t);
  if (strip.net.gates == 3) step_gru(strip, t);
  if (strip.net.gates == 4) step_lstm(strip, t);
}

// Where Y has sequence s at some time.
template <class T>
inline T* y_at(const Strip<T>& strip, const Tensor& y, std::int64_t s, std::int64_t time) {
  const Network& net = strip.net;
  return Places<T>{net}.at(y, strip.first + s, time, net.directions(), strip.direction, net.hidden);
}

template <class T>
inline void run_strip(Strip<T>& strip) {
  const Network& net = strip.net;
  const Tensor* every = wanted_of(strip.step, net.wanted, kEvery);
  const auto bytes = static_cast<std::size_t>(net.hidden) * sizeof(T);
  load_state(strip, given_of(strip.step, net.given, kInitialH), strip.h);
  if (net.gates == 4) load_state(strip, given_of(strip.step, net.given, kInitialC), strip.c);
  const std::int64_t longest = measure(strip), steps = steps_at_once(strip.count);
  std::memset(strip.seen, 0, static_cast<std::size_t>(steps * strip.count * net.in) * sizeof(T));
  for (std::int64_t t = 0; t < longest; ++t) {
    if (t % steps == 0) see(strip, t, longest - t < steps ? longest : t + steps);
    strip.now = strip.of_x + t % steps * strip.count * net.inner();
    step_cell(strip, t);
    if (every == nullptr) continue;
    for_each_going(strip, t, [&](std::int64_t s) {
      std::memcpy(y_at(strip, *every, s, time_of(strip, s, t)), strip.h + s * net.hidden, bytes);
    });
  }
  for (std::int64_t s = 0; every != nullptr && s < strip.count; ++s) {
    for (std::int64_t t = strip.lengths[s]; t < net.length; ++t) std::memset(y_at(strip, *every, s, t), 0, bytes);
  }
  store_state(strip, wanted_of(strip.step, net.wanted, kLastH), strip.h);
  store_state(strip, wanted_of(strip.step, net.wanted, kLastC), strip.c);
}

// ---- the kernel -----------------------------------------------------------------------------------------------------

inline bool weights_are_constant(const Step& step, const Network& net) {
  const Tensor* bias = given_of(step, net.given, kBias);
  return step.inputs[1].constant && step.inputs[2].constant && (bias == nullptr || bias->constant);
}

// Numbers of scratch, without weights.
template <class T>
inline std::int64_t room_of(const Network& net, std::int64_t sequences) {
  const std::int64_t together = sequences < kTogether ? sequences : kTogether;
  return kTogether * (net.in + net.inner()) + kLanes<T> + together * (net.columns() + 3 * net.hidden);
}

template <class T>
inline void run_sequences(const Step& step, const Network& net, std::int64_t first, std::int64_t last, const T* weights,
                          T* room) {
  for (std::int64_t d = 0; d < net.directions(); ++d, weights += packed_size<T>(net)) {
    for (std::int64_t s = first; s < last; s += kTogether) {
      const std::int64_t count = last - s < kTogether ? last - s : kTogether;
      T *of_x = room + kTogether * net.in, *gates = of_x + kTogether * net.inner() + kLanes<T>;
      T *h = gates + count * net.columns(), *c = h + count * net.hidden, *reset = c + count * net.hidden;
      Strip<T> strip{step, net, d, s, count, weights, room, of_x, gates, h, c, reset, nullptr, {}};
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
  T* weights = room + room_of<T>(net, net.batch);
  for (std::int64_t row = 0; row < rows; ++row) {
    pack<T>(step, net, row, weights);
    run_sequences<T>(step, net, row * net.batch, (row + 1) * net.batch, weights, room);
  }
}

void run_recurrent(const Step& step, std::int64_t rows, const Context& context) {
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) { run_as<T>(step, rows, context); });
}

std::size_t scratch_recurrent(const Step& step, std::int64_t rows) {
  const Network net = network_of(step);
  std::size_t bytes = 0;
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    const bool ready = weights_are_constant(step, net);
    const std::int64_t weights = ready ? 0 : net.directions() * packed_size<T>(net);
    bytes = static_cast<std::size_t>(room_of<T>(net, ready ? rows * net.batch : net.batch) + weights) * sizeof(T);
  });
  return bytes;
}

void* prepare_recurrent(const Step& step) {
  const Network net = network_of(step);
  if (!weights_are_constant(step, net)) return nullptr;
  void* memory = nullptr;
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    const auto bytes = static_cast<std::size_t>(net.directions() * packed_size<T>(net)) * sizeof(T);
    memory = allocate_zeroed(bytes, kName, "the weights");
    pack<T>(step, net, 0, static_cast<T*>(memory));
  });
  return memory;
}

double cost_recurrent(const Step& step) {
  const Network net = network_of(step);
  const double steps = static_cast<double>(net.length * net.batch * net.directions());
  return steps * static_cast<double>(net.columns()) * (static_cast<double>(net.in + net.hidden) / 32 + 2);
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
                              .release = release_memory,
                              .cost = cost_recurrent});

}  // namespace
}  // namespace sardonyx
