// The walk: eight lanes go down together, one step each. Lanes are eight rows in one tree, or, for a row alone, eight
// trees. A step waits for its node and then for its key; the other lanes fill that time:
//
//   node = tree[at]      key = column of the node's feature [lane]      at = child + (key > split)
//
// Steps are taken without asking first (State::steps), then lanes are asked. Few rows go on until no lane of theirs
// moves. Of many rows, those that still move are listed, and fill lanes again: no lane waits for its neighbours, no
// branch is guessed wrong.
//
//   group 0   r0 r1 .. r7 ──▶ ▶ ▶ ▶  asked: r2 r5 still move  ─┐
//   group 1   r8 r9 .. r15 ─▶ ▶ ▶ ▶  asked: r8 still moves    ─┴▶  list  r2 r5 r8 ...  ──▶ ▶ ▶  asked: r8 ──▶ ...
//
// Of a forest larger than the cache, the nodes of the next tree are fetched while many rows walk down this one: rows
// ask for nodes here and there, and would wait for each of them.
//
// Where nodes ask for sets, the step looks at the flags too. On machines that gather slowly (AMD's) this beats vectors
// of gathers by half; on others it is no slower.
#pragma once

#include "kernels/trees/keys.h"

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

// One step down, of the two forms of nodes. kStretch: bytes of a feature's column of keys, in eighths. kMasked: places
// are taken from the first half of the list of features in use (see layout.h).
template <bool kHalves, bool kMasked>
struct NarrowStep {
  using Node = Narrow;
  using Masked = NarrowStep<kHalves, true>;
  int shift;
  std::uint64_t mask;  // of the feature's field

  NarrowStep(int shift, std::uint64_t fields)
      : shift(32 + shift), mask(((std::uint64_t{1} << shift) - 1) & (kMasked ? fields : ~std::uint64_t{0})) {}

  template <int kStretch>
  inline std::uint64_t go(const Narrow* tree, std::uint64_t at, const std::uint32_t* keys) const {
    std::uint64_t node;
    memcpy(&node, tree + at, sizeof node);
    const auto split = static_cast<std::uint32_t>(node);
    if constexpr (kHalves) {
      std::uint16_t half;
      memcpy(&half, reinterpret_cast<const char*>(tree + at) + 4, sizeof half);
      const std::uint64_t field = kMasked ? half & mask : half;
      return add_if_less(node >> 48, split, key_at(keys, field * kStretch));
    } else {
      return add_if_less(node >> shift, split, key_at(keys, ((node >> 32) & mask) * kStretch));
    }
  }
};

template <bool kMasked>
struct WideStep {
  using Node = Wide;
  using Masked = WideStep<true>;
  std::uint64_t mask;

  WideStep(int, std::uint64_t fields) : mask((kMasked ? fields : ~std::uint64_t{0}) & 0xFFFFFFFF) {}

