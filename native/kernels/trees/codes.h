// Rows become codes, as a scan compares them (scan.h): a byte for each column, for kScanRows rows side by side.
//
//   column    up to 253 of the splits of a feature, ascending: its cuts. A feature of more has several columns.
//   code      of a number, one more than the count of a column's cuts that are below it, minus 128
//
// A column of few cuts counts them for many rows at once; one of many finds the sixteen that count among sixteen times
// sixteen, for a row at once. A column may stand for a set instead: the code says whether x is in it. Where nodes send
// NaN both ways, a feature's columns come twice, the second time made from the first.
#pragma once

#include "kernels/trees/layout.h"
#include "simd/vector.h"

namespace sardonyx {
namespace {

constexpr int kScanRows = 256;
constexpr int kCutsAtOnce = 16;  // of a column of many: one register of AVX-512
constexpr int kTile = 64;        // rows whose numbers are coded together: all their columns stay in the cache

enum ScanInput { kCuts = kForestInputs, kColumns, kPlanes, kLists, kAsks, kStarts, kFirstStarts, kAfterScan };
constexpr int kScanInputs = static_cast<int>(kAfterScan) - static_cast<int>(kForestInputs);

// Columns: of what they are made. kSame: as the column before, but for NaN.
enum ColumnField { kKind, kFeature, kFirstCut, kCutCount, kColumnFields };
enum ColumnKind { kFew, kMany, kSet, kSame, kColumnKinds };

constexpr std::int8_t kNanCode = -128, kNever = 127;  // NaN goes to yes, to no: codes of nodes are -127 ... 127

template <class X>
using Count = std::conditional_t<sizeof(X) == 4, std::int32_t, std::int64_t>;

// How many of kCutsAtOnce cuts are below x.
template <class X>
inline int count_below(const X* cuts, X x) {
#if SARDONYX_ISA == 1
  const auto pairs = [&](int i) {  // of 32 bits each: cuts i ... i + 7
    if constexpr (sizeof(X) == 4) {
      return _mm256_castps_si256(_mm256_cmp_ps(_mm256_loadu_ps(cuts + i), _mm256_set1_ps(x), _CMP_LT_OQ));
    } else {
      const __m256d low = _mm256_cmp_pd(_mm256_loadu_pd(cuts + i), _mm256_set1_pd(x), _CMP_LT_OQ);
      const __m256d high = _mm256_cmp_pd(_mm256_loadu_pd(cuts + i + 4), _mm256_set1_pd(x), _CMP_LT_OQ);
      return _mm256_packs_epi32(_mm256_castpd_si256(low), _mm256_castpd_si256(high));
    }
  };
  const int bytes = _mm256_movemask_epi8(_mm256_packs_epi32(pairs(0), pairs(8)));  // two of each cut, in some order
  return __builtin_popcount(static_cast<unsigned>(bytes)) / 2;
#elif SARDONYX_ISA == 2
  if constexpr (sizeof(X) == 4) {
    return __builtin_popcount(_mm512_cmp_ps_mask(_mm512_loadu_ps(cuts), _mm512_set1_ps(x), _CMP_LT_OQ));
  } else {
    const __m512d v = _mm512_set1_pd(x);
    return __builtin_popcount(_mm512_cmp_pd_mask(_mm512_loadu_pd(cuts), v, _CMP_LT_OQ)) +
           __builtin_popcount(_mm512_cmp_pd_mask(_mm512_loadu_pd(cuts + 8), v, _CMP_LT_OQ));
  }
#else
  int count = 0;
  for (int i = 0; i < kCutsAtOnce; ++i) count += cuts[i] < x ? 1 : 0;
  return count;
#endif
}

// How many of the cuts are below each of the numbers: many numbers at once.
template <class X>
inline void count_cuts(const X* cuts, std::int64_t count, const X* x, int rows, Count<X>* below) {
  constexpr int kWidth = kLanes<X>, kVectors = 4;
  for (int r = 0; r < rows; r += kVectors * kWidth) {
    Vector<X> numbers[kVectors];
    VectorBits<X> counts[kVectors];
    for (int v = 0; v < kVectors; ++v) numbers[v] = load(x + r + v * kWidth), counts[v] = VectorBits<X>{};
    for (std::int64_t i = 0; i < count; ++i) {
      const Vector<X> cut = cuts[i] - Vector<X>{};
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) counts[v] -= cut < numbers[v];
    }
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) memcpy(below + r + v * kWidth, &counts[v], kVectorBytes);
  }
}

