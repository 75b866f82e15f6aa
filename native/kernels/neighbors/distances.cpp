// PairwiseDistances: the distance of each row to each training row, as a brute search computes them.
// ExpandedSquares: the squares of Euclidean ones, with what rounding leaves of them.
#include "kernels/neighbors/training_rows.h"

namespace sardonyx {
namespace {

void check_distances(const Step& step) {
  constexpr const char* name = "PairwiseDistances";
  require(step.n_inputs == 3 && step.n_outputs == 1, name, "takes 3 inputs, gives 1 output");
  check_space(step, name);
  require(step.n_params == kSpaceParams, name, "takes metric, k, algorithm, single and p");
  require(integer_param(step, 1) == 0 && step.params[2].i == kBrute, name, "k is 0 and no tree is searched");
  require(step.outputs[0].width == step.inputs[1].dims[0], name, "the output holds one distance a training row");
}

// The distances of a vector of what is compared: the square root or nothing as a vector, all else lane by lane.
inline Vector<double> distance_of(Vector<double> reduced, const Space& space) {
  const bool root = space.metric == kEuclidean || space.metric == kSeuclidean;
  if (!root && space.metric != kMinkowski && space.metric != kHaversine && !space.single) return reduced;
  double lanes[kL];
  store(lanes, reduced);
  if (root && !space.single) {
    for (double& lane : lanes) lane = __builtin_sqrt(lane);
  } else {
    for (double& lane : lanes) lane = distance_of(lane, space);
  }
  return load(lanes);
}

// Writes the numbers of R rows and P panels where they belong, from training row `at` on.
template <int R, int P, class F>
inline void scatter(const Vector<double> (&reduced)[R][P], std::int64_t at, std::int64_t n_fit, double* y, F finish) {
  for (int r = 0; r < R; ++r) {
    for (int p = 0; p < P; ++p) {
      if (at + (p + 1) * kL <= n_fit) {
        store(y + r * n_fit + at + p * kL, finish(reduced[r][p]));
        continue;
      }
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
                      [&](auto value) { return distance_of(value, space); });
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
      scatter<R, P>(reduced, at, n_fit, y + row * n_fit, [](auto value) { return value; });
    });
  });
}

SARDONYX_KERNEL(
    "ExpandedSquares",
    {.check = check_squares, .run = run_squares, .prepare = prepare_squares, .release = release, .cost = cost});

}  // namespace
}  // namespace sardonyx
