// Packing tree ensembles: nodes as ai.onnx.ml.TreeEnsemble has them -> the tables of native/kernels/trees/layout.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sardonyx {

// Inner nodes, numbered through all trees; leaves are numbered apart. `yes` and `no` are a node's number, or a leaf's.
struct TreeNodes {
  std::span<const std::int64_t> feature;
  std::span<const float> split32;  // the one or the other
  std::span<const double> split64;
  std::span<const std::int64_t> yes, no;
  std::span<const bool> yes_is_leaf, no_is_leaf;
  std::span<const bool> missing;
  std::span<const std::int64_t> set_of;  // -1: compares
  std::span<const std::int64_t> roots;
  std::int64_t n_leaves, n_features;
};

// Where everything comes to stand: trees one after the other, of each the places of nodes and leaves from its root.
struct Placement {
  std::vector<std::int64_t> trees;    // (T, 3): first place, number of places, first leaf
  std::vector<std::int64_t> leaves;   // numbers of the leaves, tree by tree from left to right
  std::vector<std::int32_t> used;     // features in use, ascending
  std::vector<std::uint32_t> source;  // of each place: its node; of a leaf, its rank in the tree
  std::vector<std::uint32_t> child;   // of each place: that of "yes" from the root; of a leaf, its own
  std::vector<std::uint32_t> left;    // of each place: how many of the tree's leaves are left of it
  std::int64_t most_places = 0, most_leaves = 0;
  int shift = 0;  // of the child in a word; 32: nodes are wide
  bool flags = false;
};

// Throws Error where a number points beyond its table, or a node is reached twice.
Placement place_nodes(const TreeNodes& nodes);

// Writes (places, 2) words: 32-bit ones when placement.shift < 32, else 64-bit ones.
void write_nodes(const TreeNodes& nodes, const Placement& placement, void* to);
void write_flags(const TreeNodes& nodes, const Placement& placement, std::uint8_t* to);

}  // namespace sardonyx
