// Training rows in panels of L (the lanes of a vector), each leaf of a search tree in panels of its own; brute force is a
// tree of one leaf:
//
//   leaf      rows 17, 3, 8, ...             in the tree's order
//   panel     a[0] b[0] c[0] ..   a[1] b[1] c[1] ..   ...   a vector a feature; lanes beyond the leaf repeat a row
//
// and what rows make of them: sums of what features add to a distance, or products for squares that are expanded.
#pragma once

#include <cstdlib>
#include <cstring>

#include "kernels/blas.h"
#include "kernels/neighbors/sieve.h"
#include "kernels/neighbors/space.h"

namespace sardonyx {
namespace {

constexpr int kTile = 4;    // rows of brute force that share the load of panels
constexpr int kPanels = 2;  // that rows meet at once; a row alone meets twice as many

// R rows against P panels: R * P sums side by side hide the latency of the additions.
template <int M, int R, int P>
inline void against_panels(const double* x, const double* panels, const Space& space, Vector<double> (&reduced)[R][P]) {
  const std::int64_t stride = kL * space.features;
  Vector<double> a[R][P], b[R][P];
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) a[r][p] = b[r][p] = Vector<double>{};
  }
  for (std::int64_t f = 0; f < space.features; ++f) {
    Vector<double> y[P];
    for (int p = 0; p < P; ++p) y[p] = load(panels + p * stride + f * kL);
    for (int r = 0; r < R; ++r) {
      const Vector<double> value = broadcast(x[r * space.features + f]);
      for (int p = 0; p < P; ++p) add<M>(a[r][p], b[r][p], value, y[p], f, space);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) reduced[r][p] = finished<M>(a[r][p], b[r][p], space);
  }
}

// The same for expanded squares, of rows and panels whose squares were added up before.
template <int R, int P>
inline void expanded(const double* x, const double* squares, const double* panels, const double* panel_squares,
                     std::int64_t features, Vector<double> (&reduced)[R][P]) {
  Vector<double> sums[R][P];
  products<R, P>(x, panels, features, sums);
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) {
      const Vector<double> sum = (squares[r] - 2.0 * sums[r][p]) + load(panel_squares + p * kL);
      reduced[r][p] = larger(sum, Vector<double>{});
    }
  }
}

// ---- packing --------------------------------------------------------------------------------------------------------

struct Leaf {
  std::int64_t start, end;  // of its rows in `order`
  const double* panels;
};

struct Node {
  Leaf leaf;  // of leaves only
  bool is_leaf;
  double radius;
};

struct Packed {
  Space space;
  std::int64_t algorithm, n_nodes;
  const double* bounds;  // kd: lower corners, then upper ones; ball: centroids
  std::int64_t* order;   // row numbers, leaf after leaf
  Node* nodes;
  double* panels;
  double* squares;  // of the rows in the panels: of brute force with Euclidean distances, as the sieve
  Sieve sieve;
};

[[maybe_unused]] inline double squares_of(const double* x, std::int64_t features, bool as_dot) {
  return as_dot ? dot(x, x, features) : einsum_squares(x, features);
}

[[maybe_unused]] inline std::int64_t panels_of(std::int64_t n) { return (n + kL - 1) / kL; }

// Copies the leaf's rows into panels; returns the end of them.
[[maybe_unused]] inline double* pack_leaf(Leaf& leaf, const std::int64_t* order, const double* rows,
                                          std::int64_t features, double* to) {
  leaf.panels = to;
  for (std::int64_t at = leaf.start; at < leaf.end; at += kL, to += kL * features) {
    for (std::int64_t lane = 0; lane < kL; ++lane) {
      const std::int64_t i = at + lane < leaf.end ? at + lane : leaf.end - 1;
      for (std::int64_t f = 0; f < features; ++f) to[f * kL + lane] = rows[order[i] * features + f];
    }
  }
  return to;
}

[[maybe_unused]] inline void release(void* state) {
  auto* packed = static_cast<Packed*>(state);
  std::free(packed->order);
  std::free(packed->nodes);
  std::free(packed->panels);
  std::free(packed->squares);
  std::free(packed->sieve.rows);
  std::free(packed);
}

[[maybe_unused]] inline void* prepare(const Step& step) {
  auto* packed = static_cast<Packed*>(std::calloc(1, sizeof(Packed)));
  if (packed == nullptr) fail("neighbours: not enough memory");
  packed->space = space_of(step);
  packed->algorithm = step.params[2].i;
  const std::int64_t n = packed->space.n_fit, features = packed->space.features;
  const bool brute = packed->algorithm == kBrute;
  const auto* ranges = brute ? nullptr : data_of<const std::int64_t>(step.inputs[4]);
  packed->n_nodes = brute ? 1 : step.inputs[4].dims[0];
  packed->bounds = brute ? nullptr : data_of<const double>(step.inputs[6]);
  std::int64_t panels = panels_of(n);
  for (std::int64_t i = 0; !brute && i < packed->n_nodes; ++i) {
    if (ranges[3 * i + 2] != 0) panels += panels_of(ranges[3 * i + 1] - ranges[3 * i]);
  }
  packed->order = static_cast<std::int64_t*>(std::malloc(static_cast<std::size_t>(n) * sizeof(std::int64_t)));
  packed->nodes = static_cast<Node*>(std::calloc(static_cast<std::size_t>(packed->n_nodes), sizeof(Node)));
  void* memory = nullptr;
  const std::size_t bytes = static_cast<std::size_t>(panels * kL * features + kL) * sizeof(double);
  if (posix_memalign(&memory, 64, bytes) == 0) packed->panels = static_cast<double*>(memory);
  if (packed->order == nullptr || packed->nodes == nullptr || packed->panels == nullptr) {
    release(packed);
    fail("neighbours: not enough memory for the training rows");
  }
  for (std::int64_t i = 0; i < n; ++i) packed->order[i] = brute ? i : data_of<const std::int64_t>(step.inputs[3])[i];
  double* to = packed->panels;
  for (std::int64_t i = 0; i < packed->n_nodes; ++i) {
    Node& node = packed->nodes[i];
    node = {{brute ? 0 : ranges[3 * i], brute ? n : ranges[3 * i + 1], nullptr},
            brute || ranges[3 * i + 2] != 0,
            brute ? 0.0 : data_of<const double>(step.inputs[5])[i]};
    if (node.is_leaf) to = pack_leaf(node.leaf, packed->order, data_of<const double>(step.inputs[1]), features, to);
  }
  return packed;
}

// Adds up the squares of the training rows, as ddot or as einsum does.
[[maybe_unused]] inline void add_squares(Packed& packed, const Step& step, bool as_dot) {
  const Space& space = packed.space;
  const auto* rows = data_of<const double>(step.inputs[1]);
  const std::int64_t padded = panels_of(space.n_fit) * kL;
  packed.squares = static_cast<double*>(std::calloc(static_cast<std::size_t>(padded), sizeof(double)));
  if (packed.squares == nullptr) {
    release(&packed);
    fail("neighbours: not enough memory for the training rows");
  }
  for (std::int64_t i = 0; i < space.n_fit; ++i)
    packed.squares[i] = squares_of(rows + i * space.features, space.features, as_dot);
}

[[maybe_unused]] inline double cost(const Step& step) {
  const auto all = static_cast<double>(step.inputs[1].width) / kL;
  return 50 + (step.params[2].i == kBrute ? all : all / 4);
}

}  // namespace
}  // namespace sardonyx
