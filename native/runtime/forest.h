// Packing tree ensembles: nodes as ai.onnx.ml.TreeEnsemble has them -> the tables of native/kernels/trees/layout.h.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace sardonyx {

// A list of integers of any width, as whoever read them keeps them: millions of small numbers need no 64 bits each.
struct Integers {
  const void* data = nullptr;
  std::size_t size = 0;
  int bytes = 8;  // 1: unsigned; 4, 8: signed

  std::int64_t operator[](std::size_t i) const {
    if (bytes == 4) return static_cast<const std::int32_t*>(data)[i];
    if (bytes == 1) return static_cast<const std::uint8_t*>(data)[i];
    return static_cast<const std::int64_t*>(data)[i];
  }
};

// Inner nodes, numbered through all trees; leaves are numbered apart. `yes` and `no` are a node's number, or a leaf's.
struct TreeNodes {
  Integers feature;
  std::span<const float> split32;  // the one or the other
  std::span<const double> split64;
  Integers yes, no;
  Integers yes_is_leaf, no_is_leaf;
  Integers missing;
  Integers set_of;  // -1: compares; of no size: all do
  Integers roots;
  Integers rows;  // of each leaf, its row in the table of values; of no size: leaves are put in order, each has its own
  std::int64_t n_leaves, n_features;
};

// Everything in its place: trees one after the other, of each the places of nodes and leaves from its root.
struct PackedTrees {
  std::size_t places = 0;             // nodes and leaves: pairs of words of 32 bits where shift < 32, else of 64
  int shift = 0;                      // of the child in a word
  std::vector<std::uint8_t> flags;    // none where no node asks for a set
  std::vector<std::int64_t> trees;    // (T, 3): first place, number of places, first leaf
  std::vector<std::uint32_t> leaves;  // numbers of the leaves, tree by tree from left to right
  std::vector<std::int32_t> used;     // features in use; ~feature where NaN goes to yes
};

// Gives memory for so many words of so many bytes each; asked again, it may give the same.
using GiveWords = std::function<void*(std::size_t words, std::size_t bytes)>;

// Throws Error where a number points beyond its table, or a node is reached twice. The words are written to the memory
// that was given last.
PackedTrees pack_trees(const TreeNodes& nodes, const GiveWords& give);

// Of each of n rows of `bytes` bytes, the number of the first row with the same bits among those `kept`, which are the
// first of their kind, in order; nothing once more than `most` are different.
struct Distinct {
  std::vector<std::uint32_t> row;
  std::vector<std::uint32_t> kept;
};
bool find_distinct(const void* rows, std::size_t n, std::size_t bytes, std::size_t most, Distinct& found);

}  // namespace sardonyx
