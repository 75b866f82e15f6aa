// Elements found and replaced by computed indices: GatherND, ScatterND, ScatterElements.
//
//   GatherND          y[b, i, :] = data[b, indices[b, i, 0], indices[b, i, 1] ..., :]
//   ScatterND         data, with updates[i, :] at [indices[i, 0], indices[i, 1] ..., :], one after the other
//   ScatterElements   data, with every element of updates at its own place, but for the axis, where indices says
//
// Negative indices count from the end; those beyond are refused when the step runs. What an update does with what is
// there: replace it, or be added, multiplied, compared.
#include "kernels/reduction/axis.h"

namespace sardonyx {
namespace {

enum Reduction : std::int64_t { kReplace = 0, kAdd = 1, kMultiply = 2, kMax = 3, kMin = 4 };

// The element, of `dims` many, that a tuple of indices names.
inline std::int64_t place_of(const std::int64_t* tuple, const Param* dims, std::int64_t depth, const char* kernel) {
  std::int64_t at = 0;
  for (std::int64_t d = 0; d < depth; ++d) at = at * dims[d].i + wrapped(tuple[d], dims[d].i, kernel);
  return at;
}

template <class T>
inline const T* row_of(const Tensor& t, std::int64_t row) {
  return data_of<const T>(t) + row * row_stride(t);
}

// The product of the params [first, first + count), or -1 where it is no size.
std::int64_t product_of(const Step& step, std::int64_t first, std::int64_t count) {
  std::int64_t product = 1;
  for (std::int64_t i = first; i < first + count; ++i) {
    const std::int64_t n = integer_param(step, static_cast<int>(i));
    if (!in_range(n, 0, kLargest) || __builtin_mul_overflow(product, n, &product) || product > kLargest) return -1;
  }
  return product;
}

void check_indices(const Step& step, const char* name, int inputs) {
  require(step.n_inputs == inputs && step.n_outputs == 1, name, "has another number of inputs or outputs");
  require_row_output(step, name);
  require(step.inputs[1].dtype == DType::i64, name, "indices are not int64");
  require(step.outputs[0].dtype == step.inputs[0].dtype, name, "output of the wrong type");
}

void check_updates(const Step& step, const char* name, std::int64_t reduction) {
  const DType t = step.inputs[0].dtype;
  require(step.inputs[2].dtype == t, name, "updates of another type than the data");
  require(step.outputs[0].width == step.inputs[0].width, name, "output of another size than the data");
  require(in_range(reduction, kReplace, kMin), name, "there is no such reduction");
  require(reduction == kReplace || is_number(t), name, "only numbers are reduced");
}

// ---- GatherND: params [batch, n, depth, inner, dims ...]; inputs data, indices -------------------------------------

void check_gather_nd(const Step& step) {
  constexpr const char* name = "GatherND";
  check_indices(step, name, 2);
  require(step.n_params >= 4, name, "needs sizes");
  const std::int64_t batch = integer_param(step, 0), n = integer_param(step, 1), depth = integer_param(step, 2);
  const std::int64_t inner = integer_param(step, 3);
  require(depth == step.n_params - 4, name, "needs one size a dimension");
  const std::int64_t places = product_of(step, 4, depth);
  require(places >= 0 && covers(batch, places, inner, step.inputs[0].width), name, "params do not fit the data");
  require(covers(batch, n, depth, step.inputs[1].width), name, "params do not fit the indices");
  require(covers(batch, n, inner, step.outputs[0].width), name, "params do not fit the output");
}

template <class T>
inline void gather_nd(const Step& step, std::int64_t rows) {
  const std::int64_t batch = step.params[0].i, n = step.params[1].i, depth = step.params[2].i;
  const std::int64_t inner = step.params[3].i;
  T* y = data_of<T>(step.outputs[0]);
  for (std::int64_t r = 0; r < rows; ++r) {
    const T* x = row_of<T>(step.inputs[0], r);
    const std::int64_t* at = row_of<std::int64_t>(step.inputs[1], r);
    for (std::int64_t b = 0; b < batch; ++b, x += step.inputs[0].width / batch) {
      for (std::int64_t i = 0; i < n; ++i, at += depth, y += inner) {
        const T* from = x + place_of(at, step.params + 4, depth, "GatherND") * inner;
        for (std::int64_t j = 0; j < inner; ++j) y[j] = from[j];
      }
    }
  }
}

void run_gather_nd(const Step& step, std::int64_t rows, const Context&) {
  with_item(step.inputs[0].dtype, [&]<class T>(Type<T>) { gather_nd<T>(step, rows); });
}
SARDONYX_KERNEL("GatherND", {.check = check_gather_nd, .run = run_gather_nd, .halves = true});

// ---- updates -------------------------------------------------------------------------------------------------------

// Integers wrap, as NumPy's: they are added and multiplied as unsigned numbers. NaN wins, as in numpy.maximum.
template <class T>
inline T reduced(T a, T b, std::int64_t reduction) {
  using Wide = std::conditional_t<std::is_integral_v<T>, std::uint64_t, T>;
  switch (reduction) {
    case kAdd: return static_cast<T>(static_cast<Wide>(a) + static_cast<Wide>(b));
    case kMultiply: return static_cast<T>(static_cast<Wide>(a) * static_cast<Wide>(b));
    case kMax: return a > b || a != a ? a : b;
    case kMin: return a < b || a != a ? a : b;
    default: return b;
  }
}

template <class T>
inline void update(T* to, T value, std::int64_t reduction) {
  if constexpr (std::is_arithmetic_v<T>) {
    *to = reduced(*to, value, reduction);
  } else {
    *to = value;
  }
}

template <class F>
inline void with_updated(const Step& step, std::int64_t reduction, F&& f) {
  reduction == kReplace ? with_item(step.inputs[0].dtype, f) : with_number(step.inputs[0].dtype, f);
}

template <class T>
inline T* copied(const Step& step, std::int64_t row) {
  const std::int64_t width = step.outputs[0].width;
  const T* x = row_of<T>(step.inputs[0], row);
  T* y = data_of<T>(step.outputs[0]) + row * width;
  for (std::int64_t i = 0; i < width; ++i) y[i] = x[i];
  return y;
}

// ---- ScatterND: params [n, depth, inner, reduction, dims ...]; inputs data, indices, updates -----------------------

void check_scatter_nd(const Step& step) {
  constexpr const char* name = "ScatterND";
  check_indices(step, name, 3);
  require(step.n_params >= 4, name, "needs sizes");
  const std::int64_t n = integer_param(step, 0), depth = integer_param(step, 1), inner = integer_param(step, 2);
  check_updates(step, name, integer_param(step, 3));
  require(depth == step.n_params - 4, name, "needs one size a dimension");
  const std::int64_t places = product_of(step, 4, depth);
  require(places >= 0 && covers(1, places, inner, step.inputs[0].width), name, "params do not fit the data");
  require(covers(1, n, depth, step.inputs[1].width), name, "params do not fit the indices");
  require(covers(1, n, inner, step.inputs[2].width), name, "params do not fit the updates");
}

template <class T>
inline void scatter_nd(const Step& step, std::int64_t rows) {
  const std::int64_t n = step.params[0].i, depth = step.params[1].i, inner = step.params[2].i;
  for (std::int64_t r = 0; r < rows; ++r) {
    T* y = copied<T>(step, r);
    const std::int64_t* at = row_of<std::int64_t>(step.inputs[1], r);
    const T* from = row_of<T>(step.inputs[2], r);
    for (std::int64_t i = 0; i < n; ++i, at += depth) {
      T* to = y + place_of(at, step.params + 4, depth, "ScatterND") * inner;
      for (std::int64_t j = 0; j < inner; ++j) update(to + j, *from++, step.params[3].i);
    }
  }
}

void run_scatter_nd(const Step& step, std::int64_t rows, const Context&) {
  with_updated(step, step.params[3].i, [&]<class T>(Type<T>) { scatter_nd<T>(step, rows); });
}
SARDONYX_KERNEL("ScatterND", {.check = check_scatter_nd, .run = run_scatter_nd});

// ---- ScatterElements: params [rank, axis, reduction, sizes of data ..., sizes of indices ...] ----------------------

void check_scatter_elements(const Step& step) {
  constexpr const char* name = "ScatterElements";
  check_indices(step, name, 3);
  require(step.n_params >= 3, name, "needs sizes");
  const std::int64_t rank = integer_param(step, 0), axis = integer_param(step, 1);
  check_updates(step, name, integer_param(step, 2));
  require(in_range(rank, 1, kMaxRank) && in_range(axis, 0, rank - 1), name, "axis is out of range");
  require(step.n_params == 3 + 2 * rank, name, "needs two sizes a dimension");
  require(product_of(step, 3, rank) == step.inputs[0].width, name, "params do not fit the data");
  const std::int64_t count = product_of(step, 3 + rank, rank);
  require(count == step.inputs[1].width && count == step.inputs[2].width, name, "params do not fit the updates");
  for (std::int64_t d = 0; d < rank; ++d) {
    const std::int64_t data = step.params[3 + d].i, indices = step.params[3 + rank + d].i;
    require(d == axis || indices <= data, name, "indices go beyond the data");
  }
}

template <class T>
inline void scatter_elements(const Step& step, std::int64_t rows) {
  const std::int64_t rank = step.params[0].i, axis = step.params[1].i, reduction = step.params[2].i;
  const Param *data = step.params + 3, *sizes = step.params + 3 + rank;
  std::int64_t pitch[kMaxRank];
  for (std::int64_t d = rank - 1, size = 1; d >= 0; size *= data[d--].i) pitch[d] = size;
  for (std::int64_t r = 0; r < rows; ++r) {
    T* y = copied<T>(step, r);
    const std::int64_t* index = row_of<std::int64_t>(step.inputs[1], r);
    const T* from = row_of<T>(step.inputs[2], r);
    std::int64_t at[kMaxRank] = {};
    for (std::int64_t i = 0; i < step.inputs[1].width; ++i) {
      std::int64_t place = wrapped(index[i], data[axis].i, "ScatterElements") * pitch[axis];
      for (std::int64_t d = 0; d < rank; ++d) place += d == axis ? 0 : at[d] * pitch[d];
      update(y + place, from[i], reduction);
      for (std::int64_t d = rank - 1; d >= 0 && ++at[d] == sizes[d].i; --d) at[d] = 0;
    }
  }
}

void run_scatter_elements(const Step& step, std::int64_t rows, const Context&) {
  with_updated(step, step.params[2].i, [&]<class T>(Type<T>) { scatter_elements<T>(step, rows); });
}
SARDONYX_KERNEL("ScatterElements", {.check = check_scatter_elements, .run = run_scatter_elements});

}  // namespace
}  // namespace sardonyx
