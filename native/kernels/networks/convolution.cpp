// Conv: y[m, o] = bias[m] + sum over c, k of w[m, c, k] * x[c, o * stride + k * dilation - before], float32 or float64.
//
// Lanes run over windows that lie side by side; a tile is a few filters times a few vectors of windows. What the
// windows see of one weight, a tap, stands at one distance from where they begin, so that nothing is gathered:
//
//   x, padded       window o sees, of tap k, o + offset[k]             strides: the copy is taken apart by phases,
//   ┌───────────┐                                                       and what a tap sees is contiguous again
//   │ 0 0 0 0 0 │     one line per row of windows                       x0 x1 x2 x3 x4 x5  ──▶  x0 x2 x4 │ x1 x3 x5
//   │ 0 a b c 0 │     o ▶▶▶▶▶▶▶▶ ▶▶▶▶▶▶▶▶ ..▶▶▶▶▶▶
//   │ 0 d e f 0 │                      the last vector of a line reaches back over windows that were computed
//   └───────────┘                      already: nothing is read or written beyond
//
// Short lines fill few lanes: windows of several rows are one line then, with those between two rows, which are none,
// left out when they are written. x is copied only if it is padded or taken apart.
// (In the manner of A. Anderson, A. Vasudevan, C. Keane, D. Gregg, "Low-memory GEMM-based convolution algorithms for
// deep neural networks", 2017.)
//
// Params [batch, channels, filters, groups, windows of three axes (windows.h), 1 if negative results become 0, else 0].
// Weights are a constant (filters, channels / groups, kernel); so is the bias, if it is given. Products and sums are
// fused where the instruction set has it, and are in one order for every window.
#include <cstring>

#include "kernels/linear/panels.h"
#include "kernels/memory.h"
#include "kernels/networks/convolution_lines.h"

namespace sardonyx {
namespace {

constexpr const char* kName = "Conv";
constexpr int kFirstWindow = 4, kRelu = kFirstWindow + kWindowParams, kParams = kRelu + 1;
constexpr int kFilters = 4;                    // of a tile
constexpr std::int64_t kSeenAtOnce = 1 << 18;  // bytes of x that go with all filters before the next ones

// ---- what a step says -----------------------------------------------------------------------------------------------

struct Network {
  std::int64_t batch, channels, filters, groups;
  Windows windows;

