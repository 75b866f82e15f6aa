// Tree ensembles: which leaf a row reaches in every tree (TreeEnsembleLeaves), and the sum of those leaves' values,
// first tree first, in the type of the values (TreeEnsembleSum). Bit for bit the same on every instruction set:
// comparisons and one addition.
//
//            x ──▶ which leaf?  walk.h  or, of small trees and many rows, scan.h
//                     │  for every tree, in order
//                     ▼
//            y[row] += values[leaf]
//
// layout.h draws the tables, keys.h makes keys of rows; src/sardonyx/kernels/trees.py and native/runtime/forest.cpp
// fill them, and src/sardonyx/kernels/forest_plan.py decides whether there is a scan.
//
//   TreeEnsembleSum      inputs   x, nodes (n, 2), flags (n or 0), trees (T, 3: first node, number of nodes, first
//                                 leaf), values (leaves, C), sets (n, words), used
//                                 with scan: cuts, columns (k, 4), planes (T + 1), lists (planes + 1), asks, starts,
//                                 first starts (T, or 0 as starts)
//                                 with base: rows to start from
//                        params   groups, shift, scan (rows from which it pays, or 0), base
//                        output   tree t adds to columns (t % groups) * C ...
//   TreeEnsembleLeaves   inputs   x, nodes, flags, trees, numbers (leaves), sets, used
//                        params   shift
#include "kernels/trees/layout.h"
#include "kernels/trees/scan.h"
#include "kernels/trees/walk.h"

namespace sardonyx {
namespace {

// Nanoseconds a row: a step a level, with the constants of forest_plan.py. It only has to say when threads pay.
double walk_cost(const Step& step) {
  const auto n_trees = static_cast<double>(step.inputs[kTrees].dims[0]);
  return n_trees * (0.5 + ::log2(static_cast<double>(step.inputs[kNodes].dims[0]) / n_trees));
}

// ---- TreeEnsembleSum ------------------------------------------------------------------------------------------------

enum SumParam { kGroups, kShift, kScan, kBase, kSumParams };

void check_sum(const Step& step) {
  constexpr const char* name = "TreeEnsembleSum";
  require(step.n_params == kSumParams, name, "expected 4 params");
  const std::int64_t groups = integer_param(step, kGroups), shift = integer_param(step, kShift);
  const std::int64_t scan = integer_param(step, kScan), base = integer_param(step, kBase);
  require(in_range(scan, 0, kScanRows) && in_range(base, 0, 1), name, "impossible scan or base");
  require_counts(step, name, static_cast<int>(kForestInputs + (scan > 0 ? kScanInputs : 0) + base), 1, kSumParams);
  require_row_output(step, name);
  const Tensor &values = step.inputs[kLeafTable], &y = step.outputs[0];
  require(is_float(values.dtype), name, "values are not floats");
  check_forest(step, name, shift, values.dtype);
  require(values.rank == 2, name, "values are not a matrix");
  require(in_range(groups, 1, 1 << 20), name, "impossible groups");
  require(y.dtype == values.dtype && y.width == groups * values.dims[1], name, "output of the wrong size");
  if (scan != 0) check_scan(step, name);
  if (base == 0) return;
  const Tensor& start = step.inputs[step.n_inputs - 1];
  require(start.dtype == y.dtype && !start.constant && start.width == y.width, name, "base does not fit the output");
}

double sum_cost(const Step& step) {
  if (step.params[kScan].i == 0) return walk_cost(step);
  const auto width_of = [&](int input) { return static_cast<double>(step.inputs[input].width); };
  const double walked = width_of(kStarts) > 0 ? walk_cost(step) / 2 : 0;
  return walked + 0.0155 * width_of(kAsks) + 0.45 * width_of(kPlanes) +
         static_cast<double>(step.inputs[kColumns].dims[0]);
}

std::size_t sum_scratch(const Step& step, std::int64_t rows) {
  if (step.params[kScan].i == 0) return walk_scratch(step, rows);
  const std::size_t scanned = scan_scratch(step, rows), walked = walk_scratch(step, step.params[kScan].i);
  return scanned > walked ? scanned : walked;
}

void* prepare_sum(const Step& step) { return prepare_forest(step, static_cast<int>(step.params[kShift].i)); }

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

