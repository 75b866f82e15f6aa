// The walk: eight lanes go down together, one step each (step.h). Lanes are eight rows in one tree, or, for a row
// alone, eight trees. A step waits for its node and then for its key; the other lanes fill that time. Few rows go on
// until no lane of theirs moves; many go down as walk_many.h draws it.
#pragma once

#include "kernels/trees/walk_many.h"

namespace sardonyx {
namespace {

struct Rows {
  std::int64_t first, end;
};

// ---- few rows, one tree ---------------------------------------------------------------------------------------------

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
