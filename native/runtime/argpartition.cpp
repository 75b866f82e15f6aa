// numpy.argpartition and argsort (NumPy 2), exchange by exchange: of equal keys, scikit-learn takes those that they
// leave in front.
//
//   vectors of 4 or 8 doubles (x86-simd-sort, argselect):           without (npysort/selection.cpp, introselect):
//     any NaN            std::nth_element                             kth < 3    selection sort of the first
//     up to 256 keys     a bitonic network sorts all of them          else       quickselect, median of 3
//     more               partition around the median of a sample,
//                        go on where kth is (argsort: on both sides)
//
// The network compares and exchanges the same pairs whatever the vectors hold; the sample and the order in which a
// partition reads from both ends depend on them. Only orders are moved, keys stay: keys[order[i]] is what is compared.
#include "sardonyx/argpartition.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu.h"

namespace sardonyx {
namespace {

using Index = std::int64_t;

constexpr Index kNetwork = 256;  // keys that the network sorts
constexpr int kMostLanes = 8;    // of a vector
constexpr Index kUnrolled = 4;   // vectors that a partition of many keys moves at once
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// NaN is the largest.
bool less(double a, double b) { return a < b || (b != b && a == a); }

// ---- vectors --------------------------------------------------------------------------------------------------------

struct Entry {
  double key;
  Index index;
};

void exchange(Entry& low, Entry& high) {
  if (high.key < low.key) std::swap(low, high);
}

// Sorts 2^m entries: runs of 2, 4, 8 ... are merged by comparing with the mirror image, then at half the distances.
void bitonic_sort(Entry* entries, Index n) {
  for (Index run = 2; run <= n; run *= 2) {
    for (Index start = 0; start < n; start += run) {
      for (Index i = 0; i < run / 2; ++i) exchange(entries[start + i], entries[start + run - 1 - i]);
    }
    for (Index distance = run / 4; distance > 0; distance /= 2) {
      for (Index i = 0; i < n; ++i) {
        if ((i & distance) == 0) exchange(entries[i], entries[i + distance]);
      }
    }
  }
}

void sort_few(const double* keys, Index* order, Index n) {
  Entry entries[kNetwork];
  Index padded = 1;
  while (padded < n) padded *= 2;
  for (Index i = 0; i < padded; ++i) {
    entries[i] = i < n ? Entry{keys[order[i]], order[i]} : Entry{kInfinity, order[0]};
  }
  bitonic_sort(entries, padded);
  for (Index i = 0; i < n; ++i) order[i] = entries[i].index;
}

// What a partition knows: the pivot, and the extremes of what it met.
struct Pivot {
  double key;
  double smallest = kInfinity, biggest = -kInfinity;
};

double pivot_key(int lanes, const double* keys, const Index* order, Index left, Index right) {
  Entry sample[kMostLanes];
  const Index step = (right - left) / lanes;
  for (int i = 0; i < lanes; ++i) sample[i] = {keys[order[left + (i + 1) * step]], 0};
  bitonic_sort(sample, lanes);
  return sample[lanes / 2].key;
}

// A partition under way: what lies between left and right is to be read, what lies between the two stores is free.
class Partition {
 public:
  Partition(int lanes, const double* keys, Index* order, Index left, Index right, Pivot& pivot)
      : lanes_(lanes), keys_(keys), order_(order), left_(left), right_(right), pivot_(pivot) {}

  // Returns where the keys begin that are not below the pivot.
  Index run() {
    const Index unrolled = right_ - left_ > 8 * kUnrolled * lanes_ ? kUnrolled : 1, width = unrolled * lanes_;
    for (Index i = (right_ - left_) % width; i > 0; --i) move_one();
    if (left_ == right_) return left_;
    low_ = left_;
    high_ = right_;
    if (right_ - left_ == width) return store(hold(left_, width), width), low_;
    const Held first = hold(left_, width), last = hold(right_ - width, width);
    left_ += width;
    right_ -= width;
    while (left_ != right_) {
      const bool from_right = high_ - right_ < left_ - low_;
      const Held next = hold(from_right ? right_ - width : left_, width);
      (from_right ? right_ : left_) += from_right ? -width : width;
      store(next, width);
    }
    store(first, width);
    store(last, width);
    return low_;
  }

 private:
  struct Held {
    Index index[kMostLanes * kUnrolled];
  };

  void meet(double key) {
    pivot_.smallest = std::min(pivot_.smallest, key);
    pivot_.biggest = std::max(pivot_.biggest, key);
  }

  void move_one() {
    const double key = keys_[order_[left_]];
    meet(key);
    if (key < pivot_.key) {
      ++left_;
    } else {
      std::swap(order_[left_], order_[--right_]);
    }
  }

  Held hold(Index from, Index width) const {
    Held held;
    std::copy(order_ + from, order_ + from + width, held.index);
    return held;
  }

  // Vector by vector: what is below the pivot goes to the left, the rest to the right; AVX2's vectors turn it round.
  void store(const Held& held, Index width) {
    for (Index v = 0; v < width; v += lanes_) {
      const Index* vector = held.index + v;
      const Index above = std::count_if(vector, vector + lanes_, [&](Index i) { return !(keys_[i] < pivot_.key); });
      const Index step = lanes_ == 4 ? -1 : 1;
      Index at = step < 0 ? high_ - 1 : high_ - above;
      high_ -= above;
      for (int lane = 0; lane < lanes_; ++lane) {
        const double key = keys_[vector[lane]];
        meet(key);
        if (key < pivot_.key) {
          order_[low_++] = vector[lane];
        } else {
          order_[at] = vector[lane];
          at += step;
        }
      }
    }
  }

