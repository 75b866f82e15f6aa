// Tree ensembles: which leaf a row reaches in every tree (TreeEnsembleLeaves), and the sum of those leaves' values, first
// tree first, in float64 (TreeEnsembleSum). Bit for bit the same on every instruction set: comparisons and one addition.
//
// Walk, any trees. A node is a split and a word; siblings are neighbours, children come after their parent:
//
//   word    child | feature | member | missing       child: of "yes"; "no" is the next one; counted from the tree's root
//   split   x <= split: yes                          NaN goes to yes where missing is 1
//           member: row of sets, x in it: yes
//   leaf    child is the node itself, missing is 1, split is a NaN that carries the leaf's number: whatever x is, a row
//           that has arrived stays, so lanes of rows walk together without asking who has arrived
//
// Scan, trees of at most 64 leaves. Leaves are bits from left to right; a node that says no clears the leaves below its
// yes; the lowest bit left is the leaf (C. Lucchese et al., QuickScorer, SIGIR 2015). No branches, no gathers:
//
//   splits, features, masks    of the tree's nodes: first those that send NaN to no, then those that send it to yes, then
//   ranges                     members        begin | end of the first | end of the second | end of the third
//
// Inputs of TreeEnsembleSum: x, nodes (n, 2), trees (T, 3: first node, number of nodes, first leaf), values (leaves, C),
// sets (n, words); with scan: used features, splits, features (places in used), masks, ranges (T, 4); with base: rows to
// start from. Params: groups, feature bits, scan, base. Tree t adds to columns (t % groups) * C ...
// Inputs of TreeEnsembleLeaves: x, nodes, trees, numbers (leaves), sets. Params: feature bits.
#include <stdlib.h>
#include <string.h>

#include "check.h"

