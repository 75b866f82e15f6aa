// Rows times a packed matrix: the loops that Linear and the recurrent networks share.
//
//   panels of V columns (V = lanes)          lanes run over j, i is counted through
//     panel 0: w[0, 0..V) w[1, 0..V) ... w[k-1, 0..V)
//     panel 1: w[0, V..2V) ...               the last one padded with zeros
//
// Every row is summed in the same order whatever rows are computed with it, so one row alone gives the same bits as a
// batch.
#pragma once

#include <type_traits>

#include "kernels/memory.h"
#include "simd/vector.h"

namespace sardonyx {
namespace {

constexpr int kPanelRows = 4;          // rows computed together, so that a weight is loaded once for all of them
constexpr std::int64_t kAhead = 4096;  // bytes

// Panels that R rows meet at once: their sums hide the latency of the additions, and fill the registers.
template <int R>
constexpr int kPanels = R == 1   ? 8
                        : R == 2 ? 4
                                 : 3;

[[maybe_unused]] inline std::int64_t round_up(std::int64_t n, std::int64_t unit) {
  return (n + unit - 1) / unit * unit;
}

// Some of the columns: their packed weights and biases. Rows of x are `stride` apart, those of y are n.
template <class T>
struct Part {
  std::int64_t k, n, columns, stride;
  const T *w, *b;
  T floor;                  // 0 for Relu, else -infinity
  std::int64_t b_next = 0;  // from the b of one row to that of the next
};

// Rows read side by side are no sequence to the processor's own prefetcher, unless they are short: the lines of later
// rows are asked for here.
template <class T>
inline void fetch_ahead(const T* x, std::int64_t rows, std::int64_t k) {
  const auto row = k * static_cast<std::int64_t>(sizeof(T)), bytes = rows * row;
  if (row <= kLine) return;
  const char* from = reinterpret_cast<const char*>(x) + kAhead;
  for (std::int64_t at = 0; at < bytes; at += kLine) __builtin_prefetch(from + at);
}

// The first `valid` lanes.
template <class T>
inline void store_some(T* to, Vector<T> v, std::int64_t valid) {
  constexpr int V = kLanes<T>;
  if (valid >= V) return store(to, v);
  T lanes[V];
  store(lanes, v);
  const T* from = lanes;
  for (int size = V / 2; size > 0; size /= 2) {
    if ((valid & size) == 0) continue;
    for (int i = 0; i < size; ++i) to[i] = from[i];
    to += size;
    from += size;
  }
}

// R rows times N panels, of which all but the last are whole; `valid` columns are stored. A function of its own, which
// has all registers for itself.
template <class T, int R, int N>
[[gnu::noinline]] void tile(const Part<T>& part, const T* x, const T* w, const T* b, T* y, std::int64_t valid) {
  constexpr int V = kLanes<T>;
  const std::int64_t k = part.k, stride = part.stride, panel = k * V;
  Vector<T> sums[R][N];
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < N; ++c) sums[r][c] = Vector<T>{};
  }
  for (const T* end = x + k; x != end; ++x, w += V) {  // a counter would be a register too many
    Vector<T> weights[N];
    for (int c = 0; c < N; ++c) weights[c] = load(w + c * panel);
    for (int r = 0; r < R; ++r) {
      const Vector<T> value = broadcast(x[r * stride]);
      for (int c = 0; c < N; ++c) sums[r][c] = multiply_add(value, weights[c], sums[r][c]);
    }
  }
  const Vector<T> floor = broadcast(part.floor);
  const bool whole = valid >= N * V;
  for (int r = 0; r < R; ++r, y += part.n, b += part.b_next) {
    for (int c = 0; c < N; ++c) {
      Vector<T> result = sums[r][c] + load(b + c * V);
      result = result <= floor ? floor : result;
      if (c < N - 1 || whole) {
        store(y + c * V, result);
      } else {
        store_some(y + c * V, result, valid - c * V);
      }
    }
  }
}

template <class T, int R>
inline void tiles(const Part<T>& part, const T* x, const T* b, T* y) {
  constexpr int V = kLanes<T>, N = kPanels<R>;
  const std::int64_t columns = part.columns, k = part.k;
  std::int64_t j = 0;
  const auto next = [&](auto width) {
    constexpr int M = decltype(width)::value;
    tile<T, R, M>(part, x, part.w + j * k, b + j, y + j, columns - j);
    j += M * V;
  };
  while (columns - j > (N == 3 ? 4 : N - 1) * V) next(std::integral_constant<int, N>{});  // 4 are 2 and 2, not 3 and 1
  if constexpr (N > 4) {
    if (columns - j > 3 * V) next(std::integral_constant<int, 4>{});
  }
  if constexpr (N >= 3) {
    if (columns - j > 2 * V && columns - j <= 3 * V) next(std::integral_constant<int, 3>{});
  }
  while (columns - j > V) next(std::integral_constant<int, 2>{});
  if (columns - j > 0) next(std::integral_constant<int, 1>{});
}

template <class T>
inline void run_panels(const Part<T>& part, const T* x, std::int64_t rows, T* y) {
  const std::int64_t k = part.stride, n = part.n;
  const auto b = [&](std::int64_t row) { return part.b + row * part.b_next; };
  std::int64_t r = 0;
  if (part.columns <= kLanes<T>) {  // one panel: twice as many rows, to hide the latency of the additions
    for (; r + 8 <= rows; r += 8) {
      fetch_ahead(x + r * k, 8, k);
      tile<T, 8, 1>(part, x + r * k, part.w, b(r), y + r * n, part.columns);
    }
  }
  for (; r + kPanelRows <= rows; r += kPanelRows) {
    fetch_ahead(x + r * k, kPanelRows, k);
    tiles<T, kPanelRows>(part, x + r * k, b(r), y + r * n);
  }
  switch (rows - r) {
    case 3: return tiles<T, 3>(part, x + r * k, b(r), y + r * n);
    case 2: return tiles<T, 2>(part, x + r * k, b(r), y + r * n);
    case 1: return tiles<T, 1>(part, x + r * k, b(r), y + r * n);
    default: return;
  }
}

// Writes columns of a matrix whose element (i, j) is w[i * row + j * column]; their panels have k rows.
template <class T>
inline void pack_panels(const T* w, std::int64_t row, std::int64_t column, std::int64_t rows, std::int64_t columns,
                        std::int64_t k, T* to) {
  constexpr int V = kLanes<T>;
  for (std::int64_t j = 0; j < columns; ++j) {
    T* panel = to + j / V * V * k + j % V;
    for (std::int64_t i = 0; i < rows; ++i) panel[i * V] = w[i * row + j * column];
  }
}

// The same of a matrix whose columns lie side by side, a vector of them at a time; the last panel is filled up with
// zeros.
template <class T>
inline void pack_rows(const T* w, std::int64_t k, std::int64_t n, T* to) {
  constexpr int V = kLanes<T>;
  for (std::int64_t j = 0; j < n; j += V) {
    const std::int64_t valid = n - j < V ? n - j : V;
    for (std::int64_t i = 0; i < k; ++i, to += V) {
      if (valid == V) {
        store(to, load(w + i * n + j));
      } else {
        store(to, Vector<T>{});
        for (std::int64_t l = 0; l < valid; ++l) to[l] = w[i * n + j + l];
      }
    }
  }
}

}  // namespace
}  // namespace sardonyx
