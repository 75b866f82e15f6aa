// KNeighbors: the k nearest training rows of each row, in scikit-learn's order also where several are equally far.
//
// All is float64, and summed feature by feature, so distances are those of sklearn/metrics/_dist_metrics.pyx.tp bit for
// bit; rows that were float32 are rounded where it rounds (`single`). A brute search by Euclidean distances expands the
// square as scikit-learn's does (_argkmin.pyx.tp, EuclideanArgKmin), with what rounding leaves of it.
//
// The search is that of KDTree and BallTree (sklearn/neighbors/_binary_tree.pxi.tp: depth first, nearer child first),
// candidates pass through the same heap and sort: the same rows are kept, and come in the same order, where distances
// are equal.
#include "kernels/neighbors/heap.h"
#include "kernels/neighbors/training_rows.h"

namespace sardonyx {
namespace {

void check_neighbors(const Step& step) {
  constexpr const char* name = "KNeighbors";
  require((step.n_inputs == 3 || step.n_inputs == 7) && step.n_outputs == 2, name,
          "takes 3 or 7 inputs, gives 2 outputs");
  check_space(step, name);
  require(step.n_params == kSpaceParams, name, "takes metric, k, algorithm, single and p");
  const std::int64_t k = integer_param(step, 1);
  require(in_range(k, 1, step.inputs[1].dims[0]), name, "k is not between 1 and the number of training rows");
  require(step.outputs[1].dtype == DType::i64 && step.outputs[0].width == k && step.outputs[1].width == k, name,
          "the outputs hold k distances and k int64 indices");
  require((step.params[2].i == kBrute) == (step.n_inputs == 3), name, "a tree is given exactly if it is searched");
  if (step.n_inputs == 7) check_tree(step, name);
}

// ---- search --------------------------------------------------------------------------------------------------------

// Offers up to kL candidates, from place `at` of the tree's order, to a row's heap. NaN, which rows without any feature
// have of each other in some metrics, enters every heap.
template <int M>
inline void offer(const Packed& packed, const Leaf& leaf, std::int64_t at, Vector<double> reduced, double* heap,
                  std::int64_t* indices) {
  double candidates[kL];
  store(candidates, reduced);
  double least = candidates[0];
  for (int lane = 1; lane < kL; ++lane) least = candidates[lane] < least ? candidates[lane] : least;
  if (M != kJaccard && least >= heap[0]) return;
  const int lanes = leaf.end - at < kL ? static_cast<int>(leaf.end - at) : kL;
  for (int lane = 0; lane < lanes; ++lane) {
    heap_push(heap, indices, packed.space.k, candidates[lane], packed.order[at + lane]);
  }
}

// R rows meet P panels, from place `at` on.
template <int M, int R, int P>
inline void meet(const Packed& packed, const Leaf& leaf, std::int64_t at, const double* panels, const double* x,
                 const double* squares, double* values, std::int64_t* indices) {
  const std::int64_t k = packed.space.k;
  Vector<double> reduced[R][P];
  if (M == kEuclidean && squares != nullptr) {
    expanded<R, P>(x, squares, panels, packed.squares + at, packed.space.features, reduced);
  } else {
    against_panels<M, R, P>(x, panels, packed.space, reduced);
  }
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) offer<M>(packed, leaf, at + p * kL, reduced[r][p], values + r * k, indices + r * k);
  }
}

// Offers the leaf's rows to R heaps, in the tree's order, from place `at` on, where a panel begins.
template <int M, int R>
void scan_from(const Packed& packed, const Leaf& leaf, std::int64_t at, const double* x, const double* squares,
               double* values, std::int64_t* indices) {
  constexpr int P = R == 1 ? 2 * kPanels : kPanels;
  const std::int64_t stride = kL * packed.space.features;
  const double* panels = leaf.panels + (at - leaf.start) * packed.space.features;
  for (; at + P * kL <= leaf.end; at += P * kL, panels += P * stride)
    meet<M, R, P>(packed, leaf, at, panels, x, squares, values, indices);
  for (; at < leaf.end; at += kL, panels += stride)
    meet<M, R, 1>(packed, leaf, at, panels, x, squares, values, indices);
}

