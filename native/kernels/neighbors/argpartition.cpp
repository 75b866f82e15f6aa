// ArgPartition: the k smallest of a row's n numbers in rising order, and where they are. Of equal ones those that
// numpy.argpartition and numpy.argsort leave in front on this machine, as scikit-learn takes them.
//
//   keys (n) ──▶ argpartition ──▶ the first k ──▶ argsort ──▶ values (k), indices (k)
//
// Where no two of the k + 1 smallest are equal, any way to find them gives the same: one pass does then.
#include "sardonyx/argpartition.h"

#include "kernels/check.h"

namespace sardonyx {
namespace {

constexpr const char* kName = "ArgPartition";

void check(const Step& step) {
  require_counts(step, kName, 1, 2, 2);
  require_row_output(step, kName);
  const Tensor &x = step.inputs[0], &values = step.outputs[0], &indices = step.outputs[1];
  require(!x.constant && x.rank == 1 && is_float(x.dtype), kName, "takes a row of floats");
  const std::int64_t k = step.params[0].i, lanes = step.params[1].i;
  require(in_range(k, 1, x.width), kName, "k is not between 1 and the number of keys");
  require(lanes == 0 || lanes == 1 || lanes == 4 || lanes == 8, kName, "vectors hold 1, 4 or 8 numbers; 0: as here");
  require(values.dtype == x.dtype && values.rank == 1 && values.width == k, kName,
          "the values are k of the keys' type");
  require(indices.dtype == DType::i64 && indices.rank == 1 && indices.width == k, kName, "the indices are k of int64");
}

std::size_t scratch(const Step& step, std::int64_t) {
  return static_cast<std::size_t>(2 * step.inputs[0].width + 2 * step.params[0].i) * sizeof(std::int64_t);
}

constexpr std::int64_t kFew = 64;  // that are kept in order by insertion

// False: the order among equal ones matters, or a key is NaN.
template <class T>
bool select_distinct(const T* x, std::int64_t n, std::int64_t k, T* values, std::int64_t* indices) {
  if (k > kFew) return false;
  T best[kFew + 1];
  std::int64_t places[kFew + 1], count = 0;
  const std::int64_t most = k < n ? k + 1 : k;
  for (std::int64_t i = 0; i < n; ++i) {
    if (count == most && x[i] >= best[most - 1]) continue;
    if (x[i] != x[i]) return false;
    std::int64_t at = count < most ? count++ : most - 1;
    for (; at > 0 && best[at - 1] > x[i]; --at) {
      best[at] = best[at - 1];
      places[at] = places[at - 1];
    }
    best[at] = x[i];
    places[at] = i;
  }
  for (std::int64_t i = 1; i < most; ++i) {
    if (best[i - 1] == best[i]) return false;
  }
  for (std::int64_t i = 0; i < k; ++i) {
    values[i] = best[i];
    indices[i] = places[i];
  }
  return true;
}

template <class T>
void select(const T* x, std::int64_t n, std::int64_t k, int lanes, void* memory, T* values, std::int64_t* indices) {
  if (select_distinct(x, n, k, values, indices)) return;
  auto* keys = static_cast<double*>(memory);
  auto* order = reinterpret_cast<std::int64_t*>(keys + n);
  auto* few = reinterpret_cast<double*>(order + n);
  auto* ranks = reinterpret_cast<std::int64_t*>(few + k);
  for (std::int64_t i = 0; i < n; ++i) keys[i] = static_cast<double>(x[i]);
  argpartition_of(lanes, keys, n, k - 1, order);
  for (std::int64_t i = 0; i < k; ++i) few[i] = keys[order[i]];
  argsort_of(lanes, few, k, ranks);
  for (std::int64_t i = 0; i < k; ++i) {
    indices[i] = order[ranks[i]];
    values[i] = x[indices[i]];
  }
}

void run(const Step& step, std::int64_t rows, const Context& context) {
  const std::int64_t n = step.inputs[0].width, k = step.params[0].i;
  const int lanes = step.params[1].i == 0 ? lanes_of_numpy() : static_cast<int>(step.params[1].i);
  auto* indices = data_of<std::int64_t>(step.outputs[1]);
  with_float(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    for (std::int64_t r = 0; r < rows; ++r) {
      select(data_of<T>(step.inputs[0]) + r * n, n, k, lanes, context.scratch, data_of<T>(step.outputs[0]) + r * k,
             indices + r * k);
    }
  });
}

double cost(const Step& step) { return 30 + 10.0 * static_cast<double>(step.inputs[0].width); }

SARDONYX_KERNEL("ArgPartition", {.check = check, .run = run, .scratch = scratch, .cost = cost});

}  // namespace
}  // namespace sardonyx
