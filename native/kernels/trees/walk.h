// The walk: eight lanes go down together, one step each, until none of them moves. Lanes are eight rows in one tree, or,
// for a row alone, eight trees. A step waits for its node and then for its key; the other lanes fill that time:
//
//   node = tree[at]      key = column of the node's feature [lane]      at = child + (key > split)
//
// keys, eight rows a group:   feature 0: r0 r1 .. r7 | feature 1: r0 r1 .. r7 | ...      a row alone: a key every 8 bytes
//
// Where nodes ask for sets, the step looks at the flags too. On machines that gather slowly (AMD's) this beats vectors of
// gathers by half; on others it is no slower.
#pragma once

#include "kernels/trees/layout.h"

namespace sardonyx {
namespace {

struct Rows {
  std::int64_t first, end;
};

// child + (split < key), in two instructions: compilers make four of it.
#if defined(__x86_64__)
inline std::uint64_t add_if_less(std::uint64_t child, std::uint32_t split, const std::uint32_t* key) {
  __asm__("cmpl %2, %1\n\tadcq $0, %0" : "+r"(child) : "r"(split), "m"(*key) : "cc");
  return child;
}
inline std::uint64_t add_if_less(std::uint64_t child, std::uint64_t split, const std::uint64_t* key) {
  __asm__("cmpq %2, %1\n\tadcq $0, %0" : "+r"(child) : "r"(split), "m"(*key) : "cc");
  return child;
}
#else
template <class Key>
inline std::uint64_t add_if_less(std::uint64_t child, Key split, const Key* key) {
  return child + (split < *key ? 1 : 0);
}
#endif

template <class Key>
inline const Key* key_at(const Key* keys, std::uint64_t byte) {
  return reinterpret_cast<const Key*>(reinterpret_cast<const char*>(keys) + byte);
}

// One step down, of the two forms of nodes. kStretch: bytes of a feature's column of keys, in eighths.
template <bool kHalves>
struct NarrowStep {
  using Node = Narrow;
  int shift;
  std::uint64_t mask;

  explicit NarrowStep(int shift) : shift(32 + shift), mask((std::uint64_t{1} << shift) - 1) {}

  template <int kStretch>
  inline std::uint64_t go(const Narrow* tree, std::uint64_t at, const std::uint32_t* keys) const {
    std::uint64_t node;
    memcpy(&node, tree + at, sizeof node);
    const auto split = static_cast<std::uint32_t>(node);
    if constexpr (kHalves) {
      std::uint16_t field;
      memcpy(&field, reinterpret_cast<const char*>(tree + at) + 4, sizeof field);
      return add_if_less(node >> 48, split, key_at(keys, std::uint64_t{field} * kStretch));
    } else {
      return add_if_less(node >> shift, split, key_at(keys, ((node >> 32) & mask) * kStretch));
    }
  }
};

struct WideStep {
  using Node = Wide;

  explicit WideStep(int) {}