template <int M, int R>
void scan(const Packed& packed, const Leaf& leaf, const double* x, double* values, std::int64_t* indices) {
  scan_from<M, R>(packed, leaf, leaf.start, x, nullptr, values, indices);
}

// R rows of brute force by expanded squares, sieved: only what may enter a heap is measured in float64. What the sieve
// holds back, the heap would have refused, so the rest of the search does not notice. Where too much passes, the rows
// are scanned instead.
template <int R>
void sieved_scan(const Packed& packed, const double* x, float* narrow, double* values, std::int64_t* indices) {
  constexpr int P = 4 / (R == 1 ? 1 : 2), kSteps = kNarrow / kL;  // panels of the sieve, and of float64 in each
  const Leaf& leaf = packed.nodes[0].leaf;
  const Sieve& sieve = packed.sieve;
  const std::int64_t features = packed.space.features, k = packed.space.k;
  double squares[R], norms[R];
  float limits[R];
  bool narrows = true;
  for (int r = 0; r < R; ++r) {
    squares[r] = squares_of(x + r * features, features, true);
    norms[r] = __builtin_sqrt(squares[r]);
    limits[r] = __builtin_inff();
    narrows &= norms[r] < kWidest;
  }
  if (!narrows || sieve.panels < P) return scan_from<kEuclidean, R>(packed, leaf, 0, x, squares, values, indices);
  for (std::int64_t i = 0; i < R * features; ++i) narrow[i] = static_cast<float>(x[i]);
  std::int64_t panel = 0, passed = 0;
  for (; panel + P <= sieve.panels && passed <= R * (128 + panel / 4); panel += P) {
    const unsigned passes = sifted<R, P>(sieve, narrow, panel, limits);
    if (passes == 0) continue;
    for (int r = 0; r < R; ++r) {
      if ((passes >> r & 1) == 0) continue;
      passed += P;
      for (std::int64_t at = panel * kNarrow; at < (panel + P) * kNarrow; at += kSteps * kL) {
        const double* rows = leaf.panels + at * features;
        meet<kEuclidean, 1, kSteps>(packed, leaf, at, rows, x + r * features, squares + r, values + r * k,
                                    indices + r * k);
      }
      limits[r] = limit_of(sieve, values[r * k], norms[r]);
    }
  }
  scan_from<kEuclidean, R>(packed, leaf, panel * kNarrow, x, squares, values, indices);
}

// Reduced distance of a point to the nearest point a node may hold.
template <int M>
double lower_bound(const Packed& packed, std::int64_t node, const double* x) {
  const Space& space = packed.space;
  const double* first = packed.bounds + node * space.features;
  if (packed.algorithm == kBallTree) {
    double a = 0, b = 0;
    for (std::int64_t f = 0; f < space.features; ++f) add<M>(a, b, x[f], first[f], f, space);
    const double gap = distance_of(finished<M>(a, b, space), space) - packed.nodes[node].radius;
    const double least = gap > 0 ? gap : 0.0;
    if constexpr (M == kMinkowski) return ::pow(least, space.p);
    if constexpr (M == kHaversine) return ::sin(0.5 * least) * ::sin(0.5 * least);
    return space.metric == kEuclidean || M == kSeuclidean ? least * least : least;
  }
  const double* second = first + packed.n_nodes * space.features;
  double total = 0;
  for (std::int64_t f = 0; f < space.features; ++f) {
    const double below = first[f] - x[f], above = x[f] - second[f];
    const double gap = 0.5 * ((below + ::fabs(below)) + (above + ::fabs(above)));
    if constexpr (M == kChebyshev) {
      total = ::fmax(total, gap);
    } else if constexpr (M == kManhattan) {
      total += gap;
    } else if constexpr (M == kMinkowski) {
      total += ::pow(gap, space.p);
    } else {
      total += gap * gap;
    }
  }
  return total;
}