namespace sardonyx {
namespace {

struct Narrow {
  using Float = float;
  using Word = std::uint32_t;
  static constexpr Word kPayload = 0x003FFFFFu, kLeaf = 0x7FC00000u;
  float split;
  Word word;
};

struct Wide {
  using Float = double;
  using Word = std::uint64_t;
  static constexpr Word kPayload = 0x0007FFFFFFFFFFFFu, kLeaf = 0x7FF8000000000000u;
  double split;
  Word word;
};

constexpr int kTreeFields = 3, kRangeFields = 4;
constexpr int kWalkLanes = 16;  // rows that walk one tree together: enough misses in flight
constexpr int kTreeLanes = 8;   // trees that one row walks together
constexpr int kScanLanes = 64;  // rows of one scan
constexpr std::int64_t kFewRows = 8;

struct Sets {
  const std::uint32_t* bits;
  std::int64_t words;
};

struct Layout {
  int shift;           // of the child in a word
  std::uint32_t mask;  // of the feature, after the two flags
  Sets sets;
};

template <class Node>
inline typename Node::Word split_bits(const Node& node) {
  typename Node::Word bits;
  __builtin_memcpy(&bits, &node.split, sizeof bits);
  return bits;
}

template <class X>
inline bool in_set(const Sets& sets, std::uint64_t set, X x) {
  if (!(x >= 0 && x < static_cast<X>(sets.words * 32))) return false;
  const auto category = static_cast<std::int64_t>(x);
  if (static_cast<X>(category) != x) return false;
  return (sets.bits[static_cast<std::int64_t>(set) * sets.words + category / 32] >> (category % 32)) & 1;
}

// One step down. kMember: some node of the ensemble asks for a set.
template <bool kMember, class Node, class X>
inline std::uint32_t next(const Node* tree, std::uint32_t at, const X* x, const Layout& layout) {
  const Node node = tree[at];
  const auto v = static_cast<typename Node::Float>(x[(node.word >> 2) & layout.mask]);
  bool no = (v > node.split) | ((v != v) & ((node.word & 1) == 0));
  if (kMember && (node.word & 2)) no = v != v ? (node.word & 1) == 0 : !in_set(layout.sets, split_bits(node), v);
  return static_cast<std::uint32_t>(node.word >> layout.shift) + no;
}

template <class Node>
inline std::int64_t leaf_of(const Node& node) {
  return static_cast<std::int64_t>(split_bits(node) & Node::kPayload);
}

struct Forest {
  const void* nodes;
  const std::int64_t* trees;
  const std::int32_t* depths;  // prepared
  std::int64_t n_trees;
  std::int64_t n_features;
  Layout layout;
};

// Walks `kLanes` rows (or the first `rows` of them, the others standing in for the first) down one tree.
template <bool kMember, int kLanes, class Node, class X>
inline void walk_rows(const Node* tree, int depth, const X* x, std::int64_t stride, int rows, const Layout& layout,
                      std::uint32_t* at) {
  const X* row[kLanes];
  for (int l = 0; l < kLanes; ++l) row[l] = x + (l < rows ? l : 0) * stride;
  for (int l = 0; l < kLanes; ++l) at[l] = 0;
  for (int d = 0; d < depth; ++d) {
    std::uint32_t moved = 0;
    for (int l = 0; l < kLanes; ++l) {
      const std::uint32_t to = next<kMember>(tree, at[l], row[l], layout);
      moved |= to ^ at[l];
      at[l] = to;
    }
    if (moved == 0) break;
  }
}

// Calls sink(row, tree, leaf): of each row, trees come in order.
template <bool kMember, class Node, class X, class Sink>
inline void walk_block(const Forest& forest, const X* x, std::int64_t rows, const Sink& sink) {
  const Node* nodes = static_cast<const Node*>(forest.nodes);
  std::uint32_t at[kWalkLanes];
  for (std::int64_t t = 0; t < forest.n_trees; ++t) {
    const Node* tree = nodes + forest.trees[t * kTreeFields];
    const std::int64_t first_leaf = forest.trees[t * kTreeFields + 2];
    for (std::int64_t r = 0; r < rows; r += kWalkLanes) {
      const int n = static_cast<int>(rows - r < kWalkLanes ? rows - r : kWalkLanes);
      walk_rows<kMember, kWalkLanes>(tree, forest.depths[t], x + r * forest.n_features, forest.n_features, n,
                                     forest.layout, at);
      for (int l = 0; l < n; ++l) sink(r + l, t, first_leaf + leaf_of(tree[at[l]]));
    }
  }
}

template <bool kMember, class Node, class X, class Sink>
inline void walk_row(const Forest& forest, const X* x, std::int64_t row, const Sink& sink) {
  const Node* nodes = static_cast<const Node*>(forest.nodes);
  for (std::int64_t t = 0; t < forest.n_trees; t += kTreeLanes) {
    const int n = static_cast<int>(forest.n_trees - t < kTreeLanes ? forest.n_trees - t : kTreeLanes);
    const Node* tree[kTreeLanes];
    std::uint32_t at[kTreeLanes];
    std::int32_t depth = 0;
    for (int l = 0; l < kTreeLanes; ++l) {
      const std::int64_t i = t + (l < n ? l : 0);
      tree[l] = nodes + forest.trees[i * kTreeFields];
      at[l] = 0;
      depth = depth > forest.depths[i] ? depth : forest.depths[i];
    }
    for (std::int32_t d = 0; d < depth; ++d) {
      std::uint32_t moved = 0;
      for (int l = 0; l < kTreeLanes; ++l) {
        const std::uint32_t to = next<kMember>(tree[l], at[l], x, forest.layout);
        moved |= to ^ at[l];
        at[l] = to;
      }
      if (moved == 0) break;
    }
    for (int l = 0; l < n; ++l) {
      sink(row, t + l, forest.trees[(t + l) * kTreeFields + 2] + leaf_of(tree[l][at[l]]));
    }
  }
}

template <class Node, class X, class Sink>
inline void walk(const Forest& forest, const X* x, std::int64_t rows, bool member, const Sink& sink) {
  if (rows < kFewRows) {
    for (std::int64_t r = 0; r < rows; ++r, x += forest.n_features) {
      member ? walk_row<true, Node>(forest, x, r, sink) : walk_row<false, Node>(forest, x, r, sink);
    }
  } else {
    member ? walk_block<true, Node>(forest, x, rows, sink) : walk_block<false, Node>(forest, x, rows, sink);
  }
}

// ---- checks and what they prepare ------------------------------------------------------------------------------------

struct State {
  bool member;
  std::int32_t* depths;
};

template <class Node>
void check_nodes(const char* name, const Tensor& nodes, const Tensor& trees, std::int64_t leaves, int bits,
                 std::int64_t features, std::int64_t sets) {
  const Node* all = data_of<Node>(nodes);
  const std::int64_t* table = data_of<std::int64_t>(trees);
  const std::int64_t n_nodes = nodes.dims[0];
  const int shift = bits + 2;
  const typename Node::Word mask = (typename Node::Word{1} << bits) - 1;
  for (std::int64_t t = 0; t < trees.dims[0]; ++t) {
    const std::int64_t first = table[t * kTreeFields], count = table[t * kTreeFields + 1];
    const std::int64_t first_leaf = table[t * kTreeFields + 2];
    require(in_range(first, 0, n_nodes - 1) && in_range(count, 1, n_nodes - first), name, "a tree beyond the nodes");
    require(count <= (std::int64_t{1} << 31), name, "a tree of too many nodes");
    require(in_range(first_leaf, 0, leaves - 1), name, "a tree beyond the leaves");
    for (std::int64_t i = 0; i < count; ++i) {
      const Node& node = all[first + i];
      const auto child = static_cast<std::int64_t>(node.word >> shift);
      const auto feature = static_cast<std::int64_t>((node.word >> 2) & mask);
      require(feature < features, name, "a node asks for a feature that is not there");
      const bool member = (node.word & 2) != 0;
      if (child == i) {
        const bool is_leaf = (split_bits(node) & ~Node::kPayload) == Node::kLeaf && (node.word & 3) == 1;
        require(is_leaf, name, "a node is its own child");
        require(leaf_of(node) < leaves - first_leaf, name, "a leaf without values");
      } else {
        require(child > i && child + 1 < count, name, "a node's children are before it, or beyond its tree");
        require(!member || static_cast<std::int64_t>(split_bits(node)) < sets, name, "a node asks for an unknown set");
        require(!member || split_bits(node) <= static_cast<typename Node::Word>(0x7FFFFFFF), name, "an unknown set");
      }
    }
  }
}

// The five inputs both kernels begin with; returns the number of leaves.
void check_forest(const Step& step, const char* name, int bits, DType leaf_type) {
  const Tensor &x = step.inputs[0], &nodes = step.inputs[1], &trees = step.inputs[2], &leaves = step.inputs[3];
  const Tensor& sets = step.inputs[4];
  require(!x.constant && is_float(x.dtype) && x.width > 0, name, "x is not rows of floats");
  for (int i = 1; i < 5; ++i) require(step.inputs[i].constant, name, "nodes, trees, leaves and sets are constants");
  require(nodes.rank == 2 && nodes.dims[1] == 2 && nodes.width > 0, name, "nodes are not pairs");
  const bool narrow = nodes.dtype == DType::u32;
  require(narrow ? x.dtype == DType::f32 : nodes.dtype == DType::u64, name, "nodes do not fit the type of x");
  require(in_range(bits, 1, narrow ? 20 : 29), name, "impossible feature bits");
  require(trees.dtype == DType::i64 && trees.rank == 2 && trees.dims[1] == kTreeFields && trees.width > 0, name,
          "trees are not rows of three");
  require(leaves.dtype == leaf_type && leaves.rank >= 1 && leaves.dims[0] > 0 && leaves.width > 0, name,
          "leaves of another type");
  require(sets.dtype == DType::u32 && sets.rank == 2 && in_range(sets.dims[1], 0, 1 << 20), name, "sets are not bits");
  if (narrow) {
    check_nodes<Narrow>(name, nodes, trees, leaves.dims[0], bits, x.width, sets.dims[0]);
  } else {
    check_nodes<Wide>(name, nodes, trees, leaves.dims[0], bits, x.width, sets.dims[0]);
  }
}

template <class Node>
void find_depths(const Step& step, int bits, State* state, std::int32_t* below) {
  const Node* nodes = data_of<Node>(step.inputs[1]);
  const std::int64_t* table = data_of<std::int64_t>(step.inputs[2]);
  for (std::int64_t t = 0; t < step.inputs[2].dims[0]; ++t) {
    const Node* tree = nodes + table[t * kTreeFields];
    for (std::int64_t i = table[t * kTreeFields + 1] - 1; i >= 0; --i) {  // children come after their parent
      const auto child = static_cast<std::int64_t>(tree[i].word >> (bits + 2));
      below[i] = 0;
      if (child == i) continue;
      below[i] = 1 + (below[child] > below[child + 1] ? below[child] : below[child + 1]);
      state->member |= (tree[i].word & 2) != 0;
    }
    state->depths[t] = below[0];
  }
}

void* prepare_forest(const Step& step, int bits) {
  std::int64_t largest = 0;
  const std::int64_t n_trees = step.inputs[2].dims[0];
  for (std::int64_t t = 0; t < n_trees; ++t) {
    const std::int64_t count = data_of<std::int64_t>(step.inputs[2])[t * kTreeFields + 1];
    largest = largest > count ? largest : count;
  }
  auto* state = static_cast<State*>(malloc(sizeof(State) + static_cast<std::size_t>(n_trees) * sizeof(std::int32_t)));
  auto* below = static_cast<std::int32_t*>(malloc(static_cast<std::size_t>(largest) * sizeof(std::int32_t)));
  if (state == nullptr || below == nullptr) {
    free(state);
    free(below);
    fail("TreeEnsemble: no memory for %lld trees", static_cast<long long>(n_trees));
  }
  state->member = false;
  state->depths = reinterpret_cast<std::int32_t*>(state + 1);
  if (step.inputs[1].dtype == DType::u32) {
    find_depths<Narrow>(step, bits, state, below);
  } else {
    find_depths<Wide>(step, bits, state, below);
  }
  free(below);
  return state;
}

void release_forest(void* state) { free(state); }

Forest forest_of(const Step& step, int bits, const State& state) {
  const Tensor &trees = step.inputs[2], &sets = step.inputs[4];
  return {
      step.inputs[1].data,  data_of<std::int64_t>(trees),
      state.depths,         trees.dims[0],
      step.inputs[0].width, {bits + 2, (std::uint32_t{1} << bits) - 1, {data_of<std::uint32_t>(sets), sets.dims[1]}}};
}

template <class Sink>
inline void walk_any(const Step& step, const Forest& forest, std::int64_t rows, bool member, const Sink& sink) {
  const Tensor& x = step.inputs[0];
  if (step.inputs[1].dtype == DType::u32) return walk<Narrow>(forest, data_of<float>(x), rows, member, sink);
  if (x.dtype == DType::f32) return walk<Wide>(forest, data_of<float>(x), rows, member, sink);
  walk<Wide>(forest, data_of<double>(x), rows, member, sink);
}

double walk_cost(const Step& step) { return 8.0 * static_cast<double>(step.inputs[2].dims[0]); }

// ---- scan ------------------------------------------------------------------------------------------------------------

struct Scan {
  const std::int32_t* used;
  std::int64_t n_used;
  const void* splits;
  const std::int32_t* features;
  const void* masks;
  const std::int64_t* ranges;
};

constexpr int kScanInputs = 5;

Scan scan_of(const Step& step) {
  const Tensor* in = step.inputs + 5;
  return {data_of<std::int32_t>(in[0]), in[0].width, in[1].data,
          data_of<std::int32_t>(in[2]), in[3].data,  data_of<std::int64_t>(in[4])};
}

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

// kWidth rows in vectors: what is left of their bits, and their values of one feature.
template <class X, class Mask>
struct Lanes {
  static constexpr int kWidth = kVectorBytes / static_cast<int>(sizeof(Mask));
  static constexpr int kAtOnce = 4;  // vectors of values a time, so that all bits stay in registers
  typedef Mask Masks __attribute__((vector_size(kVectorBytes)));
  typedef X Values __attribute__((vector_size(kWidth * sizeof(X))));
};

// The nodes begin ... end of a tree, for kAtOnce vectors of rows.
template <bool kMissingIsYes, int kWords, class X, class Mask>
inline void scan_nodes(const Scan& scan, std::int64_t begin, std::int64_t end, const X* x,
                       typename Lanes<X, Mask>::Masks (*bits)[kWords]) {
  using L = Lanes<X, Mask>;
  const X* splits = static_cast<const X*>(scan.splits);
  const Mask* masks = static_cast<const Mask*>(scan.masks);
  for (std::int64_t i = begin; i < end; ++i) {
    const X* column = x + static_cast<std::int64_t>(scan.features[i]) * kScanLanes;
    for (int v = 0; v < L::kAtOnce; ++v) {
      typename L::Values values;
      __builtin_memcpy(&values, column + v * L::kWidth, sizeof values);
      const auto yes = kMissingIsYes ? ~(values > splits[i]) : (values <= splits[i]);
      for (int w = 0; w < kWords; ++w) bits[v][w] &= (typename L::Masks)yes | masks[i * kWords + w];
    }
  }
}

// Of one tree: the bits left for kScanLanes rows, from columns x[feature * kScanLanes + row].
template <int kWords, class X, class Mask>
inline void scan_tree(const Scan& scan, const std::int64_t* range, const X* x, const Sets& sets,
                      Mask (*left)[kScanLanes]) {
  using L = Lanes<X, Mask>;
  for (int first = 0; first < kScanLanes; first += L::kAtOnce * L::kWidth) {
    typename L::Masks bits[L::kAtOnce][kWords];
    for (int v = 0; v < L::kAtOnce; ++v)
      for (int w = 0; w < kWords; ++w) bits[v][w] = ~typename L::Masks{};
    scan_nodes<false, kWords, X, Mask>(scan, range[0], range[1], x + first, bits);
    scan_nodes<true, kWords, X, Mask>(scan, range[1], range[2], x + first, bits);
    for (int v = 0; v < L::kAtOnce; ++v)
      for (int w = 0; w < kWords; ++w) __builtin_memcpy(left[w] + first + v * L::kWidth, &bits[v][w], kVectorBytes);
  }
  const X* splits = static_cast<const X*>(scan.splits);
  const Mask* masks = static_cast<const Mask*>(scan.masks);
  for (std::int64_t i = range[2]; i < range[3]; ++i) {
    Mask word;
    __builtin_memcpy(&word, &splits[i], sizeof word);
    const X* column = x + static_cast<std::int64_t>(scan.features[i]) * kScanLanes;
    for (int l = 0; l < kScanLanes; ++l) {
      const bool yes = column[l] != column[l] ? (word & 1) != 0 : in_set(sets, word >> 1, column[l]);
      for (int w = 0; w < kWords; ++w) left[w][l] &= yes ? ~Mask{0} : masks[i * kWords + w];
    }
  }
}

template <class Mask>
inline int lowest(Mask bits) {
  if constexpr (sizeof(Mask) == 8) {
    return __builtin_ctzll(bits);
  } else {
    return __builtin_ctz(bits);
  }
}

// Place of the lowest bit of the words of lane l; some bit is there.
template <int kWords, class Mask>
inline int lowest_of(const Mask (*left)[kScanLanes], int l) {
  if constexpr (kWords == 1) {
    return lowest(left[0][l]);
  } else {
    return lowest(std::uint64_t{left[1][l]} << 32 | left[0][l]);
  }
}

// Copies the columns in use of up to kScanLanes rows; rows that are not there are zeros.
template <class X>
inline void gather_columns(const Scan& scan, const X* x, std::int64_t stride, int rows, X* columns) {
  for (std::int64_t u = 0; u < scan.n_used; ++u) {
    const X* from = x + scan.used[u];
    X* to = columns + u * kScanLanes;
    for (int l = 0; l < rows; ++l) to[l] = from[l * stride];
    for (int l = rows; l < kScanLanes; ++l) to[l] = X(0);
  }
}

template <int kWords, class X, class Mask, class Sink>
inline void scan_block(const Forest& forest, const Scan& scan, const X* x, std::int64_t rows, X* columns,
                       const Sink& sink) {
  Mask left[kWords][kScanLanes];
  for (std::int64_t r = 0; r < rows; r += kScanLanes) {
    const int n = static_cast<int>(rows - r < kScanLanes ? rows - r : kScanLanes);
    gather_columns(scan, x + r * forest.n_features, forest.n_features, n, columns);
    for (std::int64_t t = 0; t < forest.n_trees; ++t) {
      scan_tree<kWords>(scan, scan.ranges + t * kRangeFields, columns, forest.layout.sets, left);
      const std::int64_t first_leaf = forest.trees[t * kTreeFields + 2];
      for (int l = 0; l < n; ++l) sink(r + l, t, first_leaf + lowest_of<kWords>(left, l));
    }
  }
}

template <int kWords, class Mask>
void check_scan_nodes(const char* name, const Step& step) {
  const Tensor* in = step.inputs + 5;
  const std::int64_t n = in[1].width, n_trees = step.inputs[2].dims[0];
  const std::int64_t* table = data_of<std::int64_t>(step.inputs[2]);
  const std::int64_t* range = data_of<std::int64_t>(in[4]);
  const std::int64_t leaves = step.inputs[3].dims[0], sets = step.inputs[4].dims[0];
  for (std::int64_t t = 0; t < n_trees; ++t, range += kRangeFields) {
    const bool ordered = range[0] >= 0 && range[0] <= range[1] && range[1] <= range[2] && range[2] <= range[3];
    require(ordered && range[3] <= n, name, "ranges of nodes are not in order");
    Mask stays[kWords][kScanLanes];  // the leaves that no node takes away: one of them is always left
    for (int w = 0; w < kWords; ++w) {
      stays[w][0] = ~Mask{0};
      for (std::int64_t i = range[0]; i < range[3]; ++i) stays[w][0] &= data_of<Mask>(in[3])[i * kWords + w];
    }
    require(stays[0][0] != 0 || stays[kWords - 1][0] != 0, name, "nodes take all leaves away");
    require(lowest_of<kWords>(stays, 0) < leaves - table[t * kTreeFields + 2], name, "a leaf without values");
    for (std::int64_t i = range[2]; i < range[3]; ++i) {
      Mask word;
      __builtin_memcpy(&word, static_cast<const Mask*>(in[1].data) + i, sizeof word);
      require(static_cast<std::uint64_t>(word >> 1) < static_cast<std::uint64_t>(sets), name, "an unknown set");
    }
  }
}

void check_scan(const Step& step, const char* name) {
  const Tensor &x = step.inputs[0], *in = step.inputs + 5;
  for (int i = 0; i < kScanInputs; ++i) require(in[i].constant, name, "scan tables are constants");
  require(in[0].dtype == DType::i32 && in[2].dtype == DType::i32, name, "features are int32");
  require(in_range(in[0].width, 1, x.width), name, "too many features, or none");
  require(in[1].dtype == x.dtype, name, "splits of another type than x");
  const bool wide = x.dtype == DType::f64;
  require(in[3].dtype == (wide ? DType::u64 : DType::u32) && in[3].rank == 2, name, "masks of the wrong type");
  const std::int64_t words = in[3].dims[1];
  require(words == 1 || (words == 2 && !wide), name, "a mask is of one word, or two of 32 bits");
  require(in[1].width == in[2].width && in[1].width == in[3].dims[0], name, "splits, features and masks differ");
  require(in[4].dtype == DType::i64 && in[4].rank == 2 && in[4].dims[0] == step.inputs[2].dims[0] &&
              in[4].dims[1] == kRangeFields,
          name, "ranges do not fit the trees");
  for (std::int64_t i = 0; i < in[0].width; ++i)
    require(in_range(data_of<std::int32_t>(in[0])[i], 0, x.width - 1), name, "a feature in use is not there");
  for (std::int64_t i = 0; i < in[2].width; ++i)
    require(in_range(data_of<std::int32_t>(in[2])[i], 0, in[0].width - 1), name, "a node's feature is not in use");
  if (wide) return check_scan_nodes<1, std::uint64_t>(name, step);
  if (words == 2) return check_scan_nodes<2, std::uint32_t>(name, step);
  check_scan_nodes<1, std::uint32_t>(name, step);
}

template <class Sink>
inline void scan_any(const Step& step, const Forest& forest, std::int64_t rows, void* scratch, const Sink& sink) {
  const Scan scan = scan_of(step);
  const Tensor& x = step.inputs[0];
  if (x.dtype == DType::f64) {
    scan_block<1, double, std::uint64_t>(forest, scan, data_of<double>(x), rows, static_cast<double*>(scratch), sink);
  } else if (step.inputs[8].dims[1] == 2) {
    scan_block<2, float, std::uint32_t>(forest, scan, data_of<float>(x), rows, static_cast<float*>(scratch), sink);
  } else {
    scan_block<1, float, std::uint32_t>(forest, scan, data_of<float>(x), rows, static_cast<float*>(scratch), sink);
  }
}

// ---- TreeEnsembleSum -------------------------------------------------------------------------------------------------

enum SumParam { kGroups, kBits, kScan, kBase };

void check_sum(const Step& step) {
  constexpr const char* name = "TreeEnsembleSum";
  require(step.n_params == 4, name, "expected 4 params");
  const std::int64_t groups = integer_param(step, kGroups), bits = integer_param(step, kBits);
  const std::int64_t scan = integer_param(step, kScan), base = integer_param(step, kBase);
  require(in_range(scan, 0, 1) && in_range(base, 0, 1), name, "scan and base are 0 or 1");
  require_counts(step, name, static_cast<int>(5 + kScanInputs * scan + base), 1, 4);
  require_row_output(step, name);
  const Tensor &values = step.inputs[3], &y = step.outputs[0];
  require(is_float(values.dtype), name, "values are not floats");
  check_forest(step, name, static_cast<int>(in_range(bits, 0, 64) ? bits : 0), values.dtype);
  require(values.rank == 2, name, "values are not a matrix");
  require(in_range(groups, 1, 1 << 20), name, "impossible groups");
  require(y.dtype == values.dtype && y.width == groups * values.dims[1], name, "output of the wrong size");
  if (scan != 0) check_scan(step, name);
  if (base == 0) return;
  const Tensor& start = step.inputs[step.n_inputs - 1];
  require(start.dtype == y.dtype && !start.constant && start.width == y.width, name, "base does not fit the output");
}

std::size_t sum_scratch(const Step& step, std::int64_t) {
  if (step.params[kScan].i == 0) return 0;
  return static_cast<std::size_t>(step.inputs[5].width) * kScanLanes * item_size(step.inputs[0].dtype);
}

void* prepare_sum(const Step& step) { return prepare_forest(step, static_cast<int>(step.params[kBits].i)); }

// Adds leaf values to rows of y, both of type Sum. kColumns: how many a leaf has, 0 for any number.
template <int kColumns, class Sum>
struct Add {
  Sum* y;
  const Sum* values;
  std::int64_t width, columns, groups;

