// KNeighbors: the k nearest training rows of each row, in scikit-learn's order also where several are equally far.
// PairwiseDistances: the distance of each row to each training row.
//
// All is float64, and summed feature by feature, so distances are those of sklearn/metrics/_dist_metrics.pyx.tp bit for
// bit; rows that were float32 are rounded where it rounds (`single`). Training rows are packed in panels of L (the
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

#include "check.h"
#include "simd/vector.h"

namespace sardonyx {
namespace {

constexpr int kL = kLanes<double>;
constexpr int kTile = 4;    // rows of brute force that share the load of panels
constexpr int kPanels = 2;  // that rows meet at once; a row alone meets twice as many

enum MetricCode {
  kEuclidean,
  kSqeuclidean,
  kSeuclidean,
  kManhattan,
  kChebyshev,
  kMinkowski,
  kHamming,
  kCanberra,
  kBraycurtis,
  kMetrics
};
enum Algorithm { kBrute, kKdTree, kBallTree, kAlgorithms };

// ---- metrics: a scalar formula for one lane or many -----------------------------------------------------------------

inline double absolute(double x) { return ::fabs(x); }
inline Vector<double> absolute(Vector<double> x) {
  return (Vector<double>)((VectorBits<double>)x & ~(VectorBits<double>)broadcast(-0.0));
}
inline double rounded(double x) { return static_cast<double>(static_cast<float>(x)); }
inline Vector<double> rounded(Vector<double> x) {
  typedef float Narrow __attribute__((vector_size(kVectorBytes / 2)));
  return __builtin_convertvector(__builtin_convertvector(x, Narrow), Vector<double>);
}
inline double larger(double a, double b) { return a > b ? a : b; }
inline Vector<double> larger(Vector<double> a, Vector<double> b) { return a > b ? a : b; }
inline double power(double x, double p) { return ::pow(x, p); }
inline Vector<double> power(Vector<double> x, double p) {
  for (int lane = 0; lane < kL; ++lane) x[lane] = ::pow(x[lane], p);
  return x;
}
// a / b, and 0 unless b > 0
inline double ratio(double a, double b) { return b > 0 ? a / b : 0.0; }
inline Vector<double> ratio(Vector<double> a, Vector<double> b) {
  const VectorBits<double> positive = b > Vector<double>{};
  return (Vector<double>)((VectorBits<double>)(a / b) & positive);
}
inline double unequal(double x, double y) { return x != y ? 1.0 : 0.0; }
inline Vector<double> unequal(Vector<double> x, Vector<double> y) {
  const VectorBits<double> differ = x != y;
  return (Vector<double>)((VectorBits<double>)broadcast(1.0) & differ);
}

struct Space {
  std::int64_t features, n_fit, metric, k;
  bool single;
  double p;
  const double* w;  // one weight a feature
};

// Adds feature f to the reduced distance `a` (and to `b`, of the one metric that divides two sums).
template <int M, class V>
inline void add(V& a, [[maybe_unused]] V& b, V x, V y, std::int64_t f, const Space& space) {
  V gap = x - y;
  if constexpr (M != kEuclidean && M != kSqeuclidean) {  // whose squares need no magnitude
    gap = absolute(gap);
    if (space.single) gap = rounded(gap);
  }
  if constexpr (M == kEuclidean || M == kSqeuclidean) a += gap * gap;
  if constexpr (M == kSeuclidean) a += gap * gap / space.w[f];
  if constexpr (M == kManhattan || M == kBraycurtis) a += gap;
  if constexpr (M == kChebyshev) a = larger(gap, a);
  if constexpr (M == kMinkowski) a += power(gap, space.p) * space.w[f];
  if constexpr (M == kHamming) a += unequal(x, y);
  if constexpr (M == kCanberra) a += ratio(gap, absolute(x) + absolute(y));
  if constexpr (M == kBraycurtis) b += absolute(x) + absolute(y);
}

// What is compared, once all features are in.
template <int M, class V>
inline V finished(V a, [[maybe_unused]] V b, const Space& space) {
  if constexpr (M == kBraycurtis) a = ratio(a, b);
  if constexpr (M == kHamming) a = a / static_cast<double>(space.features);
  if constexpr (M == kEuclidean || M == kSqeuclidean) return a;
  return space.single ? rounded(a) : a;
}

// The distance of what is compared.
inline double distance_of(double reduced, const Space& space) {
  if (space.single) reduced = rounded(reduced);
  double distance = reduced;
  if (space.metric == kEuclidean || space.metric == kSeuclidean) distance = __builtin_sqrt(reduced);
  if (space.metric == kMinkowski) distance = ::pow(reduced, 1.0 / space.p);
  return space.single ? rounded(distance) : distance;
}

// Calls f(Code<M>{}) with the metric as a constant.
template <int M>
struct Code {
  static constexpr int value = M;
};

template <class F>
void with_metric(std::int64_t metric, F&& f) {
  switch (metric) {
    case kEuclidean:
    case kSqeuclidean: return f(Code<kEuclidean>{});
    case kSeuclidean: return f(Code<kSeuclidean>{});
    case kManhattan: return f(Code<kManhattan>{});
    case kChebyshev: return f(Code<kChebyshev>{});
    case kMinkowski: return f(Code<kMinkowski>{});
    case kHamming: return f(Code<kHamming>{});
    case kCanberra: return f(Code<kCanberra>{});
    default: return f(Code<kBraycurtis>{});
  }
}

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
};

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

// Params: metric, k (0 for PairwiseDistances), algorithm, single, p.
constexpr int kParams = 5;

Space space_of(const Step& step) {
  return {step.inputs[1].dims[1],
          step.inputs[1].dims[0],
          step.params[0].i,
          step.params[1].i,
          step.params[3].i != 0,
          step.params[4].f,
          data_of<const double>(step.inputs[2])};
}

void release(void* state) {
  auto* packed = static_cast<Packed*>(state);
  std::free(packed->order);
  std::free(packed->nodes);
  std::free(packed->panels);
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

void check_space(const Step& step, const char* name) {
  require(step.n_params == kParams, name, "takes metric, k, algorithm, single and p");
  require_row_output(step, name);
  const Tensor &x = step.inputs[0], &fit = step.inputs[1], &w = step.inputs[2];
  require(x.dtype == DType::f64 && fit.dtype == DType::f64 && w.dtype == DType::f64, name, "takes float64");
  require(!x.constant && fit.constant && w.constant && fit.rank == 2, name,
          "X is a row, the training rows are constant");
  require(fit.dims[1] == x.width && w.width == x.width && fit.dims[0] >= 1, name, "shapes do not fit");
  require(in_range(integer_param(step, 0), 0, kMetrics - 1), name, "there is no such metric");
  require(in_range(integer_param(step, 2), 0, kAlgorithms - 1), name, "there is no such algorithm");
  require(in_range(integer_param(step, 3), 0, 1), name, "single is 0 or 1");
  require(real_param(step, 4) > 0, name, "p is not positive");
  require(step.outputs[0].dtype == DType::f64, name, "gives float64");
}

// A tree as scikit-learn writes it: node i has children 2 i + 1 and 2 i + 2, leaves hold [start, end) of `order`.
void check_tree(const Step& step, const char* name) {
  const std::int64_t n = step.inputs[1].dims[0], features = step.inputs[1].dims[1];
  const Tensor &order = step.inputs[3], &ranges = step.inputs[4], &radii = step.inputs[5], &bounds = step.inputs[6];
  require(order.constant && ranges.constant && radii.constant && bounds.constant, name, "the tree is not constant");
  require(order.dtype == DType::i64 && ranges.dtype == DType::i64 && radii.dtype == DType::f64, name,
          "types of the tree");
  require(bounds.dtype == DType::f64 && order.width == n && ranges.rank == 2 && ranges.dims[1] == 3, name,
          "the tree's shape");
  const std::int64_t nodes = ranges.dims[0], corners = step.params[2].i == kKdTree ? 2 : 1;
  require(nodes >= 1 && radii.width == nodes && bounds.width == corners * nodes * features, name, "the tree's size");
  const auto *rows = data_of<const std::int64_t>(order), *range = data_of<const std::int64_t>(ranges);
  for (std::int64_t i = 0; i < n; ++i)
    require(in_range(rows[i], 0, n - 1), name, "the tree names a row that is not there");
  for (std::int64_t i = 0; i < nodes; ++i) {
    require(in_range(range[3 * i], 0, n) && in_range(range[3 * i + 1], range[3 * i], n), name, "a node's rows");
    require(range[3 * i + 2] != 0 || 2 * i + 2 < nodes, name, "a node has no children");
  }
}

void check_neighbors(const Step& step) {
  constexpr const char* name = "KNeighbors";
  require((step.n_inputs == 3 || step.n_inputs == 7) && step.n_outputs == 2, name,
          "takes 3 or 7 inputs, gives 2 outputs");
  check_space(step, name);
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
                 double* values, std::int64_t* indices) {
  const std::int64_t k = packed.space.k;
  Vector<double> reduced[R][P];
  against_panels<M, R, P>(x, panels, packed.space, reduced);
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) offer(packed, leaf, at + p * kL, reduced[r][p], values + r * k, indices + r * k);
  }
}

