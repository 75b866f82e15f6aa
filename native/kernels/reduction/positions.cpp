// ArgMax and ArgMin: where the extreme of a line is, the n elements along one axis of a row.
//
// Params [outer, n, inner, last]; among equals the first, or the last. NaN is more extreme than any number, as in
// NumPy. Lines that are contiguous are looked through side by side, a line in each lane:
//
//   x    line 0: a b c d e    line 1: f g h i j   ...      ->    vectors  a f k p    b g l q   ...
#include "kernels/reduction/axis.h"
#include "simd/vector.h"

namespace sardonyx {
namespace {

constexpr std::int64_t kWidest = 1 << 20;  // elements of a line that lanes count

// True if b replaces a as the best so far. The first NaN is the best of all, or the last one. Without branches, which
// nobody could predict.
template <bool Greatest, class T>
inline bool better(T a, T b, bool last) {
  const bool beaten = Greatest ? !(b <= a) : !(b >= a), tied = last & (a == b);
  const bool open = !is_nan(a), later = last & is_nan(b);
  return (open & (beaten | tied)) | later;
}

// The same of as many lines as there are lanes, whose i-th elements `load(i)` gives; among equals the first.
template <bool Greatest, class T, class Load>
inline void positions_of_lanes(const Load& load, std::int64_t n, std::int64_t* y) {
  Vector<T> best = load(0);
  VectorBits<T> at{};
  for (std::int64_t i = 1; i < n; ++i) {
    const Vector<T> v = load(i);
    const VectorBits<T> replaced = (best == best) & ~(Greatest ? v <= best : v >= best);
    best = replaced ? v : best;
    at = replaced ? (at - at) + static_cast<std::int32_t>(i) : at;
  }
  for (int lane = 0; lane < kLanes<T>; ++lane) y[lane] = at[lane];
}

// Looks through contiguous lines by lanes, as far as there are enough; returns how many it has done.
template <bool Greatest, class T>
inline std::int64_t whole_vectors_of_lines(const T* x, std::int64_t count, const Axis& axis, std::int64_t* y) {
  std::int64_t done = 0;
  if (axis.inner != 1 || axis.n > kWidest) return done;
  for (; done + kLanes<T> <= count; done += kLanes<T>) {
    const T* lines = x + done * axis.n;
    positions_of_lanes<Greatest, T>([&](std::int64_t i) { return load_strided<Vector<T>>(lines + i, axis.n); }, axis.n,
                                    y + done);
  }
  return done;
}

// The same of lines beside each other, whose elements are apart.
template <bool Greatest, class T>
inline std::int64_t whole_vectors_of_columns(const T* x, const Axis& axis, std::int64_t* y) {
  std::int64_t done = 0;
  if (axis.n > kWidest) return done;
  for (; done + kLanes<T> <= axis.inner; done += kLanes<T>) {
    const T* columns = x + done;
    positions_of_lanes<Greatest, T>([&](std::int64_t i) { return load(columns + i * axis.inner); }, axis.n, y + done);
  }
  return done;
}

template <bool Greatest>
constexpr const char* kArgName = Greatest ? "ArgMax" : "ArgMin";

template <bool Greatest>
void check_arg(const Step& step) {
  constexpr const char* name = kArgName<Greatest>;
  check_axis(step, name, 4);
  const Axis axis = axis_of(step);
  require(is_number(step.inputs[0].dtype), name, "needs numbers");
  require(step.outputs[0].dtype == DType::i64, name, "output of the wrong type");
  require(covers(axis.outer, 1, axis.inner, step.outputs[0].width), name, "params do not fit the output");
  require(axis.n > 0, name, "needs at least one element");
}

template <bool Greatest>
void run_arg(const Step& step, std::int64_t rows, const Context&) {
  const Axis axis = axis_of(step);
  const bool last = step.params[3].i != 0;
  with_number(step.inputs[0].dtype, [&]<class T>(Type<T>) {
    const T* x = data_of<T>(step.inputs[0]);
    std::int64_t* y = data_of<std::int64_t>(step.outputs[0]);
    std::int64_t r = 0;
    if constexpr (std::is_floating_point_v<T>) {
      if (!last) r = whole_vectors_of_lines<Greatest>(x, rows * axis.outer, axis, y);
    }
    x += r * axis.n * axis.inner;
    y += r * axis.inner;
    for (; r < rows * axis.outer; ++r, x += axis.n * axis.inner, y += axis.inner) {
      std::int64_t j = 0;
      if constexpr (std::is_floating_point_v<T>) {
        if (!last) j = whole_vectors_of_columns<Greatest>(x, axis, y);
      }
      for (; j < axis.inner; ++j) {
        std::int64_t best = 0;
        for (std::int64_t i = 1; i < axis.n; ++i) {
          const bool replaced = better<Greatest>(x[best * axis.inner + j], x[i * axis.inner + j], last);
          best += (i - best) & -static_cast<std::int64_t>(replaced);
        }
        y[j] = best;
      }
    }
  });
}
SARDONYX_KERNEL("ArgMax", {.check = check_arg<true>, .run = run_arg<true>});
SARDONYX_KERNEL("ArgMin", {.check = check_arg<false>, .run = run_arg<false>});

}  // namespace
}  // namespace sardonyx
