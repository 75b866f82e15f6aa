// Tree ensembles as the kernels hold them, and what makes a file's tables safe to walk.
//
// Rows. Before trees are walked, numbers become keys: unsigned integers in the same order, so that a node asks with one
// integer comparison and a leaf is a node like any other. -0 and 0 have one key.
//
//   keys    0 | -inf ... 0 ... +inf | NaN | leaves 0, 1, 2 ...    (each of them greater than what is left of it)
//
// Nodes, the trees one after the other, a tree in the order of a walk that takes "yes" first. Siblings are neighbours:
//
//   node    split | word                      32 bits each (Narrow), or 64 bits each (Wide)
//   word    child | place of the feature * 8  the child of "yes", counted from the tree's root; "no" is the next one
//
//           key <= split: yes        NaN is greater than any number: no; or its key is 0, less than any number's: yes
//   leaf    child is the node itself, split is the key of the leaf's number: nothing is greater, so whoever has arrived
//           stays, and lanes of rows walk together without asking who has
//
// The low three bits of a word are zero: a place times 8 finds its column of 8 rows without a multiplication. `shift`
// is where the child begins; where that is in the middle of a 32-bit word, both halves are loaded instead of computed.
//
// used: the columns of x that nodes ask for, as they are, or ~column where NaN has the key 0; a feature's place is its
// place in this list. A feature of which some nodes send NaN to yes and others to no has two places: no step down asks
// about NaN, and nodes need no bits for it. If there is one, all features have two, half a power of two apart, and rows
// without NaN need the keys of the first half only, the bit of the other being masked:
//
//   used     f0 f1 f2 f3 f4 .  .  .  |  ~f0 ~f1 ~f2 ~f3 ~f4          five features: H = 8, places 0 ... 12
// flags, one byte a node, or none at all: 1: the node asks for a set, whose row `split` is.
#pragma once

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/check.h"

