// KNeighbors: the k nearest training rows of each row, in scikit-learn's order also where several are equally far.
// PairwiseDistances: the distance of each row to each training row. ExpandedSquares: the squares of Euclidean ones.
//
// All is float64, and summed feature by feature, so distances are those of sklearn/metrics/_dist_metrics.pyx.tp bit for
// bit; rows that were float32 are rounded where it rounds (`single`). A brute search by Euclidean distances expands the
// square as scikit-learn's does (_argkmin.pyx.tp, EuclideanArgKmin), with what rounding leaves of it. Training rows are packed in panels of L (the
// lanes of a vector), each leaf of the search tree in panels of its own; brute force is a tree of one leaf:
//
//   leaf      rows 17, 3, 8, ...             in the tree's order
//   panel     a[0] b[0] c[0] ..   a[1] b[1] c[1] ..   ...   a vector a feature; lanes beyond the leaf repeat a row
//
// The search is that of KDTree and BallTree (sklearn/neighbors/_binary_tree.pxi.tp: depth first, nearer child first),
// candidates pass through the same heap (sklearn/utils/_heap.pyx) and sort (sklearn/utils/_sorting.pyx): the same rows
// are kept, and come in the same order, where distances are equal.
#include <cfloat>
#include <cstdlib>
#include <cstring>

#include "blas.h"
#include "sieve.h"
#include "space.h"

namespace sardonyx {
namespace {

constexpr int kTile = 4;    // rows of brute force that share the load of panels
constexpr int kPanels = 2;  // that rows meet at once; a row alone meets twice as many

// R rows against P panels: R * P sums side by side hide the latency of the additions.
template <int M, int R, int P>
inline void against_panels(const double* x, const double* panels, const Space& space, Vector<double> (&reduced)[R][P]) {
  const std::int64_t stride = kL * space.features;
  Vector<double> a[R][P], b[R][P];
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) a[r][p] = b[r][p] = Vector<double>{};
  }
  for (std::int64_t f = 0; f < space.features; ++f) {
    Vector<double> y[P];
    for (int p = 0; p < P; ++p) y[p] = load(panels + p * stride + f * kL);
    for (int r = 0; r < R; ++r) {
      const Vector<double> value = broadcast(x[r * space.features + f]);
      for (int p = 0; p < P; ++p) add<M>(a[r][p], b[r][p], value, y[p], f, space);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) reduced[r][p] = finished<M>(a[r][p], b[r][p], space);
  }
}

// The same for expanded squares, of rows and panels whose squares were added up before.
template <int R, int P>
inline void expanded(const double* x, const double* squares, const double* panels, const double* panel_squares,
                     std::int64_t features, Vector<double> (&reduced)[R][P]) {
  Vector<double> sums[R][P];
  products<R, P>(x, panels, features, sums);
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) {
      const Vector<double> sum = (squares[r] - 2.0 * sums[r][p]) + load(panel_squares + p * kL);
      reduced[r][p] = larger(sum, Vector<double>{});
    }
  }
}

// ---- the heap and the sort of scikit-learn --------------------------------------------------------------------------

