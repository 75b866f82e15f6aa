// Pool: the largest, or the mean, of what each window of a channel sees, float32 or float64.
//
//   windows of one row     │ some reach      │ all inside: lanes run over them,     │ some reach      │
//                          │ beyond, one by  │ a vector of every stride-th element  │ beyond, one by  │
//                          │ one             │ for each that a window sees          │ one             │
//
// What is outside of x is passed over.
//
// Params [channels of all images in a row, 0 for the largest or 1 for the mean, windows of three axes (windows.h)].
// Means take a second input, a constant: by how many elements the sum of each window is divided. Of NaN among others
// the largest is NaN.
#include "kernels/linear/panels.h"
#include "kernels/networks/windows.h"

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

// Which elements of a window are inside of x.
struct Range {
  std::int64_t first, last;
};

inline Range seen_by(const Window& w, std::int64_t o) {
  const std::int64_t before = w.before - o * w.stride;
  return {places_before(before, w.dilation, w.kernel), places_before(w.size + before, w.dilation, w.kernel)};
}

// Of x's rows those that the windows of one row see.
template <class T>
struct Rows {
  const Windows& windows;
  Range k0, k1;
  const T *x, *end;  // of the first element of k0 = k1 = 0, perhaps outside; where all of x ends

  const T* row(std::int64_t a, std::int64_t b) const {
    const Window* w = windows.axes;
    return x + (a * w[0].dilation * w[1].size + b * w[1].dilation) * w[2].size;
  }

  template <class F>
  void each(F f) const {
    for (std::int64_t a = k0.first; a < k0.last; ++a) {
      for (std::int64_t b = k1.first; b < k1.last; ++b) f(row(a, b));
    }
  }
};

inline std::int64_t k_last(Range k) { return k.last > 0 ? k.last - 1 : 0; }

// Windows that are inside of x along the row.
inline Range inside_of(const Window& w) {
  return {places_before(w.before, w.stride, w.count), places_before(w.size + w.before - w.reach(), w.stride, w.count)};
}

template <class Op, int Stride, class T>  // 0: any stride
inline void pool_inside(const Rows<T>& rows, const Window& w, Range inside, T* y) {
  const std::int64_t stride = Stride > 0 ? Stride : w.stride, kernel = w.kernel, dilation = w.dilation;
  const std::int64_t at = inside.first * stride - w.before;
  const auto many = [&](std::int64_t i) {
    Vector<T> result = broadcast(static_cast<T>(Op::kNothing));
    rows.each([&](const T* row) {
      const T* from = row + at + i * stride;
      for (std::int64_t k = 0; k < kernel; ++k) result = Op::of(result, load_apart(from + k * dilation, stride));
    });
    return result;
  };
  const auto one = [&](std::int64_t i) {
    T result = static_cast<T>(Op::kNothing);
    rows.each([&](const T* row) {
      const T* from = row + at + i * stride;
      for (std::int64_t k = 0; k < kernel; ++k) result = Op::of(result, from[k * dilation]);
    });
    return result;
  };
  const std::int64_t n = inside.last - inside.first;
  if (n <= 0) return;
  const T* most = rows.row(k_last(rows.k0), k_last(rows.k1)) + at + (kLanes<T> - 1) * stride + w.reach();
  if (n < kLanes<T> && most < rows.end) return store_some(y + inside.first, many(0), n);  // what is read beyond is x
  fill(n, y + inside.first, many, one);
}

template <class Op, class T>
inline void pool_beyond(const Rows<T>& rows, const Window& w, std::int64_t first, std::int64_t last, T* y) {
  for (std::int64_t o = first; o < last; ++o) {
    const Range seen = seen_by(w, o);
    T result = static_cast<T>(Op::kNothing);
    rows.each([&](const T* row) {
      for (std::int64_t k = seen.first; k < seen.last; ++k)
        result = Op::of(result, row[o * w.stride + k * w.dilation - w.before]);
    });
    y[o] = result;
  }
}

template <class Op, class T>
inline void pool_plane(const T* x, const T* end, const Windows& windows, T* y) {
  const Window* w = windows.axes;
  Range inside = inside_of(w[2]);
  if (inside.last < inside.first) inside.last = inside.first;
  for (std::int64_t o0 = 0; o0 < w[0].count; ++o0) {
    const std::int64_t i0 = o0 * w[0].stride - w[0].before;
    for (std::int64_t o1 = 0; o1 < w[1].count; ++o1, y += w[2].count) {
      const std::int64_t i1 = o1 * w[1].stride - w[1].before;
      const Rows<T> rows{windows, seen_by(w[0], o0), seen_by(w[1], o1), x + (i0 * w[1].size + i1) * w[2].size, end};
      pool_beyond<Op>(rows, w[2], 0, inside.first, y);
      if (w[2].stride == 1) {
        pool_inside<Op, 1>(rows, w[2], inside, y);
      } else if (w[2].stride == 2) {
        pool_inside<Op, 2>(rows, w[2], inside, y);
      } else {
        pool_inside<Op, 0>(rows, w[2], inside, y);
      }
      pool_beyond<Op>(rows, w[2], inside.last, w[2].count, y);
    }
  }
}

template <class Op, class T>
inline void pool(const Step& step, std::int64_t rows) {
  const Windows windows = windows_of(step, kFirstWindow);
  const std::int64_t volume = windows.volume(), count = windows.count();
  const T* x = data_of<T>(step.inputs[0]);
  T* y = data_of<T>(step.outputs[0]);
  const T* end = x + rows * step.inputs[0].width;
  for (; x != end; x += volume, y += count) {
    pool_plane<Op>(x, end, windows, y);
    if constexpr (std::is_same_v<Op, Sum>) {
      const T* divisors = data_of<T>(step.inputs[1]);
      for (std::int64_t j = 0; j < count; ++j) y[j] /= divisors[j];
    }
  }
}

void run_pool(const Step& step, std::int64_t rows, const Context&) {
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    return step.params[1].i == 0 ? pool<Largest, T>(step, rows) : pool<Sum, T>(step, rows);
  });
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

SARDONYX_KERNEL("Pool", {.check = check_pool, .run = run_pool, .cost = cost_pool});

}  // namespace
}  // namespace sardonyx