// Offers the leaf's rows to R heaps, in the tree's order.
template <int M, int R>
void scan(const Packed& packed, const Leaf& leaf, const double* x, double* values, std::int64_t* indices) {
  constexpr int P = R == 1 ? 2 * kPanels : kPanels;
  const std::int64_t stride = kL * packed.space.features;
  const double* panels = leaf.panels;
  std::int64_t at = leaf.start;
  for (; at + P * kL <= leaf.end; at += P * kL, panels += P * stride)
    meet<M, R, P>(packed, leaf, at, panels, x, values, indices);
  for (; at < leaf.end; at += kL, panels += stride) meet<M, R, 1>(packed, leaf, at, panels, x, values, indices);
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
void neighbors(const Packed& packed, std::int64_t rows, const double* x, double* values, std::int64_t* indices) {
  const std::int64_t k = packed.space.k, features = packed.space.features;
  const bool brute = packed.algorithm == kBrute;
  for (std::int64_t i = 0; i < rows * k; ++i) {
    values[i] = brute ? DBL_MAX : static_cast<double>(INFINITY);
    indices[i] = 0;
  }
  std::int64_t r = 0;
  for (; brute && r + kTile <= rows; r += kTile) {
    scan<M, kTile>(packed, packed.nodes[0].leaf, x + r * features, values + r * k, indices + r * k);
  }
  for (; r < rows; ++r) {
    const double bound = brute ? 0.0 : lower_bound<M>(packed, 0, x + r * features);
    search<M>(packed, 0, bound, x + r * features, values + r * k, indices + r * k);
  }
  for (r = 0; r < rows; ++r) sort_both(values + r * k, indices + r * k, k);
  for (std::int64_t i = 0; i < rows * k; ++i) values[i] = distance_of(values[i], packed.space);
}

void run_neighbors(const Step& step, std::int64_t rows, const Context& context) {
  const auto& packed = *static_cast<const Packed*>(context.state);
  const auto* x = data_of<const double>(step.inputs[0]);
  auto* values = data_of<double>(step.outputs[0]);
  auto* indices = data_of<std::int64_t>(step.outputs[1]);
  with_metric(packed.space.metric,
              [&](auto metric) { neighbors<decltype(metric)::value>(packed, rows, x, values, indices); });
}

double cost(const Step& step) {
  const auto all = static_cast<double>(step.inputs[1].width) / kL;
  return 50 + (step.params[2].i == kBrute ? all : all / 4);
}

SARDONYX_KERNEL("KNeighbors",
                {.check = check_neighbors, .run = run_neighbors, .prepare = prepare, .release = release, .cost = cost});

// ---- all distances -------------------------------------------------------------------------------------------------

void check_distances(const Step& step) {
  constexpr const char* name = "PairwiseDistances";
  require(step.n_inputs == 3 && step.n_outputs == 1, name, "takes 3 inputs, gives 1 output");
  check_space(step, name);
  require(integer_param(step, 1) == 0 && step.params[2].i == kBrute, name, "k is 0 and no tree is searched");
  require(step.outputs[0].width == step.inputs[1].dims[0], name, "the output holds one distance a training row");
}

// Of R rows to the training rows of P panels, from row `at` on.
template <int M, int R, int P>
inline void measure(const Packed& packed, std::int64_t at, const double* x, double* y) {
  const Space& space = packed.space;
  Vector<double> reduced[R][P];
  against_panels<M, R, P>(x, packed.nodes[0].leaf.panels + at * space.features, space, reduced);
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) {
      double* to = y + r * space.n_fit;
      for (std::int64_t lane = 0, i = at + p * kL; lane < kL && i < space.n_fit; ++lane, ++i)
        to[i] = distance_of(reduced[r][p][lane], space);
    }
  }
}