  template <int kStretch>
  inline std::uint64_t go(const Wide* tree, std::uint64_t at, const std::uint64_t* keys) const {
    const Wide& node = tree[at];
    const std::uint64_t field = static_cast<std::uint32_t>(node.word);
    return add_if_less(node.word >> 32, node.split, key_at(keys, field * kStretch));
  }
};

// The same where nodes may ask for sets.
template <class Node>
inline std::uint64_t step_of_sets(const Forest& forest, const Node* tree, const std::uint8_t* flags, std::uint64_t at,
                                  typename Node::Key key) {
  using Key = typename Node::Key;
  const Node node = tree[at];
  bool no = key > node.split;
  if (flags[at] != 0) no = key == 0 || key == kNan<Key> ? key != 0 : !in_set(forest.sets, node.split, number_of(key));
  return static_cast<std::uint64_t>(node.word >> forest.shift) + no;
}

// All lanes down; at[l] is where lane l is, and where it arrives. move(l, at) is where it goes next.
template <class Move>
inline void descend(std::int32_t free_levels, std::uint64_t* at, const Move& move) {
  for (std::int32_t d = 0; d < free_levels; ++d) {
#pragma GCC unroll 8
    for (int l = 0; l < kLanes8; ++l) at[l] = move(l, at[l]);
  }
  for (;;) {
    std::uint64_t moved = 0;
#pragma GCC unroll 8
    for (int l = 0; l < kLanes8; ++l) {
      const std::uint64_t to = move(l, at[l]);
      moved |= to ^ at[l];
      at[l] = to;
    }
    if (moved == 0) return;
  }
}

// ---- eight rows, one tree --------------------------------------------------------------------------------------------

template <class Key, class X>
__attribute__((noinline)) void fill_group(const Forest& forest, const X* x, int rows, Key* keys) {
  const X* from[kLanes8];
  for (int l = 0; l < kLanes8; ++l) from[l] = x + (l < rows ? l : 0) * forest.n_features;
  for (std::int64_t u = 0; u < forest.n_used; ++u, keys += kLanes8) {
    using Number = std::conditional_t<sizeof(Key) == 4, float, double>;
    const std::int64_t column = column_of(forest.used[u]);
    const Key nan = nan_of<Key>(forest.used[u]);
    Number numbers[kLanes8];
    for (int l = 0; l < kLanes8; ++l) numbers[l] = static_cast<Number>(from[l][column]);
    for (int l = 0; l < kLanes8; ++l) keys[l] = key_of(numbers[l], nan);
  }
}

// Where the rows of a group arrive that are at at[...], above which so many levels have no leaf. Not inlined: once for
// every kind of node, whatever is done with leaves.
template <bool kSetsToo, class Step>
__attribute__((noinline)) void leaves_of_group(const Forest& forest, std::int64_t t, const Step& step,
                                               const typename Step::Node::Key* keys, std::int32_t free_levels,
                                               std::uint64_t* at, std::int64_t* leaves) {
  using Node = typename Step::Node;
  using Key = typename Node::Key;
  const std::int64_t first = forest.trees[t * kTreeFields], first_leaf = forest.trees[t * kTreeFields + 2];
  const Node* tree = static_cast<const Node*>(forest.nodes) + first;
  if constexpr (!kSetsToo) {
    descend(free_levels, at,
            [&](int l, std::uint64_t from) { return step.template go<sizeof(Key)>(tree, from, keys + l); });
  } else {
    const Key fields = static_cast<Key>((std::uint64_t{1} << forest.shift) - 1);
    const std::uint8_t* flags = forest.flags + first;
    descend(free_levels, at, [&](int l, std::uint64_t from) {
      return step_of_sets(forest, tree, flags, from, keys[(tree[from].word & fields) + static_cast<Key>(l)]);
    });
  }
  for (int l = 0; l < kLanes8; ++l) leaves[l] = first_leaf + leaf_of(tree[at[l]]);
}

template <class Step>
inline void leaves_at(const Forest& forest, std::int64_t t, const Step& step, const typename Step::Node::Key* keys,
                      std::int32_t free_levels, std::uint64_t* at, std::int64_t* leaves) {
  forest.flags == nullptr ? leaves_of_group<false>(forest, t, step, keys, free_levels, at, leaves)
                          : leaves_of_group<true>(forest, t, step, keys, free_levels, at, leaves);
}

// The same of rows that begin at starts[tops[...]]; those beyond `rows` go with the first.
template <class Step>
inline void leaves_from(const Forest& forest, std::int64_t t, const Step& step, const typename Step::Node::Key* keys,
                        const std::uint32_t* starts, const std::uint8_t* tops, int rows, std::int64_t* leaves) {
  std::uint64_t at[kLanes8];
  for (int l = 0; l < kLanes8; ++l) at[l] = starts[tops[l < rows ? l : 0]];
  leaves_at(forest, t, step, keys, 0, at, leaves);
}

// Scratch: keys of all groups.
template <class Step, class X, class Sink>
inline void walk_groups(const Forest& forest, const X* x, Rows rows, void* scratch, const Sink& sink) {
  using Key = typename Step::Node::Key;
  const Step step(forest.shift);
  const std::int64_t groups = (rows.end - rows.first + kLanes8 - 1) / kLanes8, size = forest.n_used * kLanes8;
  Key* keys = static_cast<Key*>(scratch);
  const auto first_of = [=](std::int64_t g) { return rows.first + g * kLanes8; };
  const auto count_of = [=](std::int64_t g) {
    const std::int64_t left = rows.end - first_of(g);
    return static_cast<int>(left < kLanes8 ? left : kLanes8);
  };
  for (std::int64_t g = 0; g < groups; ++g)
    fill_group(forest, x + first_of(g) * forest.n_features, count_of(g), keys + g * size);
  for (std::int64_t t = 0; t < forest.n_trees; ++t) {
    for (std::int64_t g = 0; g < groups; ++g) {
      std::int64_t leaves[kLanes8];
      std::uint64_t at[kLanes8] = {};
      leaves_at(forest, t, step, keys + g * size, forest.free_levels[t], at, leaves);
      for (int l = 0; l < count_of(g); ++l) sink(first_of(g) + l, t, leaves[l]);
    }
  }
}

// ---- one row, eight trees --------------------------------------------------------------------------------------------

template <class Key, class X>
__attribute__((noinline)) void fill_row(const Forest& forest, const X* x, Key* keys) {
  constexpr std::int64_t kStride = 8 / static_cast<std::int64_t>(sizeof(Key));
  for (std::int64_t u = 0; u < forest.n_used; ++u) {
    const auto number = static_cast<std::conditional_t<sizeof(Key) == 4, float, double>>(x[column_of(forest.used[u])]);
    keys[u * kStride] = key_of(number, nan_of<Key>(forest.used[u]));
  }
}

// Of a row alone, where at[...] is in a tree that begins at node `first`: one step down.
template <bool kSetsToo, class Step>
struct Alone {
  using Node = typename Step::Node;
  using Key = typename Node::Key;
  const Forest& forest;
  const Node* nodes;
  const Key* keys;
  Step step;

  Alone(const Forest& forest, const Key* keys)
      : forest(forest), nodes(static_cast<const Node*>(forest.nodes)), keys(keys), step(forest.shift) {}

