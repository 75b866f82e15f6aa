// The space that neighbours are searched in. Its metrics are scalar formulas, for one lane or many: what a feature adds
// to the sum, and what the sum is a distance of, bit for bit those of sklearn/metrics/_dist_metrics.pyx.tp. Its trees
// are KDTree and BallTree, as their arrays. check_space and check_tree establish what the kernels rely on.
#pragma once

#include "kernels/check.h"
#include "simd/vector.h"

namespace sardonyx {
namespace {

constexpr int kL = kLanes<double>;

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
  kScipyBraycurtis,  // of scipy.spatial.distance: divided by the magnitudes of sums
  kHaversine,        // of latitude and longitude
  kJaccard,          // from here on, of features that both rows have, and that one of them has
  kDice,
  kRogerstanimoto,
  kRussellrao,
  kSokalsneath,
  kMetrics
};
enum Algorithm { kBrute, kKdTree, kBallTree, kAlgorithms };

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

inline double sine(double x) { return ::sin(x); }
inline double cosine(double x) { return ::cos(x); }
inline Vector<double> sine(Vector<double> x) {
  for (int lane = 0; lane < kL; ++lane) x[lane] = ::sin(x[lane]);
  return x;
}
inline Vector<double> cosine(Vector<double> x) {
  for (int lane = 0; lane < kL; ++lane) x[lane] = ::cos(x[lane]);
  return x;
}

struct Space {
  std::int64_t features, n_fit, metric, k;
  bool single;
  double p;
  const double* w;  // one weight a feature
};

// Adds feature f to the reduced distance `a` (and to `b`, of metrics that make it of two sums).
template <int M, class V>
inline void add(V& a, [[maybe_unused]] V& b, V x, V y, std::int64_t f, const Space& space) {
  V gap = x - y;
  if constexpr (M != kEuclidean && M != kSqeuclidean) {  // whose squares need no magnitude
    gap = absolute(gap);
    if (space.single) gap = rounded(gap);
  }
  if constexpr (M == kEuclidean || M == kSqeuclidean) a += gap * gap;
  if constexpr (M == kSeuclidean) a += gap * gap / space.w[f];
  if constexpr (M == kManhattan || M == kBraycurtis || M == kScipyBraycurtis) a += gap;
  if constexpr (M == kChebyshev) a = larger(gap, a);
  if constexpr (M == kMinkowski) a += power(gap, space.p) * space.w[f];
  if constexpr (M == kHamming) a += unequal(x, y);
  if constexpr (M == kCanberra) a += ratio(gap, absolute(x) + absolute(y));
  if constexpr (M == kBraycurtis) b += absolute(x) + absolute(y);
  if constexpr (M == kScipyBraycurtis) b += absolute(x + y);
  if constexpr (M == kHaversine) {
    const V half = sine(0.5 * gap);
    if (f == 0) b = cosine(x) * cosine(y);
    a = f == 0 ? half * half : a + b * half * half;
  }
  if constexpr (M == kJaccard) {
    const V has = unequal(x, V{}), had = unequal(y, V{});
    a += has * had;
    b += unequal(has, had);
  }
}

// The distance of rows with `both` features in common and `one` that only one of them has, of n.
template <class V>
inline V counted(V both, V one, const Space& space) {
  const auto n = static_cast<double>(space.features);
  switch (space.metric) {
    case kDice: return one / (2.0 * both + one);
    case kRogerstanimoto: return 2.0 * one / (n + one);
    case kRussellrao: return (n - both) / n;
    case kSokalsneath: return one / (0.5 * both + one);
    default: return ratio(one, both + one);
  }
}

// What is compared, once all features are in.
template <int M, class V>
inline V finished(V a, [[maybe_unused]] V b, const Space& space) {
  if constexpr (M == kBraycurtis) a = ratio(a, b);
  if constexpr (M == kScipyBraycurtis) a = a / b;
  if constexpr (M == kJaccard) a = counted(a, b, space);
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
  if (space.metric == kHaversine) distance = 2 * ::asin(__builtin_sqrt(reduced));
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
    case kScipyBraycurtis: return f(Code<kScipyBraycurtis>{});
    case kHaversine: return f(Code<kHaversine>{});
    case kBraycurtis: return f(Code<kBraycurtis>{});
    default: return f(Code<kJaccard>{});
  }
}

// The first params of a step: metric, k (0 where none is searched for), algorithm, single, p.
constexpr int kSpaceParams = 5;

[[maybe_unused]] inline Space space_of(const Step& step) {
  return {step.inputs[1].dims[1],
          step.inputs[1].dims[0],
          step.params[0].i,
          step.params[1].i,
          step.params[3].i != 0,
          step.params[4].f,
          data_of<const double>(step.inputs[2])};
}

[[maybe_unused]] inline void check_space(const Step& step, const char* name) {
  require(step.n_params >= kSpaceParams, name, "takes metric, k, algorithm, single and p");
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
  require(step.params[0].i != kHaversine || x.width == 2, name, "a place is a latitude and a longitude");
  require(step.outputs[0].dtype == DType::f64, name, "gives float64");
}

// A tree as scikit-learn writes it: node i has children 2 i + 1 and 2 i + 2, leaves hold [start, end) of `order`.
[[maybe_unused]] inline void check_tree(const Step& step, const char* name) {
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

}  // namespace
}  // namespace sardonyx