  std::int64_t channels_of_group() const { return channels / groups; }
  std::int64_t filters_of_group() const { return filters / groups; }
  std::int64_t taps() const { return channels_of_group() * windows.kernel(); }
};

inline Network network_of(const Step& step) {
  const Param* p = step.params;
  return {p[0].i, p[1].i, p[2].i, p[3].i, windows_of(step, kFirstWindow)};
}

// ---- prepared once --------------------------------------------------------------------------------------------------

// Where a vector of windows begins, and where its results go.
struct Place {
  std::int64_t from, to;
};

template <class T>
struct Prepared {
  Layout layout;
  std::int64_t vectors;
  std::int64_t* taps;  // offsets
  Place* places;
  T *weights, *bias;  // of a tile's filters, tap by tap; one number a filter
};

template <class T>
inline void list_taps(const Network& net, const Layout& layout, std::int64_t* to) {
  const Window* w = net.windows.axes;
  for (std::int64_t c = 0; c < net.channels_of_group(); ++c) {
    for (std::int64_t k = 0; k < net.windows.kernel(); ++k) {
      const std::int64_t at[kAxes] = {k / (w[2].kernel * w[1].kernel), k / w[2].kernel % w[1].kernel, k % w[2].kernel};
      std::int64_t phase = 0, place = 0;
      for (int a = 0; a < kAxes; ++a) {
        const std::int64_t reach = at[a] * w[a].dilation, stride = layout.copied ? w[a].stride : 1;
        phase = phase * layout.phases[a] + reach % stride;
        place = place * layout.length[a] + reach / stride;
      }
      *to++ = c * layout.channel + phase * layout.part() + place;
    }
  }
}

template <class T>
inline void list_places(const Network& net, const Layout& layout, Place* to) {
  constexpr std::int64_t V = kLanes<T>;
  const Window* w = net.windows.axes;
  for (std::int64_t i = 0; i < layout.lines; ++i) {
    const std::int64_t o0 = layout.joined == 1 ? i / w[1].count : i, o1 = layout.joined == 1 ? i % w[1].count : 0;
    const std::int64_t from = (o0 * layout.length[1] + o1) * layout.length[2], to_line = i * layout.line;
    for (std::int64_t j = 0; j < layout.line; j += V) {
      const std::int64_t at = j + V <= layout.line || j == 0 ? j : layout.line - V;
      *to++ = {from + at, to_line + at};
    }
  }
}

template <class T>
inline void pack_weights(const Network& net, const T* w, T* to) {
  const std::int64_t taps = net.taps(), filters = net.filters_of_group();
  for (std::int64_t g = 0; g < net.groups; ++g) {
    for (std::int64_t m = 0; m < filters; m += kFilters) {
      const std::int64_t count = filters - m < kFilters ? filters - m : kFilters;
      for (std::int64_t k = 0; k < taps; ++k) {
        for (std::int64_t r = 0; r < count; ++r) *to++ = w[(g * filters + m + r) * taps + k];
      }
    }
  }
}

template <class T>
inline void* prepare_as(const Step& step) {
  const Network net = network_of(step);
  const Layout layout = layout_of(net.windows, kLanes<T>);
  const std::int64_t vectors = vectors_of(layout, kLanes<T>), weights = net.filters * net.taps();
  const auto bytes = [](std::int64_t n, std::size_t size) { return whole_lines(static_cast<std::size_t>(n) * size); };
  const std::size_t of_taps = bytes(net.taps(), sizeof(std::int64_t)), of_places = bytes(vectors, sizeof(Place)),
                    of_weights = bytes(weights, sizeof(T)), of_bias = bytes(net.filters, sizeof(T));
  auto* p = allocate_state<Prepared<T>>(of_taps + of_places + of_weights + of_bias, kName, "the weights");
  auto* at = arrays_of(p);
  *p = {layout,
        vectors,
        reinterpret_cast<std::int64_t*>(at),
        reinterpret_cast<Place*>(at + of_taps),
        reinterpret_cast<T*>(at + of_taps + of_places),
        reinterpret_cast<T*>(at + of_taps + of_places + of_weights)};
  list_taps<T>(net, layout, p->taps);
  list_places<T>(net, layout, p->places);
  pack_weights(net, data_of<T>(step.inputs[1]), p->weights);
  const T* bias = step.n_inputs == 3 ? data_of<T>(step.inputs[2]) : nullptr;
  for (std::int64_t m = 0; m < net.filters; ++m) p->bias[m] = bias == nullptr ? T{0} : bias[m];
  return p;
}

// ---- tiles ----------------------------------------------------------------------------------------------------------

template <class T>
struct Block {  // up to kFilters filters
  std::int64_t taps, plane, valid;
  const std::int64_t* offsets;
  const T *x, *w, *bias;
  T* y;  // of the first filter; the next ones are a plane apart
  T floor;
};

// A function of its own, which has all registers for itself.
template <class T, int R, int N>
[[gnu::noinline]] void tile(const Block<T>& block, const Place* places) {
  const T* from[N];
  for (int c = 0; c < N; ++c) from[c] = block.x + places[c].from;
  Vector<T> sums[R][N];
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < N; ++c) sums[r][c] = broadcast(block.bias[r]);
  }
  const T* w = block.w;
  for (const std::int64_t *tap = block.offsets, *end = tap + block.taps; tap != end; ++tap, w += R) {
    Vector<T> seen[N];
    for (int c = 0; c < N; ++c) seen[c] = load(from[c] + *tap);
    for (int r = 0; r < R; ++r) {
      const Vector<T> weight = broadcast(w[r]);
      for (int c = 0; c < N; ++c) sums[r][c] = multiply_add(weight, seen[c], sums[r][c]);
    }
  }
  const Vector<T> floor = broadcast(block.floor);
  const bool whole = block.valid >= kLanes<T>;
  for (int c = 0; c < N; ++c) {
    T* y = block.y + places[c].to;
    for (int r = 0; r < R; ++r, y += block.plane) {
      const Vector<T> result = sums[r][c] <= floor ? floor : sums[r][c];
      if (whole) {
        store(y, result);
      } else {
        store_some(y, result, block.valid);
      }
    }
  }
}

template <class T, int R>
inline void tiles(const Block<T>& block, const Place* places, std::int64_t n) {
  constexpr int N = R >= 3 ? 3 : 4;
  while (n >= N && n != N + 1) {  // N + 1 are two halves
    tile<T, R, N>(block, places);
    places += N, n -= N;
  }
  for (; n >= 2; places += 2, n -= 2) tile<T, R, 2>(block, places);
  if (n > 0) tile<T, R, 1>(block, places);
}

