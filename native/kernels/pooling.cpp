// Pool: the largest, or the mean, of what each window of a channel sees, float32 or float64.
//
//   x, a channel                one line a row of windows            y, one row
//   . . . . . .   ─┐
//   . . . . . .    ├─▶ the largest, or sums, column by column ─▶ of what windows see of the line
//   . . . . . .   ─┘    (what is outside of x is passed over)
//
// Params [channels of all images in a row, 0 for the largest or 1 for the mean, windows of three axes (windows.h)].
// Means take a second input, a constant: by how many elements the sum of each window is divided. Of NaN among others the
// largest is NaN.
#include "windows.h"

namespace sardonyx {
namespace {

constexpr const char* kName = "Pool";
constexpr int kFirstWindow = 2, kParams = kFirstWindow + kWindowParams;

struct Largest {
  static constexpr double kNothing = -__builtin_inf();
  template <class T>  // a number or a vector
  static T of(T a, T b) {
    return (b > a) | (b != b) ? b : a;
  }
};

struct Sum {
  static constexpr double kNothing = 0;
  template <class T>
  static T of(T a, T b) {
    return a + b;
  }
};

// Numbers of a line: what all windows of a row see.
inline std::int64_t line_of(const Window& w) { return (w.count - 1) * w.stride + w.reach() + 1; }

// x of up to n columns onto the line, from its place `before` on.
template <class Op, class T>
inline void add_row(const T* x, const Window& w, bool first, T* __restrict line) {
  const std::int64_t room = line_of(w) - w.before, n = w.size < room ? w.size : room;
  T* to = line + w.before;
  if (first) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = x[i];
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i] = Op::of(to[i], x[i]);
  }
}

// Rows that windows (o0, o1) see; returns whether there is any.
template <class Op, class T>
inline bool fill_line(const T* x, const Windows& windows, std::int64_t o0, std::int64_t o1, T* line) {
  const Window* w = windows.axes;
  bool first = true;
  for (std::int64_t k0 = 0; k0 < w[0].kernel; ++k0) {
    const std::int64_t i0 = o0 * w[0].stride + k0 * w[0].dilation - w[0].before;
    if (!in_range(i0, 0, w[0].size - 1)) continue;
    for (std::int64_t k1 = 0; k1 < w[1].kernel; ++k1) {
      const std::int64_t i1 = o1 * w[1].stride + k1 * w[1].dilation - w[1].before;
      if (!in_range(i1, 0, w[1].size - 1)) continue;
      add_row<Op>(x + (i0 * w[1].size + i1) * w[2].size, w[2], first, line);
      first = false;
    }
  }
  return !first;
}

// What the windows of a row see of the line.
template <class Op, class T>
inline void pool_line(const T* line, const Window& w, T* y) {
  const std::int64_t kernel = w.kernel, stride = w.stride, dilation = w.dilation;
  const auto many = [=](std::int64_t i) {
    Vector<T> seen = load_apart(line + i * stride, stride);
    for (std::int64_t k = 1; k < kernel; ++k)
      seen = Op::of(seen, load_apart(line + i * stride + k * dilation, stride));
    return seen;
  };
  const auto one = [=](std::int64_t i) {
    T seen = line[i * stride];
    for (std::int64_t k = 1; k < kernel; ++k) seen = Op::of(seen, line[i * stride + k * dilation]);
    return seen;
  };
  fill(w.count, y, many, one);
}

template <class Op, class T>
inline void pool_plane(const T* x, const Windows& windows, T* line, T* y) {
  const Window* w = windows.axes;
  for (std::int64_t o0 = 0; o0 < w[0].count; ++o0) {
    for (std::int64_t o1 = 0; o1 < w[1].count; ++o1, y += w[2].count) {
      if (!fill_line<Op>(x, windows, o0, o1, line)) {
        for (std::int64_t i = 0; i < w[2].count; ++i) y[i] = static_cast<T>(Op::kNothing);
        continue;
      }
      pool_line<Op>(line, w[2], y);
    }
  }
}

template <class Op, class T>
inline void pool(const Step& step, std::int64_t rows, T* line) {
  const Windows windows = windows_of(step, kFirstWindow);
  const std::int64_t volume = windows.volume(), count = windows.count();
  const T* x = data_of<T>(step.inputs[0]);
  T* y = data_of<T>(step.outputs[0]);
  for (std::int64_t i = 0; i < line_of(windows.axes[2]); ++i) line[i] = static_cast<T>(Op::kNothing);
  for (std::int64_t i = 0; i < rows * step.params[0].i; ++i, x += volume, y += count) {
    pool_plane<Op>(x, windows, line, y);
    if constexpr (std::is_same_v<Op, Sum>) {
      const T* divisors = data_of<T>(step.inputs[1]);
      for (std::int64_t j = 0; j < count; ++j) y[j] /= divisors[j];
    }
  }
}

void run_pool(const Step& step, std::int64_t rows, const Context& context) {
  with_float(step.inputs[0].dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    T* line = static_cast<T*>(context.scratch);
    return step.params[1].i == 0 ? pool<Largest>(step, rows, line) : pool<Sum>(step, rows, line);
  });
}

std::size_t scratch_pool(const Step& step, std::int64_t) {
  return static_cast<std::size_t>(line_of(windows_of(step, kFirstWindow).axes[2])) * item_size(step.inputs[0].dtype);
}

double cost_pool(const Step& step) {
  const Windows windows = windows_of(step, kFirstWindow);
  return static_cast<double>(step.outputs[0].width) * static_cast<double>(windows.kernel()) / 4;
}

void check_pool(const Step& step) {
  require(step.n_params == kParams, kName, "has another number of params");
  for (int i = 0; i < kParams; ++i) integer_param(step, i);
  const bool mean = step.params[1].i == 1;
  require(mean || step.params[1].i == 0, kName, "is of the largest or of means");
  require_counts(step, kName, mean ? 2 : 1, 1, kParams);
  require_row_output(step, kName);
  const Tensor &x = step.inputs[0], &y = step.outputs[0];
  require(!x.constant && is_float(x.dtype) && y.dtype == x.dtype, kName, "x and y are rows of float32 or float64");
  check_windows(step, kFirstWindow, kName);
  const Windows windows = windows_of(step, kFirstWindow);
  require(in_range(step.params[0].i, 1, kLargest), kName, "a number of channels is out of range");
  require(covers(1, step.params[0].i, windows.volume(), x.width), kName, "params do not fit x");
  require(covers(1, step.params[0].i, windows.count(), y.width), kName, "params do not fit y");
  if (!mean) return;
  const Tensor& divisors = step.inputs[1];
  require(divisors.constant && divisors.dtype == x.dtype && divisors.width == windows.count(), kName,
          "divisors do not fit");
}

SARDONYX_KERNEL("Pool", {.check = check_pool, .run = run_pool, .scratch = scratch_pool, .cost = cost_pool});

}  // namespace
}  // namespace sardonyx
