// The scan: for trees of at most 256 leaves, and the tops of larger ones. Leaves are bits, from left to right; a node
// that says no clears the leaves below its yes; the lowest bit left is the leaf (C. Lucchese et al., QuickScorer, SIGIR
// 2015). No branches, no gathers, and everything is a byte: a register asks a node about as many rows as it has bytes.
//
//   codes     what a row has, as bytes: one for each column of codes.h
//   planes    eight leaves of a tree each, from left to right, a byte a row; a list has the nodes that clear some
//   node      column | code: greater than a row's means yes | mask: what stays of the plane
//
//             rows 0 ... 31            rows 32 ... 63
//   plane 0   11111111 11110000 ...    ...                  the first plane with a bit left, and its lowest bit
//   plane 1   00111111 11111111 ...
//
// Large trees are scanned at their top only, whose leaves are nodes of the tree to walk on from: their `starts`.
#pragma once

#include "kernels/trees/codes.h"
#include "kernels/trees/walk.h"
#include "simd/vector.h"

namespace sardonyx {
namespace {

constexpr int kMostPlanes = 32;
constexpr int kTreesAtOnce = 8;  // whose leaves are found before they are used
constexpr int kTopLevels = 6;    // of the tops of large trees, where they are complete

struct Ask {
  std::uint16_t column;
  std::int8_t code;
  std::uint8_t mask;
};

typedef std::int8_t Codes __attribute__((vector_size(kVectorBytes)));
typedef std::uint8_t Bits __attribute__((vector_size(kVectorBytes)));
constexpr int kBlock = 4 * kVectorBytes;  // rows that a list is read for: their bits stay in registers

// ---- codes to leaves ------------------------------------------------------------------------------------------------

// The bits of a plane that are left, for kVectors vectors of rows.
template <int kVectors>
inline void scan_plane(const Ask* ask, const Ask* end, const std::int8_t* codes, Bits (&left)[kVectors]) {
  for (int v = 0; v < kVectors; ++v) left[v] = ~Bits{};
  for (; ask < end; ++ask) {
    const std::int8_t* column = codes + ask->column * kScanRows;
    const Codes split = ask->code - Codes{};
    const Bits mask = ask->mask - Bits{};
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      Codes row;
      memcpy(&row, column + v * kVectorBytes, sizeof row);
      left[v] &= (Bits)(split > row) | mask;
    }
  }
}

// The place of the lowest bit of each byte.
inline Bits lowest_bits(Bits x) {
  const Bits lowest = x & (~x + 1);
  return ((Bits)((lowest & 0xAA) != 0) & 1) | ((Bits)((lowest & 0xCC) != 0) & 2) | ((Bits)((lowest & 0xF0) != 0) & 4);
}

// The leaves of kVectors vectors of rows in a tree of these planes.
template <int kVectors>
inline void scan_rows(const Ask* asks, const std::int64_t* lists, int planes, const std::int8_t* codes,
                      std::uint8_t* leaves) {
  Bits byte[kVectors], first[kVectors];
  scan_plane<kVectors>(asks + lists[planes - 1], asks + lists[planes], codes, byte);
  for (int v = 0; v < kVectors; ++v) first[v] = static_cast<std::uint8_t>(8 * (planes - 1)) - Bits{};
  for (int p = planes - 2; p >= 0; --p) {
    Bits left[kVectors];
    scan_plane<kVectors>(asks + lists[p], asks + lists[p + 1], codes, left);
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const Bits none = (Bits)(left[v] == 0);
      byte[v] = (byte[v] & none) | left[v];
      first[v] = (first[v] & none) | (~none & static_cast<std::uint8_t>(8 * p));
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    const Bits leaf = first[v] | lowest_bits(byte[v]);
    memcpy(leaves + v * kVectorBytes, &leaf, sizeof leaf);
  }
}

struct Scan {
  const std::int32_t* columns;
  const std::int64_t *planes, *lists;
  const Ask* asks;
  const std::uint32_t* starts;  // of all trees; nullptr where leaves are leaves
  const std::int64_t* first_starts;
  std::int64_t n_columns, n_starts;
};

inline Scan scan_of(const Step& step) {
  const Tensor* in = step.inputs;
  return {data_of<std::int32_t>(in[kColumns]),
          data_of<std::int64_t>(in[kPlanes]),
          data_of<std::int64_t>(in[kLists]),
          data_of<Ask>(in[kAsks]),
          in[kStarts].width > 0 ? data_of<std::uint32_t>(in[kStarts]) : nullptr,
          data_of<std::int64_t>(in[kFirstStarts]),
          in[kColumns].dims[0],
          in[kStarts].width};
}

// The leaves of up to kScanRows rows in a tree. Not inlined: once, whatever is done with leaves.
__attribute__((noinline)) void scan_tree(const Scan& scan, std::int64_t t, int rows, const std::int8_t* codes,
                                         std::uint8_t* leaves) {
  const std::int64_t* lists = scan.lists + scan.planes[t];
  const int planes = static_cast<int>(scan.planes[t + 1] - scan.planes[t]);
  int r = 0;
  for (; r + 3 * kVectorBytes < rows; r += kBlock) scan_rows<4>(scan.asks, lists, planes, codes + r, leaves + r);
  for (; r + kVectorBytes < rows; r += 2 * kVectorBytes) scan_rows<2>(scan.asks, lists, planes, codes + r, leaves + r);
  if (r < rows) scan_rows<1>(scan.asks, lists, planes, codes + r, leaves + r);
}

template <class X>
__attribute__((noinline)) void code_rows(const Step& step, const Forest& forest, const Scan& scan, std::int64_t row,
                                         int rows, std::int8_t* codes) {
  Coder<X> coder{forest, data_of<X>(step.inputs[kCuts])};
  const X* x = data_of<X>(step.inputs[kX]) + row * forest.n_features;
  for (int first = 0; first < rows; first += kTile) {
    const int n = rows - first < kTile ? rows - first : kTile;
    for (std::int64_t c = 0; c < scan.n_columns; ++c)
      coder.code(scan.columns + c * kColumnFields, x + first * forest.n_features, n, codes + c * kScanRows + first);
  }
}

// Calls sink.trees(first row, rows, first tree, trees, their table, leaves): of each row, trees come in order.
template <class X, class Sink>
inline void scan_with(const Step& step, const Forest& forest, std::int64_t rows, void* scratch, const Sink& sink) {
  const Scan scan = scan_of(step);
  auto* codes = static_cast<std::int8_t*>(scratch);
  std::uint8_t leaves[kTreesAtOnce][kScanRows];
  for (std::int64_t r = 0; r < rows; r += kScanRows) {
    const int n_rows = static_cast<int>(rows - r < kScanRows ? rows - r : kScanRows);
    code_rows<X>(step, forest, scan, r, n_rows, codes);
    for (std::int64_t t = 0; t < forest.n_trees; t += kTreesAtOnce) {
      const std::int64_t left = forest.n_trees - t;
      const int n = static_cast<int>(left < kTreesAtOnce ? left : kTreesAtOnce);
      for (int i = 0; i < n; ++i) scan_tree(scan, t + i, n_rows, codes, leaves[i]);
      sink.trees(r, n_rows, t, n, forest.trees + t * kTreeFields, leaves);
    }
  }
}

// Steps down from the top of a tree until most of eight rows have arrived; kNoStep where the top is all of it.
inline std::int32_t steps_below(const Scan& scan, const Forest& forest, std::int64_t t) {
  const std::int64_t tops = (t + 1 < forest.n_trees ? scan.first_starts[t + 1] : scan.n_starts) - scan.first_starts[t];
  if (2 * tops > forest.trees[t * kTreeFields + 1]) return kNoStep;
  return forest.steps[t] > kTopLevels ? forest.steps[t] - kTopLevels : 0;
}

// Rows walk on from the nodes where the tops of trees leave them; trees pass all rows, which are coded first.
// Scratch: codes of all rows, tops, then as of a walk.
template <class WalkStep, class X, class Sink>
inline void scan_and_walk(const Step& step, const Forest& forest, const X* x, std::int64_t rows, void* scratch,
                          const Sink& sink) {
  const Scan scan = scan_of(step);
  const std::int64_t chunks = (rows + kScanRows - 1) / kScanRows, chunk = scan.n_columns * kScanRows;
  auto* codes = static_cast<std::int8_t*>(scratch);
  auto* tops = reinterpret_cast<std::uint8_t*>(codes + chunks * chunk);
  auto* keys = tops + chunks * kScanRows;
  const Walkers walkers = walkers_in(keys + keys_bytes<typename WalkStep::Node::Key>(forest.n_used, rows), rows);
  const auto rows_from = [=](std::int64_t r) { return static_cast<int>(rows - r < kScanRows ? rows - r : kScanRows); };
  for (std::int64_t r = 0; r < rows; r += kScanRows)
    code_rows<X>(step, forest, scan, r, rows_from(r), codes + r / kScanRows * chunk);
  const Pass pass = make_pass<WalkStep>(forest, x, rows, keys);
  for (std::int64_t t = 0; t < forest.n_trees; ++t) {
    for (std::int64_t r = 0; r < rows; r += kScanRows)
      scan_tree(scan, t, rows_from(r), codes + r / kScanRows * chunk, tops + r);
    for (std::int64_t r = rows; r % kLanes8 != 0; ++r) tops[r] = tops[0];
    const Way way{t, steps_below(scan, forest, t), scan.starts + scan.first_starts[t], tops};
    pass_tree(pass, forest, {0, rows}, way, walkers, sink);
  }
}

template <class Sink>
inline void scan_deep(const Step& step, const Forest& forest, std::int64_t rows, void* scratch, const Sink& sink) {
  const Tensor& x = step.inputs[kX];
  if (x.dtype == DType::f64)
    return scan_and_walk<WideStep<false>>(step, forest, data_of<double>(x), rows, scratch, sink);
  if (step.inputs[kNodes].dtype == DType::u64)
    return scan_and_walk<WideStep<false>>(step, forest, data_of<float>(x), rows, scratch, sink);
  if (forest.shift == kHalf)
    return scan_and_walk<NarrowStep<true, false>>(step, forest, data_of<float>(x), rows, scratch, sink);
  scan_and_walk<NarrowStep<false, false>>(step, forest, data_of<float>(x), rows, scratch, sink);
}

template <class Sink>
inline void scan(const Step& step, const Forest& forest, std::int64_t rows, void* scratch, const Sink& sink) {
  if (step.inputs[kStarts].width > 0) return scan_deep(step, forest, rows, scratch, sink);
  if (step.inputs[kX].dtype == DType::f64) return scan_with<double>(step, forest, rows, scratch, sink);
  scan_with<float>(step, forest, rows, scratch, sink);
}

inline std::size_t scan_scratch(const Step& step, std::int64_t rows) {
  const std::size_t chunk = static_cast<std::size_t>(step.inputs[kColumns].dims[0]) * kScanRows;
  if (step.inputs[kStarts].width == 0) return chunk;
  return static_cast<std::size_t>((rows + kScanRows - 1) / kScanRows) * (chunk + kScanRows) + walk_scratch(step, rows);
}

// ---- checks ---------------------------------------------------------------------------------------------------------

// The nodes to walk on from in tree t, up to that of the last leaf that a scan arrives at.
void check_starts(const char* name, const Step& step, std::int64_t t, std::int64_t leaf) {
  const auto* first = data_of<std::int64_t>(step.inputs[kFirstStarts]);
  const std::int64_t nodes = data_of<std::int64_t>(step.inputs[kTrees])[t * kTreeFields + 1];
  require(first[t] >= 0 && leaf < step.inputs[kStarts].width - first[t], name, "a leaf without a node to walk from");
  for (std::int64_t i = 0; i <= leaf; ++i)
    require(data_of<std::uint32_t>(step.inputs[kStarts])[first[t] + i] < nodes, name, "a walk from nowhere");
}

void check_lists(const char* name, const Step& step) {
  const Tensor* in = step.inputs;
  const auto *planes = data_of<std::int64_t>(in[kPlanes]), *lists = data_of<std::int64_t>(in[kLists]);
  const auto* trees = data_of<std::int64_t>(in[kTrees]);
  for (std::int64_t t = 0; t < in[kTrees].dims[0]; ++t) {
    require(planes[t] >= 0 && in_range(planes[t + 1] - planes[t], 1, kMostPlanes) && planes[t + 1] < in[kLists].width,
            name, "impossible planes");
    std::int64_t leaf = -1;  // the first that no node takes away
    for (std::int64_t p = planes[t]; p < planes[t + 1]; ++p) {
      require(lists[p] >= 0 && lists[p] <= lists[p + 1] && lists[p + 1] <= in[kAsks].width, name,
              "lists of nodes are not in order");
      unsigned stays = 0xFF;
      for (std::int64_t i = lists[p]; i < lists[p + 1]; ++i) {
        const Ask ask = data_of<Ask>(in[kAsks])[i];
        require(ask.column < in[kColumns].dims[0], name, "a node's column is not there");
        stays &= ask.mask;
      }
      if (stays != 0 && leaf < 0) leaf = 8 * (p - planes[t]) + __builtin_ctz(stays);
    }
    require(leaf >= 0, name, "nodes take all leaves away");
    if (in[kStarts].width > 0) {
      check_starts(name, step, t, leaf);
    } else {
      require(leaf < in[kLeafTable].dims[0] - trees[t * kTreeFields + 2], name, "a leaf without values");
    }
  }
}

void check_scan(const Step& step, const char* name) {
  const Tensor* in = step.inputs;
  for (int i = kForestInputs; i < kAfterScan; ++i) require(in[i].constant, name, "the lists are constants");
  require(in[kCuts].dtype == in[kX].dtype, name, "cuts of another type than x");
  require(in[kColumns].dtype == DType::i32 && in[kColumns].rank == 2 && in[kColumns].dims[1] == kColumnFields &&
              in_range(in[kColumns].dims[0], 1, 1 << 24),
          name, "columns are not rows of four");
  require(in[kPlanes].dtype == DType::i64 && in[kPlanes].width == in[kTrees].dims[0] + 1, name,
          "planes do not fit the trees");
  require(in[kLists].dtype == DType::i64 && in[kLists].width > 0, name, "lists are not numbers");
  require(in[kAsks].dtype == DType::u32, name, "nodes of the wrong type");
  require(in[kStarts].dtype == DType::u32 && in[kFirstStarts].dtype == DType::i64 &&
              in[kFirstStarts].width == (in[kStarts].width > 0 ? in[kTrees].dims[0] : 0),
          name, "starts do not fit the trees");
  in[kX].dtype == DType::f64 ? check_columns<double>(name, step) : check_columns<float>(name, step);
  check_lists(name, step);
}

}  // namespace
}  // namespace sardonyx