template <class X>
__attribute__((noinline)) void code_of_few(const X* cuts, std::int64_t count, const X* x, int rows,
                                           std::int8_t* codes) {
  Count<X> below[kTile];
  count_cuts(cuts, count, x, rows, below);
  for (int r = 0; r < rows; ++r) codes[r] = static_cast<std::int8_t>(below[r] - 127);
}

// Cuts in sixteens; before them, the last cut of each sixteen, of which the last is infinite.
template <class X>
__attribute__((noinline)) void code_of_many(const X* cuts, std::int64_t count, const X* x, int rows,
                                            std::int8_t* codes) {
  const std::int64_t sixteens = count / kCutsAtOnce - 1;
  Count<X> at[kTile];
  count_cuts(cuts, sixteens - 1, x, rows, at);
  for (int r = 0; r < rows; ++r) {
    const auto first = static_cast<std::int64_t>(kCutsAtOnce) * at[r];
    const auto below = static_cast<int>(first) + count_below(cuts + kCutsAtOnce + first, x[r]);
    codes[r] = static_cast<std::int8_t>(below - 127);
  }
}

// Makes codes of a tile of up to kTile rows, column by column.
template <class X>
struct Coder {
  const Forest& forest;
  const X* cuts;
  X numbers[kTile] = {};
  bool nan = false;

  void read(const X* x, int rows) {
    for (int r = 0; r < rows; ++r) numbers[r] = x[r * forest.n_features];
    int unequal = 0;
    for (int r = 0; r < kTile; ++r) unequal |= numbers[r] != numbers[r];
    nan = unequal != 0;
  }

  void code(const std::int32_t* column, const X* x, int rows, std::int8_t* codes) {
    const std::int32_t kind = column[kKind];
    if (kind == kSame) {
      memcpy(codes, codes - kScanRows, kTile);
    } else {
      read(x + column_of(column[kFeature]), rows);
      const X* own = cuts + column[kFirstCut];
      if (kind == kFew) code_of_few(own, column[kCutCount], numbers, rows, codes);
      if (kind == kMany) code_of_many(own, column[kCutCount], numbers, rows, codes);
      if (kind == kSet) {
        const auto set = static_cast<std::uint64_t>(column[kFirstCut]);
        for (int r = 0; r < rows; ++r) codes[r] = in_set(forest.sets, set, numbers[r]) ? kNanCode : kNever;
      }
    }
    if (!nan) return;
    const std::int8_t missing = column[kFeature] < 0 ? kNanCode : kNever;
    for (int r = 0; r < rows; ++r) codes[r] = numbers[r] != numbers[r] ? missing : codes[r];
  }
};

// Refuses columns that ask for what is not there.
template <class X>
void check_columns(const char* name, const Step& step) {
  const Tensor &x = step.inputs[kX], &cuts = step.inputs[kCuts], &columns = step.inputs[kColumns];
  for (std::int64_t c = 0; c < columns.dims[0]; ++c) {
    const std::int32_t* column = data_of<std::int32_t>(columns) + c * kColumnFields;
    const std::int64_t first = column[kFirstCut], count = column[kCutCount];
    require(in_range(column[kKind], 0, kColumnKinds - 1) && (c > 0 || column[kKind] != kSame), name,
            "a column of an unknown kind");
    require(column_of(column[kFeature]) < x.width, name, "a column asks for a feature that is not there");
    if (column[kKind] == kSet) {
      require(in_range(first, 0, step.inputs[kSets].dims[0] - 1), name, "a column of an unknown set");
    } else if (column[kKind] != kSame) {
      const std::int64_t most = cuts.width - first;
      require(first >= 0 && in_range(count, column[kKind] == kMany ? 2 * kCutsAtOnce : 0, most), name,
              "a column beyond the cuts");
      require(column[kKind] == kFew || count % kCutsAtOnce == 0, name, "cuts are not in sixteens");
    }
  }
}

}  // namespace
}  // namespace sardonyx