namespace sardonyx {
namespace {

constexpr int kTreeFields = 3;  // first node, number of nodes, first leaf
constexpr int kLanes8 = 8;      // rows of a group
constexpr int kHalf = 16;       // the shift that makes two halves of a narrow word

// Places of the inputs that both kernels begin with.
enum ForestInput { kX, kNodes, kFlags, kTrees, kLeafTable, kSets, kUsed, kForestInputs };

struct Narrow {
  using Key = std::uint32_t;
  Key split, word;
};

struct Wide {
  using Key = std::uint64_t;
  Key split, word;
};

template <class Key>
constexpr Key kSign = Key{1} << (sizeof(Key) * 8 - 1);
template <class Key>
constexpr Key kNan = sizeof(Key) == 4 ? Key(0xFF800001u) : Key(0xFFF0000000000001u);
template <class Key>
constexpr Key kFirstLeaf = kNan<Key>;

// x + 0 makes 0 of -0; negative numbers are ordered by their bits backwards. NaN gets the key `nan`.
inline std::uint32_t key_of(float x, std::uint32_t nan) {
  x += 0.0f;
  std::uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const std::uint32_t key =
      bits ^ (static_cast<std::uint32_t>(static_cast<std::int32_t>(bits) >> 31) | kSign<std::uint32_t>);
  return x != x ? nan : key;
}

inline std::uint64_t key_of(double x, std::uint64_t nan) {
  x += 0.0;
  std::uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  const std::uint64_t key =
      bits ^ (static_cast<std::uint64_t>(static_cast<std::int64_t>(bits) >> 63) | kSign<std::uint64_t>);
  return x != x ? nan : key;
}

inline float number_of(std::uint32_t key) {
  const std::uint32_t bits = key & kSign<std::uint32_t> ? key ^ kSign<std::uint32_t> : ~key;
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

inline double number_of(std::uint64_t key) {
  const std::uint64_t bits = key & kSign<std::uint64_t> ? key ^ kSign<std::uint64_t> : ~key;
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

struct Sets {
  const std::uint32_t* bits;
  std::int64_t words;
};

template <class X>
inline bool in_set(const Sets& sets, std::uint64_t set, X x) {
  if (!(x >= 0 && x < static_cast<X>(sets.words * 32))) return false;
  const auto category = static_cast<std::int64_t>(x);
  if (static_cast<X>(category) != x) return false;
  return (sets.bits[static_cast<std::int64_t>(set) * sets.words + category / 32] >> (category % 32)) & 1;
}

// What prepare() finds out: the steps down each tree that rows take before anybody asks whether they have arrived, and
// how many places the keys of rows without NaN have.
struct State {
  std::int32_t* steps;
  std::int64_t places;
};

struct Forest {
  const void* nodes;
  const std::uint8_t* flags;  // nullptr: no node asks for a set
  const std::int64_t* trees;
  const std::int32_t* steps;
  const std::int32_t* used;
  std::int64_t n_trees, n_used, places, n_features;
  int shift;
  Sets sets;
};

inline Forest forest_of(const Step& step, int shift, const State& state) {
  const Tensor* in = step.inputs;
  return {in[kNodes].data,
          in[kFlags].width > 0 ? data_of<std::uint8_t>(in[kFlags]) : nullptr,
          data_of<std::int64_t>(in[kTrees]),
          state.steps,
          data_of<std::int32_t>(in[kUsed]),
          in[kTrees].dims[0],
          in[kUsed].width,
          state.places,
          in[kX].width,
          shift,
          {data_of<std::uint32_t>(in[kSets]), in[kSets].dims[1]}};
}

// The column of x, and the key of NaN, of a feature in use.
inline std::int64_t column_of(std::int32_t used) { return used < 0 ? ~used : used; }
template <class Key>
inline Key nan_of(std::int32_t used) {
  return used < 0 ? 0 : kNan<Key>;
}

template <class Node>
inline std::int64_t leaf_of(const Node& node) {
  return static_cast<std::int64_t>(node.split - kFirstLeaf<typename Node::Key>);
}

// ---- checks ---------------------------------------------------------------------------------------------------------

struct Limits {
  std::int64_t count, leaves, used, sets;  // nodes of the tree, numbers of leaves, features in use, sets
};

// Whether all nodes of a tree are good. No branches, and words of one width: compilers make vectors of it.
template <class Node>
bool is_tree(const Node* tree, int shift, const Limits& limits) {
  using Key = typename Node::Key;
  const Key fields = (Key{1} << shift) - 1, last = static_cast<Key>(limits.count - 1),
            used = static_cast<Key>(limits.used) << 3, leaves = static_cast<Key>(limits.leaves);
  Key bad = 0;
  for (std::int64_t i = 0; i <= static_cast<std::int64_t>(last); ++i) {
    const Key split = tree[i].split, word = tree[i].word, at = static_cast<Key>(i);
    const Key child = word >> shift, field = word & fields;
    const Key bad_leaf = split - kFirstLeaf<Key> < leaves ? 0 : 1;  // less than the first leaf: a large number
    const Key bad_node = (child > at ? 0 : 1) | (child < last ? 0 : 1);
    bad |= (child == at ? bad_leaf : bad_node) | (field & 7) | (field < used ? 0 : 1);
  }
  return bad == 0;
}

// Of a good tree, what flags add.
template <class Node>
bool are_flags(const Node* tree, const std::uint8_t* flags, int shift, const Limits& limits) {
  bool good = true;
  for (std::int64_t i = 0; i < limits.count; ++i) {
    const bool leaf = static_cast<std::int64_t>(tree[i].word >> shift) == i;
    const bool set = !leaf && static_cast<std::uint64_t>(tree[i].split) < static_cast<std::uint64_t>(limits.sets);
    good &= flags[i] == 0 || (flags[i] == 1 && set);
  }
  return good;
}

template <class Node>
void check_trees(const char* name, const Step& step, int shift) {
  using Key = typename Node::Key;
  const Node* all = data_of<Node>(step.inputs[kNodes]);
  const auto* flags = step.inputs[kFlags].width > 0 ? data_of<std::uint8_t>(step.inputs[kFlags]) : nullptr;
  const std::int64_t* table = data_of<std::int64_t>(step.inputs[kTrees]);
  const std::int64_t n_nodes = step.inputs[kNodes].dims[0], leaves = step.inputs[kLeafTable].dims[0];
  for (std::int64_t t = 0; t < step.inputs[kTrees].dims[0]; ++t, table += kTreeFields) {
    require(in_range(table[0], 0, n_nodes - 1) && in_range(table[1], 1, n_nodes - table[0]), name,
            "a tree beyond the nodes");
    require(table[1] <= (std::int64_t{1} << 31), name, "a tree of too many nodes");
    require(in_range(table[2], 0, leaves - 1), name, "a tree beyond the leaves");
    const std::int64_t numbers = static_cast<std::int64_t>(~Key{0} - kFirstLeaf<Key>), left = leaves - table[2];
    const Limits limits{table[1], left < numbers ? left : numbers, step.inputs[kUsed].width,
                        step.inputs[kSets].dims[0]};
    require(is_tree(all + table[0], shift, limits), name,
            "a node's children are before it or beyond its tree, its feature is not there, or a leaf has no values");
    require(flags == nullptr || are_flags(all + table[0], flags + table[0], shift, limits), name,
            "a node asks for a set that is not there");
  }
}

// The inputs both kernels begin with.
void check_forest(const Step& step, const char* name, std::int64_t shift, DType leaf_type) {
  const Tensor* in = step.inputs;
  const Tensor &x = in[kX], &nodes = in[kNodes], &trees = in[kTrees], &leaves = in[kLeafTable], &used = in[kUsed];
  require(!x.constant && is_float(x.dtype) && x.width > 0, name, "x is not rows of floats");
  for (int i = kNodes; i < kForestInputs; ++i) require(in[i].constant, name, "the tables are constants");
  require(nodes.rank == 2 && nodes.dims[1] == 2 && nodes.width > 0, name, "nodes are not pairs");
  const bool narrow = nodes.dtype == DType::u32;
  require(narrow ? x.dtype == DType::f32 : nodes.dtype == DType::u64, name, "nodes do not fit the type of x");
  require(narrow ? in_range(shift, 4, 28) : shift == 32, name, "impossible shift");
  require(in[kFlags].dtype == DType::u8 && (in[kFlags].width == 0 || in[kFlags].width == nodes.dims[0]), name,
          "flags do not fit the nodes");
  require(trees.dtype == DType::i64 && trees.rank == 2 && trees.dims[1] == kTreeFields && trees.width > 0, name,
          "trees are not rows of three");
  require(leaves.dtype == leaf_type && leaves.rank >= 1 && leaves.dims[0] > 0 && leaves.width > 0, name,
          "leaves of another type");
  require(in[kSets].dtype == DType::u32 && in[kSets].rank == 2 && in_range(in[kSets].dims[1], 0, 1 << 20), name,
          "sets are not bits");
  require(used.dtype == DType::i32 && in_range(used.width, 1, std::int64_t{1} << 28), name,
          "used is no list of features");
  for (std::int64_t u = 0; u < used.width; ++u)
    require(column_of(data_of<std::int32_t>(used)[u]) < x.width, name, "a feature in use is not there");
  narrow ? check_trees<Narrow>(name, step, static_cast<int>(shift)) : check_trees<Wide>(name, step, 32);
}

// ---- what is prepared -----------------------------------------------------------------------------------------------

// Places of the first half where the second half has the same features, else all places.
inline std::int64_t places_of(const std::int32_t* used, std::int64_t n_used) {
  std::int64_t half = 1;
  while (2 * half < n_used) half *= 2;
  for (std::int64_t u = half; u < n_used; ++u) {
    if (used[u - half] < 0 || used[u] != ~used[u - half]) return n_used;
  }
  return n_used > half ? n_used - half : n_used;
}

// Rows of eight wait for the one that goes deepest. A step too many stays where it is, and costs less than asking.
constexpr double kDeepest = 1.2;

// The steps until most of eight rows have arrived, if all leaves are equally likely; of trees that are rather a chain,
// on which rows hardly ever go to the end, not more than twice the levels of a complete tree.
template <class Node>
std::int32_t steps_of(const Node* tree, std::int64_t count, int shift, std::int32_t* depths) {
  std::int64_t leaves = 0, total = 0;
  std::int32_t most = 0;
  depths[0] = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto child = static_cast<std::int64_t>(tree[i].word >> shift);
    if (child != i) {
      depths[child] = depths[child + 1] = depths[i] + 1;
    } else {
      leaves += 1;
      total += depths[i];
      most = most > depths[i] ? most : depths[i];
    }
  }
  const auto likely = static_cast<std::int32_t>(kDeepest * static_cast<double>(total) / static_cast<double>(leaves));
  const auto complete = static_cast<std::int32_t>(::log2(static_cast<double>(leaves)));
  const std::int32_t steps = likely < 2 * complete ? likely : 2 * complete;
  return steps < most ? steps : most;
}

template <class Node>
void set_steps(const Step& step, int shift, std::int32_t* depths, std::int32_t* steps) {
  const std::int64_t* table = data_of<std::int64_t>(step.inputs[kTrees]);
  for (std::int64_t t = 0; t < step.inputs[kTrees].dims[0]; ++t, table += kTreeFields)
    steps[t] = steps_of(data_of<Node>(step.inputs[kNodes]) + table[0], table[1], shift, depths);
}

void* prepare_forest(const Step& step, int shift) {
  const Tensor &trees = step.inputs[kTrees], &used = step.inputs[kUsed];
  const std::int64_t n_trees = trees.dims[0];
  std::int64_t largest = 1;
  for (std::int64_t t = 0; t < n_trees; ++t) {
    const std::int64_t count = data_of<std::int64_t>(trees)[t * kTreeFields + 1];
    largest = largest > count ? largest : count;
  }
  auto* state = static_cast<State*>(malloc(sizeof(State) + static_cast<std::size_t>(n_trees) * sizeof(std::int32_t)));
  auto* depths = static_cast<std::int32_t*>(calloc(static_cast<std::size_t>(largest), sizeof(std::int32_t)));
  if (state == nullptr || depths == nullptr) {
    free(state);
    free(depths);
    fail("TreeEnsemble: no memory for %lld trees", static_cast<long long>(n_trees));
  }
  *state = {reinterpret_cast<std::int32_t*>(state + 1), places_of(data_of<std::int32_t>(used), used.width)};
  step.inputs[kNodes].dtype == DType::u32 ? set_steps<Narrow>(step, shift, depths, state->steps)
                                          : set_steps<Wide>(step, shift, depths, state->steps);
  free(depths);
  return state;
}

void release_forest(void* state) { free(state); }

}  // namespace
}  // namespace sardonyx