template <int M>
void search(const Packed& packed, std::int64_t node, double bound, const double* x, double* values,
            std::int64_t* indices) {
  if (bound > values[0]) return;
  if (packed.nodes[node].is_leaf) return scan<M, 1>(packed, packed.nodes[node].leaf, x, values, indices);
  const std::int64_t left = 2 * node + 1, right = left + 1;
  const double to_left = lower_bound<M>(packed, left, x), to_right = lower_bound<M>(packed, right, x);
  const bool left_first = to_left <= to_right;
  search<M>(packed, left_first ? left : right, left_first ? to_left : to_right, x, values, indices);
  search<M>(packed, left_first ? right : left, left_first ? to_right : to_left, x, values, indices);
}

template <int M>
void neighbors(const Packed& packed, std::int64_t rows, const double* x, void* scratch, double* values,
               std::int64_t* indices) {
  const std::int64_t k = packed.space.k, features = packed.space.features;
  auto* old_values = static_cast<double*>(scratch);
  auto* old_indices = reinterpret_cast<std::int64_t*>(old_values + k);
  auto* narrow = reinterpret_cast<float*>(old_indices + k);
  const bool brute = packed.algorithm == kBrute;
  for (std::int64_t i = 0; i < rows * k; ++i) {
    values[i] = brute ? DBL_MAX : static_cast<double>(INFINITY);
    indices[i] = 0;
  }
  std::int64_t r = 0;
  if constexpr (M == kEuclidean) {
    for (; brute && r + kTile <= rows; r += kTile)
      sieved_scan<kTile>(packed, x + r * features, narrow, values + r * k, indices + r * k);
    for (; brute && r < rows; ++r) sieved_scan<1>(packed, x + r * features, narrow, values + r * k, indices + r * k);
  }
  for (; brute && r + kTile <= rows; r += kTile) {
    scan<M, kTile>(packed, packed.nodes[0].leaf, x + r * features, values + r * k, indices + r * k);
  }
  for (; r < rows; ++r) {
    const double bound = brute ? 0.0 : lower_bound<M>(packed, 0, x + r * features);
    search<M>(packed, 0, bound, x + r * features, values + r * k, indices + r * k);
  }
  for (r = 0; brute && r < rows; ++r) pass_on(values + r * k, indices + r * k, k, old_values, old_indices);
  for (r = 0; r < rows; ++r) sort_both(values + r * k, indices + r * k, k);
  for (std::int64_t i = 0; i < rows * k; ++i) values[i] = distance_of(values[i], packed.space);
}

void run_neighbors(const Step& step, std::int64_t rows, const Context& context) {
  const auto& packed = *static_cast<const Packed*>(context.state);
  const auto* x = data_of<const double>(step.inputs[0]);
  auto* values = data_of<double>(step.outputs[0]);
  auto* indices = data_of<std::int64_t>(step.outputs[1]);
  with_metric(packed.space.metric, [&](auto metric) {
    neighbors<decltype(metric)::value>(packed, rows, x, context.scratch, values, indices);
  });
}

std::size_t scratch(const Step& step, std::int64_t) {
  const std::size_t heap = static_cast<std::size_t>(step.params[1].i) * (sizeof(double) + sizeof(std::int64_t));
  return heap + static_cast<std::size_t>(kTile * step.inputs[0].width) * sizeof(float);
}

// The distances of PairwiseDistances are all wanted: only a search has a sieve.
void* prepare_neighbors(const Step& step) {
  auto* packed = static_cast<Packed*>(prepare(step));
  const Space& space = packed->space;
  if (packed->algorithm != kBrute || (space.metric != kEuclidean && space.metric != kSqeuclidean)) return packed;
  add_squares(*packed, step, true);
  packed->sieve = make_sieve(data_of<const double>(step.inputs[1]), space.n_fit, space.features);
  return packed;
}

SARDONYX_KERNEL("KNeighbors", {.check = check_neighbors,
                               .run = run_neighbors,
                               .scratch = scratch,
                               .prepare = prepare_neighbors,
                               .release = release,
                               .cost = cost});

}  // namespace
}  // namespace sardonyx