// A heap with the largest on top, of fixed size: sklearn/utils/_heap.pyx.
void heap_push(double* values, std::int64_t* indices, std::int64_t size, double value, std::int64_t index) {
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

void insertion_sort(double* values, std::int64_t* indices, std::int64_t n) {
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

void sift_down(double* values, std::int64_t* indices, std::int64_t start, std::int64_t end) {
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

void heap_sort(double* values, std::int64_t* indices, std::int64_t n) {
  for (std::int64_t start = (n - 2) / 2; start >= 0; --start) sift_down(values, indices, start, n);
  for (std::int64_t end = n - 1; end > 0; --end) {
    swap(values, indices, 0, end);
    sift_down(values, indices, 0, end);
  }
}

// Puts the median of the first, middle and last element last, the smallest first.
double median_last(double* values, std::int64_t* indices, std::int64_t n) {
  const std::int64_t middle = n / 2, last = n - 1;
  if (values[0] > values[last]) swap(values, indices, 0, last);
  if (values[last] > values[middle]) {
    swap(values, indices, last, middle);
    if (values[0] > values[last]) swap(values, indices, 0, last);
  }
  return values[last];
}

// Introsort, after Musser (Software: Practice and Experience, 1997): sklearn/utils/_sorting.pyx, introsort_2way.
void introsort(double* values, std::int64_t* indices, std::int64_t n, std::int64_t depth) {
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

void sort_both(double* values, std::int64_t* indices, std::int64_t n) {
  introsort(values, indices, n, 2 * static_cast<std::int64_t>(::log2(static_cast<double>(n))));
}

// Passes a heap through another one: where scikit-learn shares out the training rows among threads, as it does for
// batches no larger than those (_argkmin.pyx.tp, _parallel_on_Y_synchronize), and so for one row. Equal ones change places.
void pass_on(double* values, std::int64_t* indices, std::int64_t k, double* old_values, std::int64_t* old_indices) {
  std::memcpy(old_values, values, static_cast<std::size_t>(k) * sizeof(double));
  std::memcpy(old_indices, indices, static_cast<std::size_t>(k) * sizeof(std::int64_t));
  for (std::int64_t i = 0; i < k; ++i) values[i] = DBL_MAX;
  for (std::int64_t i = 0; i < k; ++i) heap_push(values, indices, k, old_values[i], old_indices[i]);
}

// ---- packed training rows ------------------------------------------------------------------------------------------

struct Leaf {
  std::int64_t start, end;  // of its rows in `order`
  const double* panels;
};

struct Node {
  Leaf leaf;  // of leaves only
  bool is_leaf;
  double radius;
};

struct Packed {
  Space space;
  std::int64_t algorithm, n_nodes;
  const double* bounds;  // kd: lower corners, then upper ones; ball: centroids
  std::int64_t* order;   // row numbers, leaf after leaf
  Node* nodes;
  double* panels;
  double* squares;  // of the rows in the panels: of brute force with Euclidean distances, as the sieve
  Sieve sieve;
};

double squares_of(const double* x, std::int64_t features, bool as_dot) {
  return as_dot ? dot(x, x, features) : einsum_squares(x, features);
}

std::int64_t panels_of(std::int64_t n) { return (n + kL - 1) / kL; }

// Copies the leaf's rows into panels; returns the end of them.
double* pack_leaf(Leaf& leaf, const std::int64_t* order, const double* rows, std::int64_t features, double* to) {
  leaf.panels = to;
  for (std::int64_t at = leaf.start; at < leaf.end; at += kL, to += kL * features) {
    for (std::int64_t lane = 0; lane < kL; ++lane) {
      const std::int64_t i = at + lane < leaf.end ? at + lane : leaf.end - 1;
      for (std::int64_t f = 0; f < features; ++f) to[f * kL + lane] = rows[order[i] * features + f];
    }
  }
  return to;
}

void release(void* state) {
  auto* packed = static_cast<Packed*>(state);
  std::free(packed->order);
  std::free(packed->nodes);
  std::free(packed->panels);
  std::free(packed->squares);
  std::free(packed->sieve.rows);
  std::free(packed);
}

void* prepare(const Step& step) {
  auto* packed = static_cast<Packed*>(std::calloc(1, sizeof(Packed)));
  if (packed == nullptr) fail("neighbours: not enough memory");
  packed->space = space_of(step);
  packed->algorithm = step.params[2].i;
  const std::int64_t n = packed->space.n_fit, features = packed->space.features;
  const bool brute = packed->algorithm == kBrute;
  const auto* ranges = brute ? nullptr : data_of<const std::int64_t>(step.inputs[4]);
  packed->n_nodes = brute ? 1 : step.inputs[4].dims[0];
  packed->bounds = brute ? nullptr : data_of<const double>(step.inputs[6]);
  std::int64_t panels = panels_of(n);
  for (std::int64_t i = 0; !brute && i < packed->n_nodes; ++i) {
    if (ranges[3 * i + 2] != 0) panels += panels_of(ranges[3 * i + 1] - ranges[3 * i]);
  }
  packed->order = static_cast<std::int64_t*>(std::malloc(static_cast<std::size_t>(n) * sizeof(std::int64_t)));
  packed->nodes = static_cast<Node*>(std::calloc(static_cast<std::size_t>(packed->n_nodes), sizeof(Node)));
  void* memory = nullptr;
  const std::size_t bytes = static_cast<std::size_t>(panels * kL * features + kL) * sizeof(double);
  if (posix_memalign(&memory, 64, bytes) == 0) packed->panels = static_cast<double*>(memory);
  if (packed->order == nullptr || packed->nodes == nullptr || packed->panels == nullptr) {
    release(packed);
    fail("neighbours: not enough memory for the training rows");
  }
  for (std::int64_t i = 0; i < n; ++i) packed->order[i] = brute ? i : data_of<const std::int64_t>(step.inputs[3])[i];
  double* to = packed->panels;
  for (std::int64_t i = 0; i < packed->n_nodes; ++i) {
    Node& node = packed->nodes[i];
    node = {{brute ? 0 : ranges[3 * i], brute ? n : ranges[3 * i + 1], nullptr},
            brute || ranges[3 * i + 2] != 0,
            brute ? 0.0 : data_of<const double>(step.inputs[5])[i]};
    if (node.is_leaf) to = pack_leaf(node.leaf, packed->order, data_of<const double>(step.inputs[1]), features, to);
  }
  return packed;
}

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

// Offers up to kL candidates, from place `at` of the tree's order, to a row's heap.
inline void offer(const Packed& packed, const Leaf& leaf, std::int64_t at, Vector<double> reduced, double* heap,
                  std::int64_t* indices) {
  double candidates[kL];
  store(candidates, reduced);
  double least = candidates[0];
  for (int lane = 1; lane < kL; ++lane) least = candidates[lane] < least ? candidates[lane] : least;
  if (least >= heap[0]) return;
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
    for (int p = 0; p < P; ++p) offer(packed, leaf, at + p * kL, reduced[r][p], values + r * k, indices + r * k);
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

// R rows of brute force by expanded squares, sieved: only what may enter a heap is measured in float64. What the sieve holds back, the heap
// would have refused, so the rest of the search does not notice. Where too much passes, the rows are scanned instead.
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

// Adds up the squares of the training rows, as ddot or as einsum does.
void add_squares(Packed& packed, const Step& step, bool as_dot) {
  const Space& space = packed.space;
  const auto* rows = data_of<const double>(step.inputs[1]);
  const std::int64_t padded = panels_of(space.n_fit) * kL;
  packed.squares = static_cast<double*>(std::calloc(static_cast<std::size_t>(padded), sizeof(double)));
  if (packed.squares == nullptr) {
    release(&packed);
    fail("neighbours: not enough memory for the training rows");
  }
  for (std::int64_t i = 0; i < space.n_fit; ++i)
    packed.squares[i] = squares_of(rows + i * space.features, space.features, as_dot);
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

double cost(const Step& step) {
  const auto all = static_cast<double>(step.inputs[1].width) / kL;
  return 50 + (step.params[2].i == kBrute ? all : all / 4);
}

SARDONYX_KERNEL("KNeighbors", {.check = check_neighbors,
                               .run = run_neighbors,
                               .scratch = scratch,
                               .prepare = prepare_neighbors,
                               .release = release,
                               .cost = cost});

// ---- all distances -------------------------------------------------------------------------------------------------

void check_distances(const Step& step) {
  constexpr const char* name = "PairwiseDistances";
  require(step.n_inputs == 3 && step.n_outputs == 1, name, "takes 3 inputs, gives 1 output");
  check_space(step, name);
  require(step.n_params == kSpaceParams, name, "takes metric, k, algorithm, single and p");
  require(integer_param(step, 1) == 0 && step.params[2].i == kBrute, name, "k is 0 and no tree is searched");
  require(step.outputs[0].width == step.inputs[1].dims[0], name, "the output holds one distance a training row");
}

// Writes the numbers of R rows and P panels where they belong, from training row `at` on.
template <int R, int P, class F>
inline void scatter(const Vector<double> (&reduced)[R][P], std::int64_t at, std::int64_t n_fit, double* y, F finish) {
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) {
      for (std::int64_t lane = 0, i = at + p * kL; lane < kL && i < n_fit; ++lane, ++i)
        y[r * n_fit + i] = finish(reduced[r][p][lane]);
    }
  }
}

// Calls f(at, Code<P>{}) for P panels of training rows, from row `at` on, until all were met.
template <int R, class F>
void for_panels(std::int64_t n_fit, F f) {
  constexpr int P = R == 1 ? 2 * kPanels : kPanels;
  std::int64_t at = 0;
  for (; at + P * kL <= n_fit; at += P * kL) f(at, Code<P>{});
  for (; at < n_fit; at += kL) f(at, Code<1>{});
}

// Calls f(r, Code<R>{}) for R rows from row r on, until all were met.
template <class F>
void for_tiles(std::int64_t rows, F f) {
  std::int64_t r = 0;
  for (; r + kTile <= rows; r += kTile) f(r, Code<kTile>{});
  for (; r < rows; ++r) f(r, Code<1>{});
}

void run_distances(const Step& step, std::int64_t rows, const Context& context) {
  const auto& packed = *static_cast<const Packed*>(context.state);
  const Space& space = packed.space;
  const auto* x = data_of<const double>(step.inputs[0]);
  auto* y = data_of<double>(step.outputs[0]);
  with_metric(space.metric, [&](auto metric) {
    for_tiles(rows, [&](std::int64_t row, auto tile) {
      constexpr int R = decltype(tile)::value;
      for_panels<R>(space.n_fit, [&](std::int64_t at, auto panels) {
        constexpr int P = decltype(panels)::value;
        Vector<double> reduced[R][P];
        against_panels<decltype(metric)::value, R, P>(
            x + row * space.features, packed.nodes[0].leaf.panels + at * space.features, space, reduced);
        scatter<R, P>(reduced, at, space.n_fit, y + row * space.n_fit,
                      [&](double value) { return distance_of(value, space); });
      });
    });
  });
}

SARDONYX_KERNEL("PairwiseDistances",
                {.check = check_distances, .run = run_distances, .prepare = prepare, .release = release, .cost = cost});

// ---- all squares, expanded -----------------------------------------------------------------------------------------

// ExpandedSquares: the same for max(|x|^2 - 2 x.y + |y|^2, 0). The metric is not looked at; the param behind the others
// says how the squares of a row are added up: 0 as einsum, as in euclidean_distances, 1 as ddot, as in a search.

void check_squares(const Step& step) {
  constexpr const char* name = "ExpandedSquares";
  require(step.n_inputs == 3 && step.n_outputs == 1, name, "takes 3 inputs, gives 1 output");
  check_space(step, name);
  require(step.n_params == kSpaceParams + 1 && in_range(integer_param(step, kSpaceParams), 0, 1), name,
          "takes metric, k, algorithm, single, p, and 0 or 1");
  require(integer_param(step, 1) == 0 && step.params[2].i == kBrute, name, "k is 0 and no tree is searched");
  require(step.outputs[0].width == step.inputs[1].dims[0], name, "the output holds one number a training row");
}

void* prepare_squares(const Step& step) {
  auto* packed = static_cast<Packed*>(prepare(step));
  add_squares(*packed, step, step.params[kSpaceParams].i != 0);
  return packed;
}

void run_squares(const Step& step, std::int64_t rows, const Context& context) {
  const auto& packed = *static_cast<const Packed*>(context.state);
  const std::int64_t features = packed.space.features, n_fit = packed.space.n_fit;
  const auto* x = data_of<const double>(step.inputs[0]);
  auto* y = data_of<double>(step.outputs[0]);
  for_tiles(rows, [&](std::int64_t row, auto tile) {
    constexpr int R = decltype(tile)::value;
    double squares[R];
    for (int r = 0; r < R; ++r)
      squares[r] = squares_of(x + (row + r) * features, features, step.params[kSpaceParams].i != 0);
    for_panels<R>(n_fit, [&](std::int64_t at, auto panels) {
      constexpr int P = decltype(panels)::value;
      Vector<double> reduced[R][P];
      expanded<R, P>(x + row * features, squares, packed.nodes[0].leaf.panels + at * features, packed.squares + at,
                     features, reduced);
      scatter<R, P>(reduced, at, n_fit, y + row * n_fit, [](double value) { return value; });
    });
  });
}

SARDONYX_KERNEL(
    "ExpandedSquares",
    {.check = check_squares, .run = run_squares, .prepare = prepare_squares, .release = release, .cost = cost});

}  // namespace
}  // namespace sardonyx
