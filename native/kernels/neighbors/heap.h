// The heap and the sort of scikit-learn, step by step: equally distant rows are kept, and come, as there.
//
// sklearn/utils/_heap.pyx and sklearn/utils/_sorting.pyx.
#pragma once

#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace sardonyx {
namespace {

// A heap with the largest on top, of fixed size: sklearn/utils/_heap.pyx.
[[maybe_unused]] inline void heap_push(double* values, std::int64_t* indices, std::int64_t size, double value,
                                       std::int64_t index) {
  if (value >= values[0]) return;
  std::int64_t at = 0;
  while (true) {
    const std::int64_t left = 2 * at + 1, right = left + 1;
    std::int64_t next;
    if (left >= size) break;
    if (right >= size || values[left] >= values[right]) {
      next = left;
    } else {
      next = right;
    }
    if (!(values[next] > value)) break;
    values[at] = values[next];
    indices[at] = indices[next];
    at = next;
  }
  values[at] = value;
  indices[at] = index;
}

inline void swap(double* values, std::int64_t* indices, std::int64_t i, std::int64_t j) {
  const double value = values[i];
  const std::int64_t index = indices[i];
  values[i] = values[j];
  indices[i] = indices[j];
  values[j] = value;
  indices[j] = index;
}

[[maybe_unused]] inline void insertion_sort(double* values, std::int64_t* indices, std::int64_t n) {
  for (std::int64_t i = 1; i < n; ++i) {
    const double value = values[i];
    const std::int64_t index = indices[i];
    std::int64_t j = i;
    for (; j > 0 && values[j - 1] > value; --j) {
      values[j] = values[j - 1];
      indices[j] = indices[j - 1];
    }
    values[j] = value;
    indices[j] = index;
  }
}

[[maybe_unused]] inline void sift_down(double* values, std::int64_t* indices, std::int64_t start, std::int64_t end) {
  for (std::int64_t root = start;;) {
    const std::int64_t child = root * 2 + 1;
    std::int64_t most = root;
    if (child < end && values[most] < values[child]) most = child;
    if (child + 1 < end && values[most] < values[child + 1]) most = child + 1;
    if (most == root) return;
    swap(values, indices, root, most);
    root = most;
  }
}

[[maybe_unused]] inline void heap_sort(double* values, std::int64_t* indices, std::int64_t n) {
  for (std::int64_t start = (n - 2) / 2; start >= 0; --start) sift_down(values, indices, start, n);
  for (std::int64_t end = n - 1; end > 0; --end) {
    swap(values, indices, 0, end);
    sift_down(values, indices, 0, end);
  }
}

// Puts the median of the first, middle and last element last, the smallest first.
[[maybe_unused]] inline double median_last(double* values, std::int64_t* indices, std::int64_t n) {
  const std::int64_t middle = n / 2, last = n - 1;
  if (values[0] > values[last]) swap(values, indices, 0, last);
  if (values[last] > values[middle]) {
    swap(values, indices, last, middle);
    if (values[0] > values[last]) swap(values, indices, 0, last);
  }
  return values[last];
}

// Introsort, after Musser (Software: Practice and Experience, 1997): sklearn/utils/_sorting.pyx, introsort_2way.
[[maybe_unused]] inline void introsort(double* values, std::int64_t* indices, std::int64_t n, std::int64_t depth) {
  while (n > 15) {
    if (depth <= 0) return heap_sort(values, indices, n);
    --depth;
    const double pivot = median_last(values, indices, n);
    std::int64_t i = 1, j = n - 2;
    while (true) {
      while (i <= j && values[i] < pivot) ++i;
      while (i <= j && values[j] > pivot) --j;
      if (i >= j) break;
      swap(values, indices, i++, j--);
    }
    swap(values, indices, i, n - 1);
    introsort(values, indices, i, depth);
    values += i + 1;
    indices += i + 1;
    n -= i + 1;
  }
  insertion_sort(values, indices, n);
}

[[maybe_unused]] inline void sort_both(double* values, std::int64_t* indices, std::int64_t n) {
  introsort(values, indices, n, 2 * static_cast<std::int64_t>(::log2(static_cast<double>(n))));
}

// Passes a heap through another one: where scikit-learn shares out the training rows among threads, as it does for
// batches no larger than those (_argkmin.pyx.tp, _parallel_on_Y_synchronize), and so for one row. Equal ones change
// places.
[[maybe_unused]] inline void pass_on(double* values, std::int64_t* indices, std::int64_t k, double* old_values,
                                     std::int64_t* old_indices) {
  std::memcpy(old_values, values, static_cast<std::size_t>(k) * sizeof(double));
  std::memcpy(old_indices, indices, static_cast<std::size_t>(k) * sizeof(std::int64_t));
  for (std::int64_t i = 0; i < k; ++i) values[i] = DBL_MAX;
  for (std::int64_t i = 0; i < k; ++i) heap_push(values, indices, k, old_values[i], old_indices[i]);
}

}  // namespace
}  // namespace sardonyx