  int lanes_;
  const double* keys_;
  Index* order_;
  Index left_, right_, low_ = 0, high_ = 0;
  Pivot& pivot_;
};

Index rounds_of(Index n) { return 2 * static_cast<Index>(std::log2(n)); }

void select_by_vectors(int lanes, const double* keys, Index n, Index kth, Index* order) {
  if (std::any_of(keys, keys + n, [](double key) { return key != key; })) {
    std::nth_element(order, order + kth, order + n, [&](Index a, Index b) { return less(keys[a], keys[b]); });
    return;
  }
  Index left = 0, right = n - 1;
  for (Index rounds = rounds_of(n); right + 1 - left > kNetwork; --rounds) {
    if (rounds <= 0) {
      std::sort(order + left, order + right + 1, [&](Index a, Index b) { return keys[a] < keys[b]; });
      return;
    }
    Pivot pivot{pivot_key(lanes, keys, order, left, right)};
    const Index middle = Partition(lanes, keys, order, left, right + 1, pivot).run();
    if (pivot.key != pivot.smallest && kth < middle) {
      right = middle - 1;
    } else if (pivot.key != pivot.biggest && kth >= middle) {
      left = middle;
    } else {
      return;
    }
  }
  sort_few(keys, order + left, right + 1 - left);
}

void sort_by_vectors(int lanes, const double* keys, Index left, Index right, Index rounds, Index* order) {
  if (right + 1 - left <= kNetwork) return sort_few(keys, order + left, right + 1 - left);
  if (rounds <= 0) {
    std::sort(order + left, order + right + 1, [&](Index a, Index b) { return keys[a] < keys[b]; });
    return;
  }
  Pivot pivot{pivot_key(lanes, keys, order, left, right)};
  const Index middle = Partition(lanes, keys, order, left, right + 1, pivot).run();
  if (pivot.key != pivot.smallest) sort_by_vectors(lanes, keys, left, middle - 1, rounds - 1, order);
  if (pivot.key != pivot.biggest) sort_by_vectors(lanes, keys, middle, right, rounds - 1, order);
}

// ---- scalars --------------------------------------------------------------------------------------------------------

void select_first(const double* keys, Index n, Index kth, Index* order) {
  for (Index i = 0; i <= kth; ++i) {
    Index least = i;
    for (Index j = i + 1; j < n; ++j) {
      if (less(keys[order[j]], keys[order[least]])) least = j;
    }
    std::swap(order[i], order[least]);
  }
}

// Moves the median of three to `low` and the least of them behind it.
void median_of_three(const double* keys, Index* order, Index low, Index middle, Index high) {
  const auto put_in_order = [&](Index a, Index b) {
    if (less(keys[order[a]], keys[order[b]])) std::swap(order[a], order[b]);
  };
  put_in_order(high, middle);
  put_in_order(high, low);
  put_in_order(low, middle);
  std::swap(order[middle], order[low + 1]);
}

void quickselect(const double* keys, Index n, Index kth, Index* order) {
  Index low = 0, high = n - 1;
  while (low + 1 < high) {
    median_of_three(keys, order, low, low + (high - low) / 2, high);
    const double pivot = keys[order[low]];
    Index left = low + 1, right = high;
    for (;;) {
      do ++left;
      while (less(keys[order[left]], pivot));
      do --right;
      while (less(pivot, keys[order[right]]));
      if (right < left) break;
      std::swap(order[left], order[right]);
    }
    std::swap(order[low], order[right]);
    if (right >= kth) high = right - 1;
    if (right <= kth) low = left;
  }
  if (high == low + 1 && less(keys[order[high]], keys[order[low]])) std::swap(order[high], order[low]);
}

void select_largest(const double* keys, Index n, Index* order) {
  Index most = 0;
  for (Index i = 1; i < n; ++i) {
    if (!less(keys[order[i]], keys[order[most]])) most = i;
  }
  std::swap(order[n - 1], order[most]);
}

void select_by_scalars(const double* keys, Index n, Index kth, Index* order) {
  if (kth < 3) return select_first(keys, n, kth, order);
  if (kth == n - 1) return select_largest(keys, n, order);
  quickselect(keys, n, kth, order);
}

int lanes_of(Isa isa) { return isa == Isa::avx512 ? 8 : isa == Isa::avx2 ? 4 : 1; }

}  // namespace

void argpartition_of(int lanes, const double* keys, Index n, Index kth, Index* order) {
  for (Index i = 0; i < n; ++i) order[i] = i;
  if (n < 2) return;
  lanes == 1 ? select_by_scalars(keys, n, kth, order) : select_by_vectors(lanes, keys, n, kth, order);
}

void argsort_of(int lanes, const double* keys, Index n, Index* order) {
  for (Index i = 0; i < n; ++i) order[i] = i;
  const bool nan = std::any_of(keys, keys + n, [](double key) { return key != key; });
  if (lanes > 1 && !nan && std::is_sorted(keys, keys + n)) return;
  if (lanes > 1 && n > 1 && !nan) return sort_by_vectors(lanes, keys, 0, n - 1, rounds_of(n), order);
  std::sort(order, order + n, [&](Index a, Index b) {
    return less(keys[a], keys[b]) || (lanes == 1 && !less(keys[b], keys[a]) && a < b);
  });
}

int lanes_of_numpy() {
  static const int lanes = lanes_of(detect_isa());
  return lanes;
}

}  // namespace sardonyx