  template <int kStretch>
  inline std::uint64_t go(const Wide* tree, std::uint64_t at, const std::uint64_t* keys) const {
    const Wide& node = tree[at];
    const std::uint64_t field = kMasked ? node.word & mask : static_cast<std::uint32_t>(node.word);
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

// Where a lane goes next that is at `from`, with the keys of its row.
template <bool kSetsToo, int kStretch, class Step>
struct Mover {
  using Node = typename Step::Node;
  using Key = typename Node::Key;
  const Forest& forest;
  const Node* nodes;
  Step step;

  Mover(const Forest& forest, const Step& step)
      : forest(forest), nodes(static_cast<const Node*>(forest.nodes)), step(step) {}

  inline std::uint64_t operator()(const Node* tree, std::uint64_t from, const Key* keys) const {
    if constexpr (!kSetsToo) {
      return step.template go<kStretch>(tree, from, keys);
    } else {
      const std::uint64_t field = tree[from].word & ((std::uint64_t{1} << forest.shift) - 1) & step.mask;
      return step_of_sets(forest, tree, forest.flags + (tree - nodes), from, *key_at(keys, field * kStretch));
    }
  }
};

// All lanes down; at[l] is where lane l is, and where it arrives. move(l, at) is where it goes next.
template <class Move>
inline void descend(std::int32_t steps, std::uint64_t* at, const Move& move) {
  for (std::int32_t d = 0; d < steps; ++d) {
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

// The bits of a field that are left of it in the first half of the places.
inline std::uint64_t fields_of(const Forest& forest) {
  return static_cast<std::uint64_t>(forest.n_used - forest.places) * 8 - 1;
}

// ---- many rows, one tree --------------------------------------------------------------------------------------------

constexpr int kAgain = 2;                // steps that listed rows take before they are asked
constexpr std::int64_t kManyGroups = 4;  // that are worth a list

struct Listed {
  std::uint32_t row, at;
};

// Memory for the walk of many rows: where each arrives, and the list, with room for lanes to spare.
struct Walkers {
  std::uint32_t* arrived;
  Listed* list;
};

inline std::int64_t lanes_of(std::int64_t rows) { return (rows + kLanes8 - 1) / kLanes8 * kLanes8 + kLanes8; }

inline std::size_t walkers_bytes(std::int64_t rows) {
  return static_cast<std::size_t>(lanes_of(rows)) * (sizeof(std::uint32_t) + sizeof(Listed));
}

inline Walkers walkers_in(void* memory, std::int64_t rows) {
  auto* arrived = static_cast<std::uint32_t*>(memory);
  return {arrived, reinterpret_cast<Listed*>(arrived + lanes_of(rows))};
}

constexpr std::int64_t kLine = 64;            // bytes of the cache
constexpr std::int64_t kAheadOfRow = 16;      // lines to fetch for a row: fewer rows ask for too few of the nodes
constexpr std::int64_t kMostAhead = 1 << 19;  // bytes of nodes that stay in the cache until they are asked

// The next tree's nodes, a few lines for each group of rows.
struct Ahead {
  const char* at = nullptr;
  std::int64_t lines = 0;

  __attribute__((always_inline)) inline void fetch() {
    for (std::int64_t i = 0; i < lines; ++i, at += kLine) __builtin_prefetch(at, 0, 2);
  }
};

template <class Move>
inline Ahead ahead_of(const Move& move, std::int64_t tree, std::int64_t groups) {
  const std::int64_t next = tree + 1;
  if (next >= move.forest.n_trees) return {};
  const std::int64_t* table = move.forest.trees + next * kTreeFields;
  const std::int64_t bytes = table[1] * static_cast<std::int64_t>(sizeof(typename Move::Node));
  if (bytes > kMostAhead || bytes > groups * kLanes8 * kAheadOfRow * kLine) return {};
  return {reinterpret_cast<const char*>(move.nodes + table[0]), (bytes / kLine + groups - 1) / groups};
}

// One list's rows on, to the next list; returns how many are on that.
template <class Move>
inline std::int64_t walk_list(const Move& move, const typename Move::Node* tree,
                              const Groups<typename Move::Key>& groups, std::int64_t listed, const Walkers& walkers) {
  std::int64_t left = 0;
  for (std::int64_t i = 0; i < listed; i += kLanes8) {
    std::uint64_t at[kLanes8], was[kLanes8];
    std::uint32_t row[kLanes8];
    const typename Move::Key* keys[kLanes8];
#pragma GCC unroll 8
    for (int l = 0; l < kLanes8; ++l) {
      row[l] = walkers.list[i + l].row;
      at[l] = walkers.list[i + l].at;
      keys[l] = groups.of(row[l]);
    }
    for (int d = 0; d < kAgain; ++d) {
#pragma GCC unroll 8
      for (int l = 0; l < kLanes8; ++l) at[l] = move(tree, at[l], keys[l]);
    }
#pragma GCC unroll 8
    for (int l = 0; l < kLanes8; ++l) {
      was[l] = at[l];
      at[l] = move(tree, at[l], keys[l]);
    }
    const auto settle = [&](std::int64_t lanes) {
#pragma GCC unroll 8
      for (std::int64_t l = 0; l < lanes; ++l) {
        walkers.arrived[row[l]] = static_cast<std::uint32_t>(at[l]);
        walkers.list[left] = {row[l], static_cast<std::uint32_t>(at[l])};
        left += at[l] != was[l] ? 1 : 0;
      }
    };
    listed - i < kLanes8 ? settle(listed - i) : settle(kLanes8);
  }
  return left;
}

// Where all rows arrive that begin at starts[tops[row]], or at the root. `last` is the tree's last place, which is a
// leaf.
template <class Move>
__attribute__((noinline)) void walk_many(const Move& move, const typename Move::Node* tree, std::uint32_t last,
                                         const Groups<typename Move::Key>& groups, std::int32_t steps,
                                         const std::uint32_t* starts, const std::uint8_t* tops, const Walkers& walkers,
                                         Ahead ahead) {
  std::int64_t listed = 0;
  for (std::int64_t g = 0; g < groups.count; ++g) {
    ahead.fetch();
    const typename Move::Key* keys = groups.keys + g * groups.size;
    std::uint64_t at[kLanes8], was[kLanes8];
#pragma GCC unroll 8
    for (int l = 0; l < kLanes8; ++l) at[l] = starts == nullptr ? 0 : starts[tops[g * kLanes8 + l]];
    for (std::int32_t d = 0; d < steps; ++d) {
#pragma GCC unroll 8
      for (int l = 0; l < kLanes8; ++l) at[l] = move(tree, at[l], keys + l);
    }
#pragma GCC unroll 8
    for (int l = 0; l < kLanes8; ++l) {
      was[l] = at[l];
      at[l] = move(tree, at[l], keys + l);
    }
#pragma GCC unroll 8
    for (int l = 0; l < kLanes8; ++l) {
      const auto row = static_cast<std::uint32_t>(g * kLanes8 + l);
      walkers.arrived[row] = static_cast<std::uint32_t>(at[l]);
      walkers.list[listed] = {row, static_cast<std::uint32_t>(at[l])};
      listed += at[l] != was[l] ? 1 : 0;
    }
  }
  while (listed > 0) {
    for (std::int64_t i = listed; i % kLanes8 != 0; ++i) walkers.list[i] = {0, last};  // lanes to spare rest at a leaf
    listed = walk_list(move, tree, groups, listed, walkers);
  }
}

// ---- few rows, one tree ---------------------------------------------------------------------------------------------

// Where the rows of a group arrive that are at at[...]. Not inlined: once for every kind of node, whatever is done with
// leaves.
template <class Move>
__attribute__((noinline)) void walk_group(const Move& move, const typename Move::Node* tree,
                                          const typename Move::Key* keys, std::int32_t steps, std::uint64_t* from) {
  std::uint64_t at[kLanes8];  // in registers
  memcpy(at, from, sizeof at);
  descend(steps, at, [&](int l, std::uint64_t place) { return move(tree, place, keys + l); });
  memcpy(from, at, sizeof at);
}

// ---- rows together --------------------------------------------------------------------------------------------------

constexpr std::int32_t kNoStep = -1;  // rows have arrived at their starts

// How rows get down a tree from its root (steps of the tree), or on from its top (from starts[tops[row]]).
struct Way {
  std::int64_t tree;
  std::int32_t steps;
  const std::uint32_t* starts = nullptr;
  const std::uint8_t* tops = nullptr;  // of whole groups
};

// Where the first `count` rows arrive in a tree: leaves as its nodes number them.
template <class Move>
__attribute__((noinline)) void arrive(const Move& move, const Groups<typename Move::Key>& groups, std::int64_t count,
                                      const Way& way, const Walkers& walkers) {
  const std::int64_t* table = move.forest.trees + way.tree * kTreeFields;
  const typename Move::Node* tree = move.nodes + table[0];
  const auto start_of = [&](std::int64_t r) { return way.starts == nullptr ? 0 : way.starts[way.tops[r]]; };
  if (way.steps == kNoStep) {
    for (std::int64_t r = 0; r < count; ++r) walkers.arrived[r] = start_of(r);
  } else if (groups.count >= kManyGroups) {
    walk_many(move, tree, static_cast<std::uint32_t>(table[1] - 1), groups, way.steps, way.starts, way.tops, walkers,
              ahead_of(move, way.tree, groups.count));
  } else {
    for (std::int64_t r = 0; r < groups.count * kLanes8; r += kLanes8) {
      std::uint64_t at[kLanes8];
      for (int l = 0; l < kLanes8; ++l) at[l] = start_of(r + l);
      walk_group(move, tree, groups.of(r), way.steps, at);
      for (int l = 0; l < kLanes8; ++l) walkers.arrived[r + l] = static_cast<std::uint32_t>(at[l]);
    }
  }
  for (std::int64_t r = 0; r < count; ++r)
    walkers.arrived[r] = static_cast<std::uint32_t>(leaf_of(tree[walkers.arrived[r]]));
}

// Rows whose keys are made, and the form of arrive() for them: whoever uses leaves is compiled once for all forms.
struct Pass {
  void (*form)(const Pass& pass, const Forest& forest, std::int64_t count, const Way& way, const Walkers& walkers);
  const void* keys;
  std::int64_t groups, places;
};

template <class Step, bool kSetsToo>
void run_pass(const Pass& pass, const Forest& forest, std::int64_t count, const Way& way, const Walkers& walkers) {
  using Key = typename Step::Node::Key;
  const Mover<kSetsToo, sizeof(Key), Step> move(forest, Step(forest.shift, fields_of(forest)));
  arrive(move, Groups<Key>{static_cast<const Key*>(pass.keys), pass.groups, pass.places * kLanes8}, count, way,
         walkers);
}

template <class Step>
inline Pass pass_of(const Forest& forest, const void* keys, std::int64_t groups, std::int64_t places) {
  return {forest.flags == nullptr ? run_pass<Step, false> : run_pass<Step, true>, keys, groups, places};
}

// Makes the keys of rows, of only one half of the places if that is enough.
template <class Step, class X>
__attribute__((noinline)) Pass make_pass(const Forest& forest, const X* x, std::int64_t rows, void* memory) {
  auto* keys = static_cast<typename Step::Node::Key*>(memory);
  const std::int64_t groups = (rows + kLanes8 - 1) / kLanes8;
  if (forest.places < forest.n_used && !fill_groups(forest, x, rows, forest.places, keys))
    return pass_of<typename Step::Masked>(forest, keys, groups, forest.places);
  fill_groups(forest, x, rows, forest.n_used, keys);
  return pass_of<Step>(forest, keys, groups, forest.n_used);
}

// Calls sink(first row + r, tree, leaf) for all rows r of a tree.
template <class Sink>
inline void pass_tree(const Pass& pass, const Forest& forest, Rows rows, const Way& way, const Walkers& walkers,
                      const Sink& sink) {
  const std::int64_t first_leaf = forest.trees[way.tree * kTreeFields + 2], count = rows.end - rows.first;
  pass.form(pass, forest, count, way, walkers);
  for (std::int64_t r = 0; r < count; ++r) sink(rows.first + r, way.tree, first_leaf + walkers.arrived[r]);
}

// Scratch: keys of all groups, then walkers.
template <class Step, class X, class Sink>
inline void walk_groups(const Forest& forest, const X* x, Rows rows, void* scratch, const Sink& sink) {
  const std::int64_t count = rows.end - rows.first;
  const std::size_t keys = keys_bytes<typename Step::Node::Key>(forest.n_used, count);
  const Walkers walkers = walkers_in(static_cast<char*>(scratch) + keys, count);
  const Pass pass = make_pass<Step>(forest, x + rows.first * forest.n_features, count, scratch);
  for (std::int64_t t = 0; t < forest.n_trees; ++t) pass_tree(pass, forest, rows, {t, forest.steps[t]}, walkers, sink);
}

// ---- one row, eight trees -------------------------------------------------------------------------------------------

// Where a row arrives in the eight trees from t on.
template <class Move>
__attribute__((noinline)) void leaves_of_row(const Move& move, std::int64_t t, const typename Move::Key* keys,
                                             std::int64_t* leaves) {
  const std::int64_t* table = move.forest.trees + t * kTreeFields;
  const typename Move::Node* tree[kLanes8];
  std::uint64_t at[kLanes8] = {};
  std::int32_t steps = move.forest.steps[t];
  for (int l = 0; l < kLanes8; ++l) {
    tree[l] = move.nodes + table[l * kTreeFields];
    steps = steps < move.forest.steps[t + l] ? steps : move.forest.steps[t + l];
  }
  descend(steps, at, [&](int l, std::uint64_t from) { return move(tree[l], from, keys); });
  for (int l = 0; l < kLanes8; ++l) leaves[l] = table[l * kTreeFields + 2] + leaf_of(tree[l][at[l]]);
}

// Where a row arrives in one tree.
template <class Move>
__attribute__((noinline)) std::int64_t leaf_of_row(const Move& move, std::int64_t t, const typename Move::Key* keys) {
  const typename Move::Node* tree = move.nodes + move.forest.trees[t * kTreeFields];
  std::uint64_t at = 0;
  for (std::uint64_t to = move(tree, at, keys); to != at; to = move(tree, to, keys)) at = to;
  return move.forest.trees[t * kTreeFields + 2] + leaf_of(tree[at]);
}

template <class Move, class Sink>
inline void walk_trees(const Move& move, const typename Move::Key* keys, std::int64_t row, const Sink& sink) {
  std::int64_t t = 0;
  for (; t + kLanes8 <= move.forest.n_trees; t += kLanes8) {
    std::int64_t leaves[kLanes8];
    leaves_of_row(move, t, keys, leaves);
    for (int l = 0; l < kLanes8; ++l) sink(row, t + l, leaves[l]);
  }
  for (; t < move.forest.n_trees; ++t) sink(row, t, leaf_of_row(move, t, keys));
}

template <class Step, class X, class Sink>
inline void walk_row(const Forest& forest, const X* x, std::int64_t row, void* scratch, const Sink& sink) {
  auto* keys = static_cast<typename Step::Node::Key*>(scratch);
  const auto walk = [&](const auto& step) {
    using Own = std::decay_t<decltype(step)>;
    forest.flags == nullptr ? walk_trees(Mover<false, 1, Own>(forest, step), keys, row, sink)
                            : walk_trees(Mover<true, 1, Own>(forest, step), keys, row, sink);
  };
  if (forest.places < forest.n_used && !fill_row(forest, x, forest.places, keys))
    return walk(typename Step::Masked(forest.shift, fields_of(forest)));
  fill_row(forest, x, forest.n_used, keys);
  walk(Step(forest.shift, ~std::uint64_t{0}));
}

// ---- any rows -------------------------------------------------------------------------------------------------------

// Rows that are left of the groups walk alone, unless they nearly make another group.
constexpr std::int64_t kAlone = 4;

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
    if (x.dtype == DType::f32) return walk_with<WideStep<false>>(forest, data_of<float>(x), rows, scratch, sink);
    return walk_with<WideStep<false>>(forest, data_of<double>(x), rows, scratch, sink);
  }
  if (forest.shift == kHalf) return walk_with<NarrowStep<true, false>>(forest, data_of<float>(x), rows, scratch, sink);
  walk_with<NarrowStep<false, false>>(forest, data_of<float>(x), rows, scratch, sink);
}

inline std::size_t walk_scratch(const Step& step, std::int64_t rows) {
  const std::int64_t used = step.inputs[kUsed].width;
  const bool wide = step.inputs[kNodes].dtype == DType::u64;
  return (wide ? keys_bytes<std::uint64_t>(used, rows) : keys_bytes<std::uint32_t>(used, rows)) + walkers_bytes(rows);
}

}  // namespace
}  // namespace sardonyx
