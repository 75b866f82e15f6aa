// The scan: for trees of at most 64 leaves. Leaves are bits, from left to right; a node that says no clears the leaves
// below its yes; the lowest bit left is the leaf (C. Lucchese et al., QuickScorer, SIGIR 2015). No branches, no gathers:
// every node of a tree asks 64 rows at once.
//
//   x         columns in use, 64 rows each
//   words     a tree's leaves in one word, or two of 32 bits: each has its own list of the nodes that clear some of it
//   lists     begin | end of those that send NaN to no | of those that send NaN to yes | of those that ask for a set
//   nodes     splits, features (places in `used`), masks (of what stays); of a set, split holds its row * 2 + NaN to yes
#pragma once

#include "kernels/trees/layout.h"
#include "simd/vector.h"

namespace sardonyx {
namespace {

constexpr int kScanRows = 64;
constexpr int kListFields = 4;

enum ScanInput { kSplits = kForestInputs, kFeatures, kMasks, kLists, kAfterScan };
constexpr int kScanInputs = 4;

struct Scan {
  const void* splits;
  const std::int32_t* features;
  const void* masks;
  const std::int64_t* lists;
};

inline Scan scan_of(const Step& step) {
  const Tensor* in = step.inputs;
  return {in[kSplits].data, data_of<std::int32_t>(in[kFeatures]), in[kMasks].data, data_of<std::int64_t>(in[kLists])};
}

// Rows in vectors: what is left of their bits, and their values of one feature.
template <class X, class Mask>
struct Lanes {
  static constexpr int kWidth = kVectorBytes / static_cast<int>(sizeof(Mask));
  static constexpr int kAtOnce = 8;  // vectors a time: their bits stay in registers, a node is loaded once for all
  typedef Mask Masks __attribute__((vector_size(kVectorBytes)));
  typedef X Values __attribute__((vector_size(kWidth * sizeof(X))));
};

// The nodes begin ... end of a list, for kAtOnce vectors of rows.
template <bool kMissingIsYes, class X, class Mask, int kVectors>
inline void scan_nodes(const Scan& scan, std::int64_t begin, std::int64_t end, const X* x,
                       typename Lanes<X, Mask>::Masks (&bits)[kVectors]) {
  using L = Lanes<X, Mask>;
  const X* splits = static_cast<const X*>(scan.splits);
  const Mask* masks = static_cast<const Mask*>(scan.masks);
  for (std::int64_t i = begin; i < end; ++i) {
    const X* column = x + static_cast<std::int64_t>(scan.features[i]) * kScanRows;
    const X split = splits[i];
    const Mask mask = masks[i];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      typename L::Values values;
      memcpy(&values, column + v * L::kWidth, sizeof values);
      const auto yes = kMissingIsYes ? ~(values > split) : (values <= split);
      bits[v] &= (typename L::Masks)yes | mask;
    }
  }
}

// One word of one tree: the bits left for kScanRows rows.
template <class X, class Mask>
__attribute__((noinline)) void scan_word(const Scan& scan, const std::int64_t* list, const X* x, const Sets& sets,
                                         Mask* left) {
  using L = Lanes<X, Mask>;
  constexpr int kVectors = L::kAtOnce * L::kWidth > kScanRows ? kScanRows / L::kWidth : L::kAtOnce;
  for (int first = 0; first < kScanRows; first += kVectors * L::kWidth) {
    typename L::Masks bits[kVectors];
    for (int v = 0; v < kVectors; ++v) bits[v] = ~typename L::Masks{};
    scan_nodes<false, X, Mask>(scan, list[0], list[1], x + first, bits);
    scan_nodes<true, X, Mask>(scan, list[1], list[2], x + first, bits);
    for (int v = 0; v < kVectors; ++v) memcpy(left + first + v * L::kWidth, &bits[v], kVectorBytes);
  }
  const X* splits = static_cast<const X*>(scan.splits);
  const Mask* masks = static_cast<const Mask*>(scan.masks);
  for (std::int64_t i = list[2]; i < list[3]; ++i) {
    Mask word;
    memcpy(&word, &splits[i], sizeof word);
    const X* column = x + static_cast<std::int64_t>(scan.features[i]) * kScanRows;
    for (int l = 0; l < kScanRows; ++l) {
      const bool yes = column[l] != column[l] ? (word & 1) != 0 : in_set(sets, word >> 1, column[l]);
      left[l] &= yes ? ~Mask{0} : masks[i];
    }
  }
}

// Place of the lowest bit of a row's words; some bit is there.
template <int kWords, class Mask>
inline int lowest_of(const Mask (*left)[kScanRows], int l) {
  if constexpr (kWords == 2) return __builtin_ctzll(std::uint64_t{left[1][l]} << 32 | left[0][l]);
  if constexpr (sizeof(Mask) == 8) return __builtin_ctzll(left[0][l]);
  return __builtin_ctz(static_cast<std::uint32_t>(left[0][l]));
}

// Copies the columns in use of up to kScanRows rows; rows that are not there are zeros.
template <class X>
__attribute__((noinline)) void fill_columns(const Forest& forest, const X* x, int rows, X* columns) {
  for (std::int64_t u = 0; u < forest.n_used; ++u) {
    const X* from = x + forest.used[u];
    X* to = columns + u * kScanRows;
    for (int l = 0; l < rows; ++l) to[l] = from[l * forest.n_features];
    for (int l = rows; l < kScanRows; ++l) to[l] = X(0);
  }
}

template <int kWords, class X, class Mask, class Sink>
inline void scan_block(const Forest& forest, const Scan& scan, const X* x, std::int64_t rows, X* columns,
                       const Sink& sink) {
  Mask left[kWords][kScanRows];
  for (std::int64_t r = 0; r < rows; r += kScanRows) {
    const int n = static_cast<int>(rows - r < kScanRows ? rows - r : kScanRows);
    fill_columns(forest, x + r * forest.n_features, n, columns);
    for (std::int64_t t = 0; t < forest.n_trees; ++t) {
      for (int w = 0; w < kWords; ++w)
        scan_word(scan, scan.lists + (t * kWords + w) * kListFields, columns, forest.sets, left[w]);
      const std::int64_t first_leaf = forest.trees[t * kTreeFields + 2];
      for (int l = 0; l < n; ++l) sink(r + l, t, first_leaf + lowest_of<kWords>(left, l));
    }
  }
}

inline std::int64_t words_of(const Step& step) { return step.inputs[kLists].dims[0] / step.inputs[kTrees].dims[0]; }

template <class Sink>
inline void scan(const Step& step, const Forest& forest, std::int64_t rows, void* scratch, const Sink& sink) {
  const Scan scan = scan_of(step);
  const Tensor& x = step.inputs[kX];
  if (x.dtype == DType::f64) {
    scan_block<1, double, std::uint64_t>(forest, scan, data_of<double>(x), rows, static_cast<double*>(scratch), sink);
  } else if (words_of(step) == 2) {
    scan_block<2, float, std::uint32_t>(forest, scan, data_of<float>(x), rows, static_cast<float*>(scratch), sink);
  } else {
    scan_block<1, float, std::uint32_t>(forest, scan, data_of<float>(x), rows, static_cast<float*>(scratch), sink);
  }
}

inline std::size_t scan_scratch(const Step& step) {
  return static_cast<std::size_t>(step.inputs[kUsed].width) * kScanRows * item_size(step.inputs[kX].dtype);
}

// ---- checks ----------------------------------------------------------------------------------------------------------

template <int kWords, class Mask>
void check_lists(const char* name, const Step& step) {
  const Tensor* in = step.inputs;
  const std::int64_t* table = data_of<std::int64_t>(in[kTrees]);
  const std::int64_t* list = data_of<std::int64_t>(in[kLists]);
  for (std::int64_t t = 0; t < in[kTrees].dims[0]; ++t) {
    Mask stays[kWords][kScanRows];  // the leaves that no node takes away: one of them is always left
    bool some = false;
    for (int w = 0; w < kWords; ++w, list += kListFields) {
      const bool ordered = list[0] >= 0 && list[0] <= list[1] && list[1] <= list[2] && list[2] <= list[3];
      require(ordered && list[3] <= in[kSplits].width, name, "lists of nodes are not in order");
      stays[w][0] = ~Mask{0};
      for (std::int64_t i = list[0]; i < list[3]; ++i) stays[w][0] &= data_of<Mask>(in[kMasks])[i];
      some |= stays[w][0] != 0;
      for (std::int64_t i = list[2]; i < list[3]; ++i) {
        Mask word;
        memcpy(&word, static_cast<const Mask*>(in[kSplits].data) + i, sizeof word);
        require(static_cast<std::uint64_t>(word >> 1) < static_cast<std::uint64_t>(in[kSets].dims[0]), name,
                "an unknown set");
      }
    }
    require(some, name, "nodes take all leaves away");
    require(lowest_of<kWords>(stays, 0) < in[kLeafTable].dims[0] - table[t * kTreeFields + 2], name,
            "a leaf without values");
  }
}

void check_scan(const Step& step, const char* name) {
  const Tensor* in = step.inputs;
  for (int i = kSplits; i < kAfterScan; ++i) require(in[i].constant, name, "the lists are constants");
  const bool wide = in[kX].dtype == DType::f64;
  require(in[kSplits].dtype == in[kX].dtype, name, "splits of another type than x");
  require(in[kFeatures].dtype == DType::i32 && in[kMasks].dtype == (wide ? DType::u64 : DType::u32), name,
          "features or masks of the wrong type");
  require(in[kFeatures].width == in[kSplits].width && in[kMasks].width == in[kSplits].width, name,
          "splits, features and masks differ");
  require(in[kLists].dtype == DType::i64 && in[kLists].rank == 2 && in[kLists].dims[1] == kListFields, name,
          "lists are not rows of four");
  const std::int64_t n_trees = in[kTrees].dims[0], n_lists = in[kLists].dims[0];
  require(n_lists == n_trees || (n_lists == 2 * n_trees && !wide), name, "lists do not fit the trees");
  for (std::int64_t i = 0; i < in[kFeatures].width; ++i)
    require(in_range(data_of<std::int32_t>(in[kFeatures])[i], 0, in[kUsed].width - 1), name,
            "a node's feature is not in use");
  if (wide) return check_lists<1, std::uint64_t>(name, step);
  if (words_of(step) == 2) return check_lists<2, std::uint32_t>(name, step);
  check_lists<1, std::uint32_t>(name, step);
}

}  // namespace
}  // namespace sardonyx
