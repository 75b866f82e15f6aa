// KernelDensity: the logarithm of a sum of kernels around the training rows, by scikit-learn's own search of its tree.
//
//   node    lower and upper bound of what its rows can add      ──▶ split while the bounds are apart
//   leaf    log(exp(sum) + exp(kernel)), row by row
//
// scikit-learn (sklearn/neighbors/_binary_tree.pxi.tp, kernel_density) keeps running bounds from which it subtracts
// what it replaces. Far from the data what that leaves over is rounding noise larger than the density itself, and where
// rtol or atol is given the answer depends on which nodes were split. Only the same additions in the same order answer
// the same.
#include "kernels/memory.h"
#include "kernels/neighbors/space.h"

namespace sardonyx {
namespace {

enum DensityKernel { kGaussian, kTophat, kEpanechnikov, kExponential, kLinear, kCosine, kDensityKernels };
constexpr const char* kName = "KernelDensity";
// kernel, breadth first, bandwidth, log of its norm, log of atol, log of rtol, weight of all training rows
constexpr int kParams = kSpaceParams + 7;
constexpr double kNothing = -INFINITY;  // the logarithm of no density at all
constexpr double kPi = 3.14159265358979323846, kLog2 = 0.69314718055994530942;

struct Density {
  Space space;
  std::int64_t algorithm, n_nodes;
  const double *rows, *bounds, *radii, *log_weights;  // log_weights: one a training row, or nullptr
  const std::int64_t *order, *ranges;
  double log_of_all;     // the logarithm of what all rows weigh
  double order_of_norm;  // read from here, or the compiler makes a product of pow(x, 2), which rounds otherwise
  double* log_of_node;   // the logarithm of what a node's rows weigh
  std::int64_t kernel;
  bool breadth_first;
  double h, log_norm, log_atol, log_rtol;
};

struct Bounds {
  double least, spread;  // logarithms
};

struct Distances {
  double nearest, farthest;
};

struct Entry {
  double distance;
  std::int64_t node;
};

inline double log_add(double a, double b) {
  const double most = ::fmax(a, b);
  return most == kNothing ? kNothing : most + ::log(::exp(a - most) + ::exp(b - most));
}

inline double log_subtract(double a, double b) { return a <= b ? kNothing : a + ::log(1 - ::exp(b - a)); }

double log_kernel(double distance, const Density& d) {
  switch (d.kernel) {
    case kGaussian: return -0.5 * (distance * distance) / (d.h * d.h);
    case kTophat: return distance < d.h ? 0.0 : kNothing;
    case kEpanechnikov: return distance < d.h ? ::log(1.0 - (distance * distance) / (d.h * d.h)) : kNothing;
    case kExponential: return -distance / d.h;
    case kLinear: return distance < d.h ? ::log(1 - distance / d.h) : kNothing;
    default: return distance < d.h ? ::log(::cos(0.5 * kPi * distance / d.h)) : kNothing;
  }
}

template <int M>
double distance(const double* x, const double* y, const Density& d) {
  double a = 0, b = 0;
  for (std::int64_t f = 0; f < d.space.features; ++f) add<M>(a, b, x[f], y[f], f, d.space);
  return distance_of(finished<M>(a, b, d.space), d.space);
}

// How near and how far the rows of a node can be.
template <int M>
Distances to_node(const double* x, std::int64_t node, const Density& d) {
  const double* low = d.bounds + node * d.space.features;
  if (d.algorithm == kBallTree) {
    const double centre = distance<M>(x, low, d), radius = d.radii[node];
    return {::fmax(0.0, centre - radius), centre + radius};
  }
  const double* high = low + d.n_nodes * d.space.features;
  const double p = d.order_of_norm;
  Distances sum{0, 0};
  for (std::int64_t f = 0; f < d.space.features; ++f) {
    const double below = low[f] - x[f], above = x[f] - high[f];
    const double gap = 0.5 * ((below + ::fabs(below)) + (above + ::fabs(above)));
    const double reach = ::fmax(::fabs(below), ::fabs(above));
    if constexpr (M == kChebyshev) {
      sum = {::fmax(sum.nearest, gap), ::fmax(sum.farthest, reach)};
    } else {
      sum = {sum.nearest + ::pow(gap, p), sum.farthest + ::pow(reach, p)};
    }
  }
  if constexpr (M == kChebyshev) return sum;
  return {::pow(sum.nearest, 1.0 / p), ::pow(sum.farthest, 1.0 / p)};
}

// Whether bounds are as near to each other as asked.
inline bool settled(double spread, double least, const Density& d) {
  return d.log_norm + spread <= log_add(d.log_atol, d.log_rtol + d.log_norm + least);
}

inline bool settled_locally(std::int64_t node, const Bounds& local, const Density& d) {
  return d.log_norm + local.spread - d.log_of_node[node] + d.log_of_all <=
         log_add(d.log_atol, d.log_rtol + d.log_norm + local.least);
}

template <int M>
void add_leaf(const double* x, std::int64_t node, const Bounds& local, Bounds& global, const Density& d) {
  global.least = log_subtract(global.least, local.least);
  global.spread = log_subtract(global.spread, local.spread);
  for (std::int64_t i = d.ranges[3 * node]; i < d.ranges[3 * node + 1]; ++i) {
    const std::int64_t row = d.order[i];
    const double density = log_kernel(distance<M>(x, d.rows + row * d.space.features, d), d);
    global.least = log_add(global.least, density + (d.log_weights == nullptr ? 0.0 : d.log_weights[row]));
  }
}

inline void replace(Bounds& global, const Bounds& local, const Bounds& first, const Bounds& second) {
  global.least = log_add(log_add(log_subtract(global.least, local.least), first.least), second.least);
  global.spread = log_add(log_add(log_subtract(global.spread, local.spread), first.spread), second.spread);
}

// ---- depth first ---------------------------------------------------------------------------------------------------

template <int M>
Bounds bounds_of(const double* x, std::int64_t node, double log_weight, const Density& d) {
  const Distances reach = to_node<M>(x, node, d);
  const double least = log_weight + log_kernel(reach.farthest, d);
  return {least, log_subtract(log_weight + log_kernel(reach.nearest, d), least)};
}

template <int M>
void descend(const double* x, std::int64_t node, const Bounds& local, Bounds& global, const Density& d) {
  if (settled_locally(node, local, d) || settled(global.spread, global.least, d)) return;
  if (d.ranges[3 * node + 2] != 0) return add_leaf<M>(x, node, local, global, d);
  const std::int64_t left = 2 * node + 1, right = left + 1;
  const Bounds first = bounds_of<M>(x, left, d.log_of_node[left], d);
  const Bounds second = bounds_of<M>(x, right, d.log_of_node[right], d);
  replace(global, local, first, second);
  descend<M>(x, left, first, global, d);
  descend<M>(x, right, second, global, d);
}

// ---- breadth first, nearest node first -----------------------------------------------------------------------------

void push(Entry* heap, std::int64_t& n, Entry entry) {
  std::int64_t at = n++;
  heap[at] = entry;
  while (at > 0) {
    const std::int64_t parent = (at - 1) / 2;
    if (heap[parent].distance <= heap[at].distance) break;
    const Entry other = heap[parent];
    heap[parent] = heap[at];
    heap[at] = other;
    at = parent;
  }
}

Entry pop(Entry* heap, std::int64_t& n) {
  const Entry top = heap[0];
  heap[0] = heap[--n];
  for (std::int64_t at = 0; at < n;) {
    std::int64_t child = 2 * at + 1;
    if (child >= n) break;
    if (child + 1 < n && !(heap[child].distance <= heap[child + 1].distance)) ++child;
    if (!(heap[child].distance <= heap[at].distance)) break;
    const Entry other = heap[child];
    heap[child] = heap[at];
    heap[at] = other;
    at = child;
  }
  return top;
}

// Here a node's "spread" is its upper bound: so it is in scikit-learn.
template <int M>
Bounds loose_bounds_of(std::int64_t node, const Distances& reach, const Density& d) {
  const double log_weight = d.log_of_node[node];
  return {log_weight + log_kernel(reach.farthest, d), log_weight + log_kernel(reach.nearest, d)};
}

template <int M>
Bounds spread_out(const double* x, Bounds* local, Entry* heap, const Density& d) {
  const Distances all = to_node<M>(x, 0, d);
  const double least = d.log_of_all + log_kernel(all.farthest, d);
  Bounds global{least, log_subtract(d.log_of_all + log_kernel(all.nearest, d), least)};
  local[0] = global;
  std::int64_t n = 0;
  push(heap, n, {all.nearest, 0});
  while (n > 0) {
    const std::int64_t node = pop(heap, n).node;
    if (settled_locally(node, local[node], d)) continue;
    if (settled(global.spread, global.least, d)) break;
    if (d.ranges[3 * node + 2] != 0) {
      add_leaf<M>(x, node, local[node], global, d);
      continue;
    }
    const std::int64_t left = 2 * node + 1, right = left + 1;
    const Distances to_left = to_node<M>(x, left, d), to_right = to_node<M>(x, right, d);
    local[left] = loose_bounds_of<M>(left, to_left, d);
    local[right] = loose_bounds_of<M>(right, to_right, d);
    replace(global, local[node], local[left], local[right]);
    push(heap, n, {to_left.nearest, left});
    push(heap, n, {to_right.nearest, right});
  }
  return global;
}

// ---- the step ------------------------------------------------------------------------------------------------------

void check_density(const Step& step) {
  require((step.n_inputs == 7 || step.n_inputs == 9) && step.n_outputs == 1, kName,
          "takes a tree, perhaps weights and their logarithms, and gives 1 output");
  check_space(step, kName);
  require(step.n_params == kParams && step.params[1].i == 0 && step.params[3].i == 0, kName, "has other params");
  require(step.params[2].i != kBrute, kName, "searches a tree");
  check_tree(step, kName);
  for (int i = 7; i < step.n_inputs; ++i) {
    const Tensor& weights = step.inputs[i];
    require(weights.constant && weights.dtype == DType::f64 && weights.width == step.inputs[1].dims[0], kName,
            "has one weight a training row");
  }
  require(step.outputs[0].width == 1, kName, "gives one number a row");
  require(in_range(integer_param(step, kSpaceParams), 0, kDensityKernels - 1), kName, "there is no such kernel");
  require(in_range(integer_param(step, kSpaceParams + 1), 0, 1), kName, "breadth first is 0 or 1");
  for (int i = 2; i < 7; ++i) real_param(step, kSpaceParams + i);
}

// The weight of a node: a count, or the weights' sum in the tree's order.
double weight_of(std::int64_t node, const Density& d, const double* weights) {
  if (weights == nullptr) return static_cast<double>(d.ranges[3 * node + 1] - d.ranges[3 * node]);
  double sum = 0;
  for (std::int64_t i = d.ranges[3 * node]; i < d.ranges[3 * node + 1]; ++i) sum += weights[d.order[i]];
  return sum;
}

void* prepare_density(const Step& step) {
  const bool weighted = step.n_inputs == 9;
  const double* weights = weighted ? data_of<const double>(step.inputs[7]) : nullptr;
  const auto nodes = static_cast<std::size_t>(step.inputs[4].dims[0]);
  auto* d = allocate_state<Density>(nodes * sizeof(double), kName, "the nodes");
  d->space = space_of(step);
  d->algorithm = step.params[2].i;
  d->rows = data_of<const double>(step.inputs[1]);
  d->order = data_of<const std::int64_t>(step.inputs[3]);
  d->ranges = data_of<const std::int64_t>(step.inputs[4]);
  d->radii = data_of<const double>(step.inputs[5]);
  d->bounds = data_of<const double>(step.inputs[6]);
  d->log_weights = weighted ? data_of<const double>(step.inputs[8]) : nullptr;
  d->n_nodes = step.inputs[4].dims[0];
  d->kernel = step.params[kSpaceParams].i;
  d->breadth_first = step.params[kSpaceParams + 1].i != 0;
  d->h = step.params[kSpaceParams + 2].f;
  d->log_norm = step.params[kSpaceParams + 3].f;
  d->log_atol = step.params[kSpaceParams + 4].f;
  d->log_rtol = step.params[kSpaceParams + 5].f;
  d->order_of_norm = d->space.metric == kManhattan ? 1.0 : d->space.metric == kMinkowski ? d->space.p : 2.0;
  d->log_of_all = ::log(step.params[kSpaceParams + 6].f);
  d->log_of_node = reinterpret_cast<double*>(arrays_of(d));
  for (std::int64_t i = 0; i < d->n_nodes; ++i) d->log_of_node[i] = ::log(weight_of(i, *d, weights));
  return d;
}

std::size_t scratch_of_density(const Step& step, std::int64_t) {
  return static_cast<std::size_t>(step.inputs[4].dims[0]) * (sizeof(Bounds) + sizeof(Entry));
}

void run_density(const Step& step, std::int64_t rows, const Context& context) {
  const auto& d = *static_cast<const Density*>(context.state);
  const auto* x = data_of<const double>(step.inputs[0]);
  auto* y = data_of<double>(step.outputs[0]);
  auto* local = static_cast<Bounds*>(context.scratch);
  auto* heap = reinterpret_cast<Entry*>(local + d.n_nodes);
  with_metric(d.space.metric, [&](auto metric) {
    constexpr int M = decltype(metric)::value;
    for (std::int64_t r = 0; r < rows; ++r, x += d.space.features) {
      Bounds global;
      if (d.breadth_first) {
        global = spread_out<M>(x, local, heap, d);
      } else {
        global = bounds_of<M>(x, 0, d.log_of_all, d);
        const Bounds all = global;
        descend<M>(x, 0, all, global, d);
      }
      y[r] = log_add(global.least, global.spread - kLog2) + d.log_norm;
    }
  });
}

double cost_of_density(const Step& step) { return 200 + 30 * static_cast<double>(step.inputs[1].dims[0]); }

SARDONYX_KERNEL("KernelDensity", {.check = check_density,
                                  .run = run_density,
                                  .scratch = scratch_of_density,
                                  .prepare = prepare_density,
                                  .release = release_memory,
                                  .cost = cost_of_density});

}  // namespace
}  // namespace sardonyx