template <class T>
inline void run_block(const Block<T>& block, std::int64_t filters, const Place* places, std::int64_t n) {
  switch (filters) {
    case 1: return tiles<T, 1>(block, places, n);
    case 2: return tiles<T, 2>(block, places, n);
    case 3: return tiles<T, 3>(block, places, n);
    default: return tiles<T, kFilters>(block, places, n);
  }
}

// Of lines that run over several rows of windows, the rows. A vector that reaches beyond a row is written over by the
// next.
template <class T>
inline void write_rows(const T* from, const Windows& windows, const Layout& layout, T* y) {
  constexpr std::int64_t V = kLanes<T>;
  const Window* w = windows.axes;
  const std::int64_t n = w[2].count, row = layout.length[2];
  const T* const end = y + windows.count();
  for (std::int64_t o0 = 0; o0 < w[0].count; ++o0) {
    const T* line = from + (layout.joined == 2 ? o0 * layout.line : o0 * layout.length[1] * row);
    for (std::int64_t o1 = 0; o1 < w[1].count; ++o1, line += row, y += n) {
      std::int64_t j = 0;
      for (; j < n && y + j + V <= end; j += V) store(y + j, load(line + j));
      for (; j < n; ++j) y[j] = line[j];
    }
  }
}

// ---- the kernel -----------------------------------------------------------------------------------------------------

// Numbers of scratch: the copy of an image; what a vector reads, or write_rows(), beyond; lines of a tile.
template <class T>
inline std::int64_t copied_size(const Network& net, const Layout& layout) {
  return layout.copied ? net.channels * layout.channel + kLanes<T> : 0;
}

template <class T>
inline std::int64_t lines_size(const Layout& layout) {
  return layout.wide ? layout.lines * layout.line + kLanes<T> : 0;
}

// Vectors of windows that go with all filters before the next ones.
template <class T>
inline std::int64_t vectors_at_once(const Network& net, const Prepared<T>& p) {
  const std::int64_t seen = net.channels_of_group() * static_cast<std::int64_t>(sizeof(Vector<T>));
  return p.layout.wide ? p.vectors : 12 * (kSeenAtOnce / 12 / seen + 1);
}

// Filters of a group, from a tile's first one on; `block` is of the group. There may be many groups of one filter.
template <class T>
[[gnu::always_inline]] inline void run_filters(const Network& net, const Prepared<T>& p, Block<T> block,
                                               std::int64_t first, std::int64_t last, std::int64_t most,
                                               std::int64_t plane, T* lines, T* y) {
  const Layout& layout = p.layout;
  const T *w = block.w + first * block.taps, *bias = block.bias + first;
  for (std::int64_t v = 0; v < p.vectors; v += most) {
    block.w = w, block.bias = bias;
    for (std::int64_t m = first; m < last; m += kFilters) {
      const std::int64_t count = last - m < kFilters ? last - m : kFilters;
      block.y = layout.wide ? lines : y + m * plane;
      run_block(block, count, p.places + v, p.vectors - v < most ? p.vectors - v : most);
      for (std::int64_t r = 0; layout.wide && r < count; ++r)
        write_rows(lines + r * block.plane, net.windows, layout, y + (m + r) * plane);
      block.w += count * block.taps, block.bias += count;
    }
  }
}

// Some groups of an image; of a single one, some filters.
struct Share {
  std::int64_t first_group, last_group, first_filter, last_filter;
  bool copied;  // the copy of the image is there
};

template <class T>
inline void run_image(const Step& step, const Context& context, const T* x, const Share& share, T* y) {
  const Network net = network_of(step);
  const auto& p = *static_cast<const Prepared<T>*>(context.state);
  const std::int64_t filters = net.filters_of_group(), channels = net.channels_of_group(), plane = net.windows.count();
  const T floor = step.params[kRelu].i != 0 ? T{0} : -static_cast<T>(__builtin_inf());
  const std::int64_t valid = p.layout.line < kLanes<T> ? p.layout.line : kLanes<T>;
  T *copy = static_cast<T*>(context.scratch), *lines = copy + copied_size<T>(net, p.layout);
  if (p.layout.copied && !share.copied)
    copy_image(x, net.windows, p.layout, share.first_group * channels, share.last_group * channels, copy);
  const T* const seen = p.layout.copied ? copy : x;
  const std::int64_t group = channels * (p.layout.copied ? p.layout.channel : net.windows.volume());
  const std::int64_t most = vectors_at_once(net, p), taps = net.taps(), at = share.first_group * filters;
  const std::int64_t between = p.layout.wide ? lines_size<T>(p.layout) : plane;
  Block<T> block{taps,        between, valid, p.taps, seen + share.first_group * group, p.weights + at * taps,
                 p.bias + at, nullptr, floor};
  y += at * plane;
  for (std::int64_t g = share.first_group; g < share.last_group; ++g, y += filters * plane) {
    run_filters(net, p, block, share.first_filter, share.last_filter, most, plane, lines, y);
    block.x += group, block.w += filters * taps, block.bias += filters;
  }
}

