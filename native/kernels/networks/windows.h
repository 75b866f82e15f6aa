// Windows over images of up to three axes: what the params of convolutions and of pooling say.
//
//   before   size                     along one axis: window o sees x[o * stride + k * dilation - before], for k
//   0 0 ┌──────────┐ 0                < kernel, and what is outside of x is padding
//   ^   ^   ^                         fewer axes than three: the first ones have size 1
//   └───┴───┴─ dilation
#pragma once

#include "kernels/check.h"
#include "simd/vector.h"

namespace sardonyx {
namespace {

constexpr int kAxes = 3, kWindowParams = 6 * kAxes;
constexpr std::int64_t kMostAlong = std::int64_t{1} << 24;   // any number of an axis: products of two are in range
constexpr std::int64_t kMostPlaces = std::int64_t{1} << 26;  // elements of an image's channel, padded or not

struct Window {
  std::int64_t size, kernel, count, stride, dilation, before;

  std::int64_t reach() const { return (kernel - 1) * dilation; }  // from the first element seen to the last
};

struct Windows {
  Window axes[kAxes];

  std::int64_t volume() const { return axes[0].size * axes[1].size * axes[2].size; }
  std::int64_t kernel() const { return axes[0].kernel * axes[1].kernel * axes[2].kernel; }
  std::int64_t count() const { return axes[0].count * axes[1].count * axes[2].count; }
};

[[maybe_unused]] inline Windows windows_of(const Step& step, int first) {
  Windows windows;
  for (int a = 0; a < kAxes; ++a) {
    const Param* p = step.params + first + 6 * a;
    windows.axes[a] = {p[0].i, p[1].i, p[2].i, p[3].i, p[4].i, p[5].i};
  }
  return windows;
}

// Multiplies, and refuses what becomes too large.
[[maybe_unused]] inline std::int64_t bounded_product(std::int64_t a, std::int64_t b, std::int64_t most,
                                                     const char* kernel) {
  std::int64_t product = 0;
  require(!__builtin_mul_overflow(a, b, &product) && in_range(product, 0, most), kernel,
          "windows of too many elements");
  return product;
}

[[maybe_unused]] inline void check_windows(const Step& step, int first, const char* kernel) {
  const Windows windows = windows_of(step, first);
  std::int64_t elements = 1, seen = 1, places = 1;
  for (const Window& w : windows.axes) {
    const std::int64_t numbers[] = {w.size, w.kernel, w.count, w.stride, w.dilation};
    for (const std::int64_t n : numbers)
      require(in_range(n, 1, kMostAlong), kernel, "a number of a window is out of range");
    require(in_range(w.before, 0, kMostAlong), kernel, "padding out of range");
    elements = bounded_product(elements, w.size, kMostPlaces, kernel);
    seen = bounded_product(seen, w.kernel, kMostPlaces, kernel);
    places = bounded_product(places, (w.count - 1) * w.stride + w.reach() + 1, kMostPlaces, kernel);
  }
}

// Of places 0, 1, ... `n` that are `stride` apart, the first one behind `skipped` elements: where x begins.
[[maybe_unused]] inline std::int64_t places_before(std::int64_t skipped, std::int64_t stride, std::int64_t n) {
  if (skipped <= 0) return 0;
  const std::int64_t place = stride == 1 ? skipped : (skipped + stride - 1) / stride;
  return place < n ? place : n;
}

// Every second number from here on, one a lane; nothing beyond the last of them is read.
template <class T>
inline Vector<T> load_evens(const T* from) {
  constexpr int V = kLanes<T>;
  const Vector<T> a = load(from), b = load(from + V - 1);
  if constexpr (V == 2) {
    return __builtin_shufflevector(a, b, 0, 3);
  } else if constexpr (V == 4) {
    return __builtin_shufflevector(a, b, 0, 2, 5, 7);
  } else if constexpr (V == 8) {
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 9, 11, 13, 15);
  } else {
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
  }
}

template <class T>
inline Vector<T> load_apart(const T* from, std::int64_t stride) {
  if (stride == 1) return load(from);
  return stride == 2 ? load_evens(from) : load_strided<Vector<T>>(from, stride);
}

// to[0..n) = vector(i), V at a time; the last ones reach back over what is written already, few go one by one.
template <class T, class Many, class One>
inline void fill(std::int64_t n, T* to, Many many, One one) {
  constexpr std::int64_t V = kLanes<T>;
  if (n < V) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = one(i);
    return;
  }
  for (std::int64_t i = 0; i + V <= n; i += V) store(to + i, many(i));
  if (n % V != 0) store(to + n - V, many(n - V));
}

}  // namespace
}  // namespace sardonyx