  inline std::uint64_t move(const Node* tree, std::uint64_t from) const {
    if constexpr (!kSetsToo) {
      return step.template go<1>(tree, from, keys);
    } else {
      const auto fields = static_cast<Key>((std::uint64_t{1} << forest.shift) - 1);
      const Key key = keys[(tree[from].word & fields) / sizeof(Key)];
      return step_of_sets(forest, tree, forest.flags + (tree - nodes), from, key);
    }
  }
};

// Where a row arrives in the eight trees of `table`.
template <bool kSetsToo, class Step>
__attribute__((noinline)) void leaves_of_row(const Forest& forest, std::int64_t t, const typename Step::Node::Key* keys,
                                             std::int64_t* leaves) {
  const Alone<kSetsToo, Step> row(forest, keys);
  const std::int64_t* table = forest.trees + t * kTreeFields;
  const typename Step::Node* tree[kLanes8];
  std::uint64_t at[kLanes8] = {};
  std::int32_t free_levels = kMostFree;
  for (int l = 0; l < kLanes8; ++l) {
    tree[l] = row.nodes + table[l * kTreeFields];
    free_levels = free_levels < forest.free_levels[t + l] ? free_levels : forest.free_levels[t + l];
  }
  descend(free_levels, at, [&](int l, std::uint64_t from) { return row.move(tree[l], from); });
  for (int l = 0; l < kLanes8; ++l) leaves[l] = table[l * kTreeFields + 2] + leaf_of(tree[l][at[l]]);
}

// Where a row arrives in one tree.
template <bool kSetsToo, class Step>
__attribute__((noinline)) std::int64_t leaf_of_row(const Forest& forest, std::int64_t t,
                                                   const typename Step::Node::Key* keys) {
  const Alone<kSetsToo, Step> row(forest, keys);
  const typename Step::Node* tree = row.nodes + forest.trees[t * kTreeFields];
  std::uint64_t at = 0;
  for (std::uint64_t to = row.move(tree, at); to != at; to = row.move(tree, to)) at = to;
  return forest.trees[t * kTreeFields + 2] + leaf_of(tree[at]);
}

template <bool kSetsToo, class Step, class Sink>
inline void walk_trees(const Forest& forest, const typename Step::Node::Key* keys, std::int64_t row, const Sink& sink) {
  std::int64_t t = 0;
  for (; t + kLanes8 <= forest.n_trees; t += kLanes8) {
    std::int64_t leaves[kLanes8];
    leaves_of_row<kSetsToo, Step>(forest, t, keys, leaves);
    for (int l = 0; l < kLanes8; ++l) sink(row, t + l, leaves[l]);
  }
  for (; t < forest.n_trees; ++t) sink(row, t, leaf_of_row<kSetsToo, Step>(forest, t, keys));
}

template <class Step, class X, class Sink>
inline void walk_row(const Forest& forest, const X* x, std::int64_t row, void* scratch, const Sink& sink) {
  auto* keys = static_cast<typename Step::Node::Key*>(scratch);
  fill_row(forest, x, keys);
  forest.flags == nullptr ? walk_trees<false, Step>(forest, keys, row, sink)
                          : walk_trees<true, Step>(forest, keys, row, sink);
}

// ---- any rows --------------------------------------------------------------------------------------------------------

// Rows that are left of the groups walk alone, unless they nearly make another group.
constexpr std::int64_t kAlone = 3;

template <class Step, class X, class Sink>
inline void walk_with(const Forest& forest, const X* x, Rows rows, void* scratch, const Sink& sink) {
  std::int64_t alone = (rows.end - rows.first) % kLanes8;
  if (alone > kAlone) alone = 0;
  const Rows together{rows.first, rows.end - alone};
  if (together.first < together.end) walk_groups<Step>(forest, x, together, scratch, sink);
  for (std::int64_t r = together.end; r < rows.end; ++r)
    walk_row<Step>(forest, x + r * forest.n_features, r, scratch, sink);
}

// Calls sink(row, tree, leaf): of each row, trees come in order.
template <class Sink>
inline void walk(const Step& step, const Forest& forest, Rows rows, void* scratch, const Sink& sink) {
  const Tensor& x = step.inputs[kX];
  if (step.inputs[kNodes].dtype == DType::u64) {
    if (x.dtype == DType::f32) return walk_with<WideStep>(forest, data_of<float>(x), rows, scratch, sink);
    return walk_with<WideStep>(forest, data_of<double>(x), rows, scratch, sink);
  }
  if (forest.shift == kHalf) return walk_with<NarrowStep<true>>(forest, data_of<float>(x), rows, scratch, sink);
  walk_with<NarrowStep<false>>(forest, data_of<float>(x), rows, scratch, sink);
}

inline std::size_t walk_scratch(const Step& step, std::int64_t rows) {
  const std::size_t key = step.inputs[kNodes].dtype == DType::u64 ? 8 : 4;
  const auto groups = static_cast<std::size_t>((rows + kLanes8 - 1) / kLanes8);
  return groups * static_cast<std::size_t>(step.inputs[kUsed].width) * kLanes8 * key;
}

}  // namespace
}  // namespace sardonyx
