// Training rows in panels of L (the lanes of a vector), each leaf of a search tree in panels of its own; brute force is
// a tree of one leaf:
//
//   leaf      rows 17, 3, 8, ...             in the tree's order
//   panel     a[0] b[0] c[0] ..   a[1] b[1] c[1] ..   ...   a vector a feature; lanes beyond the leaf repeat a row
//
// and what rows make of them: sums of what features add to a distance, or products for squares that are expanded.
#pragma once

#include <cstdlib>

#include "kernels/blas.h"
#include "kernels/memory.h"
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
  std::free(packed->squares);
  std::free(packed->sieve.rows);
  std::free(packed);
}

// The tree of a step, or its one leaf.
struct Tree {
  const std::int64_t* order;   // nullptr: as the rows come
  const std::int64_t* ranges;  // of each node: start, end, whether it is a leaf; nullptr: all are one leaf
  const double *radii, *bounds;
  std::int64_t n_nodes, n_rows;

  bool is_leaf(std::int64_t node) const { return ranges == nullptr || ranges[3 * node + 2] != 0; }
  std::int64_t start(std::int64_t node) const { return ranges == nullptr ? 0 : ranges[3 * node]; }
  std::int64_t end(std::int64_t node) const { return ranges == nullptr ? n_rows : ranges[3 * node + 1]; }
  double radius(std::int64_t node) const { return radii == nullptr ? 0.0 : radii[node]; }

  // Leaves of a hostile file may share rows: these have panels in each.
  std::int64_t panels() const {
    std::int64_t total = 0;
    for (std::int64_t i = 0; i < n_nodes; ++i) total += is_leaf(i) ? panels_of(end(i) - start(i)) : 0;
    return total;
  }
};

[[maybe_unused]] inline Tree tree_of(const Step& step) {
  const std::int64_t n = step.inputs[1].dims[0];
  if (step.params[2].i == kBrute) return {nullptr, nullptr, nullptr, nullptr, 1, n};
  return {data_of<const std::int64_t>(step.inputs[3]),
          data_of<const std::int64_t>(step.inputs[4]),
          data_of<const double>(step.inputs[5]),
          data_of<const double>(step.inputs[6]),
          step.inputs[4].dims[0],
          n};
}

// Memory for all but the squares and the sieve, in one block.
[[maybe_unused]] inline Packed* allocate_packed(const Tree& tree, std::int64_t features) {
  const std::size_t order = whole_lines(static_cast<std::size_t>(tree.n_rows) * sizeof(std::int64_t)),
                    nodes = whole_lines(static_cast<std::size_t>(tree.n_nodes) * sizeof(Node)),
                    panels = static_cast<std::size_t>(tree.panels() * kL * features) * sizeof(double);
  auto* packed = allocate_state<Packed>(order + nodes + panels, "neighbours", "the training rows");
  auto* at = arrays_of(packed);
  packed->order = reinterpret_cast<std::int64_t*>(at);
  packed->nodes = reinterpret_cast<Node*>(at + order);
  packed->panels = reinterpret_cast<double*>(at + order + nodes);
  return packed;
}

[[maybe_unused]] inline void* prepare(const Step& step) {
  const Tree tree = tree_of(step);
  const Space space = space_of(step);
  Packed* packed = allocate_packed(tree, space.features);
  packed->space = space;
  packed->algorithm = step.params[2].i;
  packed->n_nodes = tree.n_nodes;
  packed->bounds = tree.bounds;
  for (std::int64_t i = 0; i < tree.n_rows; ++i) packed->order[i] = tree.order == nullptr ? i : tree.order[i];
  double* to = packed->panels;
  for (std::int64_t i = 0; i < tree.n_nodes; ++i) {
    Node& node = packed->nodes[i];
    node = {{tree.start(i), tree.end(i), nullptr}, tree.is_leaf(i), tree.radius(i)};
    if (node.is_leaf)
      to = pack_leaf(node.leaf, packed->order, data_of<const double>(step.inputs[1]), space.features, to);
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
