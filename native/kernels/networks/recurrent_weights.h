// The weights of Recurrent (recurrent.cpp), in panels, and their products.
//
//   x W + bias     of all gates, for many steps of time at once
//   + h R          step by step; a GRU multiplies twice: its h gate sees r h, or is multiplied by r
//
//   of a direction:   panels of W   bias │ panels of R   bias │ (GRU) panels of the h gate's R   bias
#pragma once

#include <cstring>

#include "kernels/linear/panels.h"
#include "kernels/networks/recurrent.h"

namespace sardonyx {
namespace {

// Some gates: the first one, their numbers, and where these go among a sequence's columns.
struct Product {
  std::int64_t gate, columns, to;
  bool own_bias;  // of R: what is multiplied by r is added to nothing else
};

constexpr int kMostProducts = 2;
struct Products {
  Product items[kMostProducts];
  int count;
};

inline Products products_of(const Network& net) {
  const std::int64_t h = net.hidden;
  if (net.gates != 3) return {{{0, net.gates * h, 0, false}}, 1};
  const bool linear = net.linear_before_reset != 0;
  return {{{0, 2 * h, 0, false}, {2, h, linear ? 3 * h : 2 * h, linear}}, 2};
}

// Panels of k rows, and one number a column.
template <class T>
inline std::int64_t packed_size(std::int64_t k, std::int64_t columns) {
  return round_up(columns, kLanes<T>) * (k + 1);
}

template <class T>
inline std::int64_t packed_size(const Network& net) {  // of one direction
  std::int64_t total = packed_size<T>(net.in, net.inner());
  const Products products = products_of(net);
  for (int i = 0; i < products.count; ++i) total += packed_size<T>(net.hidden, products.items[i].columns);
  return total;
}

// w and r are (gates hidden, k), the bias is that of W, then that of R, or nullptr.
template <class T>
inline void pack_direction(const Network& net, const T* w, const T* r, const T* bias, T* to) {
  const std::int64_t all = net.inner();
  pack_panels(w, 1, net.in, net.in, all, net.in, to);
  T *sums = to + round_up(all, kLanes<T>) * net.in, *of_r = to + packed_size<T>(net.in, all);
  for (std::int64_t j = 0; bias != nullptr && j < all; ++j) sums[j] = bias[j] + bias[all + j];
  const Products products = products_of(net);
  for (int i = 0; i < products.count; ++i) {
    const Product& p = products.items[i];
    const std::int64_t first = p.gate * net.hidden;
    pack_panels(r + first * net.hidden, 1, net.hidden, net.hidden, p.columns, net.hidden, of_r);
    T* own = of_r + round_up(p.columns, kLanes<T>) * net.hidden;
    for (std::int64_t j = 0; p.own_bias && bias != nullptr && j < p.columns; ++j) {
      sums[first + j] = bias[first + j];
      own[j] = bias[all + first + j];
    }
    of_r += packed_size<T>(net.hidden, p.columns);
  }
}

// All directions of the weights that a row has.
template <class T>
inline void pack(const Step& step, const Network& net, std::int64_t row, T* to) {
  const auto from = [&](const Tensor* t, std::int64_t direction) -> const T* {
    if (t == nullptr) return nullptr;
    return data_of<T>(*t) + row * row_stride(*t) + direction * (t->width / net.directions());
  };
  std::memset(to, 0, static_cast<std::size_t>(net.directions() * packed_size<T>(net)) * sizeof(T));
  for (std::int64_t d = 0; d < net.directions(); ++d, to += packed_size<T>(net)) {
    pack_direction(net, from(&step.inputs[1], d), from(&step.inputs[2], d), from(given_of(step, net.given, kBias), d),
                   to);
  }
}

// y = x w + b for some rows, all side by side. Tiles of a few columns for all rows, so that weights stay in the
// first-level cache.
template <class T>
inline void multiply(Part<T> part, const T* x, std::int64_t rows, T* y) {
  const std::int64_t unit = (rows < kPanelRows ? kPanels<1> : kPanels<kPanelRows>)*kLanes<T>, columns = part.columns;
  const T *w = part.w, *b = part.b;
  for (std::int64_t j = 0; j < columns; j += unit) {
    part.columns = columns - j < unit ? columns - j : unit;
    part.w = w + j * part.k, part.b = b + j;
    run_panels(part, x, rows, y + j);
  }
}

}  // namespace
}  // namespace sardonyx