  // Of `count` trees from `first_tree` on, whose rows of the table are given; leaves counted from each tree's first.
  void trees(std::int64_t row, int rows, std::int64_t first_tree, int count, const std::int64_t* table,
             const std::uint8_t (*leaves)[kScanRows]) const {
    if constexpr (kColumns > 0) {
      if (groups == 1 && count == kTreesAtOnce) return add_at_once(row, rows, table, leaves);
    }
    for (int t = 0; t < count; ++t) {
      for (int r = 0; r < rows; ++r) (*this)(row + r, first_tree + t, table[t * kTreeFields + 2] + leaves[t][r]);
    }
  }

  void add_at_once(std::int64_t row, int rows, const std::int64_t* table,
                   const std::uint8_t (*leaves)[kScanRows]) const {
    const Sum* from[kTreesAtOnce];
    for (int t = 0; t < kTreesAtOnce; ++t) from[t] = values + table[t * kTreeFields + 2] * kColumns;
    Sum* to = y + row * kColumns;
    for (int r = 0; r < rows; ++r, to += kColumns) {
      Sum sums[kColumns > 0 ? kColumns : 1];
      for (int k = 0; k < kColumns; ++k) sums[k] = to[k];
#pragma GCC unroll 8
      for (int t = 0; t < kTreesAtOnce; ++t) {
        for (int k = 0; k < kColumns; ++k) sums[k] += from[t][leaves[t][r] * kColumns + k];
      }
      for (int k = 0; k < kColumns; ++k) to[k] = sums[k];
    }
  }
};

template <int kColumns, class Sum>
void add_trees(const Step& step, std::int64_t rows, const Context& context) {
  const State& state = *static_cast<const State*>(context.state);
  const Forest forest = forest_of(step, static_cast<int>(step.params[kShift].i), state);
  const Tensor &values = step.inputs[kLeafTable], &y = step.outputs[0];
  const Add<kColumns, Sum> add{data_of<Sum>(y), data_of<Sum>(values), y.width, values.dims[1], step.params[kGroups].i};
  const std::int64_t pays = step.params[kScan].i;
  std::int64_t scanned = 0;
  if (pays != 0) scanned = rows % kScanRows >= pays ? rows : rows / kScanRows * kScanRows;
  if (scanned > 0) scan(step, forest, scanned, context.scratch, add);
  if (scanned < rows) walk(step, forest, {scanned, rows}, context.scratch, add);
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
  switch (step.inputs[kLeafTable].dims[1]) {
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
                                    .cost = sum_cost});

// ---- TreeEnsembleLeaves ---------------------------------------------------------------------------------------------

void check_leaves(const Step& step) {
  constexpr const char* name = "TreeEnsembleLeaves";
  require_counts(step, name, kForestInputs, 1, 1);
  require_row_output(step, name);
  check_forest(step, name, integer_param(step, 0), DType::i64);
  require(step.inputs[kLeafTable].width == step.inputs[kLeafTable].dims[0], name, "a leaf has one number");
  const Tensor& y = step.outputs[0];
  require(y.dtype == DType::i64 && y.width == step.inputs[kTrees].dims[0], name, "output of the wrong size");
}

void* prepare_leaves(const Step& step) { return prepare_forest(step, static_cast<int>(step.params[0].i)); }

void run_leaves(const Step& step, std::int64_t rows, const Context& context) {
  const State& state = *static_cast<const State*>(context.state);
  const Forest forest = forest_of(step, static_cast<int>(step.params[0].i), state);
  const std::int64_t* numbers = data_of<std::int64_t>(step.inputs[kLeafTable]);
  std::int64_t* y = data_of<std::int64_t>(step.outputs[0]);
  walk(step, forest, {0, rows}, context.scratch,
       [=](std::int64_t row, std::int64_t tree, std::int64_t leaf) { y[row * forest.n_trees + tree] = numbers[leaf]; });
}

SARDONYX_KERNEL("TreeEnsembleLeaves", {.check = check_leaves,
                                       .run = run_leaves,
                                       .scratch = walk_scratch,
                                       .prepare = prepare_leaves,
                                       .release = release_forest,
                                       .cost = walk_cost});

}  // namespace
}  // namespace sardonyx