  inline void operator()(std::int64_t row, std::int64_t tree, std::int64_t leaf) const {
    const std::int64_t n = kColumns > 0 ? kColumns : columns;
    Sum* to = y + row * width + (groups == 1 ? 0 : (tree % groups) * n);
    const Sum* from = values + leaf * n;
    for (std::int64_t k = 0; k < n; ++k) to[k] += from[k];
  }
};

template <int kColumns, class Sum>
void add_trees(const Step& step, std::int64_t rows, const Context& context) {
  const State& state = *static_cast<const State*>(context.state);
  const Forest forest = forest_of(step, static_cast<int>(step.params[kBits].i), state);
  const Tensor &values = step.inputs[3], &y = step.outputs[0];
  const Add<kColumns, Sum> add{data_of<Sum>(y), data_of<Sum>(values), y.width, values.dims[1], step.params[kGroups].i};
  if (step.params[kScan].i != 0 && rows >= kFewRows) return scan_any(step, forest, rows, context.scratch, add);
  walk_any(step, forest, rows, state.member, add);
}

template <class Sum>
void sum_trees(const Step& step, std::int64_t rows, const Context& context) {
  const Tensor& y = step.outputs[0];
  Sum* sums = data_of<Sum>(y);
  if (step.params[kBase].i != 0) {
    memcpy(sums, step.inputs[step.n_inputs - 1].data, static_cast<std::size_t>(rows * y.width) * sizeof(Sum));
  } else {
    for (std::int64_t i = 0; i < rows * y.width; ++i) sums[i] = Sum(-0.0);  // added to anything, changes nothing
  }
  switch (step.inputs[3].dims[1]) {
    case 1: return add_trees<1, Sum>(step, rows, context);
    case 2: return add_trees<2, Sum>(step, rows, context);
    case 3: return add_trees<3, Sum>(step, rows, context);
    default: return add_trees<0, Sum>(step, rows, context);
  }
}

void run_sum(const Step& step, std::int64_t rows, const Context& context) {
  step.outputs[0].dtype == DType::f32 ? sum_trees<float>(step, rows, context) : sum_trees<double>(step, rows, context);
}

SARDONYX_KERNEL("TreeEnsembleSum", {.check = check_sum,
                                    .run = run_sum,
                                    .scratch = sum_scratch,
                                    .prepare = prepare_sum,
                                    .release = release_forest,
                                    .cost = walk_cost});

// ---- TreeEnsembleLeaves ----------------------------------------------------------------------------------------------

void check_leaves(const Step& step) {
  constexpr const char* name = "TreeEnsembleLeaves";
  require_counts(step, name, 5, 1, 1);
  require_row_output(step, name);
  const std::int64_t bits = integer_param(step, 0);
  check_forest(step, name, static_cast<int>(in_range(bits, 0, 64) ? bits : 0), DType::i64);
  require(step.inputs[3].width == step.inputs[3].dims[0], name, "a leaf has one number");
  const Tensor& y = step.outputs[0];
  require(y.dtype == DType::i64 && y.width == step.inputs[2].dims[0], name, "output of the wrong size");
}

void* prepare_leaves(const Step& step) { return prepare_forest(step, static_cast<int>(step.params[0].i)); }

void run_leaves(const Step& step, std::int64_t rows, const Context& context) {
  const State& state = *static_cast<const State*>(context.state);
  const Forest forest = forest_of(step, static_cast<int>(step.params[0].i), state);
  const std::int64_t* numbers = data_of<std::int64_t>(step.inputs[3]);
  std::int64_t* y = data_of<std::int64_t>(step.outputs[0]);
  walk_any(step, forest, rows, state.member, [=](std::int64_t row, std::int64_t tree, std::int64_t leaf) {
    y[row * forest.n_trees + tree] = numbers[leaf];
  });
}

SARDONYX_KERNEL("TreeEnsembleLeaves", {.check = check_leaves,
                                       .run = run_leaves,
                                       .prepare = prepare_leaves,
                                       .release = release_forest,
                                       .cost = walk_cost});

}  // namespace
}  // namespace sardonyx