template <int M, int R>
void distances(const Packed& packed, const double* x, double* y) {
  constexpr int P = R == 1 ? 2 * kPanels : kPanels;
  std::int64_t at = 0;
  for (; at + P * kL <= packed.space.n_fit; at += P * kL) measure<M, R, P>(packed, at, x, y);
  for (; at < packed.space.n_fit; at += kL) measure<M, R, 1>(packed, at, x, y);
}

void run_distances(const Step& step, std::int64_t rows, const Context& context) {
  const auto& packed = *static_cast<const Packed*>(context.state);
  const auto* x = data_of<const double>(step.inputs[0]);
  auto* y = data_of<double>(step.outputs[0]);
  const std::int64_t features = packed.space.features, n = packed.space.n_fit;
  with_metric(packed.space.metric, [&](auto metric) {
    constexpr int M = decltype(metric)::value;
    std::int64_t r = 0;
    for (; r + kTile <= rows; r += kTile) distances<M, kTile>(packed, x + r * features, y + r * n);
    for (; r < rows; ++r) distances<M, 1>(packed, x + r * features, y + r * n);
  });
}

SARDONYX_KERNEL("PairwiseDistances",
                {.check = check_distances, .run = run_distances, .prepare = prepare, .release = release, .cost = cost});

}  // namespace
}  // namespace sardonyx