template <class T>
inline void run_as(const Step& step, std::int64_t rows, const Context& context) {
  const Network net = network_of(step);
  const Share all{0, net.groups, 0, net.filters_of_group(), false};
  const std::int64_t from = net.channels * net.windows.volume(), to = net.filters * net.windows.count();
  for (std::int64_t i = 0; i < rows * net.batch; ++i)
    run_image(step, context, data_of<T>(step.inputs[0]) + i * from, all, data_of<T>(step.outputs[0]) + i * to);
}

// Groups, or tiles of the filters of a single one: those of a group share a copy.
std::int64_t pieces_of_conv(const Step& step) {
  const Network net = network_of(step);
  if (net.batch > 1) return 1;
  return net.groups > 1 ? net.groups : (net.filters + kFilters - 1) / kFilters;
}

void run_pieces_of_conv(const Step& step, const Context& context, const Pieces& pieces) {
  const Network net = network_of(step);
  Share share{pieces.first, pieces.last, 0, net.filters_of_group(), false};
  if (net.groups == 1) {
    const std::int64_t last = pieces.last * kFilters;
    share = {0, 1, pieces.first * kFilters, last < net.filters ? last : net.filters, pieces.again};
  }
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    run_image(step, context, data_of<const T>(step.inputs[0]), share, data_of<T>(step.outputs[0]));
  });
}

void run_conv(const Step& step, std::int64_t rows, const Context& context) {
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) { run_as<T>(step, rows, context); });
}

std::size_t scratch_conv(const Step& step, std::int64_t) {
  const Network net = network_of(step);
  std::size_t bytes = 0;
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    const Layout layout = layout_of(net.windows, kLanes<T>);
    bytes = static_cast<std::size_t>(copied_size<T>(net, layout) + kFilters * lines_size<T>(layout)) * sizeof(T);
  });
  return bytes;
}

void* prepare_conv(const Step& step) {
  return step.inputs[0].dtype == DType::f32 ? prepare_as<float>(step) : prepare_as<double>(step);
}

double cost_conv(const Step& step) {
  const Network net = network_of(step);
  const double products =
      static_cast<double>(net.batch * net.filters * net.windows.count()) * static_cast<double>(net.taps());
  return products * static_cast<double>(item_size(step.inputs[0].dtype)) / 160;
}

void check_conv(const Step& step) {
  require(step.n_inputs == 2 || step.n_inputs == 3, kName, "takes x, weights and perhaps a bias");
  require_counts(step, kName, step.n_inputs, 1, kParams);
  require_row_output(step, kName);
  const Tensor &x = step.inputs[0], &w = step.inputs[1], &y = step.outputs[0];
  require(!x.constant && is_float(x.dtype) && y.dtype == x.dtype, kName, "x and y are rows of float32 or float64");
  for (int i = 1; i < step.n_inputs; ++i)
    require(step.inputs[i].constant && step.inputs[i].dtype == x.dtype, kName, "weights are constants of x's type");
  for (int i = 0; i < kFirstWindow; ++i)
    require(in_range(step.params[i].i, 1, kMostAlong), kName,
            "a number of channels, filters or groups is out of range");
  require(in_range(step.params[kRelu].i, 0, 1), kName, "the last param is neither 0 nor 1");
  check_windows(step, kFirstWindow, kName);
  const Network net = network_of(step);
  require(net.channels % net.groups == 0 && net.filters % net.groups == 0, kName, "groups do not divide");
  require(covers(net.batch, net.channels, net.windows.volume(), x.width), kName, "params do not fit x");
  require(covers(net.batch, net.filters, net.windows.count(), y.width), kName, "params do not fit y");
  require(covers(net.filters, net.channels_of_group(), net.windows.kernel(), w.width), kName,
          "params do not fit the weights");
  require(step.n_inputs == 2 || step.inputs[2].width == net.filters, kName, "the bias does not fit");
}

SARDONYX_KERNEL("Conv", {.check = check_conv,
                         .run = run_conv,
                         .scratch = scratch_conv,
                         .prepare = prepare_conv,
                         .release = release_memory,
                         .cost = cost_conv,
                         .pieces = pieces_of_conv,
                         .run_pieces = run_pieces_of_conv});

}  // namespace
}  // namespace sardonyx
